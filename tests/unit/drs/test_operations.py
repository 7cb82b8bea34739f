"""drsuapi as joining machines and admin tools call it. Spec: [MS-DRSR] 4.1.3, 4.1.4, 4.1.5, 4.1.28."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from addc.codec.ndr import ContextHandle
from addc.codes.nca import NcaStatus
from addc.codes.win32 import Win32
from addc.drs import idl
from addc.drs.idl import NameFlags, NameFormat, NameStatus, SpnOperation
from addc.drs.operations import SERVER
from addc.rpc.call import AuthLevel, RpcFault
from addc.security import sddl
from addc.security.token import ANONYMOUS, SYSTEM, Token
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.rpc_desk import SEALED, RpcClient, RpcDesk, undefaulted

_OK, _MISSING = NameStatus.DS_NAME_NO_ERROR, NameStatus.DS_NAME_ERROR_NOT_FOUND
_DOMAIN_ONLY = NameStatus.DS_NAME_ERROR_DOMAIN_ONLY


def _bound(
    desk: RpcDesk, token: Token, client: UUID = idl.NTDSAPI_CLIENT_GUID
) -> tuple[RpcClient, ContextHandle]:
    connection = desk.connect(token, SEALED)
    reply = connection.call(SERVER, idl.DrsBind(client, None), idl.DrsBindResponse)
    assert reply.status == Win32.ERROR_SUCCESS and reply.ppext_server is not None
    assert len(reply.ppext_server.rgb) == 52
    return connection, reply.ph_drs


def _crack(
    desk: RpcDesk,
    offered: NameFormat,
    desired: NameFormat,
    *names: str,
    token: Token = SYSTEM,
    flags: int = 0,
) -> Sequence[idl.DsNameResultItem]:
    connection, handle = _bound(desk, token)
    asked = idl.DrsMsgCrackReqV1(1252, 1033, flags, offered, desired, names)
    reply = connection.call(SERVER, idl.DrsCrackNames(handle, 1, asked), idl.DrsCrackNamesResponse)
    assert reply.status == Win32.ERROR_SUCCESS and reply.pmsg_out.p_result is not None
    return reply.pmsg_out.p_result.r_items or ()


def _one(desk: RpcDesk, offered: NameFormat, desired: NameFormat, name: str) -> tuple[int, str | None]:
    (item,) = _crack(desk, offered, desired, name)
    return item.name_status, item.p_name


def test_every_response_can_be_a_refusal() -> None:
    assert not undefaulted(idl.DRSUAPI)


def test_a_join_finds_the_domain_and_learns_that_its_account_is_not_there(rpc_desk: RpcDesk) -> None:
    forest = rpc_desk.directory.forest
    netbios = forest.netbios + "\\"
    dns, dn = NameFormat.DS_CANONICAL_NAME, NameFormat.DS_FQDN_1779_NAME
    nt4 = NameFormat.DS_NT4_ACCOUNT_NAME
    assert _one(rpc_desk, dns, nt4, forest.dns_domain + "/") == (_OK, netbios)
    assert _one(rpc_desk, nt4, dn, netbios) == (_OK, DOMAIN_DN)
    assert _one(rpc_desk, nt4, dn, netbios + "PC8$") == (_MISSING, None)


def test_names_of_an_account_in_each_form(rpc_desk: RpcDesk) -> None:
    corp, forest = rpc_desk.corp, rpc_desk.directory.forest
    corp.user("jane", userPrincipalName="jane@mail.example", displayName="Jane Doe")
    dn = corp.dn("CN=jane,CN=Users")
    sid = str(corp.sid(dn))
    guid = f"{{{UUID(bytes_le=corp.row(dn).guid)}}}"
    forms = {
        NameFormat.DS_FQDN_1779_NAME: dn,
        NameFormat.DS_NT4_ACCOUNT_NAME: f"{forest.netbios}\\jane",
        NameFormat.DS_DISPLAY_NAME: "Jane Doe",
        NameFormat.DS_UNIQUE_ID_NAME: guid,
        NameFormat.DS_CANONICAL_NAME: f"{forest.dns_domain}/Users/jane",
        NameFormat.DS_CANONICAL_NAME_EX: f"{forest.dns_domain}/Users\njane",
        NameFormat.DS_USER_PRINCIPAL_NAME: "jane@mail.example",
        NameFormat.DS_STRING_SID_NAME: sid,
    }
    for offered, name in forms.items():
        for desired, wanted in forms.items():
            assert _one(rpc_desk, offered, desired, name) == (_OK, wanted), (offered, desired)
        if offered is not NameFormat.DS_CANONICAL_NAME_EX:  # its slash makes it an SPN first
            found = _one(rpc_desk, NameFormat.DS_UNKNOWN_NAME, NameFormat.DS_STRING_SID_NAME, name)
            assert found == (_OK, sid)
    (item,) = _crack(rpc_desk, NameFormat.DS_STRING_SID_NAME, NameFormat.DS_DNS_DOMAIN_NAME, sid)
    assert (item.p_domain, item.p_name) == (forest.dns_domain, forest.dns_domain)


@pytest.mark.parametrize(
    ("offered", "name", "status", "domain"),
    [
        (NameFormat.DS_USER_PRINCIPAL_NAME, "foo@bar", _DOMAIN_ONLY, "bar"),
        (NameFormat.DS_USER_PRINCIPAL_NAME, "nobody@{dns}", _MISSING, None),
        (NameFormat.DS_USER_PRINCIPAL_NAME, "NOT A PRINCIPAL", _MISSING, None),
        (NameFormat.DS_NT4_ACCOUNT_NAME, "{dns}\\", _MISSING, None),
        (NameFormat.DS_NT4_ACCOUNT_NAME, "NT AUTHORITY\\SYSTEM", _MISSING, None),
        (NameFormat.DS_SERVICE_PRINCIPAL_NAME, "bogus/pc.{dns}", _DOMAIN_ONLY, "pc.{dns}"),
        (NameFormat.DS_SERVICE_PRINCIPAL_NAME, "cifs/pc.{dns}@BOGUS", _DOMAIN_ONLY, "BOGUS"),
        (NameFormat.DS_SERVICE_PRINCIPAL_NAME, "krbtgt", _MISSING, None),
        (NameFormat.DS_UNIQUE_ID_NAME, "NOT A GUID", _MISSING, None),
        (NameFormat.DS_SID_OR_SID_HISTORY_NAME, "NOT A SID", _MISSING, None),
        (NameFormat.DS_SID_OR_SID_HISTORY_NAME, "S-1-5-7", _MISSING, None),
        (NameFormat.DS_FQDN_1779_NAME, "NOT A DN", _MISSING, None),
        (NameFormat(4711), "x", NameStatus.DS_NAME_ERROR_RESOLVING, None),
    ],
)
def test_names_that_are_nobodys(
    rpc_desk: RpcDesk, offered: NameFormat, name: str, status: NameStatus, domain: str | None
) -> None:
    dns = rpc_desk.directory.forest.dns_domain
    (item,) = _crack(rpc_desk, offered, NameFormat.DS_FQDN_1779_NAME, name.format(dns=dns))
    assert item.name_status == status
    assert item.p_domain == (domain.format(dns=dns) if domain else None)


def test_services_by_their_alias_and_the_dns_only_mapping(rpc_desk: RpcDesk) -> None:
    rpc_desk.corp.user("web", servicePrincipalName="HOST/web1")
    dn = rpc_desk.corp.dn("CN=web,CN=Users")
    spn = NameFormat.DS_SERVICE_PRINCIPAL_NAME
    assert _one(rpc_desk, spn, NameFormat.DS_FQDN_1779_NAME, "cifs/web1") == (_OK, dn)
    (item,) = _crack(
        rpc_desk,
        NameFormat.DS_FQDN_1779_NAME,
        NameFormat.DS_CANONICAL_NAME,
        "CN=x,OU=nowhere,DC=a,DC=b",
        flags=NameFlags.DS_NAME_FLAG_SYNTACTICAL_ONLY,
    )
    assert (item.p_domain, item.p_name) == ("a.b", "a.b/nowhere/x")


def test_two_accounts_of_one_name_are_not_unique(rpc_desk: RpcDesk) -> None:
    for name in ("one", "two"):
        rpc_desk.corp.user(name, displayName="Twin")
    (item,) = _crack(rpc_desk, NameFormat.DS_DISPLAY_NAME, NameFormat.DS_FQDN_1779_NAME, "Twin")
    assert item.name_status == NameStatus.DS_NAME_ERROR_NOT_UNIQUE


def test_lists_of_sites_servers_domains_and_roles(rpc_desk: RpcDesk) -> None:
    forest = rpc_desk.directory.forest
    site = f"CN={forest.site},CN=Sites,{forest.config_dn}"
    server = f"CN={forest.host},CN=Servers,{site}"

    def listed(offered: NameFormat, *names: str) -> list[str | None]:
        return [item.p_name for item in _crack(rpc_desk, offered, NameFormat.DS_FQDN_1779_NAME, *names)]

    dn = forest.domain_dn
    assert listed(NameFormat.DS_LIST_SITES, "") == [site]
    assert [str(one).lower() for one in listed(NameFormat.DS_LIST_SERVERS_IN_SITE, site)] == [server.lower()]
    assert listed(NameFormat.DS_LIST_DOMAINS, "") == [dn]
    assert listed(NameFormat.DS_LIST_DOMAINS_IN_SITE, site)[0] == dn
    assert len(listed(NameFormat.DS_LIST_SERVERS_FOR_DOMAIN_IN_SITE, dn, site)) == 1
    assert len(listed(NameFormat.DS_LIST_SERVERS_WITH_DCS_IN_SITE, site)) == 1
    assert {forest.config_dn, forest.schema_dn} < set(listed(NameFormat.DS_LIST_NCS, ""))
    assert len(listed(NameFormat.DS_LIST_ROLES, "")) == 5
    info = listed(NameFormat.DS_LIST_INFO_FOR_SERVER, server)
    assert len(info) == 3 and str(info[0]).startswith("CN=NTDS Settings,")
    assert listed(NameFormat.DS_LIST_GLOBAL_CATALOG_SERVERS, "") == [forest.site]


def test_schema_guids_have_names(rpc_desk: RpcDesk) -> None:
    guids = {
        "{bf967a86-0de6-11d0-a285-00aa003049e2}": ("computer", NameStatus.DS_NAME_ERROR_SCHEMA_GUID_CLASS),
        "{bf96793f-0de6-11d0-a285-00aa003049e2}": ("cn", NameStatus.DS_NAME_ERROR_SCHEMA_GUID_ATTR),
        "{1131f6aa-9c07-11d1-f79f-00c04fc2dcd2}": (
            "DS Replication Get Changes",
            NameStatus.DS_NAME_ERROR_SCHEMA_GUID_CONTROL_RIGHT,
        ),
        "{4c164200-20c0-11d0-a768-00aa006e0529}": (
            "Account Restrictions",
            NameStatus.DS_NAME_ERROR_SCHEMA_GUID_ATTR_SET,
        ),
        "nonsense": (None, NameStatus.DS_NAME_ERROR_SCHEMA_GUID_NOT_FOUND),
    }
    items = _crack(rpc_desk, NameFormat.DS_MAP_SCHEMA_GUID, NameFormat.DS_UNKNOWN_NAME, *guids)
    assert [(item.p_name, item.name_status) for item in items] == list(guids.values())


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_dcs_of_the_domain(rpc_desk: RpcDesk, level: int) -> None:
    forest = rpc_desk.directory.forest
    connection, handle = _bound(rpc_desk, SYSTEM)
    for domain in (forest.dns_domain, forest.netbios.lower()):
        asked = idl.DrsMsgDcInfoReqV1(domain, level)
        reply = connection.call(
            SERVER, idl.DrsDomainControllerInfo(handle, 1, asked), idl.DrsDomainControllerInfoResponse
        )
        assert reply.status == Win32.ERROR_SUCCESS and reply.pdw_out_version == level
        assert not isinstance(reply.pmsg_out, idl.DrsMsgDcInfoReplyVFFFFFFFF)
        (dc,) = reply.pmsg_out.r_items or ()
        assert dc.netbios_name == forest.host.upper() and dc.dns_host_name == forest.host_fqdn
        assert dc.f_is_pdc and dc.site_name == forest.site


@pytest.mark.parametrize(
    ("domain", "level", "status"),
    [
        ("nowhere.example", 1, Win32.ERROR_DS_OBJ_NOT_FOUND),
        ("Administrator", 1, Win32.ERROR_INVALID_PARAMETER),
        ("{dns}", 9, Win32.ERROR_INVALID_PARAMETER),
        ("{dns}", idl.LDAP_CONNECTIONS, Win32.ERROR_NOT_SUPPORTED),
    ],
)
def test_the_dcs_of_no_domain_of_ours(rpc_desk: RpcDesk, domain: str, level: int, status: Win32) -> None:
    connection, handle = _bound(rpc_desk, SYSTEM)
    name = domain.format(dns=rpc_desk.directory.forest.dns_domain)
    if name == "Administrator":
        name = f"CN=Administrator,CN=Users,{DOMAIN_DN}"
    request = idl.DrsDomainControllerInfo(handle, 1, idl.DrsMsgDcInfoReqV1(name, level))
    assert connection.call(SERVER, request, idl.DrsDomainControllerInfoResponse).status == status


def _write_spn(
    connection: RpcClient, handle: ContextHandle, operation: SpnOperation, dn: str, *spns: str
) -> Win32:
    asked = idl.DrsMsgSpnReqV1(operation, 0, dn, spns)
    reply = connection.call(SERVER, idl.DrsWriteSpn(handle, 1, asked), idl.DrsWriteSpnResponse)
    assert reply.pmsg_out.ret_val == reply.status
    return reply.status


def test_service_names_are_added_replaced_and_deleted(rpc_desk: RpcDesk) -> None:
    corp = rpc_desk.corp
    corp.user("svc")
    dn = corp.dn("CN=svc,CN=Users")
    connection, handle = _bound(rpc_desk, corp.admin)
    add, replace, delete = SpnOperation
    assert _write_spn(connection, handle, add, dn, "http/a", "http/b") == Win32.ERROR_SUCCESS
    assert _write_spn(connection, handle, add, dn, "http/a") == Win32.ERROR_SUCCESS
    assert sorted(corp.values(dn, "servicePrincipalName")) == [b"http/a", b"http/b"]
    assert _write_spn(connection, handle, delete, dn, "http/a", "http/unknown") == Win32.ERROR_SUCCESS
    assert corp.values(dn, "servicePrincipalName") == [b"http/b"]
    assert _write_spn(connection, handle, replace, dn) == Win32.ERROR_SUCCESS
    assert not corp.values(dn, "servicePrincipalName")
    assert _write_spn(connection, handle, add, dn) == Win32.ERROR_INVALID_PARAMETER
    assert _write_spn(connection, handle, SpnOperation(9), dn, "http/c") == Win32.ERROR_INVALID_FUNCTION
    assert _write_spn(connection, handle, add, f"CN=none,{DOMAIN_DN}", "a/b") == Win32.ERROR_DS_OBJ_NOT_FOUND


def test_a_user_may_not_write_anothers_service_names(rpc_desk: RpcDesk) -> None:
    corp = rpc_desk.corp
    corp.user("victim")
    corp.user("mallory")
    dn = corp.dn("CN=victim,CN=Users")
    connection, handle = _bound(rpc_desk, corp.token("mallory"))
    status = _write_spn(connection, handle, SpnOperation.DS_SPN_ADD_SPN_OP, dn, "http/x")
    assert status in (Win32.ERROR_ACCESS_DENIED, Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS)
    assert not corp.values(dn, "servicePrincipalName")


def test_service_names_are_for_those_who_bind_as_ntdsapi(rpc_desk: RpcDesk) -> None:
    connection, handle = _bound(rpc_desk, rpc_desk.corp.admin, UUID(int=1))
    status = _write_spn(connection, handle, SpnOperation.DS_SPN_ADD_SPN_OP, DOMAIN_DN, "http/x")
    assert status == Win32.ERROR_INVALID_PARAMETER


def test_nobody_binds_unknown_or_unsealed(rpc_desk: RpcDesk) -> None:
    request = idl.DrsBind(idl.NTDSAPI_CLIENT_GUID, None)
    reply = rpc_desk.call(SERVER, request, idl.DrsBindResponse, token=ANONYMOUS, security=SEALED)
    assert reply.status == Win32.ERROR_ACCESS_DENIED
    clear = rpc_desk.connect(SYSTEM, SEALED).secured(AuthLevel.INTEGRITY)
    with pytest.raises(RpcFault) as refused:
        clear.call(SERVER, request)
    assert refused.value.status == NcaStatus.NCA_S_FAULT_ACCESS_DENIED


def test_a_handle_of_nobody_is_refused(rpc_desk: RpcDesk) -> None:
    connection, handle = _bound(rpc_desk, SYSTEM)
    gone = connection.call(SERVER, idl.DrsUnbind(handle), idl.DrsUnbindResponse)
    assert not gone.ph_drs.uuid.int
    with pytest.raises(RpcFault) as refused:
        connection.call(SERVER, idl.DrsUnbind(handle))
    assert refused.value.status == NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH


def test_what_a_user_may_not_see_is_not_found(rpc_desk: RpcDesk) -> None:
    """An OU whose contents only admins may list hides its accounts from CrackNames too."""
    corp = rpc_desk.corp
    corp.user("mallory")
    descriptor = sddl.parse("O:DAG:DAD:P(A;CI;GA;;;DA)", rpc_desk.directory.forest.domain_sid)
    corp.add(f"OU=secret,{DOMAIN_DN}", "organizationalUnit", nTSecurityDescriptor=descriptor.pack())
    corp.add(f"CN=spy,OU=secret,{DOMAIN_DN}", "user", sAMAccountName="spy")
    name = f"{rpc_desk.directory.forest.netbios}\\spy"
    nt4, dn = NameFormat.DS_NT4_ACCOUNT_NAME, NameFormat.DS_FQDN_1779_NAME
    (seen,) = _crack(rpc_desk, nt4, dn, name)
    (hidden,) = _crack(rpc_desk, nt4, dn, name, token=corp.token("mallory"))
    assert seen.name_status == _OK
    assert (hidden.name_status, hidden.p_name) == (_MISSING, None)
