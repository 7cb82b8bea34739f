"""Delegated managed accounts: creation, states, and who may make one the heir of another account."""

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import delegated_accounts, passwords
from addc.directory.modify import Change, ModOp
from addc.directory.rootdse_operations import operate
from addc.directory.search import BASE, SearchRequest, search
from addc.schema.wellknown import (
    DELEGATED_MANAGED_SERVICE_ACCOUNT,
    DELEGATED_MSA_STATE,
    MANAGED_ACCOUNT_PRECEDED_BY_LINK,
    SUPERSEDED_MANAGED_ACCOUNT_LINK,
    SUPERSEDED_SERVICE_ACCOUNT_STATE,
)
from addc.security import sddl
from addc.security.token import Token
from addc.store.objects import ObjectRow
from tests.kit.corp import SEALED, Corp, quoted, replace_values
from tests.kit.delegated import HEIR, SERVICE, SPN, Migration
from tests.kit.refusals import refusal_told

DENIED = (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS)
LINK = "msDS-ManagedAccountPrecededByLink"
BACK = "msDS-SupersededManagedAccountLink"


def predecessor(migration: Migration) -> ObjectRow | None:
    corp = migration.corp
    return corp.read(lambda ctx: delegated_accounts.predecessor(ctx, corp.row(HEIR)))


def successor(migration: Migration) -> ObjectRow | None:
    corp = migration.corp
    return corp.read(lambda ctx: delegated_accounts.successor(ctx, corp.row(SERVICE)))


def grant(corp: Corp, dn: str, who: str, *also: str) -> Token:
    """Full control of one object, or some, for a user who has nothing else."""
    corp.user(who)
    sid, domain = corp.sid(f"CN={who},CN=Users"), corp.forest.domain_sid
    sd = sddl.parse(f"O:DAG:DAD:(A;;GA;;;{sid})(A;;GA;;;DA)(A;;GR;;;AU)", domain).pack()
    for one in (dn, *also):
        corp.modify(one, replace_values("nTSecurityDescriptor", sd))
    return corp.token(who)


def test_the_numbers_of_schema_91(migration: Migration) -> None:
    """[MS-DRSR] 5.16.4: of prefixes that every forest has."""
    schema = migration.corp.schema
    for name, att in (
        ("msDS-DelegatedMSAState", DELEGATED_MSA_STATE),
        ("msDS-SupersededServiceAccountState", SUPERSEDED_SERVICE_ACCOUNT_STATE),
        (LINK, MANAGED_ACCOUNT_PRECEDED_BY_LINK),
        (BACK, SUPERSEDED_MANAGED_ACCOUNT_LINK),
    ):
        found = schema.attribute(name)
        assert found is not None and found.att_id == att
    own = schema.class_("msDS-DelegatedManagedServiceAccount")
    assert own is not None and own.class_id == DELEGATED_MANAGED_SERVICE_ACCOUNT


def test_a_delegated_account_has_a_password_that_nobody_reads(migration: Migration) -> None:
    """[MS-ADTS] 3.1.1.4.5.39: msDS-ManagedPassword is of group managed accounts alone."""
    corp = migration.corp
    keys = corp.read(lambda ctx: passwords.keys_of(ctx, corp.row(HEIR)))
    assert keys.nt_hash() and keys.salt == b"CORP.EXAMPLE.COMhostheir.corp.example.com"
    request = SearchRequest(corp.dn(HEIR), BASE, attributes=("msDS-ManagedPassword",), options=SEALED)
    for requester in (corp.token("HOST1$"), corp.admin):
        (found,) = corp.read(lambda ctx: search(ctx, request), requester).entries
        assert not found.attributes
    change = replace_values("unicodePwd", quoted("Ch0sen.Password"))
    assert refusal_told(lambda: corp.modify(HEIR, change))[0] == LdapResult.INSUFFICIENT_ACCESS_RIGHTS


@pytest.mark.parametrize("value", ["4", "-1"])
def test_states_that_are_none(migration: Migration, value: str) -> None:
    change = replace_values("msDS-DelegatedMSAState", value)
    assert refusal_told(lambda: migration.corp.modify(HEIR, change))[0] == LdapResult.CONSTRAINT_VIOLATION
    change = replace_values("msDS-SupersededServiceAccountState", value)
    assert refusal_told(lambda: migration.corp.modify(SERVICE, change))[0] == LdapResult.CONSTRAINT_VIOLATION


# --- the operation -----------------------------------------------------------------------------------------


def test_a_migration_from_start_to_end(migration: Migration) -> None:
    """[MS-ADTS] 3.1.1.3.3.43: links and states on both sides; names and logons go over."""
    corp = migration.corp
    migration.migrate(1)
    assert corp.text(HEIR, "msDS-DelegatedMSAState") == corp.text(
        SERVICE, "msDS-SupersededServiceAccountState"
    )
    assert corp.text(HEIR, LINK) == corp.dn(SERVICE) and corp.text(SERVICE, BACK) == corp.dn(HEIR)
    assert predecessor(migration) is None and successor(migration) is None
    migration.migrate(2)
    assert corp.text(HEIR, "msDS-DelegatedMSAState") == "2"
    assert corp.text(HEIR, "servicePrincipalName") == SPN
    assert corp.values(SERVICE, "servicePrincipalName") == []
    assert int(corp.text(SERVICE, "userAccountControl")) & 2
    old, heir = predecessor(migration), successor(migration)
    assert old is not None and old.dnt == corp.row(SERVICE).dnt
    assert heir is not None and heir.dnt == corp.row(HEIR).dnt


def test_a_migration_goes_back_step_by_step(migration: Migration) -> None:
    corp = migration.corp
    migration.finish()
    migration.migrate(3)
    assert corp.text(HEIR, "msDS-DelegatedMSAState") == "1"
    assert corp.text(SERVICE, "servicePrincipalName") == SPN
    assert not int(corp.text(SERVICE, "userAccountControl")) & 2
    migration.migrate(3)
    assert corp.text(HEIR, "msDS-DelegatedMSAState") == "0" and not corp.values(HEIR, LINK)
    migration.finish()
    migration.migrate(0)
    assert corp.text(SERVICE, "msDS-SupersededServiceAccountState") == "0"
    assert not corp.values(HEIR, LINK) and not corp.values(SERVICE, BACK)


@pytest.mark.parametrize("steps", [(2,), (3,), (1, 1), (1, 2, 2), (1, 2, 1)])
def test_steps_that_do_not_follow(migration: Migration, steps: tuple[int, ...]) -> None:
    for step in steps[:-1]:
        migration.migrate(step)
    refused = refusal_told(lambda: migration.migrate(steps[-1]))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_UNWILLING_TO_PERFORM)


@pytest.mark.parametrize(
    "text", ["", "x", "{heir}:{svc}:4", "{heir}:{svc}", "{svc}:{heir}:1", "{heir}:{heir}:1"]
)
def test_values_that_are_none(migration: Migration, text: str) -> None:
    corp = migration.corp
    value = text.format(heir=corp.dn(HEIR), svc=corp.dn(SERVICE)).encode()
    change = Change(ModOp.ADD, "migrateADServiceAccount", [value])
    refused = refusal_told(lambda: corp.write(lambda ctx: operate(ctx, [change]), corp.admin))
    assert refused[0] in (LdapResult.UNWILLING_TO_PERFORM, LdapResult.NO_SUCH_OBJECT)


@pytest.mark.parametrize("dn", [HEIR, SERVICE])
def test_who_rules_over_one_account_alone_migrates_nothing(migration: Migration, dn: str) -> None:
    """CVE-2025-53779: write access on both is needed, for every step."""
    requester = grant(migration.corp, dn, "eve")
    for step in range(4):
        assert refusal_told(lambda: migration.migrate(step, requester)) == DENIED  # noqa: B023


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("userAccountControl", str(0x80200)), ("msDS-AllowedToDelegateTo", "cifs/files.corp.example.com")],
)
def test_delegation_moves_by_who_may_give_it(migration: Migration, attribute: str, value: str) -> None:
    """Write access to both accounts is not enough: SeEnableDelegation is needed as for every other way."""
    corp = migration.corp
    corp.modify(SERVICE, replace_values(attribute, value))
    requester = grant(corp, HEIR, "eve", SERVICE)
    migration.migrate(1, requester)
    assert refusal_told(lambda: migration.migrate(2, requester)) == DENIED
    corp.modify(
        SERVICE, replace_values("userAccountControl", "512"), replace_values("msDS-AllowedToDelegateTo")
    )
    migration.migrate(2, requester)


# --- the links by hand -------------------------------------------------------------------------------------


def test_nobody_makes_his_account_the_heir_of_one_that_he_does_not_rule(migration: Migration) -> None:
    """CVE-2025-53779: neither by a Modify nor with a new object."""
    corp = migration.corp
    requester = grant(corp, HEIR, "eve")
    administrator = "CN=Administrator,CN=Users"
    change = replace_values(LINK, corp.dn(administrator))
    assert refusal_told(lambda: corp.modify(HEIR, change, requester=requester)) == DENIED
    ou = "OU=Weak"
    corp.add(ou, "organizationalUnit")
    requester = grant(corp, ou, "mallory")
    refused = refusal_told(
        lambda: Migration.add_heir(
            corp,
            f"CN=bad,{ou}",
            requester,
            msDS_DelegatedMSAState="2",
            msDS_ManagedAccountPrecededByLink=corp.dn(administrator),
        )
    )
    assert refused == DENIED


def test_the_other_side_is_guarded_too(migration: Migration) -> None:
    corp = migration.corp
    requester = grant(corp, SERVICE, "eve")
    change = replace_values(BACK, corp.dn(HEIR))
    assert refusal_told(lambda: corp.modify(SERVICE, change, requester=requester)) == DENIED


@pytest.mark.parametrize("missing", ["link", "back", "state", "superseded"])
def test_half_a_pair_is_none(migration: Migration, missing: str) -> None:
    """CVE-2025-53779: both links and both states, whoever wrote them."""
    corp = migration.corp
    migration.finish()
    dn, change = {
        "link": (HEIR, replace_values(LINK)),
        "back": (SERVICE, replace_values(BACK)),
        "state": (HEIR, replace_values("msDS-DelegatedMSAState", "1")),
        "superseded": (SERVICE, replace_values("msDS-SupersededServiceAccountState", "0")),
    }[missing]
    corp.modify(dn, change)
    assert predecessor(migration) is None
    assert successor(migration) is None


def test_who_may_act_as_the_account(migration: Migration) -> None:
    """Whom msDS-GroupMSAMembership names, once the account is in use."""
    corp = migration.corp

    def may(name: str) -> bool:
        return corp.read(lambda ctx: delegated_accounts.may_act_as(ctx, corp.row(HEIR), corp.token(name)))

    assert not may("HOST1$")
    migration.migrate(1)
    assert not may("HOST1$")
    migration.migrate(2)
    assert may("HOST1$") and not may("HOST2$") and not may("Administrator")
    corp.modify(SERVICE, replace_values(BACK))
    assert not may("HOST1$")
    corp.modify(HEIR, replace_values("msDS-DelegatedMSAState", "3"))
    assert may("HOST1$") and not may("HOST2$")
