"""Which authentication policy an account is under. [MS-KILE] 3.3.5.4, 3.3.5.5."""

import pytest

from addc.directory import authn_policies
from addc.security.authn_policy import AuthnPolicy
from tests.kit.corp import Corp, delete_values, replace_values
from tests.kit.policies import assign_policy, assign_silo, not_a_policy, policy, silo

ANN = "CN=ann,CN=Users"
PC = "CN=pc,CN=Computers"
LIVES = {"UserTGTLifetime": "111", "ComputerTGTLifetime": "222", "ServiceTGTLifetime": "333"}


def of(corp: Corp, dn: str = ANN) -> AuthnPolicy | None:
    row = corp.row(dn)
    return corp.read(lambda ctx: authn_policies.policy_of(ctx, row))


def life(corp: Corp, dn: str = ANN) -> int | None:
    found = of(corp, dn)
    return None if found is None else found.tgt_lifetime


@pytest.fixture
def ann(corp_sqlite: Corp) -> Corp:
    corp_sqlite.user("ann")
    corp_sqlite.add(PC, "computer", sAMAccountName="pc$")
    return corp_sqlite


def test_most_accounts_have_none(ann: Corp) -> None:
    assert of(ann) is None
    policy(ann, "p", True, **LIVES)
    assert of(ann) is None


def test_a_policy_speaks_to_each_class_of_accounts(ann: Corp) -> None:
    found = policy(ann, "p", True, **LIVES)
    service = "CN=svc,CN=Users"
    ann.add(service, "msDS-ManagedServiceAccount", sAMAccountName="svc$")
    for dn in (ANN, PC, service):
        assign_policy(ann, dn, found)
    assert (life(ann), life(ann, PC), life(ann, service)) == (111, 222, 333)


def test_what_a_policy_says_is_read(ann: Corp) -> None:
    said = policy(
        ann,
        "p",
        UserAllowedToAuthenticateFrom="O:SYD:(A;;CR;;;WD)",
        UserAllowedToAuthenticateTo="O:SYD:(A;;CR;;;BA)",
        UserAllowedNTLMNetworkAuthentication="TRUE",
        ComputerAllowedToAuthenticateTo="O:SYD:",
        StrongNTLMPolicy="2",
    )
    assign_policy(ann, ANN, said)
    assign_policy(ann, PC, said)
    found, computers = of(ann), of(ann, PC)
    assert found is not None and computers is not None
    assert found.allowed_from is not None and found.allowed_to is not None
    assert found.ntlm_allowed and found.strong_ntlm == 2
    assert computers.allowed_from is None and computers.allowed_to is not None
    assert not computers.ntlm_allowed


@pytest.mark.parametrize(("enforced", "is_enforced"), [(True, True), (False, False), (None, False)])
def test_a_policy_is_enforced_where_it_says_so(ann: Corp, enforced: bool | None, is_enforced: bool) -> None:
    assign_policy(ann, ANN, policy(ann, "p", enforced, **LIVES))
    found = of(ann)
    assert found is not None and found.enforced is is_enforced


def test_a_silo_goes_before_the_accounts_own_policy(ann: Corp) -> None:
    own, other = policy(ann, "own", UserTGTLifetime="1"), policy(ann, "other", False, UserTGTLifetime="2")
    assign_policy(ann, ANN, own)
    assert life(ann) == 1
    assign_silo(ann, ANN, silo(ann, "vault", ANN, UserAuthNPolicy=other))
    found = of(ann)
    assert found is not None and (found.tgt_lifetime, found.silo) == (2, "vault")
    assert found.enforced, "the silo's word goes, not that of the policy"


def test_a_silo_without_a_policy_for_users_leaves_them_none(ann: Corp) -> None:
    own = policy(ann, "own", UserTGTLifetime="1")
    assign_policy(ann, ANN, own)
    assign_silo(ann, ANN, silo(ann, "vault", ANN, ComputerAuthNPolicy=own))
    assert of(ann) is None


@pytest.mark.parametrize("enforced", [False, None])
def test_a_silo_may_only_audit(ann: Corp, enforced: bool | None) -> None:
    other = policy(ann, "other", UserTGTLifetime="2")
    assign_silo(ann, ANN, silo(ann, "vault", ANN, enforced=enforced, UserAuthNPolicy=other))
    found = of(ann)
    assert found is not None and not found.enforced


def test_membership_in_a_silo_is_mutual(ann: Corp) -> None:
    own, other = policy(ann, "own", UserTGTLifetime="1"), policy(ann, "other", UserTGTLifetime="2")
    assign_policy(ann, ANN, own)
    vault = silo(ann, "vault", UserAuthNPolicy=other)
    assign_silo(ann, ANN, vault)
    assert life(ann) == 1, "assigned, but no member"
    joined = silo(ann, "joined", ANN, UserAuthNPolicy=other)
    assert life(ann) == 1, "a member, but not assigned"
    ann.modify(ANN, replace_values("msDS-AssignedAuthNPolicySilo", joined))
    assert life(ann) == 2
    ann.modify(joined, delete_values("msDS-AuthNPolicySiloMembers", ann.dn(ANN)))
    assert life(ann) == 1


def test_what_is_no_policy_and_no_silo_does_not_count(ann: Corp) -> None:
    policy(ann, "there is one")
    assign_policy(ann, ANN, not_a_policy())
    assign_silo(ann, ANN, not_a_policy())
    assert of(ann) is None


def test_changes_are_seen_at_once(ann: Corp) -> None:
    found = policy(ann, "p", True, **LIVES)
    assign_policy(ann, ANN, found)
    assert life(ann) == 111
    ann.modify(found, replace_values("msDS-UserTGTLifetime", "5"))
    assert life(ann) == 5
    ann.modify(ANN, replace_values("msDS-AssignedAuthNPolicy"))
    assert of(ann) is None


def test_a_descriptor_that_cannot_be_read_lets_nobody_in(ann: Corp) -> None:
    found = policy(ann, "p")
    assign_policy(ann, ANN, found)
    ann.modify(found, replace_values("msDS-UserAllowedToAuthenticateFrom", b"\x01\x02"))
    read = of(ann)
    assert read is not None and read.allowed_from is not None and read.allowed_from.owner is None
