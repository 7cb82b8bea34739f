"""SAM over RPC in few words: a client that is connected, and what its handles are good for."""

from dataclasses import dataclass
from typing import TypeVar

import pytest

from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle, Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import CallSecurity, Transport
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.operations import SERVER
from addc.security import password_buffers, wellknown
from addc.security.descriptor import ACCESS_ALLOWED, Ace, Control, SecurityDescriptor, acl_of
from addc.security.token import Token
from tests.kit.corp import Corp
from tests.kit.rpc_desk import BY_SMB, SESSION_KEY, RpcClient, RpcDesk

R = TypeVar("R", bound=Ndr)

MAXIMUM = 0x0200_0000
NORMAL = 0x10
WORKSTATION = 0x80
DOMAIN_CONTROLLER = 0x100
FILLER = bytes(range(256)) * 4
SALT = bytes(range(100, 116))


@dataclass
class SamClient:
    """One connection of one requester."""

    rpc: RpcClient

    def ask(self, request: Ndr, response: type[R], *also: NtStatus) -> R:
        """The response, which must say STATUS_SUCCESS or one of `also`."""
        found = self.rpc.call(SERVER, request, response)
        assert status_of(found) in (NtStatus.STATUS_SUCCESS, *also), status_of(found).name
        return found

    def status(self, request: Ndr) -> NtStatus:
        """How the server answers."""
        return status_of(self.rpc.call(SERVER, request))

    # --- handles ---

    def connect(self, access: int = MAXIMUM) -> ContextHandle:
        return self.ask(idl.SamrConnect2(None, access), idl.SamrConnect2Response).server_handle

    def domain(self, access: int = MAXIMUM, sid: Sid | None = None) -> ContextHandle:
        request = idl.SamrOpenDomain(self.connect(), access, sid or self.corp.forest.domain_sid)
        return self.ask(request, idl.SamrOpenDomainResponse).domain_handle

    def builtin(self, access: int = MAXIMUM) -> ContextHandle:
        return self.domain(access, wellknown.BUILTIN_DOMAIN)

    def user(self, name: str, access: int = MAXIMUM) -> ContextHandle:
        request = idl.SamrOpenUser(self.domain(0x200), access, self.rid(name))
        return self.ask(request, idl.SamrOpenUserResponse).user_handle

    def group(self, name: str, access: int = MAXIMUM) -> ContextHandle:
        request = idl.SamrOpenGroup(self.domain(0x200), access, self.rid(name))
        return self.ask(request, idl.SamrOpenGroupResponse).group_handle

    def alias(self, rid: int, access: int = MAXIMUM, *, builtin: bool = True) -> ContextHandle:
        domain = self.builtin(0x200) if builtin else self.domain(0x200)
        request = idl.SamrOpenAlias(domain, access, rid)
        return self.ask(request, idl.SamrOpenAliasResponse).alias_handle

    def create(
        self, name: str, kind: int = NORMAL, access: int = MAXIMUM
    ) -> idl.SamrCreateUser2InDomainResponse:
        request = idl.SamrCreateUser2InDomain(self.domain(0x10), name, kind, access)
        return self.ask(request, idl.SamrCreateUser2InDomainResponse)

    # --- users ---

    def query(self, user: ContextHandle, level: int) -> object:
        found = self.ask(
            idl.SamrQueryInformationUser(user, level), idl.SamrQueryInformationUserResponse
        ).buffer
        assert found is not None and found.tag == level
        return found.value

    def set(self, user: ContextHandle, level: int, value: object) -> NtStatus:
        return self.status(idl.SamrSetInformationUser(user, level, Tagged(level, value)))

    # --- where it all is ---

    @property
    def corp(self) -> Corp:
        return self.rpc.desk.corp

    def rid(self, name: str) -> int:
        return int(self.corp.token(name).user.rid()) if name else 0


def status_of(response: Ndr) -> NtStatus:
    found = getattr(response, "status")  # noqa: B009 - every response has it, their common base does not
    assert isinstance(found, NtStatus)
    return found


@dataclass
class SamDesk:
    """A directory that is asked over SAM."""

    rpc: RpcDesk

    @property
    def corp(self) -> Corp:
        return self.rpc.corp

    def client(
        self, who: str | Token = "Administrator", security: CallSecurity = BY_SMB, *, tcp: bool = False
    ) -> SamClient:
        """A connection of an account, or of a token."""
        token = self.corp.token(who) if isinstance(who, str) else who
        transport = Transport.TCP if tcp else Transport.PIPE
        return SamClient(self.rpc.connect(token, security, transport))


def sealed_rc4(password: str) -> idl.EncryptedUserPassword:
    """Level 23 and 24's buffer."""
    key = SESSION_KEY.reveal()
    return idl.EncryptedUserPassword(password_buffers.seal_rc4(key, password.encode("utf-16-le"), FILLER))


def salted_rc4(password: str) -> idl.EncryptedUserPasswordNew:
    """Level 25 and 26's buffer."""
    key = SESSION_KEY.reveal()
    data = password_buffers.seal_rc4_salted(key, password.encode("utf-16-le"), FILLER, SALT)
    return idl.EncryptedUserPasswordNew(data)


def sealed_aes(password: str, key: bytes = SESSION_KEY.reveal()) -> idl.EncryptedPasswordAes:
    """Level 31 and 32's buffer."""
    mac, cipher = password_buffers.seal_aes(key, SALT, password.encode("utf-16-le"), FILLER)
    return idl.EncryptedPasswordAes(mac, SALT, cipher, 0)


def change_descriptor(user: Sid, *, may_change: bool) -> idl.SrSecurityDescriptor:
    """DACL a or b of [MS-SAMR] 3.1.5.12.1.1: whether a user may change his password."""
    kept = -1 if may_change else ~int(rights.User.CHANGE_PASSWORD)
    grants = (
        (wellknown.EVERYONE, (rights.USER_EXECUTE | rights.USER_READ) & kept),
        (wellknown.BUILTIN_ADMINISTRATORS, rights.USER_ALL_ACCESS),
        (wellknown.ACCOUNT_OPERATORS, rights.USER_ALL_ACCESS),
        (user, rights.USER_WRITE & kept),
    )
    aces = tuple(Ace(ACCESS_ALLOWED, 0, mask, sid) for sid, mask in grants)
    packed = SecurityDescriptor(int(Control.SR | Control.DP), None, None, None, acl_of(aces)).pack()
    return idl.SrSecurityDescriptor(packed)


@pytest.fixture
def sam(rpc_desk: RpcDesk) -> SamDesk:
    """SAM over a fresh copy of the forest."""
    return SamDesk(rpc_desk)
