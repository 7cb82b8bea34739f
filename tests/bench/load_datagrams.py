"""DNS and CLDAP loads."""

from collections.abc import Callable
from itertools import count
from typing import Final

from addc.codec import filter as ldap_filter
from addc.codec.dns_message import Message, Question, encode_message
from addc.codec.dns_names import parse_name
from addc.codec.dns_words import parse_type
from addc.ldap import messages as m
from tests.bench.load_kit import Settings, Tally, datagrams
from tests.bench.load_ldap import with_ids

_DNS: Final = 53
_CLDAP: Final = 389
_NT_VERSION: Final = b"\x16\0\0\0"
"""V1, V5, V5EX: what a Windows client asks for."""


def dns_questions(settings: Settings) -> list[bytes]:
    """What a client asks before a logon."""
    domain = settings.realm.lower()
    asked = [
        ("SRV", f"_ldap._tcp.dc._msdcs.{domain}"),
        ("A", settings.host),
        ("SRV", f"_kerberos._udp.{domain}"),
    ]
    questions = [Question(parse_name(name), parse_type(kind)) for kind, name in asked]
    return [encode_message(Message(rd=True, questions=(one,))) for one in questions]


def dns(settings: Settings) -> Tally:
    questions = dns_questions(settings)

    def fault(reply: bytes) -> str:
        return "" if reply[3] & 0xF == 0 and reply[7] else f"rcode {reply[3] & 0xF}, {reply[7]} answers"

    messages = ((n & 0xFFFF).to_bytes(2, "big") + questions[n % 3][2:] for n in count())
    return datagrams(settings, _DNS, messages, fault)


def cldap(settings: Settings) -> Tally:
    """A client's ping of a DC it knows by name."""
    wanted = ldap_filter.And(
        (
            ldap_filter.Equal("DnsDomain", settings.realm.lower().encode()),
            ldap_filter.Equal("Host", b"CLIENT"),
            ldap_filter.Equal("NtVer", _NT_VERSION),
        )
    )
    op = m.SearchRequest("", 0, 0, 0, 0, False, wanted, ("Netlogon",))
    return datagrams(
        settings, _CLDAP, with_ids([op]), lambda r: "" if len(r) > 100 else "no Netlogon attribute"
    )


KINDS: Final[dict[str, Callable[[Settings], Tally]]] = {"dns": dns, "cldap": cldap}
