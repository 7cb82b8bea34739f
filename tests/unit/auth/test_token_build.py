"""Tokens of ticket holders: what the PAC says, what membership here adds, and tickets that name nobody."""

from dataclasses import replace
from typing import Final

import pytest

from addc.auth.gss import AuthError, Peer
from addc.auth.token_build import token_of_peer
from addc.codec.ids import Sid
from addc.codec.pac import (
    GroupMembership,
    KerbSidAndAttributes,
    KerbValidationInfo,
    Pac,
    PacType,
    pack_ndr_buffer,
)
from addc.directory.trust_changes import NewTrust
from addc.security import wellknown
from addc.security.token import Privilege, Token
from addc.security.trusts import TrustAttributes, TrustDirection
from tests.kit.corp import Corp, add_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.partner import FOREST, PARTNER_SID, info, trust_with
from tests.kit.policies import deny_network

OTHER: Final = Sid.parse("S-1-5-21-7-7-7")
ASSERTED: Final = Sid.parse("S-1-18-1")
ATTRIBUTES: Final = 7


def logon_info(domain: Sid | None, user_id: int, *groups: int, **more: object) -> KerbValidationInfo:
    fields: dict[str, object] = dict.fromkeys(
        (
            *("logon_time", "logoff_time", "kick_off_time", "password_last_set", "password_can_change"),
            *("password_must_change", "logon_count", "bad_password_count", "user_flags", "sub_auth_status"),
            *(
                "user_account_control",
                "last_successful_i_logon",
                "last_failed_i_logon",
                "failed_i_logon_count",
            ),
        ),
        0,
    )
    texts = ("effective_name", "full_name", "logon_script", "profile_path", "home_directory")
    fields |= dict.fromkeys((*texts, "home_directory_drive", "logon_server", "logon_domain_name"), "")
    fields |= {"user_session_key": bytes(16), "extra_sids": None, "resource_group_domain_sid": None}
    fields |= {
        "user_id": user_id,
        "primary_group_id": 513,
        "group_ids": tuple(GroupMembership(rid, ATTRIBUTES) for rid in groups),
        "logon_domain_id": domain,
        "resource_group_ids": None,
        **more,
    }
    return KerbValidationInfo(**fields)  # type: ignore[arg-type]


def pac(info: KerbValidationInfo) -> bytes:
    return Pac(((PacType.LOGON_INFO, pack_ndr_buffer(info)),)).pack()


def token(corp: Corp, peer: Peer) -> Token:
    return corp.read(lambda ctx: token_of_peer(ctx, peer))


def test_a_pac_names_the_user_and_its_groups(corp: Corp) -> None:
    domain = corp.forest.domain_sid
    extra = tuple(KerbSidAndAttributes(sid, ATTRIBUTES) for sid in (ASSERTED, OTHER.child(5)))
    info = logon_info(
        domain, 1105, 513, 1110, extra_sids=extra,
        resource_group_domain_sid=domain, resource_group_ids=(GroupMembership(1200, ATTRIBUTES),),
    )  # fmt: skip
    found = token(corp, Peer("x@CORP.EXAMPLE.COM", pac(info)))
    assert found.user == domain.child(1105) and not found.is_anonymous
    wanted = {domain.child(rid) for rid in (1105, 513, 1110, 1200)} | {ASSERTED, OTHER.child(5)}
    wanted |= {wellknown.EVERYONE, wellknown.AUTHENTICATED_USERS, wellknown.NETWORK}
    assert wanted <= found.sids
    assert found.primary_group == domain.child(513)
    assert found.privileges & Privilege.SE_MACHINE_ACCOUNT
    assert not found.privileges & Privilege.SE_SECURITY


def test_membership_here_is_added(corp: Corp) -> None:
    """Domain Admins are in the built-in Administrators of this domain, which no PAC says."""
    domain = corp.forest.domain_sid
    found = token(corp, Peer("x@CORP.EXAMPLE.COM", pac(logon_info(domain, 500, 512, 513))))
    assert wellknown.BUILTIN_ADMINISTRATORS in found.sids
    assert found.privileges & Privilege.SE_SECURITY


def test_changes_of_membership_count_for_the_next_bind(corp: Corp) -> None:
    domain = corp.forest.domain_sid
    corp.user("alice", "Us3r.Passw0rd")
    rid = int(str(corp.sid("CN=alice,CN=Users")).rsplit("-", 1)[1])
    peer = Peer("alice@CORP.EXAMPLE.COM", pac(logon_info(domain, rid, 513)))
    before = token(corp, peer)
    assert token(corp, peer) is before, "kept while nothing changes"
    corp.modify("CN=Backup Operators,CN=Builtin", add_values("member", f"CN=alice,CN=Users,{DOMAIN_DN}"))
    after = token(corp, peer)
    assert wellknown.BACKUP_OPERATORS not in before.sids
    assert wellknown.BACKUP_OPERATORS in after.sids
    assert after.privileges & Privilege.SE_BACKUP


def test_who_is_denied_the_network_does_not_come_in(corp: Corp) -> None:
    """A denial stands above the grant to everybody, from the next ticket on. [MS-LSAD] 3.1.1.2.2."""
    domain = corp.forest.domain_sid
    peer = Peer("alice@CORP.EXAMPLE.COM", pac(logon_info(domain, 1105, 513)))
    assert token(corp, peer).user == domain.child(1105)
    deny_network(corp, domain.child(1105))
    with pytest.raises(AuthError, match="no right to log on"):
        token(corp, peer)


def test_kept_tokens_are_bounded(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.auth.token_build._KEPT_MAX", 4)
    domain = corp_sqlite.forest.domain_sid
    for rid in range(2000, 2010):
        found = token(corp_sqlite, Peer("x@CORP.EXAMPLE.COM", pac(logon_info(domain, rid))))
        assert found.user == domain.child(rid)


@pytest.mark.parametrize(
    "peer",
    [
        Peer("Administrator@CORP.EXAMPLE.COM", None),
        Peer("nobody@CORP.EXAMPLE.COM", None),
        Peer("Administrator@OTHER.EXAMPLE.COM", None),
        Peer("Administrator", None),
        Peer("Domain Admins@CORP.EXAMPLE.COM", None),
        Peer("Administrator@CORP.EXAMPLE.COM", b""),
        Peer("Administrator@CORP.EXAMPLE.COM", b"rubbish"),
        Peer("Administrator@CORP.EXAMPLE.COM", Pac(()).pack()),
        Peer("Administrator@CORP.EXAMPLE.COM", Pac(((PacType.LOGON_INFO, b"rubbish"),)).pack()),
        Peer("Administrator@CORP.EXAMPLE.COM", pac(logon_info(None, 500))),
        Peer("Administrator@CORP.EXAMPLE.COM", pac(logon_info(OTHER, 500))),
        Peer("Administrator@CORP.EXAMPLE.COM", pac(logon_info(Sid.parse("S-1-5"), 18))),
    ],
)
def test_tickets_that_prove_nothing(corp_sqlite: Corp, peer: Peer) -> None:
    with pytest.raises(AuthError):
        token(corp_sqlite, peer)


# --- other domains' users ------------------------------------------------------------------------------


def fred(*extra: Sid) -> Peer:
    return Peer("fred@PARTNER.TEST", pac(info(extra=extra)))


def test_a_trusted_domains_user_is_in_the_groups_that_name_it_here(corp: Corp) -> None:
    """[MS-PAC] 4.1.2.2: filtered again; foreignSecurityPrincipal objects count."""
    trust_with(corp)
    group = corp.group("readers", -2147483644)
    corp.modify("CN=readers,CN=Users", add_values("member", f"<SID={PARTNER_SID.child(1200)}>"))
    own = corp.forest.domain_sid
    forged = (own.child(512), wellknown.BUILTIN_ADMINISTRATORS, OTHER.child(1104))
    found = token(corp, fred(*forged))
    assert found.user == PARTNER_SID.child(1105)
    assert corp.sid(group) in found.sids
    assert wellknown.AUTHENTICATED_USERS in found.sids
    assert wellknown.THIS_ORGANIZATION in found.sids
    assert not found.sids & set(forged)
    assert not found.privileges & Privilege.SE_SECURITY


def test_another_organizations_user_is_told_apart(corp_sqlite: Corp) -> None:
    """[MS-KILE] 3.3.5.7.5: selective authentication."""
    attributes = TrustAttributes.FOREST_TRANSITIVE | TrustAttributes.CROSS_ORGANIZATION
    trust_with(corp_sqlite, replace(FOREST, attributes=attributes))
    found = token(corp_sqlite, fred())
    assert wellknown.OTHER_ORGANIZATION in found.sids
    assert wellknown.THIS_ORGANIZATION not in found.sids


@pytest.mark.parametrize(
    "new",
    [
        replace(FOREST, direction=TrustDirection.INBOUND),
        replace(FOREST, sid=Sid.parse("S-1-5-21-4-4-4")),
    ],
)
def test_users_of_domains_that_are_not_trusted_are_refused(corp_sqlite: Corp, new: NewTrust) -> None:
    """[MS-ADTS] 6.1.6.7.12: who only trusts us is not trusted."""
    trust_with(corp_sqlite, new)
    with pytest.raises(AuthError):
        token(corp_sqlite, fred())


def test_a_domain_controller_is_one_of_the_enterprise_s(corp_sqlite: Corp) -> None:
    """As by NTLM; and denied to who is only a member of the DCs' group."""
    domain = corp_sqlite.forest.domain_sid
    dc = corp_sqlite.row("CN=dc1,OU=Domain Controllers").sid
    assert dc is not None
    corp_sqlite.user("alice")
    for sid, is_dc in ((Sid(dc), True), (corp_sqlite.token("alice").user, False)):
        info = logon_info(domain, sid.rid(), 516)
        found = token(corp_sqlite, Peer("x@CORP.EXAMPLE.COM", pac(info)))
        assert (wellknown.ENTERPRISE_DOMAIN_CONTROLLERS in found.sids) is is_dc
