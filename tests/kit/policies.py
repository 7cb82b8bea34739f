"""Claim types, authentication policies, silos and logon rights in the test forest, in few words."""

from typing import Final

from addc.codec.ids import Sid
from addc.directory import lsa_accounts
from addc.security import sddl
from addc.security.account_rights import Held, SystemAccess
from tests.kit.corp import Corp, add_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN

SCHEMA_DN: Final = f"CN=Schema,{CONFIG_DN}"
CLAIM_TYPES_DN: Final = f"CN=Claim Types,CN=Claims Configuration,CN=Services,{CONFIG_DN}"
_POLICIES_DN: Final = f"CN=AuthN Policies,CN=AuthN Policy Configuration,CN=Services,{CONFIG_DN}"
_SILOS_DN: Final = f"CN=AuthN Silos,CN=AuthN Policy Configuration,CN=Services,{CONFIG_DN}"
STRING: Final = 3
INT64: Final = 1
UINT64: Final = 2
BOOLEAN: Final = 6


def claim_type(
    corp: Corp,
    name: str,
    attribute: str | None,
    kind: int | None = STRING,
    *classes: str,
    source: str = "AD",
    enabled: bool | None = True,
    origin: str | None = None,
) -> None:
    """A claim type. attribute, classes: lDAPDisplayNames."""
    values = {"msDS-ClaimSourceType": source, "msDS-ClaimIsSingleValued": "TRUE"}
    if enabled is not None:
        values["Enabled"] = "TRUE" if enabled else "FALSE"
    if kind is not None:
        values["msDS-ClaimValueType"] = str(kind)
    if origin is not None:
        values["msDS-ClaimSource"] = origin
    if attribute is not None:
        found = corp.schema.attribute(attribute)
        assert found is not None
        values["msDS-ClaimAttributeSource"] = f"CN={found.cn},{SCHEMA_DN}"
    cns = [known.cn for one in classes if (known := corp.schema.class_(one)) is not None]
    applies = {"msDS-ClaimTypeAppliesToClass": [f"CN={cn},{SCHEMA_DN}" for cn in cns]} if cns else {}
    corp.add(f"CN={name},{CLAIM_TYPES_DN}", "msDS-ClaimType", values={**values, **applies})


def policy(corp: Corp, name: str, enforced: bool | None = True, **more: str) -> str:
    """An authentication policy; its DN. more: attributes without their "msDS-", descriptors as SDDL."""
    values: dict[str, str | bytes] = {}
    if enforced is not None:
        values["msDS-AuthNPolicyEnforced"] = "TRUE" if enforced else "FALSE"
    for short, text in more.items():
        is_descriptor = "AllowedToAuthenticate" in short
        values[f"msDS-{short}"] = sddl.parse(text, corp.forest.domain_sid).pack() if is_descriptor else text
    dn = f"CN={name},{_POLICIES_DN}"
    corp.add(dn, "msDS-AuthNPolicy", values=values)
    return dn


def silo(corp: Corp, name: str, *members: str, enforced: bool | None = True, **policies: str) -> str:
    """A silo; its DN. members: DNs. policies: UserAuthNPolicy and so on, as DNs."""
    values: dict[str, str | list[str | bytes]] = {f"msDS-{short}": dn for short, dn in policies.items()}
    if enforced is not None:
        values["msDS-AuthNPolicySiloEnforced"] = "TRUE" if enforced else "FALSE"
    if members:
        values["msDS-AuthNPolicySiloMembers"] = [corp.dn(member) for member in members]
    dn = f"CN={name},{_SILOS_DN}"
    corp.add(dn, "msDS-AuthNPolicySilo", values=values)
    return dn


def assign_policy(corp: Corp, account: str, policy_dn: str) -> None:
    corp.modify(account, add_values("msDS-AssignedAuthNPolicy", policy_dn))


def assign_silo(corp: Corp, account: str, silo_dn: str) -> None:
    corp.modify(account, add_values("msDS-AssignedAuthNPolicySilo", silo_dn))


def not_a_policy() -> str:
    return DOMAIN_DN


def deny_network(corp: Corp, sid: Sid) -> None:
    """SeDenyNetworkLogonRight for one account."""
    corp.write(lambda ctx: lsa_accounts.hold(ctx, sid, Held(access=SystemAccess.DENY_NETWORK)))
