"""What is fuzzed beside whole messages: tokens of logons, values of controls and operations, cookies.

Each takes damaged samples of its own kind and of the others'; what it may raise is its own.
"""

import asyncio
import zlib
from collections.abc import Callable
from typing import Final, cast

from addc.auth.gss import AuthError, GssExchange
from addc.auth.ntlm import NtlmExchange, Proof, Proven, ServerNames
from addc.auth.spnego import SpnegoExchange, chosen
from addc.base.errors import DsError
from addc.base.ids import MessageId, Usn
from addc.base.secret import Secret
from addc.codec import filter as ldap_filter
from addc.codec.blobs import UpToDateCursor
from addc.codec.dirsync_cookie import DirSyncCookie
from addc.codec.spnego import NTLMSSP
from addc.directory.api import Directory
from addc.directory.rootdse_operations import OPERATIONS
from addc.ldap import batch, operations, refresh
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.ldap.operations import Asker
from addc.security.krb_keys import nt_hash
from addc.security.ntlm_keys import nt_proof, ntowf_v2, session_base_key
from tests.kit import ldap_samples
from tests.kit.corp_forest import ANSWERS, DOMAIN_DN, NOW, CountingRng
from tests.kit.ntlm_client import NtlmClient

_NAMES: Final = ServerNames("CORP", "DC1", "corp.example.com", "dc1.corp.example.com", "corp.example.com")
_USER, _PASSWORD = "ann", "Tr0ub4dor&3"
_HASH_SIZE: Final = 12
_PAGES: Final = (b"T", b"S", b"C", b"F", b"E")
_ASKED: Final = tuple(sorted(wire.UNDERSTOOD))


# --- tokens ---


def _judge(proof: Proof) -> Proven:
    key = ntowf_v2(nt_hash(_PASSWORD), proof.user, proof.domain)
    made = nt_proof(key, proof.server_challenge, proof.response.blob)
    if made != proof.response.proof:
        raise AuthError("wrong")
    return Proven(Secret(session_base_key(key, made)))


def _exchange() -> NtlmExchange:
    return NtlmExchange(_NAMES, _judge, CountingRng(b"challenge"), NOW, b"tls-server-end-point:x")


def tokens() -> list[bytes]:
    """NTLM and SPNEGO tokens of logons that would be good."""
    client = NtlmClient.of(_USER, _PASSWORD)
    first = client.negotiate()
    second = client.authenticate(_exchange().step(first))
    offer = client.offer(token=first)
    return [first, second, offer, client.offer(), client.answer(second), client.wrap(b"text", seal=True)]


def feed_token(data: bytes) -> None:
    """As a first token, as the answer to a challenge in both frames, and as a sealed message."""

    def kerberos() -> GssExchange:
        raise AuthError("MIT's library is not fuzzed")

    client = NtlmClient.of(_USER, _PASSWORD)
    bare, framed, sealed = _exchange(), SpnegoExchange(_exchange(), NTLMSSP), _exchange()
    bare.step(client.negotiate())
    framed.step(client.offer(token=client.first))
    sealed.step(client.authenticate(sealed.step(client.first)))
    for take in (
        lambda: chosen(data, kerberos, _exchange).step(data),
        lambda: bare.step(data),
        lambda: framed.step(data),
        lambda: sealed.unwrap(data),
    ):
        try:
            take()
        except AuthError:
            continue
    assert not sealed.confidential or sealed.complete


# --- values ---


def values() -> list[bytes]:
    """Values of controls and extended operations, and cookies."""
    cursor = UpToDateCursor(ANSWERS.host.encode().ljust(16, b"\0"), Usn(7))
    cookie = DirSyncCookie(NOW, Usn(5), Usn(5), bytes(16), (cursor,))
    return [
        *(value.pack() for value in ldap_samples.CONTROL_VALUES),
        cookie.pack(),
        refresh.RefreshRequestValue(f"CN=x,{DOMAIN_DN}", 900).pack(),
        wire.FlagsValue(1).pack(),
        wire.DirSyncValue(1, 1 << 20, cookie.pack()).pack(),
        wire.OctetsValue(bytes.fromhex("010100000000000512000000")).pack(),
        f"{DOMAIN_DN}:766ddcd8-acd0-445e-f3b9-a7f9b6744f2a".encode(),
        f"CN=x,{DOMAIN_DN}:CN=y,{DOMAIN_DN}".encode(),
        b"\0\x08" + bytes(16),
    ]


def feed_value(
    directory: Directory, asker: Asker, loop: asyncio.AbstractEventLoop
) -> Callable[[bytes], None]:
    """A feed of values of controls, of cookies, and of values of extended and rootDSE operations."""
    names = sorted(OPERATIONS)

    def search(*controls: m.Control) -> m.LdapMessage:
        wanted = ldap_filter.parse_text("(objectClass=*)")
        op = m.SearchRequest(DOMAIN_DN, 2, 0, 0, 0, False, wanted, ("cn", "objectSid"))
        message = m.LdapMessage(MessageId(1), op, controls)
        try:
            request = operations.search_request(message, op, asker)
        except DsError:
            return message
        answer = directory.read_now(
            "fuzz", asker.requester, lambda ctx: operations.search_answer(ctx, MessageId(1), request)
        )
        at = 0
        while at < len(answer):
            message, at = m.LdapMessage.unpack_first(answer, at)
        return message

    def page(cookie: bytes, *more: m.Control) -> bytes:
        control = m.Control(wire.LDAP_PAGED_RESULT_OID_STRING, True, wire.PagedResults(3, cookie).pack())
        done = search(control, *more)
        found = [one.control_value for one in done.controls if one.control_type == control.control_type]
        return wire.PagedResults.unpack(cast(bytes, found[0])).cookie if found else b""

    by_name = m.Control(wire.LDAP_SERVER_SORT_OID, True, wire.SortKeyList((wire.SortKeyValue("cn"),)).pack())
    plain, sorted_ = page(b"")[:_HASH_SIZE], page(b"", by_name)[:_HASH_SIZE]

    def feed(data: bytes) -> None:
        dice = zlib.crc32(data)
        oid = _ASKED[dice % len(_ASKED)]
        search(m.Control(oid, True, data), *((by_name,) if oid == wire.LDAP_CONTROL_VLVREQUEST else ()))
        page(plain + _PAGES[dice % len(_PAGES)] + data)
        page(sorted_ + b"T\0\x14" + data, by_name)
        search(m.Control(wire.LDAP_SERVER_DIRSYNC_OID, True, wire.DirSyncValue(1, 0, data).pack()))
        change = m.Change(2, m.PartialAttribute(names[dice % len(names)], (data,)))
        message = m.LdapMessage(MessageId(1), m.ModifyRequest("", (change,)))
        loop.run_until_complete(operations.write(directory, message, asker))
        for run in (batch.run, refresh.run):
            try:
                loop.run_until_complete(run(directory, data, asker))
            except DsError:
                continue

    return feed
