"""The table of [MS-PAC] 4.1.2.2, boundary by boundary."""

import pytest

from addc.codec.forest_trust import DomainInfo, TopLevelName
from addc.codec.ids import Sid
from addc.security.sid_filter import TrustScope, claims_name, passes
from addc.security.trusts import Boundary, TrustAttributes, TrustType, boundary

OWN = Sid.parse("S-1-5-21-1-2-3")
PARTNER = Sid.parse("S-1-5-21-7-8-9")
CHILD = Sid.parse("S-1-5-21-7-8-10")
ELSEWHERE = Sid.parse("S-1-5-21-4-5-6")
LOCAL = frozenset((OWN,))
DOMAINS = (DomainInfo(PARTNER, "p.test", "P"), DomainInfo(CHILD, "c.p.test", "C"))
FOREST = TrustScope(Boundary.CROSS_FOREST, PARTNER, LOCAL, DOMAINS)
EXTERNAL = TrustScope(Boundary.EXTERNAL, PARTNER, LOCAL)
QUARANTINED = TrustScope(Boundary.QUARANTINED_EXTERNAL, PARTNER, LOCAL)
WITHIN = TrustScope(Boundary.WITHIN_FOREST, PARTNER, LOCAL)
LEAF = TrustScope(Boundary.QUARANTINED_WITHIN_FOREST, PARTNER, LOCAL)
PIM = TrustScope(Boundary.PRIVILEGED_IDENTITY, PARTNER, LOCAL, DOMAINS)
ALL = (FOREST, EXTERNAL, QUARANTINED, WITHIN, LEAF, PIM)

ALWAYS = (
    "S-1-0-0 S-1-1-0 S-1-2-0 S-1-3-0 S-1-3-1 S-1-3-2 S-1-3-3 S-1-5 S-1-5-1 S-1-5-2 S-1-5-3 S-1-5-4 "
    "S-1-5-5-1-2 S-1-5-6 S-1-5-7 S-1-5-8 S-1-5-10 S-1-5-11 S-1-5-12 S-1-5-13 S-1-5-14 S-1-5-18 S-1-5-19 "
    "S-1-5-20 S-1-5-21 S-1-5-21-7 S-1-5-21-7-8 S-1-5-21-7-8-9 S-1-5-21-7-8-9-1105-1 S-1-5-32 S-1-5-32-544 "
    "S-1-5-32-1000 S-1-5-64-10 S-1-5-99-1 S-1-6 S-1-7-1 S-1-8-1 S-1-9-1 S-1-16-12288"
).split()
NEVER = (
    "S-1-4-1 S-1-5-15 S-1-5-21-0-0-0-496 S-1-5-21-0-0-0-497 S-1-5-1000 S-1-5-1000-7 S-1-5-2000-1 S-1-10-1"
).split()


@pytest.mark.parametrize("text", ALWAYS)
def test_always_filtered(text: str) -> None:
    assert not any(passes(Sid.parse(text), scope, PARTNER) for scope in ALL)


@pytest.mark.parametrize("text", NEVER)
def test_never_filtered(text: str) -> None:
    assert all(passes(Sid.parse(text), scope, PARTNER) for scope in ALL)


def passing(sid: Sid, logon: Sid = PARTNER) -> set[Boundary]:
    return {scope.boundary for scope in ALL if passes(sid, scope, logon)}


def test_enterprise_domain_controllers_stay_within_the_forest() -> None:
    assert passing(Sid.parse("S-1-5-9")) == {Boundary.WITHIN_FOREST, Boundary.QUARANTINED_WITHIN_FOREST}


@pytest.mark.parametrize("rid", [498, 500, 502, 512, 519, 1104])
def test_sids_of_this_forest_do_not_come_back_from_outside(rid: int) -> None:
    assert passing(OWN.child(rid)) == {Boundary.WITHIN_FOREST, Boundary.PRIVILEGED_IDENTITY}


@pytest.mark.parametrize("rid", [500, 512, 513, 1104])
def test_sids_of_the_users_own_domain_pass(rid: int) -> None:
    assert passing(PARTNER.child(rid)) == {scope.boundary for scope in ALL}


def test_well_known_principals_of_another_domain_than_the_users_stay_out() -> None:
    """Domain Admins of one domain are nothing that a DC of another may grant."""
    assert Boundary.CROSS_FOREST not in passing(CHILD.child(512))
    assert Boundary.CROSS_FOREST in passing(CHILD.child(1104))
    assert Boundary.EXTERNAL not in passing(ELSEWHERE.child(512))


def test_users_of_elsewhere_pass_only_a_plain_external_trust() -> None:
    assert passing(ELSEWHERE.child(1104)) == {Boundary.EXTERNAL, Boundary.WITHIN_FOREST}


def test_disabled_domains_and_our_own_are_never_claimed() -> None:
    """[MS-ADTS] 6.1.6.9.3.2: SDA, SDC."""
    off = (DomainInfo(PARTNER, "p.test", "P", flags=1), DomainInfo(OWN, "own.test", "O"))
    scope = TrustScope(Boundary.CROSS_FOREST, PARTNER, LOCAL, off)
    assert scope.foreign_domains() == frozenset()
    assert not scope.may_speak_for(PARTNER)
    assert not scope.may_speak_for(OWN)


@pytest.mark.parametrize(
    ("scope", "speaks"),
    [
        (FOREST, {PARTNER, CHILD}),
        (EXTERNAL, {PARTNER}),
        (QUARANTINED, {PARTNER}),
        (LEAF, {PARTNER}),
        (WITHIN, {PARTNER, CHILD, ELSEWHERE, OWN}),
        (TrustScope(Boundary.MIT, None, LOCAL), set()),
        (TrustScope(Boundary.EXTERNAL, OWN, LOCAL), set()),
    ],
)
def test_whose_users_may_come(scope: TrustScope, speaks: set[Sid]) -> None:
    assert {one for one in (OWN, PARTNER, CHILD, ELSEWHERE) if scope.may_speak_for(one)} == speaks


def test_what_is_no_sid_does_not_pass() -> None:
    assert not any(
        passes(Sid(data), scope, PARTNER) for scope in ALL for data in (b"", b"\1", b"\1\2" + bytes(6))
    )


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (0x0, Boundary.EXTERNAL),
        (0x4, Boundary.QUARANTINED_EXTERNAL),
        (0x8, Boundary.CROSS_FOREST),
        (0xC, Boundary.QUARANTINED_EXTERNAL),
        (0x48, Boundary.EXTERNAL),
        (0x448, Boundary.PRIVILEGED_IDENTITY),
        (0x408, Boundary.CROSS_FOREST),
        (0x20, Boundary.WITHIN_FOREST),
        (0x24, Boundary.QUARANTINED_WITHIN_FOREST),
    ],
)
def test_attributes_make_the_boundary(attributes: int, expected: Boundary) -> None:
    """[MS-ADTS] 6.1.6.7.9."""
    assert boundary(TrustType.UPLEVEL, attributes) is expected
    assert boundary(TrustType.MIT, attributes | TrustAttributes.WITHIN_FOREST) is Boundary.MIT


def test_the_longest_claim_counts_and_exclusions_take_back() -> None:
    """[MS-ADTS] 6.1.6.9.3.2."""
    names = (
        TopLevelName("p.test"),
        TopLevelName("sub.p.test", excluded=True),
        TopLevelName("deep.sub.p.test"),
        TopLevelName("off.test", flags=2),
    )
    assert claims_name("P.TEST.", names) == len("p.test")
    assert claims_name("a.sub.p.test", names) == 0
    assert claims_name("a.deep.sub.p.test", names) == len("deep.sub.p.test")
    assert claims_name("notp.test", names) == claims_name("a.off.test", names) == 0
