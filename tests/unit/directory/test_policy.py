"""What administrators set: LDAP policies, dSHeuristics, functional levels and optional features."""

import pytest

from addc.directory import levels, policy
from addc.directory.policy import Heuristics, QueryPolicy, parse_limits
from addc.schema import attr
from tests.kit.forest import CONFIG_DN, ForestBuilder, KitForest

SERVICE = f"CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"
SITE = f"CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}"


def test_limits_are_read_from_name_and_value() -> None:
    found = parse_limits(["maxpagesize=50", " MaxValRange = 7", "MaxFoo=1", "MaxConnections=many", "x"])
    assert found == QueryPolicy(max_page_size=50, max_val_range=7)


def test_limits_have_bounds_unless_a_heuristic_lifts_them() -> None:
    assert parse_limits(["MaxPageSize=99999999"]).max_page_size == 20_000
    assert parse_limits(["MaxPageSize=99999999"], True).max_page_size == 99_999_999


def test_the_policy_of_dc_then_site_then_default(sqlite_forest: KitForest) -> None:
    def page_size() -> int:
        return sqlite_forest.read(lambda ctx: policy.limits(ctx).max_page_size)

    def query_policy(b: ForestBuilder, name: str, size: int) -> str:
        dn = f"CN={name},CN=Query-Policies,{SERVICE}"
        b.add(dn, "queryPolicy", {"lDAPAdminLimits": [f"MaxPageSize={size}"]})
        return dn

    assert page_size() == 1000

    def for_site(b: ForestBuilder) -> None:
        dn = query_policy(b, "site", 500)
        b.add(f"CN=NTDS Site Settings,{SITE}", "nTDSSiteSettings", {"queryPolicyObject": dn})

    sqlite_forest.build(for_site)
    assert page_size() == 500

    def for_dc(b: ForestBuilder) -> None:
        dn = query_policy(b, "dc", 250)
        row = b.tx.get(sqlite_forest.forest.dsa_dnt)
        assert row is not None
        b.tx.update(row, attrs={**row.attrs, attr.QUERY_POLICY_OBJECT: (b.row(dn).to_bytes(8, "big"),)})

    sqlite_forest.build(for_dc)
    assert page_size() == 250


@pytest.mark.parametrize(
    ("text", "heuristics"),
    [
        ("", Heuristics()),
        ("001", Heuristics(do_list_object=True)),
        ("002", Heuristics()),
        ("0000002", Heuristics(ldap_block_anon_ops=False)),
        ("000000001", Heuristics(user_pwd_support=True)),
        ("000000002", Heuristics()),
        ("000000000100000f", Heuristics(admin_sd_ex_mask=15)),
        ("0000000001000000000200000009", Heuristics(attribute_authorization_on_ldap_add=1)),
        ("00000000010000000002000000023", Heuristics(
            attribute_authorization_on_ldap_add=2, block_owner_implicit_rights=3)),
    ],
)  # fmt: skip
def test_heuristics(text: str, heuristics: Heuristics) -> None:
    assert Heuristics.parse(text) == heuristics


def test_levels_and_features(sqlite_forest: KitForest) -> None:
    assert sqlite_forest.read(lambda ctx: (levels.domain_level(ctx), levels.forest_level(ctx))) == (7, 7)
    assert not sqlite_forest.read(levels.recycle_bin_enabled)

    def enable(b: ForestBuilder) -> None:
        dn = f"CN=Recycle Bin Feature,{SERVICE}"
        guid = levels.RECYCLE_BIN_FEATURE.bytes_le
        b.add(dn, "msDS-OptionalFeature", {"msDS-OptionalFeatureGUID": guid})
        b.link(f"CN=Partitions,{CONFIG_DN}", "msDS-EnabledFeature", dn)

    sqlite_forest.build(enable)
    assert sqlite_forest.read(levels.recycle_bin_enabled)
