"""Both sides of Kerberos over MIT's library: three messages for RPC, SPNEGO, what protects messages after."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from addc.auth.gss import (
    AuthError,
    GssAcceptor,
    GssExchange,
    GssInitiator,
    InitiatorOptions,
    NoKdcError,
    NoKeysError,
    PasswordLogon,
)
from addc.auth.keytab import KeytabEntry, write_keytab
from addc.auth.spnego import Exchange, SpnegoExchange, chosen
from addc.base.clock import TICKS_PER_S, FileTime, SystemClock
from addc.base.secret import Secret
from addc.codec import spnego as codec
from addc.codec.krb5 import (
    EncryptedData,
    EncryptionKey,
    EncTicketPart,
    PrincipalName,
    Ticket,
    TransitedEncoding,
)
from addc.codec.krb5_numbers import NameType
from addc.security.krb_keys import Key, KeyUsage, encrypt
from tests.kit.ccache_file import write_made
from tests.kit.kdc_realm import REALM, client_name, make_key

TARGET = f"ldap/dc1.example.com@{REALM}"
SERVICE = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("ldap", "dc1.example.com"))
CHANNEL = b"tls-server-end-point:" + bytes(32)


@dataclass
class Pair:
    """A DC's acceptor, and a client machine with a ticket for it."""

    folder: Path
    acceptor: GssAcceptor

    def initiator(self, **options: object) -> GssInitiator:
        store = {"ccache": f"FILE:{self.folder / 'ccache'}"}
        return GssInitiator(TARGET, store, InitiatorOptions(**options))  # type: ignore[arg-type]

    def meet(self, channel: bytes | None = None, /, **options: object) -> tuple[GssInitiator, Exchange, int]:
        """Both ends when they are done, and how many messages that took."""
        client = self.initiator(**options)
        token = client.step()
        server = chosen(token, lambda: self.acceptor.exchange(channel), None)
        count = 0
        while token:
            count += 1
            token = server.step(token) if count % 2 else client.step(token)
        assert client.complete and server.complete
        return client, server, count


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    conf = tmp_path / "krb5.conf"
    conf.write_text(f"[libdefaults]\n default_realm = {REALM}\n dns_canonicalize_hostname = false\n")
    monkeypatch.setenv("KRB5_CONFIG", str(conf))
    key = make_key(18, "dc1")
    write_keytab(tmp_path / "keytab", [KeytabEntry(("DC1$",), REALM, 2, 18, Secret(key.value))])
    _write_ticket(tmp_path / "ccache", key)
    return Pair(tmp_path, GssAcceptor(tmp_path / "keytab"))


def _write_ticket(path: Path, key: Key) -> None:
    now = SystemClock().now()
    second = FileTime(now - now % TICKS_PER_S)
    part = EncTicketPart(
        flags=0,
        key=EncryptionKey(18, make_key(18, "session").value),
        crealm=REALM,
        cname=client_name("alice"),
        transited=TransitedEncoding(1, b""),
        authtime=second,
        endtime=FileTime(second + 3600 * TICKS_PER_S),
    )
    sealed = encrypt(key, KeyUsage.TICKET, part.pack(), bytes(16))
    ticket = Ticket(realm=REALM, sname=SERVICE, enc_part=EncryptedData(etype=18, kvno=2, cipher=sealed))
    write_made(path, ticket, part)


@pytest.mark.parametrize(
    ("options", "messages"),
    [({}, 2), ({"dce_style": True}, 3), ({"spnego": True}, 2), ({"spnego": True, "dce_style": True}, 3)],
)
def test_both_sides_agree(pair: Pair, options: dict[str, object], messages: int) -> None:
    client, server, count = pair.meet(**options)
    kerberos = server.inner if isinstance(server, SpnegoExchange) else server
    assert isinstance(kerberos, GssExchange) and kerberos.peer().principal == f"alice@{REALM}"
    assert count >= messages
    assert client.session_key() == server.session_key() and len(server.session_key()) == 32
    assert kerberos.dce_style is client.dce_style is ("dce_style" in options)
    assert server.confidential and server.integrity


@pytest.mark.parametrize("spnego", [False, True])
@pytest.mark.parametrize("seal", [False, True])
def test_rpc_messages_are_protected_in_place(pair: Pair, seal: bool, spnego: bool) -> None:
    """The header and the trailer stay readable, but are signed. [MS-RPCE] 2.2.2.11"""
    client, server, _ = pair.meet(dce_style=True, spnego=spnego)
    for sender, receiver in ((client, server), (server, client)):
        data, token = sender.protect(b"header", b"stub data" * 10 + b"\0\0", b"trailer", seal=seal)
        assert (data == b"stub data" * 10 + b"\0\0") is not seal
        plain = receiver.unprotect(b"header", data, b"trailer", token, seal=seal)
        assert plain == b"stub data" * 10 + b"\0\0"


@pytest.mark.parametrize("seal", [False, True])
@pytest.mark.parametrize("part", range(4))
def test_what_was_altered_is_refused(pair: Pair, seal: bool, part: int) -> None:
    client, server, _ = pair.meet(dce_style=True)
    data, token = client.protect(b"header", b"stub data 123456", b"trailer", seal=seal)
    parts = [b"header", data, b"trailer", token]
    parts[part] = parts[part][:-1] + bytes((parts[part][-1] ^ 1,))
    with pytest.raises(AuthError):
        server.unprotect(parts[0], parts[1], parts[2], parts[3], seal=seal)


def test_signatures_of_what_travels_elsewhere(pair: Pair) -> None:
    client, server, _ = pair.meet()
    assert server.verify(b"list of mechanisms", client.sign(b"list of mechanisms"))
    assert not server.verify(b"list of mechanics", client.sign(b"list of mechanisms"))


def test_the_channel_below_is_named(pair: Pair) -> None:
    _, server, _ = pair.meet(CHANNEL, channel_binding=CHANNEL)
    assert server.bound_to_channel
    _, server, _ = pair.meet(CHANNEL)
    assert not server.bound_to_channel
    with pytest.raises(AuthError):
        pair.meet(CHANNEL, channel_binding=b"tls-server-end-point:another")


def test_without_credentials_nobody_begins(pair: Pair) -> None:
    with pytest.raises(NoKeysError):
        GssInitiator(TARGET, {"ccache": f"FILE:{pair.folder / 'nothing'}"}, InitiatorOptions())


def test_a_server_that_does_not_prove_itself_is_refused(pair: Pair) -> None:
    client, server = pair.initiator(), pair.acceptor.exchange()
    answer = server.step(client.step())
    with pytest.raises(AuthError):
        client.step(answer[:-4] + bytes(4))


@pytest.mark.parametrize("good", [True, False])
def test_the_list_of_mechanisms_is_protected(pair: Pair, good: bool) -> None:
    """Who takes mechanisms off the list of a bare AP-REQ in SPNEGO is found out. RFC 4178 5"""
    client = pair.initiator(dce_style=True)
    offered = codec.MechTypeList((codec.MS_KERBEROS, codec.NTLMSSP))
    seen = offered if good else codec.MechTypeList((codec.MS_KERBEROS,))
    init = codec.NegTokenInit(mech_types=seen, mech_token=client.step())
    first = codec.GssInitialToken(codec.SPNEGO, codec.FirstToken(init).pack()).pack()
    server = chosen(first, pair.acceptor.exchange, None)
    told = codec.NextToken.unpack(server.step(first)).resp
    assert told.neg_state == codec.ACCEPT_INCOMPLETE and told.response_token is not None
    last = codec.NegTokenResp(
        response_token=client.step(told.response_token), mech_list_mic=client.sign(offered.pack())
    )
    if not good:
        with pytest.raises(AuthError):
            server.step(codec.NextToken(last).pack())
        return
    done = codec.NextToken.unpack(server.step(codec.NextToken(last).pack())).resp
    assert server.complete and done.neg_state == codec.ACCEPT_COMPLETED
    assert done.mech_list_mic is not None and client.verify(offered.pack(), done.mech_list_mic)


@pytest.mark.parametrize("spnego", [False, True])
@pytest.mark.parametrize("seal", [False, True])
def test_a_message_says_how_long_its_token_will_be(pair: Pair, *, spnego: bool, seal: bool) -> None:
    """[MS-RPCE] 2.2.2.11: auth_length is signed with the header, so it is known before."""
    client, server, _ = pair.meet(dce_style=True, spnego=spnego)
    for side, other in ((server, client), (client, server)):
        for size in (0, 16, 4000):
            told = side.signature_size(seal=seal)
            travels, token = side.protect(b"before", bytes(size), b"after", seal=seal)
            assert len(token) == told and len(travels) == size
            assert other.unprotect(b"before", travels, b"after", token, seal=seal) == bytes(size)
            travels, token = side.protect(b"", bytes(size), b"", seal=seal)  # no header signing
            assert other.unprotect(b"", travels, b"", token, seal=seal) == bytes(size)


def test_a_realm_without_a_kdc_is_no_wrong_password(pair: Pair) -> None:
    """What is told apart by type: only then may another way be tried."""
    conf = pair.folder / "krb5.conf"
    conf.write_text(conf.read_text() + " dns_lookup_kdc = false\n")
    logon = PasswordLogon(f"alice@{REALM}", Secret(b"whatever"))
    with pytest.raises(NoKdcError):
        GssInitiator(TARGET, logon, InitiatorOptions())


def test_within_tls_nothing_is_signed_or_sealed(pair: Pair) -> None:
    client, server, _ = pair.meet(sealing=False, signing=False)
    assert not server.integrity and not server.confidential and not client.integrity
