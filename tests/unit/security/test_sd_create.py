"""Creating and inheriting descriptors."""

import pytest

from addc.codec.ids import Sid, guid_parse, guid_to_wire
from addc.security import sd_create, sddl, wellknown
from addc.security.descriptor import SecurityDescriptor
from addc.security.sd_create import FILE, FOLDER, AutoInherit, NcKind, create_sd
from addc.security.token import SYSTEM, build_token

DOMAIN = Sid.parse("S-1-5-21-1-2-3")
ROOT = Sid.parse("S-1-5-21-9-9-9")
USER_CLASS = "bf967aba-0de6-11d0-a285-00aa003049e2"
GROUP_CLASS = "bf967a9c-0de6-11d0-a285-00aa003049e2"
USER = guid_to_wire(guid_parse(USER_CLASS))
SET = "4c164200-20c0-11d0-a768-00aa006e0529"
ALICE = build_token(DOMAIN.child(1105), [DOMAIN.child(513)], primary_group=DOMAIN.child(513))
ALL = "CCDCLCSWRPWPDTLOCRSDRCWDWO"


def sd_of(text: str) -> SecurityDescriptor:
    return sddl.parse(text, DOMAIN)


def child(parent: str, creator: str | None = None, **named: object) -> str:
    """Text of a user object's descriptor below `parent`."""
    sd = create_sd(
        sd_of(parent),
        None if creator is None else sd_of(creator),
        ALICE,
        (USER,),
        **named,  # type: ignore[arg-type]
    )
    return sddl.format(sd, DOMAIN)


@pytest.mark.parametrize(
    ("entry", "inherited"),
    [
        # the table of [MS-DTYP] 2.5.3.4.4, for containers
        ("(A;;RP;;;WD)", ""),
        ("(A;IO;RP;;;WD)", ""),
        ("(A;OI;RP;;;WD)", "(A;OIIOID;RP;;;WD)"),
        ("(A;OINP;RP;;;WD)", ""),
        ("(A;CI;RP;;;WD)", "(A;CIID;RP;;;WD)"),
        ("(A;CINP;RP;;;WD)", "(A;ID;RP;;;WD)"),
        ("(A;OICI;RP;;;WD)", "(A;OICIID;RP;;;WD)"),
        ("(A;OICINP;RP;;;WD)", "(A;ID;RP;;;WD)"),
        ("(A;CIIO;RP;;;WD)", "(A;CIID;RP;;;WD)"),
        ("(A;CIIOID;RP;;;WD)", "(A;CIID;RP;;;WD)"),
        ("(D;CI;SD;;;WD)", "(D;CIID;SD;;;WD)"),
        # object types: effective for this class, kept for others
        (f"(OA;CIIO;RP;{SET};{USER_CLASS};WD)", f"(OA;CIID;RP;{SET};{USER_CLASS};WD)"),
        (f"(OA;CIIO;RP;{SET};{GROUP_CLASS};WD)", f"(OA;CIIOID;RP;{SET};{GROUP_CLASS};WD)"),
        (f"(OA;CI;RP;;{GROUP_CLASS};WD)", f"(OA;CIIOID;RP;;{GROUP_CLASS};WD)"),
        (f"(OA;CINP;RP;;{GROUP_CLASS};WD)", ""),
        (f"(OA;CINP;RP;{SET};{USER_CLASS};WD)", f"(OA;ID;RP;{SET};;WD)"),
        (f"(OA;CINP;RP;;{USER_CLASS};WD)", "(A;ID;RP;;;WD)"),
        # creators: one entry for the object, one for what comes below
        ("(A;CI;RP;;;CO)", f"(A;ID;RP;;;{DOMAIN}-1105)(A;CIIOID;RP;;;CO)"),
        ("(A;CIIO;RP;;;CG)", "(A;ID;RP;;;DU)(A;CIIOID;RP;;;CG)"),
        ("(A;CINP;RP;;;CO)", f"(A;ID;RP;;;{DOMAIN}-1105)"),
        (f"(OA;CIIO;RP;;{GROUP_CLASS};CO)", f"(OA;CIIOID;RP;;{GROUP_CLASS};CO)"),
        (
            f"(OA;CIIO;RP;;{USER_CLASS};CO)",
            f"(A;ID;RP;;;{DOMAIN}-1105)(OA;CIIOID;RP;;{USER_CLASS};CO)",
        ),
        # generic rights
        ("(A;CI;GA;;;WD)", f"(A;ID;{ALL};;;WD)(A;CIIOID;GA;;;WD)"),
        (
            f"(OA;CI;GA;;{GROUP_CLASS};WD)",
            f"(OA;CIIOID;GA;;{GROUP_CLASS};WD)",
        ),
        (
            f"(OA;CI;GA;;{USER_CLASS};WD)",
            f"(A;ID;{ALL};;;WD)(OA;CIIOID;GA;;{USER_CLASS};WD)",
        ),
    ],
)
def test_inheritance_of_one_entry(entry: str, inherited: str) -> None:
    made = child(f"D:{entry}", f"O:{DOMAIN}-1105G:DUD:(A;;LC;;;AU)")
    assert made == f"O:{DOMAIN}-1105G:DUD:AI(A;;LC;;;AU){inherited}"


@pytest.mark.parametrize(
    ("entry", "inherited"),
    [
        ("(A;OI;FR;;;WD)", "(A;ID;FR;;;WD)"),
        ("(A;OINP;FR;;;WD)", "(A;ID;FR;;;WD)"),
        ("(A;CI;FR;;;WD)", ""),
        ("(A;OICI;GA;;;CO)", f"(A;ID;FA;;;{DOMAIN}-1105)"),
    ],
)
def test_leaves_inherit_alone(entry: str, inherited: str) -> None:
    made = child(f"D:{entry}", "D:(A;;FR;;;AU)", kind=FILE)
    assert made == f"O:{DOMAIN}-1105G:DUD:AI(A;;FR;;;AU){inherited}"


def test_folders_inherit_for_what_they_hold() -> None:
    made = child("D:(A;OICI;FR;;;WD)", "D:", kind=FOLDER)
    assert made == f"O:{DOMAIN}-1105G:DUD:AI(A;OICIID;FR;;;WD)"


def test_explicit_entries_come_first_and_inherited_ones_of_the_creator_do_not_count() -> None:
    made = child("D:(D;CI;WP;;;AU)(A;CI;RP;;;AU)", "O:SYG:SYD:(A;ID;SD;;;WD)(A;;LC;;;WD)(D;;LO;;;WD)")
    assert made == "O:SYG:SYD:AI(A;;LC;;;WD)(D;;LO;;;WD)(D;CIID;WP;;;AU)(A;CIID;RP;;;AU)"


def test_a_protected_list_inherits_nothing_and_keeps_all_its_own() -> None:
    made = child("D:(A;CI;RP;;;AU)S:(AU;CISA;WP;;;WD)", "O:SYG:SYD:P(A;ID;SD;;;WD)S:P(AU;SA;WD;;;WD)")
    assert made == "O:SYG:SYD:P(A;;SD;;;WD)S:P(AU;SA;WD;;;WD)"
    assert child("D:(A;CI;RP;;;AU)", "O:SYG:SYD:PAI(A;;SD;;;WD)") == "O:SYG:SYD:PAI(A;;SD;;;WD)"


def _first(text: str) -> bytes:
    dacl = sd_of("D:" + text).dacl
    assert dacl is not None
    return dacl.aces[0].pack()


def test_explicit_creator_entries_are_made_concrete() -> None:
    made = child("D:", "O:SYG:BAD:(A;;RP;;;CO)(A;CI;WP;;;CG)(A;CIIO;LC;;;CO)(A;;GR;;;WD)")
    assert made == "O:SYG:BAD:AI" + "".join(
        sorted(
            ["(A;;RP;;;SY)", "(A;;WP;;;BA)", "(A;CIIO;WP;;;CG)", "(A;CIIO;LC;;;CO)", "(A;;LCRPLORC;;;WD)"],
            key=_first,
        )
    )


def test_defaults_of_owner_group_and_lists() -> None:
    assert child("D:(A;CI;RP;;;WD)") == f"O:{DOMAIN}-1105G:DUD:AI(A;CIID;RP;;;WD)"
    made = child("D:", default_sd=sd_of("D:(A;;RP;;;AU)S:(AU;SA;WP;;;WD)"))
    assert made == f"O:{DOMAIN}-1105G:DUD:AI(A;;RP;;;AU)S:AI(AU;SA;WP;;;WD)"
    assert child("D:", "O:SYG:SYD:", default_owner=DOMAIN.child(512)).startswith("O:SYG:SY")
    assert child("D:", "D:", default_owner=DOMAIN.child(512)).startswith("O:DAG:DAD:AI")
    assert child("D:", "G:SYD:", default_owner=DOMAIN.child(512)).startswith("O:DAG:SYD:AI")
    from_parent = AutoInherit.DEFAULT_OWNER_FROM_PARENT | AutoInherit.DEFAULT_GROUP_FROM_PARENT
    assert child("O:BAG:BUD:", "D:", auto_inherit=from_parent) == "O:BAG:BUD:"
    # nothing at all: never a NULL DACL
    assert child("D:") == f"O:{DOMAIN}-1105G:DUD:AI(A;;{ALL};;;SY)(A;;{ALL};;;{DOMAIN}-1105)"
    system = create_sd(None, None, SYSTEM)
    assert system.owner == wellknown.BUILTIN_ADMINISTRATORS and system.dacl is not None


def test_the_sacl_inherits_like_the_dacl_and_may_be_absent() -> None:
    made = child("D:S:(AU;CISAFA;WP;;;WD)(ML;CI;NW;;;HI)", "O:SYG:SYD:")
    assert made == "O:SYG:SYD:AIS:AI(AU;CIIDSAFA;WP;;;WD)(ML;CIID;NW;;;HI)"
    assert "S:" not in child("D:S:(AU;SA;WP;;;WD)", "O:SYG:SYD:")


def test_without_auto_inheritance_nothing_comes_from_the_parent() -> None:
    assert child("D:(A;CI;RP;;;WD)S:(AU;CISA;WP;;;WD)", "O:SYG:SYD:(A;;LC;;;WD)", auto_inherit=0) == (
        "O:SYG:SYD:(A;;LC;;;WD)"
    )


def test_a_default_descriptor_gives_way_to_entries_for_the_class() -> None:
    flags = sd_create.DS_AUTO_INHERIT | AutoInherit.DEFAULT_DESCRIPTOR_FOR_OBJECT
    default = sd_of("O:SYG:SYD:(A;;LC;;;WD)")
    parent = f"D:(OA;CI;RP;;{USER_CLASS};WD)"
    made = child(parent, default_sd=default, auto_inherit=flags)
    assert made == f"O:SYG:SYD:AI(OA;CIID;RP;;{USER_CLASS};WD)"
    assert "LC" in child("D:(A;CI;RP;;;WD)", default_sd=default, auto_inherit=flags)


def test_lists_in_canonical_form_are_put_in_standard_order() -> None:
    made = child("D:", f"O:SYG:SYD:(D;;WP;;;WD)(D;;LC;;;WD)(OA;;RP;{SET};;WD)(A;;RP;;;WD)(A;;LC;;;WD)")
    assert made == f"O:SYG:SYD:AI(D;;LC;;;WD)(D;;WP;;;WD)(A;;LC;;;WD)(A;;RP;;;WD)(OA;;RP;{SET};;WD)"
    # not canonical: the client's order stays; doubles go
    made = child("D:", "O:SYG:SYD:(A;;WP;;;WD)(D;;LC;;;WD)(A;;LC;;;WD)(A;;WP;;;WD)")
    assert made == "O:SYG:SYD:AI(A;;WP;;;WD)(D;;LC;;;WD)(A;;LC;;;WD)"


def test_recomputing_below_an_unchanged_parent_changes_nothing() -> None:
    parent = sd_of(
        f"O:BAG:BAD:(A;CI;RP;;;CO)(OA;CIIO;WP;{SET};{USER_CLASS};PS)(OA;CIIO;WP;;{GROUP_CLASS};CO)"
        "(A;OICI;GA;;;DA)S:(AU;CISA;WP;;;WD)"
    )
    first = create_sd(parent, sd_of("D:(A;CI;RP;;;CO)(A;;RC;;;WD)"), ALICE, (USER,))
    second = create_sd(parent, first, SYSTEM, (USER,))
    assert second == first
    assert SecurityDescriptor.unpack(second.pack()) == second
    grandchild = create_sd(first, sd_of("O:SYG:SYD:"), SYSTEM, (USER,))
    assert create_sd(first, grandchild, SYSTEM, (USER,)) == grandchild
    moved = create_sd(None, second, SYSTEM, (USER,))
    assert "ID" not in sddl.format(moved)


def test_only_the_private_object_bit_of_resource_manager_control_is_kept() -> None:
    given = SecurityDescriptor(0xC004, wellknown.LOCAL_SYSTEM, None, None, sd_of("D:").dacl, 0xFF)
    assert create_sd(None, given, SYSTEM).sbz1 == 1
    assert create_sd(None, SecurityDescriptor(0x8004, sbz1=0xFF), SYSTEM).sbz1 == 0


@pytest.mark.parametrize(
    ("nc", "groups", "expected"),
    [
        (NcKind.DOMAIN, ["DA", "EA"], "DA"),
        (NcKind.DOMAIN, ["EA"], "EA"),
        (NcKind.DOMAIN, ["SA"], None),
        (NcKind.CONFIGURATION, ["DA", "EA"], "EA"),
        (NcKind.CONFIGURATION, ["DA"], "DA"),
        (NcKind.SCHEMA, ["DA", "EA", "SA"], "SA"),
        (NcKind.SCHEMA, ["DA", "EA"], "EA"),
        (NcKind.APPLICATION, ["DA", "EA"], "DA"),
        (NcKind.APPLICATION, [], None),
    ],
)
def test_the_default_administrators_group(nc: NcKind, groups: list[str], expected: str | None) -> None:
    token = build_token(DOMAIN.child(1105), [sddl.parse_sid(group, DOMAIN, ROOT) for group in groups])
    found = sd_create.default_administrators_group(token, nc, DOMAIN, ROOT)
    assert found == (sddl.parse_sid(expected, DOMAIN, ROOT) if expected else None)


def test_the_class_of_an_explicit_creator_owner_entry_stays() -> None:
    """As in the default descriptor of computers; only inheritance is done with it. [MS-DTYP] 2.5.3.4.5"""
    computer, logon = "bf967a86-0de6-11d0-a285-00aa003049e2", "5f202010-79a5-11d0-9020-00c04fc2d4cf"
    made = create_sd(None, None, SYSTEM, (), default_sd=sddl.parse(f"D:(OA;;WP;{logon};{computer};CO)"))
    assert made.dacl is not None
    (ace,) = made.dacl.aces
    assert ace.inherited_object_type == guid_to_wire(guid_parse(computer))
    assert ace.sid == made.owner


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("(A;CI;GA;;;DU)", f"(A;;{ALL};;;DU)(A;CIIO;GA;;;DU)"),
        ("(A;CIIO;GA;;;DU)", "(A;CIIO;GA;;;DU)"),
        ("(A;;GA;;;DU)", f"(A;;{ALL};;;DU)"),
        ("(A;IO;GA;;;DU)(A;;LC;;;AU)", "(A;;LC;;;AU)"),
        ("(D;IO;WP;;;DA)(A;;LC;;;AU)", "(A;;LC;;;AU)"),
    ],
)
def test_explicit_entries_with_generic_rights(given: str, made: str) -> None:
    """They are named for the object and kept for those below; what would be for nobody goes.

    Spec: [MS-DTYP] 2.5.3.4.5.
    """
    sid = DOMAIN
    found = create_sd(None, sddl.parse(f"O:DAG:DAD:{given}", sid, sid), SYSTEM)
    assert found.dacl is not None
    assert sddl.format(found, sid, sid).partition("D:AI")[2] == made
