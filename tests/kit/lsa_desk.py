"""lsarpc without sockets: a desk's client with an open policy handle, in the words that tests use."""

from dataclasses import dataclass
from typing import TypeVar, cast

import pytest

from addc.base.rng import Rng
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle, Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.rpc.interfaces.lsarpc import idl
from addc.rpc.interfaces.lsarpc.operations import SERVER
from addc.security.token import Token
from tests.kit.corp import Corp
from tests.kit.rpc_desk import SESSION_KEY, RpcClient, RpcDesk

R = TypeVar("R", bound=Ndr)
MAXIMUM = 0x0200_0000
KEY = SESSION_KEY.reveal()


@dataclass
class LsaClient:
    """A client of one requester. policy: its handle, with all the rights that it gets."""

    desk: RpcDesk
    rpc: RpcClient
    policy: ContextHandle

    @property
    def corp(self) -> Corp:
        return self.desk.corp

    @property
    def rng(self) -> Rng:
        return self.desk.services.rng

    def ask(self, request: Ndr, response: type[R] | None = None) -> R:
        return self.rpc.call(SERVER, request, response)

    def refused(self, request: Ndr) -> NtStatus:
        """The status of a call that is to fail."""
        status = cast(NtStatus, getattr(self.ask(request), "status"))  # noqa: B009 - of every response
        assert status >= 0x8000_0000, status
        return status

    def done(self, request: Ndr, response: type[R] | None = None) -> R:
        """The response of a call that is to succeed."""
        found = self.ask(request, response)
        assert getattr(found, "status") == NtStatus.STATUS_SUCCESS, found  # noqa: B009
        return found

    def open_policy(self, desired: int) -> idl.LsarOpenPolicy2Response:
        request = idl.LsarOpenPolicy2("\\\\dc", idl.LsaprObjectAttributes(), desired)
        return self.ask(request, idl.LsarOpenPolicy2Response)

    def names(self, *sids: Sid, level: int = 1) -> idl.LsarLookupSids2Response:
        buffer = idl.SidEnumBuffer(tuple(idl.SidPointer(sid) for sid in sids))
        request = idl.LsarLookupSids2(self.policy, buffer, idl.TranslatedNamesEx(), level, 0, 0, 2)
        return self.ask(request, idl.LsarLookupSids2Response)

    def sids(self, *names: str | None, level: int = 1, options: int = 0) -> idl.LsarLookupNames3Response:
        request = idl.LsarLookupNames3(self.policy, names, idl.TranslatedSidsEx2(), level, 0, options, 2)
        return self.ask(request, idl.LsarLookupNames3Response)

    def rights_of(self, sid: Sid) -> tuple[str | None, ...]:
        found = self.done(
            idl.LsarEnumerateAccountRights(self.policy, sid), idl.LsarEnumerateAccountRightsResponse
        )
        return found.user_rights.user_rights or ()

    def add_rights(self, sid: Sid, *names: str) -> NtStatus:
        request = idl.LsarAddAccountRights(self.policy, sid, idl.LsaprUserRightSet(names))
        return self.ask(request, idl.LsarAddAccountRightsResponse).status

    def remove_rights(self, sid: Sid, *names: str, all_rights: bool = False) -> NtStatus:
        request = idl.LsarRemoveAccountRights(
            self.policy, sid, int(all_rights), idl.LsaprUserRightSet(names or None)
        )
        return self.ask(request, idl.LsarRemoveAccountRightsResponse).status

    def query(self, information_class: int) -> object:
        """What a class of policy information tells."""
        found = self.done(
            idl.LsarQueryInformationPolicy2(self.policy, information_class),
            idl.LsarQueryInformationPolicy2Response,
        )
        assert isinstance(found.policy_information, Tagged)
        return found.policy_information.value


def lsa_client(desk: RpcDesk, token: Token, desired: int = MAXIMUM) -> LsaClient:
    """A client with an open policy handle."""
    client = LsaClient(desk, desk.connect(token), ContextHandle(0, desk.corp.forest.domain_guid))
    opened = client.open_policy(desired)
    assert opened.status == NtStatus.STATUS_SUCCESS, opened.status
    client.policy = opened.policy_handle
    return client


@pytest.fixture
def lsa(rpc_desk: RpcDesk) -> LsaClient:
    """The administrator's client."""
    return lsa_client(rpc_desk, rpc_desk.corp.admin)
