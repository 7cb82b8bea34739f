"""A computer's side of a secure channel, over a desk: challenge, proof, authenticators, logons."""

from dataclasses import dataclass, field, replace
from typing import Final

from addc.auth.secure_channels import ChannelType
from addc.base.secret import Secret
from addc.codec import ntlm
from addc.codec.ndr import Tagged
from addc.codec.ntlm import AvId
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import AuthLevel, AuthType, CallSecurity
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.operations import SERVER
from addc.security import ntlm_keys, schannel
from addc.security.krb_keys import nt_hash
from addc.security.token import ANONYMOUS
from tests.kit.rpc_desk import CLEAR, RpcClient, RpcDesk

FLAGS: Final = 0x612FFFFF
"""What Windows 11 sends."""
HOST: Final = "\\\\DC1"
CHALLENGE: Final = bytes.fromhex("0011223344556677")
MEMBER: Final = "WS1"
MEMBER_PASSWORD: Final = "m3mber of the domain"
USER_PASSWORD: Final = "Us3r of the domain!"


def hash_of(password: str) -> bytes:
    return nt_hash(Secret(password.encode("utf-16-le")))


def add_member(desk: RpcDesk, name: str = MEMBER, password: str = MEMBER_PASSWORD, uac: int = 0x1000) -> None:
    """A computer account with a password."""
    desk.corp.add(
        f"CN={name},CN=Computers,{desk.directory.forest.domain_dn}",
        "computer",
        sAMAccountName=f"{name}$",
        userAccountControl=str(uac),
        unicodePwd=f'"{password}"'.encode("utf-16-le"),
    )


@dataclass
class Member:
    """One computer. client: the connection that it calls over; `sealed` once the channel is open."""

    desk: RpcDesk
    name: str = MEMBER
    password: str = MEMBER_PASSWORD
    kind: int = int(ChannelType.WORKSTATION)
    account: str = ""
    peer: str = "192.0.2.77"
    challenge: bytes = b"client!!"
    flags: int = FLAGS
    client: RpcClient = field(init=False)
    key: bytes = b""
    stored: bytes = b""

    def __post_init__(self) -> None:
        self.account = self.account or f"{self.name}$"
        self.client = self.desk.connect(ANONYMOUS, CLEAR)
        self.client.peer = self.peer

    # --- opening the channel ---

    def ask(self) -> bytes:
        """NetrServerReqChallenge: the server's challenge."""
        response = self.client.call(
            SERVER,
            idl.NetrServerReqChallenge(HOST, self.name, self.challenge),
            idl.NetrServerReqChallengeResponse,
        )
        assert response.status is NtStatus.STATUS_SUCCESS
        return response.server_challenge

    def prove(self, server_challenge: bytes) -> idl.NetrServerAuthenticate3Response:
        """NetrServerAuthenticate3."""
        self.key = schannel.session_key(hash_of(self.password), self.challenge, server_challenge)
        self.stored = schannel.credential(self.challenge, self.key)
        request = idl.NetrServerAuthenticate3(
            HOST, self.account, self.kind, self.name, self.stored, self.flags
        )
        return self.client.call(SERVER, request, idl.NetrServerAuthenticate3Response)

    def authenticate(self) -> idl.NetrServerAuthenticate3Response:
        return self.prove(self.ask())

    def open(self) -> "Member":
        """The channel, and a connection that is sealed with its key."""
        assert self.authenticate().status is NtStatus.STATUS_SUCCESS
        self.protect(AuthLevel.PRIVACY)
        return self

    def protect(self, level: AuthLevel) -> None:
        security = CallSecurity(
            level, AuthType.NETLOGON, Secret(b"of the SMB below"), self.account, "Netlogon", self.name
        )
        self.client = replace(self.client, security=security, token=self.desk.corp.token(self.account))

    # --- the chain ---

    def authenticator(self, timestamp: int = 0x5F5E100) -> idl.NetlogonAuthenticator:
        self.stored = schannel.advanced(self.stored, timestamp)
        return idl.NetlogonAuthenticator(schannel.credential(self.stored, self.key), timestamp)

    def took(self, returned: idl.NetlogonAuthenticator | None) -> bool:
        """Whether the server's authenticator continues the chain."""
        self.stored = schannel.advanced(self.stored, 1)
        return returned is not None and returned.credential == schannel.credential(self.stored, self.key)

    def capabilities(self, level: int = 1) -> idl.NetrLogonGetCapabilitiesResponse:
        return self.client.call(
            SERVER,
            idl.NetrLogonGetCapabilities(HOST, self.name, self.authenticator(), idl.NO_AUTHENTICATOR, level),
            idl.NetrLogonGetCapabilitiesResponse,
        )

    # --- logons ---

    def identity(
        self, user: str, domain: str | None = "CORP", control: int = 0
    ) -> idl.NetlogonLogonIdentityInfo:
        return idl.NetlogonLogonIdentityInfo(domain, control, 0, user, f"\\\\{self.name}")

    def response(
        self,
        user: str,
        password: str,
        domain: str = "CORP",
        server: tuple[str, str] | None = None,
        *,
        tail: bytes | None = None,
    ) -> bytes:
        """An NTLMv2 response to CHALLENGE. server: domain and computer that the client was told.

        tail: what stands where the list of them ends.
        """
        nb_domain, nb_computer = server or ("CORP", self.name)
        pairs = ntlm.pack_pairs(
            [
                (int(AvId.NB_DOMAIN_NAME), nb_domain.encode("utf-16-le")),
                (int(AvId.NB_COMPUTER_NAME), nb_computer.encode("utf-16-le")),
            ]
        )
        if tail is not None:
            pairs = pairs[:-4] + tail
        now = int(self.desk.clock.now()).to_bytes(8, "little")
        blob = b"\x01\x01" + bytes(6) + now + b"clientch" + bytes(4) + pairs + bytes(4)
        key = ntlm_keys.ntowf_v2(hash_of(password), user, domain)
        return ntlm_keys.nt_proof(key, CHALLENGE, blob) + blob

    def base_key(self, user: str, password: str, response: bytes, domain: str = "CORP") -> bytes:
        """SessionBaseKey of a response."""
        return ntlm_keys.session_base_key(ntlm_keys.ntowf_v2(hash_of(password), user, domain), response[:16])

    def network(self, user: str, response: bytes, domain: str | None = "CORP", control: int = 0) -> Tagged:
        info = idl.NetlogonNetworkInfo(
            self.identity(user, domain, control),
            CHALLENGE,
            idl.NlBytes(len(response), response),
            idl.NlBytes(0, None),
        )
        return Tagged(idl.LogonLevel.NETWORK, info)

    def interactive(self, user: str, password: str, domain: str = "CORP") -> Tagged:
        hidden = schannel.encrypted(self.key, hash_of(password))
        info = idl.NetlogonInteractiveInfo(self.identity(user, domain), bytes(16), hidden)
        return Tagged(idl.LogonLevel.INTERACTIVE, info)

    def generic(self, package: str, message: bytes) -> Tagged:
        info = idl.NetlogonGenericInfo(
            self.identity("", "CORP"), package, schannel.encrypted(self.key, message)
        )
        return Tagged(idl.LogonLevel.GENERIC, info)

    def logon(self, information: Tagged, level: int = 6, flags: int = 0) -> idl.NetrLogonSamLogonExResponse:
        """NetrLogonSamLogonEx."""
        return self.client.call(
            SERVER,
            idl.NetrLogonSamLogonEx(HOST, self.name, information.tag, information, level, flags),
            idl.NetrLogonSamLogonExResponse,
        )

    def log_on(self, user: str, password: str, level: int = 6) -> idl.NetrLogonSamLogonExResponse:
        """A network logon of a user of this domain."""
        return self.logon(self.network(user, self.response(user, password)), level)
