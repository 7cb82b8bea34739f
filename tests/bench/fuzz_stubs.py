"""Operations of every RPC interface, called with made-up and with damaged parameters.

A message chooses who calls, which operation, and what with: parameters that are sound in themselves, made of
names, SIDs and handles that exist, or octets. Handles that operations give are used in later calls, also of
others and of other interfaces, as a thief would.
"""

import asyncio
import random
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.base.errors import LocalProtocolError
from addc.codec.ids import Sid
from addc.codec.interface import Operation
from addc.codec.ndr import CONTEXT_HANDLE, NULL_HANDLE, SID, ContextHandle, Kind, Ndr, Primitive, Syntax
from addc.directory import accounts, groups
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext
from addc.rpc import dispatch
from addc.rpc.call import (
    AuthLevel,
    AuthType,
    Call,
    CallSecurity,
    InterfaceServer,
    RpcFault,
    RpcHost,
    Transport,
)
from addc.rpc.contexts import AssociationGroup, AssociationGroups
from addc.rpc.dispatch import RawCall
from addc.rpc.interfaces.epmapper import operations as epmapper
from addc.rpc.interfaces.lsarpc import idl as lsa_idl
from addc.rpc.interfaces.lsarpc import operations as lsarpc
from addc.rpc.interfaces.mgmt import operations as mgmt
from addc.rpc.interfaces.oxid import operations as oxid
from addc.rpc.interfaces.samr import idl as sam_idl
from addc.rpc.interfaces.samr import operations as samr
from addc.security.token import ANONYMOUS, SYSTEM, Token
from addc.server.interfaces import SERVED
from tests.kit.corp_forest import ANSWERS, CountingRng
from tests.kit.ndr_values import Maker
from tests.kit.rpc_desk import BY_SMB, CLEAR, CLIENT, OWN, SEALED, operation_of

ALL_SERVED: Final = (*SERVED, epmapper.SERVER, oxid.SERVER, mgmt.SERVER)
_CALLS: Final = tuple((server, opnum) for server in ALL_SERVED for opnum in sorted(server.answers))
_HEAD: Final = 8
_HANDLES_KEPT: Final = 12
_HANDLES_FEW: Final = 4
_HANDLES_MANY: Final = 2000
_HUNG_S: Final = 60
_MAXIMUM: Final = 0x0200_0000
_CLOSES: Final = frozenset({"SamrCloseHandle", "LsarClose", "LsarDeleteObject"})
_CHANNEL: Final = CallSecurity(
    AuthLevel.PRIVACY, AuthType.NETLOGON, SEALED.session_key, "DC1$", "Netlogon", computer="DC1"
)
_SECURITIES: Final = (BY_SMB, SEALED, CLEAR, _CHANNEL)
_NAMES: Final = (
    "", "Administrator", "Guest", "krbtgt", "DC1", "DC1$", "Domain Admins", "Domain Users", "Builtin",
    ANSWERS.netbios, ANSWERS.dns_domain, ANSWERS.realm, f"{ANSWERS.netbios}\\Guest", "\\\\DC1", "\\\\.",
    "Everyone", "BUILTIN\\Users", "SeMachineAccountPrivilege", "SeBackupPrivilege", "SYSVOL", "IPC$",
    "G$secret", "L$x", "$MACHINE.ACC", "fuzz", "fuzz$", "host/fuzz", "Guest@corp.example.com", "Software",
    "SYSTEM\\CurrentControlSet\\Services\\Netlogon\\Parameters", "Default-First-Site-Name", "x" * 300, "\0",
    "..", "\ud800", "C:\\Windows\\SYSVOL\\sysvol", "W32Time", "Netlogon", "\\PIPE\\lsass",
)  # fmt: skip
_RIDS: Final = (500, 501, 502, 512, 513, 515, 516, 519, 1000, 1103, 99_999)
_SIDS: Final = tuple(
    Sid.parse(text)
    for text in ("S-1-5-32", "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0", "S-1-5-11", "S-1-5-18", "S-1-5-7")
)
_NUMBERS: Final = (
    *range(30), 100, 502, 1005, 0x1000, 0xFFFF, 0x0200_0000, 0x000F_07FF, 0x8000_0000, 0xFFFF_FFFF,
    *_RIDS, 0x0010_0000, 0x0600_0000, (1 << 64) - 1, 1 << 63,
)  # fmt: skip


class _Plausible(Maker):
    """Values that exist: names of the forest, its SIDs, small numbers, handles of somebody."""

    def __init__(self, rng: random.Random, held: Sequence[ContextHandle], domain: Sid) -> None:
        super().__init__(rng, True, {})
        self.held = held
        self.domain = domain

    def plain(self, kind: Kind) -> object:
        rng = self.rng
        if kind == CONTEXT_HANDLE:
            return rng.choice(self.held) if self.held and rng.random() < 0.95 else NULL_HANDLE
        if kind == SID and rng.random() < 0.9:
            return rng.choice((self.domain, self.domain.child(rng.choice(_RIDS)), *_SIDS))
        if isinstance(kind, Primitive) and kind.size > 1 and rng.random() < 0.9:
            bits = kind.size * 8
            number = rng.choice(_NUMBERS) & (1 << bits) - 1
            return number - (number >> bits - 1 << bits) if kind.code.islower() else number
        return super().plain(kind)

    def text(self, size: int) -> str:
        return self.rng.choice(_NAMES) if self.rng.random() < 0.8 else super().text(size)


@dataclass
class _Caller:
    """Somebody with an association group, and what was opened in it."""

    token: Token
    group: AssociationGroup
    held: dict[str, deque[ContextHandle]] = field(default_factory=dict)

    def handles(self, interface: str) -> deque[ContextHandle]:
        return self.held.setdefault(interface, deque(maxlen=_HANDLES_KEPT))


@dataclass
class StubDesk:
    """A directory with its callers: nobody, a user, a computer, an administrator, the system."""

    directory: Directory
    services: Services
    loop: asyncio.AbstractEventLoop
    host: RpcHost = field(default_factory=RpcHost)
    callers: list[_Caller] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")

    def __post_init__(self) -> None:
        made = AssociationGroups(CountingRng(b"groups"))
        names = ("Guest", f"{ANSWERS.host}$", "Administrator")
        for token in (ANONYMOUS, *self.directory.read_now("fuzz", SYSTEM, lambda ctx: _tokens(ctx, names))):
            group = made.join(0, Transport.PIPE)
            assert group is not None
            self.callers.append(_Caller(token, group))

    def _refill(self, caller: _Caller) -> None:
        """Handles of SAM and LSA for who has few: most calls need one of the right kind."""
        sam, lsa = caller.handles("samr"), caller.handles("lsarpc")
        if len(sam) < _HANDLES_FEW and not caller.token.is_anonymous and len(caller.group) < _HANDLES_MANY:
            ask, domain_sid = self._ask, self.directory.forest.domain_sid
            server = ask(caller, samr.SERVER, sam_idl.SamrConnect2(None, _MAXIMUM))
            domain = ask(caller, samr.SERVER, sam_idl.SamrOpenDomain(server, _MAXIMUM, domain_sid))
            builtin = ask(caller, samr.SERVER, sam_idl.SamrOpenDomain(server, _MAXIMUM, _SIDS[0]))
            ask(caller, samr.SERVER, sam_idl.SamrOpenUser(domain, _MAXIMUM, 501))
            ask(caller, samr.SERVER, sam_idl.SamrOpenGroup(domain, _MAXIMUM, 513))
            ask(caller, samr.SERVER, sam_idl.SamrOpenAlias(builtin, _MAXIMUM, 545))
        if len(lsa) < _HANDLES_FEW and len(caller.group) < _HANDLES_MANY:
            for _ in range(2):
                nothing = lsa_idl.LsaprObjectAttributes()
                policy = self._ask(caller, lsarpc.SERVER, lsa_idl.LsarOpenPolicy2(None, nothing, _MAXIMUM))
                self._ask(caller, lsarpc.SERVER, lsa_idl.LsarOpenAccount(policy, _SIDS[1], _MAXIMUM))

    def _ask(self, caller: _Caller, server: InterfaceServer, request: Ndr) -> ContextHandle:
        """A sound call that opens something; the null handle where it may not."""
        operation = operation_of(server.interface, type(request))
        raw = RawCall(operation.opnum, request.pack())
        stub = self.loop.run_until_complete(self._answer(caller, server, raw, BY_SMB))
        if stub is None:
            return NULL_HANDLE
        self._harvest(caller, server, operation, stub, Syntax.NDR32)
        return next(iter(_handles_of(operation.response.unpack(stub))), NULL_HANDLE)

    def feed(self, data: bytes) -> None:
        """One call; it must end with a response that can be packed, or with a fault."""
        head = data[:_HEAD].ljust(_HEAD, b"\0")
        caller = self.callers[head[0] % len(self.callers)]
        server, opnum = _CALLS[int.from_bytes(head[1:3], "little") % len(_CALLS)]
        rng = random.Random(zlib.crc32(data))  # noqa: S311  (repeatable on purpose)
        syntax = Syntax.NDR64 if head[3] & 1 else Syntax.NDR32
        stub = data[_HEAD:] if head[3] & 0xF0 == 0xF0 else self._stub(caller, server, opnum, rng, syntax)
        if head[3] & 0xE == 0xE and stub:
            damaged = bytearray(stub)
            damaged[rng.randrange(len(stub))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            stub = bytes(damaged)
        self._refill(caller)
        security = _SECURITIES[head[4] % len(_SECURITIES)]
        result = self.loop.run_until_complete(
            self._answer(caller, server, RawCall(opnum, stub, syntax), security)
        )
        if result is not None:
            self._harvest(caller, server, server.interface.operations[opnum], result, syntax)

    def _stub(
        self, caller: _Caller, server: InterfaceServer, opnum: int, rng: random.Random, syntax: Syntax
    ) -> bytes:
        name = server.interface.name
        owner = caller if rng.random() < 0.95 else rng.choice(self.callers)
        if rng.random() < 0.05:
            name = rng.choice(ALL_SERVED).interface.name
        domain = self.directory.forest.domain_sid
        for _ in range(3):
            made = _Plausible(rng, owner.handles(name), domain)
            try:
                return made.structure(server.interface.operations[opnum].request, 4).pack(syntax)
            except LocalProtocolError:  # a name too long for its room
                continue
        return b""

    async def _answer(
        self, caller: _Caller, server: InterfaceServer, raw: RawCall, security: CallSecurity
    ) -> bytes | None:
        transport = Transport.PIPE if security.level is AuthLevel.NONE else Transport.TCP
        handles = caller.group.handles(server.interface.uuid)
        call = Call(
            self.directory, self.services, caller.token, security, transport, handles, self.host,
            CLIENT, OWN, (server.interface,),
        )  # fmt: skip
        try:
            async with asyncio.timeout(_HUNG_S):
                return await dispatch.answer(server, call, raw)
        except RpcFault:
            return None

    def _harvest(
        self, caller: _Caller, server: InterfaceServer, operation: Operation, stub: bytes, syntax: Syntax
    ) -> None:
        response = operation.response.unpack(stub, syntax)
        self.counts[operation.name] = self.counts.get(operation.name, 0) + 1
        held = caller.handles(server.interface.name)
        for handle in _handles_of(response):
            held.append(handle)
        if operation.name in _CLOSES and held:
            held.popleft()


def _tokens(ctx: ReadContext, names: Sequence[str]) -> list[Token]:
    found = []
    for name in names:
        account = accounts.find_by_sam(ctx, name)
        assert account is not None
        found.append(groups.token_for(ctx, account.dnt))
    return found


def _handles_of(response: Ndr) -> list[ContextHandle]:
    values = [getattr(response, name) for name in response.__match_args__]
    return [value for value in values if isinstance(value, ContextHandle) and value]


def seeds() -> list[bytes]:
    """A message for every operation, and some whose octets are taken as they are."""
    made = []
    rng = random.Random(5)  # noqa: S311  (repeatable on purpose)
    for index, (server, opnum) in enumerate(_CALLS):
        for who in range(4):
            made.append(bytes((who,)) + index.to_bytes(2, "little") + bytes((0, who % 2, 0, 0, 0)))
        request = Maker(rng, True, {}).structure(server.interface.operations[opnum].request, 4)
        made.append(bytes((3,)) + index.to_bytes(2, "little") + b"\xf0\0\0\0\0" + request.pack())
    return made
