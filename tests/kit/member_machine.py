"""A member computer on sockets: its secure channel, and users logged on through it.

Messages are made by our own client's end; what comes back is looked at by whoever asks. Blocking: one
conversation at a time, as fast as the machine can.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from addc.auth.netlogon_ssp import NetlogonInitiator
from addc.auth.secure_channels import ChannelType
from addc.base.clock import SystemClock
from addc.base.rng import SystemRng
from addc.codec import ntlm
from addc.codec.interface import Interface
from addc.codec.ndr import Ndr, NdrReader, Tagged, read_structure
from addc.codec.nl_auth import NlAuthRequest
from addc.codec.ntlm import AvId
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.rpc import auth_layer
from addc.rpc.auth_layer import SecurityContext
from addc.rpc.call import AuthType, RpcFault
from addc.rpc.client import Initiator, find_port
from addc.rpc.initiator import Answer, Bound, Faulted, Nak, Responded, RpcInitiator
from addc.rpc.interfaces.netlogon import idl
from addc.security import ntlm_keys, schannel
from addc.security.krb_keys import nt_hash

FLAGS: Final = 0x612FFFFF
"""What Windows 11 sends."""
CHALLENGE: Final = bytes.fromhex("0011223344556677")
_TIMEOUT_S: Final = 20.0
R = TypeVar("R", bound=Ndr)


class RpcSocket:
    """One RPC connection over TCP."""

    def __init__(self, address: str, port: int) -> None:
        self.sock = socket.create_connection((address, port), timeout=_TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.engine = RpcInitiator()
        self.context = SecurityContext(0, auth_layer.NONE, 0)
        self.context.finish(None)

    def _answer(self) -> Answer:
        self.sock.sendall(self.engine.data_to_send())
        while True:
            data = self.sock.recv(1 << 16)
            if not data:
                raise ConnectionError("closed by the server")
            for answer in self.engine.receive(data):
                return answer

    def _bound(self) -> bytes:
        match self._answer():
            case Bound(taken=True, token=token):
                return token
            case Faulted(status=status):
                raise RpcFault(NcaStatus(status), "alter_context")
            case Nak(reason):
                raise ConnectionError(f"bind refused: {reason}")
            case other:
                raise ConnectionError(f"no answer to a bind: {other}")

    def bind(self, interface: Interface) -> Self:
        """Without a proof."""
        self.engine.bind(interface, SecurityContext(0, auth_layer.NONE, 0), b"")
        self._bound()
        return self

    def prove(
        self, interface: Interface, auth_type: AuthType, exchange: Initiator, level: int = auth_layer.PRIVACY
    ) -> Self:
        """Bind with a proof, whose context later calls use."""
        context = SecurityContext(auth_type, level, 1)
        self.engine.bind(interface, context, exchange.step())
        token = exchange.step(self._bound())
        while token:
            last = exchange.complete
            self.engine.go_on(interface, context, token, last=last)
            if last:
                self.sock.sendall(self.engine.data_to_send())
                break
            token = exchange.step(self._bound())
        context.finish(exchange)
        self.context = context
        return self

    def call(self, interface: Interface, opnum: int, request: Ndr, response: type[R]) -> R:
        """Raises RpcFault."""
        self.engine.call(interface, self.context, opnum, request.pack())
        match self._answer():
            case Responded(stub=stub):
                return read_structure(response, NdrReader(stub))
            case Faulted(status=status):
                raise RpcFault(NcaStatus(status), f"opnum {opnum}")
            case other:
                raise ConnectionError(f"no answer: {other}")

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def port_of(address: str, interface: Interface) -> int:
    """As the endpoint mapper tells it."""
    return asyncio.run(find_port(address, interface))


@dataclass(slots=True)
class MemberMachine:
    """One computer of the domain. port: where the DC serves NETLOGON."""

    address: str
    port: int
    domain: str
    name: str
    password: str
    key: bytes = b""
    stored: bytes = b""

    def open_channel(self) -> None:
        """NetrServerReqChallenge and NetrServerAuthenticate3, on a connection of their own."""
        client = SystemRng().bytes(8)
        with RpcSocket(self.address, self.port).bind(idl.NETLOGON) as rpc:
            asked = idl.NetrServerReqChallenge("", self.name, client)
            server = rpc.call(idl.NETLOGON, 4, asked, idl.NetrServerReqChallengeResponse).server_challenge
            secret = nt_hash(self.password)
            self.key = schannel.session_key(secret, client, server)
            self.stored = schannel.credential(client, self.key)
            proof = idl.NetrServerAuthenticate3(
                "", f"{self.name}$", int(ChannelType.WORKSTATION), self.name, self.stored, FLAGS
            )
            done = rpc.call(idl.NETLOGON, 26, proof, idl.NetrServerAuthenticate3Response)
        if done.status is not NtStatus.STATUS_SUCCESS:
            raise PermissionError(f"{self.name}: {done.status}")

    def initiator(self) -> NetlogonInitiator:
        """A new use of the channel's key."""
        names = NlAuthRequest(netbios_domain=self.domain, netbios_computer=self.name)
        return NetlogonInitiator(names, self.key, SystemRng())

    def sealed(self, interface: Interface = idl.NETLOGON, port: int = 0) -> RpcSocket:
        """A connection that is sealed with the channel's key."""
        rpc = RpcSocket(self.address, port or self.port)
        return rpc.prove(interface, AuthType.NETLOGON, self.initiator())

    def network_logon(self, user: str, password: str, level: int = 6) -> idl.NetrLogonSamLogonEx:
        """What asks the DC whether an NTLMv2 response to CHALLENGE is the user's."""
        response = _response(user, password, self.domain, self.name)
        identity = idl.NetlogonLogonIdentityInfo(self.domain, 0, 0, user, self.name)
        hidden = idl.NlBytes(len(response), response)
        info = idl.NetlogonNetworkInfo(identity, CHALLENGE, hidden, idl.NlBytes(0, None))
        kind = idl.LogonLevel.NETWORK
        return idl.NetrLogonSamLogonEx("", self.name, kind, Tagged(kind, info), level, 0)


def _response(user: str, password: str, domain: str, computer: str) -> bytes:
    """Spec: [MS-NLMP] 3.3.2."""
    names = ((AvId.NB_DOMAIN_NAME, domain), (AvId.NB_COMPUTER_NAME, computer))
    pairs = ntlm.pack_pairs([(int(kind), name.encode("utf-16-le")) for kind, name in names])
    now = int(SystemClock().now()).to_bytes(8, "little")
    blob = b"\x01\x01" + bytes(6) + now + b"clientch" + bytes(4) + pairs + bytes(4)
    key = ntlm_keys.ntowf_v2(nt_hash(password), user, domain)
    return ntlm_keys.nt_proof(key, CHALLENGE, blob) + blob
