"""The acceptor over MIT's library: what it takes once, and from whom."""

import struct
from dataclasses import dataclass
from pathlib import Path

import gssapi
import pytest

from addc.auth.gss import REPLAYS_NAME, AuthError, GssAcceptor, GssExchange
from addc.auth.keytab import KeytabEntry, write_keytab
from addc.auth.spnego import SpnegoExchange, chosen
from addc.base.clock import TICKS_PER_S, FileTime, SystemClock
from addc.base.secret import Secret
from addc.codec import spnego
from addc.codec.ber_wire import header
from addc.codec.krb5 import (
    ApReq,
    Authenticator,
    Checksum,
    EncryptedData,
    EncryptionKey,
    EncTicketPart,
    PrincipalName,
    Ticket,
    TransitedEncoding,
)
from addc.codec.krb5_numbers import NameType
from addc.security.krb_keys import Cksumtype, Key, KeyUsage, encrypt
from tests.kit.kdc_realm import REALM, client_name, make_key

SERVICE = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("ldap", "dc1.example.com"))
SESSION = make_key(18, "session")
KRB5_MECH = bytes.fromhex("06092a864886f712010202")
INTEGRITY = 0x20
WHOLE_SECOND = TICKS_PER_S


@dataclass
class Door:
    """An acceptor, and the key of its keytab."""

    acceptor: GssAcceptor
    key: Key

    def accepts(self, token: bytes) -> bool:
        """Whether a first token makes a context."""
        exchange = self.acceptor.exchange()
        try:
            exchange.step(token)
        except AuthError:
            return False
        return exchange.complete


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    conf = tmp_path / "krb5.conf"
    conf.write_text(f"[libdefaults]\n default_realm = {REALM}\n")
    monkeypatch.setenv("KRB5_CONFIG", str(conf))
    key = make_key(18, "dc1")
    write_keytab(tmp_path / "keytab", [KeytabEntry(("DC1$",), REALM, 2, 18, Secret(key.value))])
    return Door(GssAcceptor(tmp_path / "keytab"), key)


def _sealed(key: Key, usage: int, plain: bytes) -> EncryptedData:
    return EncryptedData(etype=18, kvno=2, cipher=encrypt(key, usage, plain, bytes(16)))


def first_token(key: Key, number: int = 0, name: str = "alice", realm: str = REALM) -> bytes:
    """What a client that asks for signing says first. number: makes the authenticator unlike others.

    name, realm: of alice, as the client itself writes them.
    """
    now = SystemClock().now()
    second = FileTime(now - now % WHOLE_SECOND)
    part = EncTicketPart(
        flags=0,
        key=EncryptionKey(18, SESSION.value),
        crealm=REALM,
        cname=client_name("alice"),
        transited=TransitedEncoding(1, b""),
        authtime=second,
        endtime=FileTime(second + 3600 * WHOLE_SECOND),
    )
    ticket = Ticket(realm=REALM, sname=SERVICE, enc_part=_sealed(key, KeyUsage.TICKET, part.pack()))
    flags = struct.pack("<I16sI", 16, bytes(16), INTEGRITY)
    authenticator = Authenticator(
        crealm=realm,
        cname=client_name(name),
        cksum=Checksum(int(Cksumtype.GSS_8003), flags),
        cusec=number,
        ctime=second,
    )
    sealed = _sealed(SESSION, KeyUsage.AP_REQ_AUTHENTICATOR, authenticator.pack())
    inner = KRB5_MECH + b"\1\0" + ApReq(ap_options=0, ticket=ticket, authenticator=sealed).pack()
    return header(0x60, len(inner)) + inner


def test_a_ticket_for_this_dc_is_taken_and_another_is_not(door: Door) -> None:
    exchange = door.acceptor.exchange()
    assert exchange.step(first_token(door.key)) == b"" and exchange.complete and exchange.integrity
    assert exchange.peer().principal == f"alice@{REALM}" and exchange.peer().pac is None
    assert not door.accepts(first_token(make_key(18, "other")))


def test_letters_of_names_have_no_case(door: Door) -> None:
    """[MS-KILE] 3.1.5.7; but other names are others, and what came once is known again in any letters."""
    for number, (name, realm) in enumerate(
        (("alice", REALM.lower()), ("ALICE", REALM), ("Alice", "Example.com"))
    ):
        token = first_token(door.key, number, name, realm)
        exchange = door.acceptor.exchange()
        assert exchange.step(token) == b"" and exchange.complete and exchange.integrity
        assert exchange.peer().principal == f"alice@{REALM}"
        assert not door.accepts(token), "a first token is good once"
    for name, realm in (
        ("bob", REALM),
        ("alice", "OTHER.COM"),
        ("alice.", REALM),
        ("alic\u00e9", REALM.lower()),
    ):
        assert not door.accepts(first_token(door.key, 7, name, realm))
    assert not door.accepts(first_token(make_key(18, "other"), 8, "alice", REALM.lower()))


def test_bare_messages_may_differ_in_case_too(door: Door) -> None:
    """As impacket's clients send them in SPNEGO."""
    token = first_token(door.key, 0, "alice", REALM.lower())
    bare = token[token.index(b"\x01\x00\x6e") + 2 :]
    offer = spnego.NegTokenInit(mech_types=spnego.MechTypeList((spnego.KERBEROS,)), mech_token=bare)
    frame = spnego.GssInitialToken(spnego.SPNEGO, spnego.FirstToken(offer).pack()).pack()
    exchange = chosen(frame, door.acceptor.exchange, None)
    exchange.step(frame)
    assert exchange.complete


def test_a_session_ends_with_its_ticket(door: Door) -> None:
    """Not when the library stops to take the ticket, a clock skew later."""
    exchange = door.acceptor.exchange()
    exchange.step(first_token(door.key))
    lifetime_s = exchange.peer().lifetime_s
    # The library counts whole seconds by the kernel's coarse clock, which may still be in the second before.
    assert lifetime_s is not None and 3590 <= lifetime_s <= 3601


def test_a_first_token_is_good_once(door: Door, tmp_path: Path) -> None:
    """Overheard at port 389, it would log its client on at 636, where nothing asks for the session key."""
    token, other = first_token(door.key), first_token(door.key, 1)
    assert door.accepts(token) and not door.accepts(token)
    assert door.accepts(other)
    another_worker = Door(GssAcceptor(tmp_path / "keytab"), door.key)
    assert not another_worker.accepts(token) and not another_worker.accepts(other)
    assert (tmp_path / REPLAYS_NAME).stat().st_mode & 0o077 == 0


def test_only_kerberos_is_spoken(door: Door) -> None:
    held = door.acceptor._current()
    assert {str(mech) for mech in held.mechs} == {"<OID 1.2.840.113554.1.2.2>", "<OID 1.3.6.1.5.5.2>"}
    assert gssapi.MechType.kerberos in held.mechs
    ntlm = b"NTLMSSP\0\1\0\0\0" + bytes(28)
    assert not door.accepts(ntlm)


def test_an_ap_req_that_is_bare_in_spnego_is_taken(door: Door) -> None:
    """As Windows does: clients that make their own messages leave the GSS-API's frame out. [MS-SPNG] 3.2.5"""
    framed = first_token(door.key)
    bare = framed[framed.index(KRB5_MECH) + len(KRB5_MECH) + 2 :]
    for mechanism, good in ((spnego.MS_KERBEROS, True), (spnego.KERBEROS, False)):
        offer = spnego.NegTokenInit(mech_types=spnego.MechTypeList((mechanism,)), mech_token=bare)
        token = spnego.GssInitialToken(spnego.SPNEGO, spnego.FirstToken(offer).pack()).pack()
        exchange = chosen(token, door.acceptor.exchange, None)
        if not good:  # and it is good once, as every other
            with pytest.raises(AuthError):
                exchange.step(token)
            continue
        told = spnego.NextToken.unpack(exchange.step(token)).resp
        assert (told.neg_state, told.response_token) == (spnego.ACCEPT_COMPLETED, None)
        assert isinstance(exchange, SpnegoExchange) and isinstance(exchange.inner, GssExchange)
        assert exchange.complete and exchange.inner.peer().principal == f"alice@{REALM}"
