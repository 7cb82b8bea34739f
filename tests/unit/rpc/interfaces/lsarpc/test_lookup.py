"""Names and SIDs over lsarpc: every form, every level, what is left unknown, and who may ask."""

from dataclasses import replace

import pytest

from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import trust_changes
from addc.directory.trust_changes import NewTrust
from addc.rpc.call import AuthLevel, AuthType, RpcFault, Transport
from addc.rpc.interfaces.lsarpc import idl
from addc.security import wellknown
from addc.security.sid_names import SidNameUse
from addc.security.token import ANONYMOUS, build_token
from addc.security.trusts import TrustAttributes, TrustDirection
from tests.kit.lsa_desk import LsaClient
from tests.kit.rpc_desk import SEALED

USE = SidNameUse
NONE_MAPPED = NtStatus.STATUS_NONE_MAPPED
SOME = NtStatus.STATUS_SOME_NOT_MAPPED
PARTNER = Sid.parse("S-1-5-21-71-72-73")
FRIEND = Sid.parse("S-1-5-21-81-82-83")


def _one(found: idl.LsarLookupSids2Response) -> tuple[int, str | None, str | None, int]:
    """Use, domain, name and flags of the only one."""
    (row,) = found.translated_names.names or ()
    assert found.referenced_domains is not None
    domains = found.referenced_domains.domains or ()
    return row.use, domains[row.domain_index].name if row.domain_index >= 0 else None, row.name, row.flags


@pytest.mark.parametrize(
    ("sid", "use", "domain", "name"),
    [
        ("S-1-1-0", USE.WELL_KNOWN_GROUP, "", "Everyone"),
        ("S-1-5-7", USE.WELL_KNOWN_GROUP, "NT AUTHORITY", "ANONYMOUS LOGON"),
        ("S-1-5-18", USE.WELL_KNOWN_GROUP, "NT AUTHORITY", "SYSTEM"),
        ("S-1-5-64-10", USE.WELL_KNOWN_GROUP, "NT AUTHORITY", "NTLM Authentication"),
        ("S-1-5-32", USE.DOMAIN, "BUILTIN", "BUILTIN"),
        ("S-1-5-32-544", USE.ALIAS, "BUILTIN", "Administrators"),
        ("S-1-16-12288", USE.LABEL, "Mandatory Label", "High Mandatory Level"),
    ],
)
def test_sids_that_every_machine_knows_lsat_3_1_1_1_1(
    lsa: LsaClient, sid: str, use: SidNameUse, domain: str, name: str
) -> None:
    found = lsa.names(Sid.parse(sid))
    assert _one(found) == (use, domain, name, 0)
    assert (found.status, found.mapped_count) == (NtStatus.STATUS_SUCCESS, 1)
    qualified = f"{domain}\\{name}" if domain and use is not USE.DOMAIN else name
    back = lsa.sids(qualified.upper())
    assert (back.translated_sids.sids or ())[0].sid == Sid.parse(sid)


def test_principals_of_the_domain_lsat_3_1_1_1_4(lsa: LsaClient) -> None:
    corp, own = lsa.corp, lsa.corp.forest.domain_sid
    netbios = corp.forest.netbios
    assert _one(lsa.names(own)) == (USE.DOMAIN, netbios, netbios, 0)
    assert _one(lsa.names(own.child(500))) == (USE.USER, netbios, "Administrator", 0)
    assert _one(lsa.names(own.child(512))) == (USE.GROUP, netbios, "Domain Admins", 0)
    machine = lsa.names(corp.sid(f"CN={corp.forest.host},OU=Domain Controllers"))
    assert _one(machine)[:2] == (USE.USER, netbios)


@pytest.mark.parametrize(
    ("form", "flags"),
    [
        ("{n}\\ann", 0),
        ("{d}\\ANN", 0),
        ("ann", 0),
        ("ann@{d}", 1),
        ("ann@{n}", 1),
        ("Ann.Other@upn.example", 1),
    ],
)
def test_every_form_of_a_users_name_lsat_3_1_4_5(lsa: LsaClient, form: str, flags: int) -> None:
    corp = lsa.corp
    corp.user("ann", userPrincipalName="ann.other@upn.example")
    name = form.format(n=corp.forest.netbios, d=corp.forest.dns_domain)
    found = lsa.sids(name)
    assert found.status == NtStatus.STATUS_SUCCESS
    (row,) = found.translated_sids.sids or ()
    assert row == idl.TranslatedSidEx2(USE.USER, corp.sid("CN=ann,CN=Users"), 0, flags)


def test_a_upn_of_two_is_nobodys_lsat_3_1_4_5(lsa: LsaClient) -> None:
    lsa.corp.user("bea", userPrincipalName="bea@upn.example")
    assert lsa.sids("bea@upn.example").status == NtStatus.STATUS_SUCCESS
    assert lsa.sids("nobody@upn.example").status == NONE_MAPPED


def test_the_domain_by_its_names(lsa: LsaClient) -> None:
    forest = lsa.corp.forest
    for name, flags in (
        (forest.netbios, 0),
        (forest.dns_domain, 1),
        (f"{forest.netbios}\\", 0),
        (f"{forest.dns_domain}\\", 0),
    ):
        (row,) = lsa.sids(name).translated_sids.sids or ()
        assert row == idl.TranslatedSidEx2(USE.DOMAIN, forest.domain_sid, 0, flags)


def test_no_name_at_all_is_the_builtin_domain_as_windows_says(lsa: LsaClient) -> None:
    (row,) = lsa.sids(None).translated_sids.sids or ()
    assert (row.use, row.sid) == (USE.DOMAIN, wellknown.BUILTIN_DOMAIN)


def test_relative_ids_lsat_3_1_4_7(lsa: LsaClient) -> None:
    names = (lsa.corp.forest.netbios, "Administrator", "NT SERVICE\\ALL SERVICES", "no such name")
    request = idl.LsarLookupNames2(lsa.policy, names, idl.TranslatedSidsEx(), 1, 0, 0, 2)
    found = lsa.ask(request, idl.LsarLookupNames2Response)
    assert [one.relative_id for one in found.translated_sids.sids or ()] == [
        0xFFFF_FFFF, 500, 0xFFFF_FFFF, 0,
    ]  # fmt: skip
    assert (found.status, found.mapped_count) == (SOME, 3)
    old = idl.LsarLookupNames(lsa.policy, names, idl.TranslatedSids(), 1, 0)
    rows = lsa.ask(old, idl.LsarLookupNamesResponse).translated_sids.sids or ()
    assert [one.domain_index for one in rows] == [0, 0, 1, -1]


def test_what_is_unknown_lsat_3_1_4_9(lsa: LsaClient) -> None:
    own, netbios = lsa.corp.forest.domain_sid, lsa.corp.forest.netbios
    stranger = Sid.parse("S-1-5-21-1111111111-2222222222-3333333333-512")
    assert _one(lsa.names(own.child(0xABCDE))) == (USE.UNKNOWN, netbios, "000ABCDE", 0)
    assert _one(lsa.names(stranger)) == (USE.UNKNOWN, None, str(stranger), 0)
    assert _one(lsa.names(own.child(0xABCDE), level=2)) == (USE.UNKNOWN, netbios, "", 0)
    both = lsa.names(stranger, own)
    assert (both.status, both.mapped_count) == (SOME, 1)
    assert lsa.names(stranger).status == NONE_MAPPED
    (row,) = lsa.sids(f"{netbios}\\no such name").translated_sids.sids or ()
    assert row == idl.TranslatedSidEx2(USE.UNKNOWN, None, 0, 0)


def _trust(lsa: LsaClient, partner: str, flat: str, sid: Sid, attributes: int) -> None:
    new = NewTrust(
        partner,
        flat,
        sid,
        TrustDirection.OUTBOUND,
        attributes=TrustAttributes(attributes),
        outgoing=Secret("x".encode("utf-16-le")),
    )
    lsa.corp.write(lambda ctx: trust_changes.create(ctx, new))


def test_every_level_searches_its_scopes_lsat_2_2_16(lsa: LsaClient) -> None:
    _trust(lsa, "partner.test", "PARTNER", PARTNER, 0)
    _trust(lsa, "friend.test", "FRIEND", FRIEND, int(TrustAttributes.FOREST_TRANSITIVE))
    own = lsa.corp.forest.domain_sid
    asked = (wellknown.EVERYONE, wellknown.BUILTIN_ADMINISTRATORS, own, own.child(512), PARTNER, FRIEND)

    def known(level: int) -> list[bool]:
        rows = lsa.names(*asked, level=level).translated_names.names or ()
        return [one.use != USE.UNKNOWN for one in rows]

    t, f = True, False
    assert known(1) == [t, t, t, t, t, t]
    assert known(2) == [f, f, t, t, t, t]
    assert known(3) == [f, f, t, t, f, f]
    assert known(4) == [f, f, t, t, f, f]
    assert known(5) == [f, f, f, f, f, t]
    assert known(6) == [f, f, t, t, f, f]
    assert known(7) == [f, f, f, f, t, t]
    for level in (0, 8, 10):
        assert lsa.names(own, level=level).status == NtStatus.STATUS_INVALID_PARAMETER


def test_users_of_trusted_domains_are_left_to_their_domains(lsa: LsaClient) -> None:
    _trust(lsa, "partner.test", "PARTNER", PARTNER, 0)
    _trust(lsa, "friend.test", "FRIEND", FRIEND, int(TrustAttributes.FOREST_TRANSITIVE))
    assert _one(lsa.names(PARTNER.child(1105))) == (USE.UNKNOWN, "PARTNER", "00000451", 0)
    assert _one(lsa.names(FRIEND.child(1105))) == (USE.UNKNOWN, "FRIEND", "00000451", 2)
    for name, domain, flags in (
        ("PARTNER\\joe", 0, 0),
        ("friend.test\\joe", 0, 2),
        ("joe@friend.test", -1, 2),
        ("child.friend.test\\joe", -1, 2),
        ("joe@stranger.test", -1, 0),
    ):
        (row,) = lsa.sids(name).translated_sids.sids or ()
        assert row == idl.TranslatedSidEx2(USE.UNKNOWN, None, domain, flags), name
    (row,) = lsa.sids("partner.test").translated_sids.sids or ()
    assert row == idl.TranslatedSidEx2(USE.DOMAIN, PARTNER, 0, 1)


def test_isolated_names_can_be_kept_to_this_domain(lsa: LsaClient) -> None:
    lsa.corp.user("cid")
    local = 0x8000_0000
    assert lsa.sids("cid", options=local).status == NtStatus.STATUS_SUCCESS
    upn = f"cid@{lsa.corp.forest.dns_domain}"
    assert lsa.sids(upn, options=local).status == NONE_MAPPED
    assert lsa.sids("cid", level=2, options=local).status == NtStatus.STATUS_INVALID_PARAMETER


def test_a_thousand_names_and_more_sids_in_one_call(lsa: LsaClient) -> None:
    own = lsa.corp.forest.domain_sid
    many = lsa.sids(*["Administrator", "no such name"] * 500)
    assert (many.status, many.mapped_count) == (SOME, 500)
    sids = lsa.names(*[own.child(500 + count % 3) for count in range(5000)])
    assert (sids.status, sids.mapped_count) == (NtStatus.STATUS_SUCCESS, 5000)
    with pytest.raises(RpcFault) as refused:
        lsa.sids(*["x"] * 1001)
    assert refused.value.status == NcaStatus.NCA_S_FAULT_NDR


def test_deleted_accounts_have_no_name(lsa: LsaClient) -> None:
    lsa.corp.user("dan")
    sid = lsa.corp.sid("CN=dan,CN=Users")
    assert lsa.names(sid).status == NtStatus.STATUS_SUCCESS
    desk = lsa.desk
    desk.runner.run(desk.directory.delete(lsa.corp.admin, lsa.corp.dn("CN=dan,CN=Users")))
    assert lsa.names(sid).status == NONE_MAPPED


# --- over TCP ----------------------------------------------------------------------------------------------


def _names4(lsa: LsaClient) -> NtStatus:
    request = idl.LsarLookupNames4(("Administrator",), idl.TranslatedSidsEx2(), 1, 0, 0, 2)
    return lsa.ask(request, idl.LsarLookupNames4Response).status


def _sids3(lsa: LsaClient) -> NtStatus:
    buffer = idl.SidEnumBuffer((idl.SidPointer(lsa.corp.forest.domain_sid.child(500)),))
    request = idl.LsarLookupSids3(buffer, idl.TranslatedNamesEx(), 1, 0, 0, 2)
    return lsa.ask(request, idl.LsarLookupSids3Response).status


def test_look_ups_without_a_policy_handle_are_for_machines_lsat_3_1_4_5(lsa: LsaClient) -> None:
    for ask in (_names4, _sids3):
        with pytest.raises(RpcFault):  # on a pipe
            ask(lsa)
    lsa.rpc.transport, lsa.rpc.security = Transport.TCP, SEALED
    for ask in (_names4, _sids3):
        assert ask(lsa) == NtStatus.STATUS_ACCESS_DENIED  # a user, even the administrator
    channel = replace(SEALED, auth_type=AuthType.NETLOGON)
    lsa.rpc.token, lsa.rpc.security = ANONYMOUS, channel
    for ask in (_names4, _sids3):
        assert ask(lsa) == NtStatus.STATUS_SUCCESS
    own = lsa.corp.forest.domain_sid
    lsa.rpc.token = build_token(own.child(1600), [own.child(515)])
    lsa.rpc.security = SEALED
    assert _names4(lsa) == NtStatus.STATUS_SUCCESS
    lsa.rpc.security = replace(SEALED, level=AuthLevel.NONE)
    assert _names4(lsa) == NtStatus.STATUS_ACCESS_DENIED


# --- the caller --------------------------------------------------------------------------------------------


def test_who_am_i_lsat_3_1_4_4(lsa: LsaClient) -> None:
    request = idl.LsarGetUserName(None, None, idl.StringPointer(None))
    found = lsa.done(request, idl.LsarGetUserNameResponse)
    assert found.user_name == "Administrator"
    assert found.domain_name == idl.StringPointer(lsa.corp.forest.netbios)
    lsa.rpc.token = ANONYMOUS
    nobody = lsa.done(idl.LsarGetUserName(None, "x", None), idl.LsarGetUserNameResponse)
    assert (nobody.user_name, nobody.domain_name) == ("ANONYMOUS LOGON", None)
    lsa.rpc.transport = Transport.TCP
    with pytest.raises(RpcFault):
        lsa.ask(request)


def test_a_secure_channel_is_nobody_s_logon(lsa: LsaClient) -> None:
    """[MS-LSAT] 3.1.4.4: Windows says so too; the channel's rights stay those of the machine."""
    lsa.rpc.security = replace(SEALED, auth_type=AuthType.NETLOGON)
    found = lsa.done(idl.LsarGetUserName(None, None, idl.StringPointer(None)), idl.LsarGetUserNameResponse)
    assert found.user_name == "ANONYMOUS LOGON"
    assert found.domain_name is not None and found.domain_name.string == "NT AUTHORITY"
