"""Damaged RPC PDUs through a whole service over TCP and in pipes, and octets through the decoders beside it.

What a stranger sends comes in pieces; calls behind a good bind reach the interfaces of the DC.
"""

import asyncio
import random
import zlib
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Final, cast

from addc.auth.acceptor import Acceptor, AcceptorPolicy
from addc.auth.gss import AuthError, GssAcceptor
from addc.auth.netlogon_ssp import NetlogonContext
from addc.base.errors import DecodeError, DsError, NtError
from addc.base.secret import Secret
from addc.codec import backup_key, nl_auth, sntp, verify_pac
from addc.codec.forest_trust import ForestTrustInfo
from addc.codec.inf_file import InfFile
from addc.directory import gpo_template
from addc.directory.api import Directory, Services
from addc.rpc import pdu
from addc.rpc.call import RpcHost
from addc.rpc.pdu import NDR32_SYNTAX, AuthVerifier, ContextElement, Header, PduType, Request, SyntaxId
from addc.rpc.service import RpcService
from addc.rpc.towers import TcpAddress, Tower, tower_to
from addc.security import password_buffers, sddl
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import ANONYMOUS
from addc.server.interfaces import SERVED
from addc.smb import create_contexts, dfs, fscc
from addc.smb.pipes import PipeClient
from tests.bench.fuzz_smb import Failures, context_chains
from tests.bench.fuzz_stubs import ALL_SERVED
from tests.kit.corp_forest import ANSWERS
from tests.kit.ldap_desk import FakeAcceptor, FakeTransport
from tests.kit.ndr_values import Maker
from tests.kit.ntlm_client import NtlmClient
from tests.kit.rpc_wire import alter, bind

_ROUNDS: Final = 4
_WAIT_S: Final = 0.02


def _call(opnum: int, stub: bytes, flags: int = pdu.WHOLE, call_id: int = 3) -> bytes:
    fixed = Request(0, 0, opnum)
    return pdu.request_head(flags, pdu.REQUEST_SIZE + len(stub), 0, call_id, fixed) + stub


def streams() -> list[bytes]:
    """What clients send from their first octet on; the first one says over what."""
    rng = random.Random(9)  # noqa: S311  (repeatable on purpose)
    token = NtlmClient.of("Administrator", "x").negotiate()
    made = []
    for server in ALL_SERVED:
        interface = server.interface
        abstract = SyntaxId(interface.uuid, interface.version[0] | interface.version[1] << 16)
        element = ContextElement(0, abstract, (NDR32_SYNTAX,))
        opnum = rng.choice(sorted(server.answers))
        stub = Maker(rng, True, {}).structure(interface.operations[opnum].request, 4).pack()
        over = bytes((server.tcp * 2, ALL_SERVED.index(server)))
        made += [
            over + bind(element) + _call(opnum, stub),
            over + bind(element) + _call(opnum, stub[:8], pdu.FIRST) + _call(opnum, stub[8:], pdu.LAST),
            over + bind(element, verifier=AuthVerifier(10, 6, 1, token)) + _call(opnum, stub),
            over + bind(element) + alter(verifier=AuthVerifier(9, 5, 2, token)),
            over + bind(element) + pdu.frame(PduType.ORPHANED, 3, 3, b"") + _call(99, b""),
            over + bind(element, verifier=AuthVerifier(68, 6, 1, _names())),
        ]
    return made


def _names() -> bytes:
    return nl_auth.NlAuthRequest(
        netbios_domain=ANSWERS.netbios, netbios_computer="PC", dns_domain=ANSWERS.dns_domain
    ).pack()


class FuzzService:
    """The service, a way in over TCP and one in a pipe."""

    def __init__(self, directory: Directory, services: Services, loop: asyncio.AbstractEventLoop) -> None:
        acceptor = Acceptor(directory, cast(GssAcceptor, FakeAcceptor(b"")), services, AcceptorPolicy())
        host = RpcHost()
        self.service = RpcService(
            directory,
            services,
            acceptor,
            SERVED,
            host=host,
            netlogon=lambda: NetlogonContext(directory, host.channels, services.rng),
        )
        self.service.open_to(49_152)
        self.loop = loop
        self.failures = Failures()

    def feed(self, data: bytes) -> None:
        """One connection's octets, cut in two; its answers must be whole fragments."""
        over, which, stream = data[:1] or b"\0", data[1:2] or b"\0", data[2:]
        server = ALL_SERVED[which[0] % len(ALL_SERVED)]
        cut = zlib.crc32(data) % (len(stream) + 1)
        pieces = (stream[:cut], stream[cut:])
        if over[0] & 2 or not server.pipes:
            sent = self.loop.run_until_complete(self._tcp(pieces, mapper=bool(over[0] & 1)))
        else:
            sent = self.loop.run_until_complete(self._pipe(pieces, server.pipes[0]))
        while sent:
            header = Header.read(sent, 0)
            assert header.is_sound and header.frag_length <= len(sent), sent[:32].hex()
            sent = sent[header.frag_length :]
        self.failures.check()

    async def _settled(self) -> None:
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        if self.service._tasks:
            await asyncio.wait(set(self.service._tasks), timeout=_WAIT_S)

    async def _tcp(self, pieces: tuple[bytes, ...], *, mapper: bool) -> bytes:
        protocol = self.service.mapper() if mapper else self.service.tcp()
        transport = FakeTransport()
        protocol.connection_made(transport)
        for piece in pieces:
            if not transport.closed:
                protocol.data_received(piece)
                await self._settled()
        protocol.connection_lost(None)
        return bytes(transport.written)

    async def _pipe(self, pieces: tuple[bytes, ...], name: str) -> bytes:
        client = PipeClient(ANONYMOUS, Secret(bytes(16)), "", "", "192.0.2.77", "192.0.2.10")
        pipe = self.service.open_pipe(name, client)
        assert pipe is not None
        for piece in pieces:
            try:
                pipe.write(piece)
            except NtError:
                break
            await self._settled()
        out = b""
        while pipe.waiting():
            out += (await pipe.read(65_536))[0]
        pipe.close()
        return out


# --- decoders ---


def values() -> list[bytes]:
    """Good values of what is decoded beside the PDUs."""
    template = "[Unicode]\r\nUnicode=yes\r\n[System Access]\r\nMinimumPasswordLength = 7"
    request = b"\4\0" + f"\\{ANSWERS.dns_domain}\\sysvol\0".encode("utf-16-le")
    tower = tower_to(SyntaxId(ALL_SERVED[0].interface.uuid, 1), TcpAddress(135, IPv4Address("192.0.2.10")))
    return [
        template.encode(),
        b"\xff\xfe" + template.encode("utf-16-le"),
        b"[General]\r\nVersion=65537\r\ndisplayName=New Group Policy Object\r\n",
        _names(),
        tower.pack(),
        request,
        b"\4\0\0\0" + len(request).to_bytes(4, "little") + request,
        bytes((0x1B,)) + bytes(47) + (0x44F).to_bytes(4, "little") + bytes(16),
        bytes((0x1B,)) + bytes(47) + (0x44F).to_bytes(4, "little") + bytes(72),
        (80).to_bytes(4, "big") + bytes(80),
        sddl.parse("O:BAG:BAD:P(A;OICI;FA;;;WD)(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;AU)").pack(),
        fscc.RenameInformation(1, 0, "new.txt").pack(),
        fscc.BasicInformation(0, 0, 0, 0, 32).pack(),
        bytes(516),
        *context_chains(),
    ]


_SESSION: Final = bytes(range(16))
_DECODERS: Final[tuple[Callable[[bytes], object], ...]] = (
    lambda data: gpo_template.said(
        InfFile.unpack(data), gpo_template.SYSTEM_ACCESS, gpo_template.ACCESS_NAMES
    ),
    nl_auth.NlAuthRequest.unpack,
    Tower.unpack,
    lambda data: dfs.asked(data, extended=False),
    lambda data: dfs.asked(data, extended=True),
    sntp.read_request,
    sntp.read_signd,
    SecurityDescriptor.unpack,
    create_contexts.read_contexts,
    fscc.RenameInformation.unpack,
    fscc.BasicInformation.unpack,
    ForestTrustInfo.unpack,
    backup_key.ClientWrapped.unpack,
    backup_key.ServerWrapped.unpack,
    backup_key.ClientWrapPair.unpack,
    verify_pac.KerbVerifyPacRequest.unpack,
    lambda data: password_buffers.open_rc4(_SESSION, data),
    lambda data: password_buffers.open_rc4_salted(_SESSION, data),
    lambda data: password_buffers.open_aes(_SESSION, bytes(16), bytes(64), data),
)


def feed_value(data: bytes) -> None:
    """To every decoder: what it may raise is its own."""
    for decode in _DECODERS:
        try:
            decode(data)
        except (DecodeError, AuthError, DsError, NtError):
            continue
