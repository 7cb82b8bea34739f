"""RPC loads: what members ask of their DC, over TCP in schannel and over pipes in signed SMB.

Requests are made by our own client's end. Of the answers the first are opened and looked at, the rest are
only counted, so that the generator costs less than any server.
"""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Final, Protocol

from addc.auth.gss import GssInitiator, InitiatorOptions
from addc.auth.netlogon_ssp import NetlogonInitiator
from addc.codec.ids import Sid
from addc.codec.interface import Interface
from addc.codec.ndr import Ndr, NdrReader, read_structure
from addc.codes.ntstatus import NtStatus
from addc.ldap import messages as ldap
from addc.rpc.auth_layer import NONE, SecurityContext
from addc.rpc.call import AuthType
from addc.rpc.initiator import Responded, RpcInitiator
from addc.rpc.interfaces.lsarpc import idl as lsa
from addc.rpc.interfaces.netlogon import idl as netlogon
from addc.rpc.pdu import PduType
from addc.smb import messages as m
from addc.smb.messages import Command
from tests.bench.load_kit import BENCH_PASSWORD, REPLY_TIMEOUT_S, Settings, Tally
from tests.bench.load_ldap import part, side_by_side, user_dn, user_name
from tests.kit.member_machine import MemberMachine, RpcSocket, port_of
from tests.kit.smb_wire import SmbWire, status_of, transceive_request

MEMBERS: Final = 16
_LOOKED_AT: Final = 3
_ALREADY_EXISTS: Final = 68
_WORKSTATION: Final = 4096
_OPEN_POLICY2, _LOOKUP_SIDS2, _LOOKUP_NAMES3, _LOOKUP_SIDS3, _LOOKUP_NAMES4 = 44, 57, 68, 76, 77
_GET_SITE_NAME, _SAM_LOGON_EX = 28, 39
_USERS: Final = 20


class Conversation(Protocol):
    """One connection with one request in flight."""

    sock: socket.socket

    def ask(self) -> bytes:
        """The next request."""

    def take(self, chunk: bytes) -> str | None:
        """What is wrong with the answer, "" for nothing; None while it is not whole."""


def in_turn(settings: Settings, talks: Sequence[Conversation]) -> Tally:
    """Drive them side by side until the time is over."""
    poller, by_fd = select.poll(), {talk.sock.fileno(): talk for talk in talks}
    tally, sent = settings.tally(), dict.fromkeys(by_fd, 0.0)
    for fd, talk in by_fd.items():
        poller.register(fd, select.POLLIN)
        sent[fd] = time.monotonic()
        talk.sock.sendall(talk.ask())
    while tally.going:
        ready = poller.poll(REPLY_TIMEOUT_S * 1000)
        if not ready:
            raise TimeoutError("no answer")
        for fd, _ in ready:
            talk = by_fd[fd]
            chunk = talk.sock.recv(1 << 18)
            if not chunk:
                raise ConnectionError("closed by the server")
            fault = talk.take(chunk)
            if fault is None:
                continue
            if fault != MORE:
                now = time.monotonic()
                tally.take(fault)
                tally.delays_s.append(now - sent[fd])
                sent[fd] = now
            talk.sock.sendall(talk.ask())
    tally.stop()
    for talk in talks:
        talk.sock.close()
    return tally


MORE: Final = "more"
"""Of an answer that is right and does not end its unit of work."""


# --- calls over TCP ---


class SealedCalls:
    """The same calls again and again, sealed with the key of a secure channel."""

    def __init__(self, rpc: RpcSocket, calls: Sequence["Asked"]) -> None:
        self.sock = rpc.sock
        self._rpc = rpc
        self._calls = cycle(calls)
        self._asked = calls[0]
        self._looked_at = 0
        self._held = b""

    def ask(self) -> bytes:
        self._asked = asked = next(self._calls)
        engine = self._rpc.engine
        engine._calls.clear()
        engine.call(asked.interface, self._rpc.context, asked.opnum, asked.stub)
        return engine.data_to_send()

    def take(self, chunk: bytes) -> str | None:
        if self._looked_at < _LOOKED_AT:
            return self._look_at(chunk)
        held = self._held + chunk
        if len(held) < 16 or len(held) < (size := int.from_bytes(held[8:10], "little")):
            self._held = held
            return None
        self._held = held[size:]
        if held[2] != PduType.RESPONSE:
            return f"PDU {held[2]}"
        exchange = self._rpc.context.protector
        assert isinstance(exchange, NetlogonInitiator) and exchange._keys is not None
        exchange._keys._next(from_client=False)  # one count for both directions
        return ""

    def _look_at(self, chunk: bytes) -> str | None:
        for answer in self._rpc.engine.receive(chunk):
            if not isinstance(answer, Responded):
                return str(answer)
            self._looked_at += 1
            return self._asked.fault(answer.stub)
        return None


class Asked:
    """One call, packed; what its answer has to say."""

    def __init__(self, interface: Interface, opnum: int, request: Ndr) -> None:
        self.interface = interface
        self.opnum = opnum
        self.stub = request.pack()

    def fault(self, stub: bytes) -> str:
        status = int.from_bytes(stub[-4:], "little")
        return "" if status == NtStatus.STATUS_SUCCESS else f"{self.opnum}: {status:#x}"


def member(settings: Settings, number: int) -> MemberMachine:
    """One whose channel is open."""
    port = port_of(settings.address, netlogon.NETLOGON)
    domain = settings.realm.partition(".")[0]
    one = MemberMachine(settings.address, port, domain, member_name(number), BENCH_PASSWORD)
    one.open_channel()
    return one


def _users(settings: Settings) -> list[str]:
    return [user_name(number) for number in range(min(settings.users, _USERS))]


def sam_logons(settings: Settings) -> Tally:
    """NetrLogonSamLogonEx, network, validation 6; users in turn; each connection a member of its own."""
    talks = []
    for number in range(settings.connections):
        one = member(settings, number)
        asked = [
            Asked(netlogon.NETLOGON, _SAM_LOGON_EX, one.network_logon(name, BENCH_PASSWORD))
            for name in _users(settings)
        ]
        for each in asked:
            each.fault = _logon_fault  # type: ignore[method-assign]
        talks.append(SealedCalls(one.sealed(), asked))
    return in_turn(settings, talks)


def _logon_fault(stub: bytes) -> str:
    response = read_structure(netlogon.NetrLogonSamLogonExResponse, NdrReader(stub))
    return "" if response.status is NtStatus.STATUS_SUCCESS else str(response.status)


def _names_request(settings: Settings, name: str) -> lsa.LsarLookupNames4:
    domain = settings.realm.partition(".")[0]
    return lsa.LsarLookupNames4((f"{domain}\\{name}",), lsa.TranslatedSidsEx2(), 1, 0, 0, 2)


def _sids(settings: Settings, rpc: RpcSocket) -> list[Sid]:
    """The users' SIDs."""
    found = []
    for name in _users(settings):
        request = _names_request(settings, name)
        answer = rpc.call(lsa.LSARPC, _LOOKUP_NAMES4, request, lsa.LsarLookupNames4Response)
        assert answer.translated_sids.sids is not None and answer.translated_sids.sids[0].sid is not None
        found.append(answer.translated_sids.sids[0].sid)
    return found


def _sids_request(sid: Sid) -> lsa.LsarLookupSids3:
    wanted = lsa.SidEnumBuffer((lsa.SidPointer(sid),))
    return lsa.LsarLookupSids3(wanted, lsa.TranslatedNamesEx(), 1, 0, 0, 2)


def lookup_sids(settings: Settings) -> Tally:
    """LsarLookupSids3 of one SID each."""
    port, talks = port_of(settings.address, lsa.LSARPC), []
    for number in range(settings.connections):
        rpc = member(settings, number).sealed(lsa.LSARPC, port)
        sids = _sids(settings, rpc)
        talks.append(SealedCalls(rpc, [Asked(lsa.LSARPC, _LOOKUP_SIDS3, _sids_request(s)) for s in sids]))
    return in_turn(settings, talks)


def lookup_names(settings: Settings) -> Tally:
    """LsarLookupNames4 of one name each."""
    port, talks = port_of(settings.address, lsa.LSARPC), []
    asked = [Asked(lsa.LSARPC, _LOOKUP_NAMES4, _names_request(settings, name)) for name in _users(settings)]
    for number in range(settings.connections):
        talks.append(SealedCalls(member(settings, number).sealed(lsa.LSARPC, port), asked))
    return in_turn(settings, talks)


# --- calls through a pipe ---


def smb_session(settings: Settings, share: str = "") -> SmbWire:
    """A session by Kerberos with the ticket of KRB5CCNAME. share: connected to, if any."""
    wire = SmbWire(settings.address).negotiate()
    wire.log_on(kerberos(settings, "cifs", spnego=True))
    return wire.connect_tree(settings.host, share) if share else wire


def kerberos(settings: Settings, service: str, *, spnego: bool = False, dce: bool = False) -> GssInitiator:
    target = f"{service}/{settings.host}@{settings.realm}"
    return GssInitiator(target, {}, InitiatorOptions(spnego=spnego, dce_style=dce))


class PipeCalls:
    """Calls through a pipe of a signed session, each a transaction."""

    def __init__(self, settings: Settings) -> None:
        self.wire = smb_session(settings, "IPC$")
        self.sock = self.wire.sock
        self._file_id = self.wire.open("lsarpc", 0x0012_019F)
        self._engine = RpcInitiator()
        self._context = SecurityContext(0, NONE, 0)
        self._context.finish(None)
        self._engine.bind(lsa.LSARPC, self._context, b"")
        self._transceive()
        opened = lsa.LsarOpenPolicy2("", lsa.LsaprObjectAttributes(), 0x800)
        stub = self._call(_OPEN_POLICY2, opened.pack())
        self.handle = read_structure(lsa.LsarOpenPolicy2Response, NdrReader(stub)).policy_handle
        self._calls: Iterator[Asked] = iter(())
        self._looked_at = 0

    def _transceive(self) -> bytes:
        request = transceive_request(self._file_id, self._engine.data_to_send())
        answer = self.wire.ask(Command.IOCTL, request)
        (found,) = self._engine.receive(_output_of(answer))
        return found.stub if isinstance(found, Responded) else b""

    def _call(self, opnum: int, stub: bytes) -> bytes:
        self._engine.call(lsa.LSARPC, self._context, opnum, stub)
        return self._transceive()

    def sids(self, settings: Settings) -> list[Sid]:
        found = []
        for name in _users(settings):
            request = self.names_request(settings, name)
            stub = self._call(_LOOKUP_NAMES3, request.pack())
            answer = read_structure(lsa.LsarLookupNames3Response, NdrReader(stub))
            assert answer.translated_sids.sids is not None and answer.translated_sids.sids[0].sid is not None
            found.append(answer.translated_sids.sids[0].sid)
        return found

    def names_request(self, settings: Settings, name: str) -> lsa.LsarLookupNames3:
        like = _names_request(settings, name)
        return lsa.LsarLookupNames3(self.handle, like.names, like.translated_sids, 1, 0, 0, 2)

    def sids_request(self, sid: Sid) -> lsa.LsarLookupSids2:
        like = _sids_request(sid)
        return lsa.LsarLookupSids2(self.handle, like.sid_enum_buffer, like.translated_names, 1, 0, 0, 2)

    def keep_asking(self, calls: Sequence[Asked]) -> "PipeCalls":
        self._calls = cycle(calls)
        return self

    def ask(self) -> bytes:
        asked = next(self._calls)
        self._engine._calls.clear()
        self._engine.call(asked.interface, self._context, asked.opnum, asked.stub)
        body = transceive_request(self._file_id, self._engine.data_to_send()).pack(m.HEADER_SIZE)
        return self.wire.message(Command.IOCTL, body)

    def take(self, chunk: bytes) -> str | None:
        message = self.wire.take_final(chunk)
        if message is None:
            return None
        if status_of(message):
            return f"IOCTL: {status_of(message):#x}"
        if self._looked_at < _LOOKED_AT:
            self._looked_at += 1
            data = _output_of(self.wire.opened(message))
            return "" if data[2] == PduType.RESPONSE and not any(data[-4:]) else data.hex()
        return ""


def _output_of(answer: bytes) -> bytes:
    at, count = struct.unpack_from("<II", answer, m.HEADER_SIZE + 32)
    return answer[at : at + count]


def lookup_sids_by_pipe(settings: Settings) -> Tally:
    talks = []
    for _ in range(settings.connections):
        talk = PipeCalls(settings)
        sids = talk.sids(settings)
        calls = [Asked(lsa.LSARPC, _LOOKUP_SIDS2, talk.sids_request(sid)) for sid in sids]
        talks.append(talk.keep_asking(calls))
    return in_turn(settings, talks)


def lookup_names_by_pipe(settings: Settings) -> Tally:
    talks = []
    for _ in range(settings.connections):
        talk = PipeCalls(settings)
        asked = [talk.names_request(settings, name) for name in _users(settings)]
        talks.append(talk.keep_asking([Asked(lsa.LSARPC, _LOOKUP_NAMES3, one) for one in asked]))
    return in_turn(settings, talks)


# --- what begins ---


def _one_by_one(settings: Settings, begin: Callable[[int], None]) -> Tally:
    tally = settings.tally()
    while tally.going:
        started = time.monotonic()
        begin(tally.count)
        tally.good()
        tally.delays_s.append(time.monotonic() - started)
    return tally.stop()


def rpc_binds(settings: Settings) -> Tally:
    """A new connection each, bound to netlogon, sealed by Kerberos, and one cheap call.

    The last token of the proof gets no answer: the call tells that it was taken.
    """
    port = port_of(settings.address, netlogon.NETLOGON)
    request = netlogon.DsrGetSiteName("")

    def begin(_: int) -> None:
        exchange = kerberos(settings, "host", dce=True)
        with RpcSocket(settings.address, port) as rpc:
            rpc.prove(netlogon.NETLOGON, AuthType.KERBEROS, exchange)
            rpc.call(netlogon.NETLOGON, _GET_SITE_NAME, request, netlogon.DsrGetSiteNameResponse)

    return _one_by_one(settings, begin)


def secure_channels(settings: Settings) -> Tally:
    """Challenge, proof, and a sealed connection that calls once; a member after the other."""
    port, domain = port_of(settings.address, netlogon.NETLOGON), settings.realm.partition(".")[0]
    members = [
        MemberMachine(settings.address, port, domain, member_name(number), BENCH_PASSWORD)
        for number in range(MEMBERS)
    ]

    def begin(count: int) -> None:
        one = members[count % MEMBERS]
        one.open_channel()
        one.sealed().close()

    return _one_by_one(settings, begin)


def member_name(number: int) -> str:
    return f"BENCHWS{number % MEMBERS:02}"


def setup_members(settings: Settings) -> Tally:
    """The member computers; what is there stays."""
    quoted = f'"{BENCH_PASSWORD}"'.encode("utf-16-le")

    def ops() -> Iterator[ldap.Request]:
        for number in range(MEMBERS):
            name = member_name(number)
            parts = (
                part("objectClass", "computer"), part("sAMAccountName", f"{name}$"),
                ldap.PartialAttribute("unicodePwd", (quoted,)), part("userAccountControl", str(_WORKSTATION)),
            )  # fmt: skip
            yield ldap.AddRequest(user_dn(settings, name), parts)

    return side_by_side(settings, ops(), settings.tally(), good=_ALREADY_EXISTS)


KINDS: Final[dict[str, Callable[[Settings], Tally]]] = {
    "setup_members": setup_members,
    "sam_logon": sam_logons,
    "lookup_sids": lookup_sids,
    "lookup_names": lookup_names,
    "lookup_sids_pipe": lookup_sids_by_pipe,
    "lookup_names_pipe": lookup_names_by_pipe,
    "rpc_bind": rpc_binds,
    "secure_channel": secure_channels,
}
