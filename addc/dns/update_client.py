"""Dynamic updates of other servers' zones: where a name's zone is, a Kerberos key for it, the update.

Spec: RFC 2136 2, 4, RFC 3645 3, RFC 2930 4, [MS-GSSA] 3.1.4
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.auth.gss import GssInitiator, InitiatorOptions
from addc.base.clock import HOUR_FT, TICKS_PER_S
from addc.base.errors import AddcError
from addc.codec.dns_data import TkeyData
from addc.codec.dns_message import (
    CLASS_ANY,
    CLASS_IN,
    OPCODE_UPDATE,
    Message,
    Question,
    Record,
)
from addc.codec.dns_names import Name, fold, is_below, parse_name
from addc.codec.dns_rdata import DnsType, SoaData
from addc.codes.rcode import Rcode
from addc.dns import tsig
from addc.dns.client import DnsClient, NoReplyError, Reply
from addc.dns.tsig import GSS_TSIG, GssKey, TsigKey

_MODE_GSS: Final = 3
_STEPS_MAX: Final = 8
_LIFE_S: Final = HOUR_FT // TICKS_PER_S


class NoZoneError(AddcError):
    """No zone was found for a name."""


class NoKeyError(AddcError):
    """The server and we did not come to a key."""


@dataclass(frozen=True, slots=True)
class FoundZone:
    """A zone: its name, and its primary server's."""

    apex: Name
    primary: str


async def find_zone(client: DnsClient, name: Name) -> FoundZone:
    """The zone that a name is in, by its SOA. Raises NoZoneError, NoReplyError."""
    for skip in range(len(name)):
        asked = name[skip:]
        reply = (await client.ask(Message(rd=True, questions=(Question(asked, DnsType.SOA),)))).message
        if reply.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            raise NoReplyError(f"{client.server} answers {Rcode(reply.rcode).name} when asked for the zone")
        for record in (*reply.answers, *reply.authority):
            if isinstance(record.data, SoaData) and is_below(fold(asked), fold(record.owner)):
                return FoundZone(record.owner, record.data.mname)
    raise NoZoneError(f"{client.server} knows of no zone of that name")


async def negotiate(client: DnsClient, principal: str, store: dict[str, str]) -> GssKey:
    """A key from Kerberos: TKEY by TCP until both sides have proved themselves.

    principal: the server's, as DNS/dc1.example.com@EXAMPLE.COM. store: as auth.gss.GssInitiator takes it.
    Raises NoKeyError, NoReplyError, and AuthError where there are no credentials or no ticket.
    """
    initiator = await asyncio.to_thread(GssInitiator, principal, store, InitiatorOptions(sealing=False))
    # Unique, as [MS-GSSA] 3.1.4.1 wants it, and with no name of ours in it.
    name = parse_name(f"{client.token(8)}.addc")
    asker = DnsClient(client.server, client.rng, client.clock)
    asker.tcp, asker.timeout_s = True, client.timeout_s
    token = await asyncio.to_thread(initiator.step)
    for _ in range(_STEPS_MAX):
        reply = await _exchange(asker, name, token)
        found = _tkey_of(reply.message, name, client)
        if found.error or not (found.key or initiator.complete):
            error = "BADSIG" if found.error == Rcode.BADVERS else Rcode(found.error).name
            raise NoKeyError(f"{client.server} does not take our Kerberos proof ({error})")
        token = await asyncio.to_thread(initiator.step, found.key) if found.key else b""
        if initiator.complete and not token:
            key = GssKey(name, GSS_TSIG, initiator.sign, initiator.verify)
            _check_signature(reply, key, client)
            return key
    raise NoKeyError(f"{client.server} wants more than {_STEPS_MAX} steps")


def _check_signature(reply: Reply, key: GssKey, client: DnsClient) -> None:
    """The last reply is signed with the key that it made. Spec: RFC 3645 3.1.3.2

    Deviation: one that is not counts, too. Kerberos has shown who the server is, and some do not sign it.
    """
    record = reply.message.tsig
    if record is not None and tsig.verify(reply.data, record, key, client.now_s()) != Rcode.NOERROR:
        raise NoKeyError(f"{client.server} signs the end of TKEY with another key")


async def _exchange(client: DnsClient, name: Name, token: bytes) -> Reply:
    now_s = client.now_s()
    data = TkeyData(GSS_TSIG, now_s, now_s + _LIFE_S, _MODE_GSS, 0, token)
    record = Record(name, DnsType.TKEY, CLASS_ANY, 0, data)
    question = Question(name, DnsType.TKEY, CLASS_ANY)
    return await client.ask(Message(questions=(question,), additional=(record,)))


def _tkey_of(reply: Message, name: Name, client: DnsClient) -> TkeyData:
    if reply.rcode:
        raise NoKeyError(f"{client.server} answers {Rcode(reply.rcode).name} to TKEY")
    for one in (*reply.answers, *reply.additional):
        if isinstance(one.data, TkeyData) and fold(one.owner) == fold(name):
            return one.data
    raise NoKeyError(f"{client.server} answers TKEY without a TKEY record")


async def send_update(
    client: DnsClient, apex: Name, prerequisites: Sequence[Record], changes: Sequence[Record]
) -> Rcode:
    """What the server says to an update. Raises NoReplyError."""
    message = Message(
        opcode=OPCODE_UPDATE,
        questions=(Question(apex, DnsType.SOA, CLASS_IN),),
        answers=tuple(prerequisites),
        authority=tuple(changes),
    )
    return Rcode((await client.ask(message)).message.rcode)


def with_key(client: DnsClient, key: TsigKey) -> DnsClient:
    """The same server, asked under a key."""
    signed = DnsClient(client.server, client.rng, client.clock, key=key)
    signed.tcp, signed.timeout_s = True, client.timeout_s  # a datagram sent again is a replay to GSS-API
    return signed
