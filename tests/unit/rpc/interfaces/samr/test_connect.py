"""SAM: connecting, domains, handles. [MS-SAMR] 3.1.5.1, 3.1.5.2.1, 3.1.5.11.1, 3.1.5.13."""

from dataclasses import replace

import pytest

from addc.codec.ndr import NULL_HANDLE, Tagged
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import AuthLevel, RpcFault
from addc.rpc.interfaces.samr import idl
from addc.rpc.interfaces.samr.operations import SERVER
from addc.security import wellknown
from addc.security.token import ANONYMOUS
from tests.kit.rpc_desk import undefaulted
from tests.kit.sam_desk import MAXIMUM, SamDesk


def test_every_refusal_has_a_response() -> None:
    assert not undefaulted(SERVER.interface)


def test_every_declared_operation_is_served() -> None:
    assert SERVER.answers.keys() == SERVER.interface.operations.keys()


def test_connect5_tells_what_is_supported(sam: SamDesk) -> None:
    """3.1.5.1.1, 2.2.7.15."""
    request = idl.SamrConnect5(None, MAXIMUM, 1, Tagged(1, idl.RevisionInfoV1(3, 0)))
    found = sam.client().ask(request, idl.SamrConnect5Response)
    assert found.out_revision_info == Tagged(1, idl.RevisionInfoV1(3, 0x70))


def test_older_connects_give_handles(sam: SamDesk) -> None:
    client = sam.client()
    handles = (
        client.ask(idl.SamrConnect(0x5C, 0x31), idl.SamrConnectResponse).server_handle,
        client.ask(idl.SamrConnect2("DC1", 0x31), idl.SamrConnect2Response).server_handle,
        client.ask(idl.SamrConnect4("DC1", 2, 0x31), idl.SamrConnect4Response).server_handle,
    )
    for handle in handles:
        request = idl.SamrEnumerateDomainsInSamServer(handle, 0, 0xFFFF)
        assert client.status(request) == NtStatus.STATUS_SUCCESS


def test_anonymous_is_refused(sam: SamDesk) -> None:
    """RestrictAnonymous; 3.1.2.1."""
    client = sam.client(ANONYMOUS)
    assert client.status(idl.SamrConnect2(None, MAXIMUM)) == NtStatus.STATUS_ACCESS_DENIED
    assert client.status(idl.SamrConnect2(None, 1)) == NtStatus.STATUS_ACCESS_DENIED


@pytest.mark.parametrize("level", [AuthLevel.CONNECT, AuthLevel.PKT, AuthLevel.INTEGRITY])
def test_levels_between_none_and_privacy_are_refused(sam: SamDesk, level: AuthLevel) -> None:
    """2.1."""
    client = sam.client()
    client.rpc = client.rpc.secured(level)
    with pytest.raises(RpcFault) as caught:
        client.connect()
    assert caught.value.status == NcaStatus.NCA_S_FAULT_ACCESS_DENIED


def test_privacy_is_served(sam: SamDesk) -> None:
    client = sam.client()
    client.rpc = client.rpc.secured(AuthLevel.PRIVACY)
    client.connect()


def test_users_get_no_write_rights_on_the_server(sam: SamDesk) -> None:
    """3.1.5.1.1: rights come from the server object's descriptor."""
    sam.corp.user("anna", "Secr3t.Word")
    client = sam.client("anna")
    client.connect(0x31)
    for access in (0x2, 0x4, 0x8, 0x0001_0000, 0x0004_0000, 0x4000_0000):
        assert client.status(idl.SamrConnect2(None, access)) == NtStatus.STATUS_ACCESS_DENIED


def test_both_domains_are_listed(sam: SamDesk) -> None:
    """3.1.5.2.1."""
    client = sam.client()
    request = idl.SamrEnumerateDomainsInSamServer(client.connect(), 0, 0xFFFF)
    found = client.ask(request, idl.SamrEnumerateDomainsInSamServerResponse)
    assert found.buffer is not None and found.buffer.buffer is not None
    assert [one.name for one in found.buffer.buffer] == ["CORP", "Builtin"]


def test_domains_are_listed_one_after_another(sam: SamDesk) -> None:
    """3.1.5.2.1: the resume handle and the preferred length."""
    client = sam.client()
    server = client.connect()
    more = NtStatus.STATUS_MORE_ENTRIES
    first = client.ask(
        idl.SamrEnumerateDomainsInSamServer(server, 0, 1), idl.SamrEnumerateDomainsInSamServerResponse, more
    )
    assert (first.count_returned, first.status) == (1, more)
    request = idl.SamrEnumerateDomainsInSamServer(server, first.enumeration_context, 1)
    last = client.ask(request, idl.SamrEnumerateDomainsInSamServerResponse)
    assert last.buffer is not None and last.buffer.buffer is not None
    assert [one.name for one in last.buffer.buffer] == ["Builtin"]


def test_domains_are_looked_up_by_name(sam: SamDesk) -> None:
    """3.1.5.11.1."""
    client = sam.client()
    server = client.connect()
    for name, sid in (("corp", sam.corp.forest.domain_sid), ("BUILTIN", wellknown.BUILTIN_DOMAIN)):
        request = idl.SamrLookupDomainInSamServer(server, name)
        assert client.ask(request, idl.SamrLookupDomainInSamServerResponse).domain_id == sid
    refused = client.status(idl.SamrLookupDomainInSamServer(server, "ELSEWHERE"))
    assert refused == NtStatus.STATUS_NO_SUCH_DOMAIN


def test_the_handle_needs_the_right(sam: SamDesk) -> None:
    """3.1.2.2."""
    client = sam.client()
    denied = NtStatus.STATUS_ACCESS_DENIED
    assert client.status(idl.SamrLookupDomainInSamServer(client.connect(0x10), "CORP")) == denied
    assert client.status(idl.SamrEnumerateDomainsInSamServer(client.connect(0x20), 0, 99)) == denied
    request = idl.SamrOpenDomain(client.connect(0x10), MAXIMUM, sam.corp.forest.domain_sid)
    assert client.status(request) == denied


def test_a_domain_of_elsewhere_is_not_opened(sam: SamDesk) -> None:
    client = sam.client()
    request = idl.SamrOpenDomain(client.connect(), MAXIMUM, sam.corp.forest.domain_sid.child(5))
    assert client.status(request) == NtStatus.STATUS_NO_SUCH_DOMAIN


def test_handles_of_another_kind_are_refused(sam: SamDesk) -> None:
    """3.1.5.1.5: HandleType."""
    client = sam.client()
    request = idl.SamrOpenDomain(client.domain(), MAXIMUM, sam.corp.forest.domain_sid)
    assert client.status(request) == NtStatus.STATUS_OBJECT_TYPE_MISMATCH
    assert client.status(idl.SamrRidToSid(client.connect(), 500)) == NtStatus.STATUS_OBJECT_TYPE_MISMATCH


def test_somebody_else_cannot_use_a_handle(sam: SamDesk) -> None:
    """3.1.2: the identity is that of who opened it, in one association group too."""
    sam.corp.user("anna", "Secr3t.Word")
    client = sam.client()
    domain = client.domain()
    client.rpc = replace(client.rpc, token=sam.corp.token("anna"))
    assert client.status(idl.SamrOpenUser(domain, MAXIMUM, 500)) == NtStatus.STATUS_ACCESS_DENIED
    assert client.status(idl.SamrCloseHandle(domain)) == NtStatus.STATUS_ACCESS_DENIED


def test_closed_handles_are_gone(sam: SamDesk) -> None:
    """3.1.5.13.1."""
    client = sam.client()
    server = client.connect()
    assert client.ask(idl.SamrCloseHandle(server), idl.SamrCloseHandleResponse).sam_handle == NULL_HANDLE
    with pytest.raises(RpcFault):
        client.status(idl.SamrCloseHandle(server))


def test_rids_become_sids_of_the_handles_domain(sam: SamDesk) -> None:
    """3.1.5.13.5."""
    client = sam.client()
    sid = sam.corp.forest.domain_sid
    for handle in (client.domain(), client.user("Administrator"), client.group("Domain Users")):
        assert client.ask(idl.SamrRidToSid(handle, 1234), idl.SamrRidToSidResponse).sid == sid.child(1234)
    builtin = client.ask(idl.SamrRidToSid(client.alias(544), 545), idl.SamrRidToSidResponse).sid
    assert builtin == wellknown.BUILTIN_USERS


def test_users_may_read_the_domain_and_not_administer_it(sam: SamDesk) -> None:
    """3.1.5.1.5: rights come from the domain's descriptor."""
    sam.corp.user("anna", "Secr3t.Word")
    client = sam.client("anna")
    client.domain(0x2_0385)
    for access in (0x2, 0x8, 0x400, 0x0001_0000, 0x0004_0000, 0x0008_0000, 0x0100_0000):
        request = idl.SamrOpenDomain(client.connect(), access, sam.corp.forest.domain_sid)
        assert client.status(request) == NtStatus.STATUS_ACCESS_DENIED, hex(access)
