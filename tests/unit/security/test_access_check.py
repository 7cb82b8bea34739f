"""The access check: what it grants and, case by case, what it denies."""

from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.codec.ids import Sid, guid_to_wire
from addc.codes.win32 import Win32
from addc.security import sddl, wellknown
from addc.security.access_check import Grants, ObjectTree, access_check, evaluate
from addc.security.access_mask import DS_ALL, FILE_MAPPING, AccessMask
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import ANONYMOUS, SYSTEM, Privilege, Token, build_token

DOMAIN = Sid.parse("S-1-5-21-1-2-3")
USER = DOMAIN.child(1105)
ALICE = build_token(USER, [DOMAIN.child(513)])
RP, WP = AccessMask.RIGHT_DS_READ_PROPERTY, AccessMask.RIGHT_DS_WRITE_PROPERTY
CR, VW = AccessMask.RIGHT_DS_CONTROL_ACCESS, AccessMask.RIGHT_DS_WRITE_PROPERTY_EXTENDED
CC = AccessMask.RIGHT_DS_CREATE_CHILD

G = {name: f"00000000-0000-0000-0000-00000000000{name}" for name in "123456"}
W = {name: guid_to_wire(UUID(text)) for name, text in G.items()}
CLASS, SET, ATT_IN_SET, ATT2_IN_SET, ATT_ALONE, OTHER = (W[name] for name in "123456")
TREE = ObjectTree(
    CLASS, (ObjectTree(SET, (ObjectTree(ATT_IN_SET), ObjectTree(ATT2_IN_SET))), ObjectTree(ATT_ALONE))
)


def sd_of(text: str) -> SecurityDescriptor:
    return sddl.parse(text, DOMAIN)


def grants(text: str, token: Token = ALICE, self_sid: Sid | None = None) -> Grants:
    return evaluate(sd_of(text), token, self_sid)


def denied(text: str, desired: int, token: Token = ALICE, tree: ObjectTree | None = None) -> bool:
    try:
        access_check(sd_of(text), token, desired, tree)
    except DsError as error:
        assert error.code == Win32.ERROR_ACCESS_DENIED
        return True
    return False


# --- simple access


def test_no_dacl_grants_everything_and_an_empty_one_nothing() -> None:
    assert grants("O:SY").object_mask == DS_ALL
    assert grants("D:NO_ACCESS_CONTROL").allows(WP, OTHER)
    assert grants("O:SYD:").object_mask == 0
    assert denied("O:SYD:", RP) and not denied("O:SY", RP)
    # a DACL that is not marked present does not count
    assert evaluate(SecurityDescriptor(0x8000, dacl=sd_of("D:").dacl), ALICE).object_mask == DS_ALL


def test_rights_must_all_be_granted() -> None:
    assert access_check(sd_of("D:(A;;RP;;;DU)"), ALICE, RP) == RP
    assert denied("D:(A;;RP;;;DU)", RP | WP)
    assert not denied("D:(A;;RP;;;DU)(A;;WP;;;AU)", RP | WP)


def test_the_first_entry_decides_bit_by_bit() -> None:
    assert grants("D:(D;;WP;;;DU)(A;;RPWP;;;AU)").object_mask == RP
    assert grants("D:(A;;RPWP;;;AU)(D;;WP;;;DU)").object_mask == RP | WP
    assert denied("D:(D;;WP;;;DU)(A;;RPWP;;;AU)", WP)
    assert not denied("D:(A;;RPWP;;;AU)(D;;WP;;;DU)", WP)


def test_entries_for_others_and_inherit_only_ones_do_not_count() -> None:
    assert grants("D:(A;;RP;;;DA)(A;CIIO;RP;;;WD)").object_mask == 0
    assert grants("D:(D;CIIO;RP;;;WD)(A;;RP;;;WD)").object_mask == RP
    assert grants("D:(AU;;RP;;;WD)(ML;;NW;;;WD)(A;;WP;;;WD)").object_mask == WP


def test_anonymous_is_not_everyone() -> None:
    assert denied("D:(A;;RP;;;WD)(A;;RP;;;AU)", RP, ANONYMOUS)
    assert not denied("D:(A;;RP;;;AN)", RP, ANONYMOUS)


def test_generic_rights_are_mapped_in_the_request() -> None:
    assert not denied("D:(A;;RPLCLORC;;;AU)", AccessMask.GENERIC_READ)
    assert denied("D:(A;;RPLCLO;;;AU)", AccessMask.GENERIC_READ)
    with pytest.raises(DsError):
        access_check(sd_of("D:(A;;RP;;;AU)"), ALICE, 0x8000_0000, mapping=FILE_MAPPING)
    assert access_check(sd_of("D:(A;;FR;;;AU)"), ALICE, 0x8000_0000, mapping=FILE_MAPPING) == 0x120089


def test_generic_rights_in_an_entry_are_not_mapped() -> None:
    assert denied("D:(A;;GA;;;AU)", RP)


def test_maximum_allowed_gives_what_there_is_or_denies() -> None:
    text = "D:(D;;WP;;;DU)(A;;RPWPLC;;;AU)"
    granted = access_check(sd_of(text), ALICE, AccessMask.MAXIMUM_ALLOWED)
    assert granted == RP | AccessMask.RIGHT_DS_LIST_CONTENTS
    assert denied("D:(A;;RP;;;DA)", AccessMask.MAXIMUM_ALLOWED)
    assert denied(text, AccessMask.MAXIMUM_ALLOWED | WP)
    assert not denied(text, AccessMask.MAXIMUM_ALLOWED | RP)


# --- owner


def test_the_owner_may_read_and_change_the_dacl() -> None:
    rights = AccessMask.RIGHT_READ_CONTROL | AccessMask.RIGHT_WRITE_DAC
    assert grants(f"O:{USER}D:").object_mask == rights
    assert grants("O:DUD:").object_mask == rights
    assert grants("O:DAD:").object_mask == 0
    assert denied(f"O:{USER}D:", AccessMask.RIGHT_WRITE_OWNER)
    assert not denied(f"O:{USER}D:(D;;WDRC;;;WD)", rights)


def test_owner_rights_entries_replace_the_owners_implicit_rights() -> None:
    text = f"O:{USER}D:(A;;RC;;;OW)"
    assert grants(text).object_mask == AccessMask.RIGHT_READ_CONTROL
    assert denied(text, AccessMask.RIGHT_WRITE_DAC)
    assert grants("O:DAD:(A;;RC;;;OW)").object_mask == 0
    assert grants(f"O:{USER}D:(D;;RC;;;OW)(A;;RC;;;WD)").object_mask == 0
    # inherit-only: not in force here
    assert not denied(f"O:{USER}D:(A;CIIO;RC;;;OW)", AccessMask.RIGHT_WRITE_DAC)


# --- self


def test_principal_self_is_the_object_itself() -> None:
    text = "D:(A;;WP;;;PS)"
    assert grants(text, ALICE, USER).object_mask == WP
    assert grants(text, ALICE, DOMAIN.child(1106)).object_mask == 0
    assert grants(text, ALICE, None).object_mask == 0
    # a group object: its members are "self"
    assert grants(text, ALICE, DOMAIN.child(513)).object_mask == WP
    assert grants("D:(D;;WP;;;PS)(A;;WP;;;WD)", ALICE, USER).object_mask == 0


# --- privileges


def test_privileges_give_their_rights_only() -> None:
    holder = build_token(USER, [], Privilege.SE_TAKE_OWNERSHIP | Privilege.SE_SECURITY)
    assert not denied("D:", AccessMask.RIGHT_WRITE_OWNER | AccessMask.ACCESS_SYSTEM_SECURITY, holder)
    assert denied("D:", AccessMask.RIGHT_WRITE_DAC, holder)
    backup = build_token(USER, [], Privilege.SE_BACKUP | Privilege.SE_RESTORE)
    assert denied("D:", AccessMask.RIGHT_WRITE_OWNER, backup) and denied("D:", RP, backup)


def test_system_security_comes_from_the_privilege_alone() -> None:
    assert denied("D:(A;;0x1000000;;;WD)", AccessMask.ACCESS_SYSTEM_SECURITY)
    assert denied("O:SY", AccessMask.ACCESS_SYSTEM_SECURITY)
    assert not denied("D:", AccessMask.ACCESS_SYSTEM_SECURITY, SYSTEM)
    holder = build_token(USER, [], Privilege.SE_SECURITY)
    granted = access_check(sd_of("D:(A;;RP;;;WD)"), holder, AccessMask.MAXIMUM_ALLOWED)
    assert granted == RP


# --- object-specific access


def test_an_attribute_is_granted_itself_through_its_set_or_with_the_whole() -> None:
    for entry in (f"(OA;;RP;{G['3']};;DU)", f"(OA;;RP;{G['2']};;DU)", "(OA;;RP;;;DU)", "(A;;RP;;;DU)"):
        found = grants(f"D:{entry}")
        assert found.allows(RP, ATT_IN_SET, SET)
        assert not found.allows(WP, ATT_IN_SET, SET)
    found = grants(f"D:(OA;;RP;{G['3']};;DU)")
    assert not found.allows(RP, ATT2_IN_SET, SET) and not found.allows(RP, ATT_ALONE)
    assert not found.uniform_read and found.object_mask == 0 and found.any_scoped(RP)
    found = grants(f"D:(OA;;RP;{G['2']};;DU)")
    assert found.allows(RP, ATT2_IN_SET, SET) and not found.allows(RP, ATT_ALONE)


def test_a_denied_attribute_stays_denied() -> None:
    found = grants(f"D:(OD;;RP;{G['3']};;DU)(A;;RP;;;AU)")
    assert not found.allows(RP, ATT_IN_SET, SET)
    assert found.allows(RP, ATT2_IN_SET, SET) and found.allows(RP, ATT_ALONE)
    assert not found.uniform_read
    found = grants(f"D:(OD;;RP;{G['2']};;DU)(A;;RP;;;AU)")
    assert not found.allows(RP, ATT_IN_SET, SET) and found.allows(RP, ATT_ALONE)
    found = grants(f"D:(OD;;RP;{G['2']};;DU)(OA;;RP;{G['3']};;AU)")
    assert not found.allows(RP, ATT_IN_SET, SET)


def test_an_entry_after_the_decision_changes_nothing() -> None:
    found = grants(f"D:(A;;RP;;;AU)(OD;;RP;{G['3']};;DU)")
    assert found.allows(RP, ATT_IN_SET, SET) and found.uniform_read
    found = grants(f"D:(OA;;RP;{G['3']};;DU)(OD;;RP;{G['2']};;DU)")
    assert found.allows(RP, ATT_IN_SET, SET) and not found.allows(RP, ATT2_IN_SET, SET)
    found = grants(f"D:(D;;RP;;;DU)(OA;;RP;{G['3']};;DU)(A;;RP;;;AU)")
    assert not found.allows(RP, ATT_IN_SET, SET) and not found.any_scoped(RP)


def test_extended_rights_and_validated_writes() -> None:
    found = grants(f"D:(OA;;CR;{G['6']};;DU)(OD;;SW;{G['5']};;DU)(A;;SW;;;AU)")
    assert found.allows(CR, OTHER) and not found.allows(CR, SET)
    assert not found.allows(VW, ATT_ALONE) and found.allows(VW, OTHER)
    assert grants("D:(A;;CR;;;AU)").allows(CR, OTHER)
    assert not grants(f"D:(OD;;CR;{G['6']};;DU)(A;;CR;;;AU)").allows(CR, OTHER)
    assert grants(f"D:(OD;;CR;{G['6']};;DU)(A;;CR;;;AU)").allows(CR, SET)


def test_creating_children_goes_by_their_class() -> None:
    found = grants(f"D:(OA;;CC;{G['6']};;DU)")
    assert found.allows(CC, OTHER) and not found.allows(CC, CLASS) and not found.has(CC)


def test_entries_for_the_objects_own_class_are_for_the_whole() -> None:
    sd = sd_of(f"D:(OA;;RP;{G['1']};;DU)")
    assert evaluate(sd, ALICE, None, CLASS).uniform_read
    assert not evaluate(sd, ALICE).uniform_read


@pytest.mark.parametrize("right", ["CC", "DC", "CR", "SW"])
def test_what_a_class_means_below_the_object_is_not_meant_for_its_own(right: str) -> None:
    """Who may make OUs in an OU may not make everything there."""
    mask = int(sd_of(f"D:(A;;{right};;;DU)").dacl.aces[0].mask)  # type: ignore[union-attr]
    found = evaluate(sd_of(f"D:(OA;;{right}RP;{G['1']};;DU)"), ALICE, None, CLASS)
    assert found.allows(mask, CLASS) and not found.allows(mask, OTHER) and not found.has(mask)
    assert found.uniform_read
    refused = evaluate(sd_of(f"D:(OD;;{right};{G['1']};;DU)(A;;{right};;;DU)"), ALICE, None, CLASS)
    assert refused.allows(mask, OTHER) and not refused.allows(mask, CLASS) and refused.has(mask)


def test_answers_are_the_same_when_asked_again() -> None:
    found = grants(f"D:(OA;;RP;{G['3']};;DU)")
    for _ in range(2):
        assert found.allows(RP, ATT_IN_SET) is True
        assert found.allows(int(RP), ATT_ALONE) is False
    assert found.has(0) and not found.has(RP)


# --- the tree


def test_a_tree_is_granted_at_its_root_when_all_of_it_is() -> None:
    assert denied(f"D:(OA;;RP;{G['2']};;DU)", RP, ALICE, TREE)
    assert not denied(f"D:(OA;;RP;{G['2']};;DU)(OA;;RP;{G['5']};;DU)", RP, ALICE, TREE)
    assert not denied(f"D:(OA;;RP;{G['1']};;DU)", RP, ALICE, TREE)
    parts = "".join(f"(OA;;RP;{G[name]};;DU)" for name in "345")
    assert not denied(f"D:{parts}", RP, ALICE, TREE)
    assert denied(f"D:(OA;;RP;{G['3']};;DU)(OA;;RP;{G['5']};;DU)", RP, ALICE, TREE)


def test_a_denied_leaf_denies_the_whole() -> None:
    assert denied(f"D:(OD;;RP;{G['3']};;DU)(A;;RP;;;AU)", RP, ALICE, TREE)
    assert not denied(f"D:(A;;RP;;;AU)(OD;;RP;{G['3']};;DU)", RP, ALICE, TREE)
    assert not denied(f"D:(OD;;RP;{G['6']};;DU)(A;;RP;;;AU)", RP, ALICE, TREE)
    small = ObjectTree(CLASS, (ObjectTree(SET, (ObjectTree(ATT2_IN_SET),)),))
    assert not denied(f"D:(OD;;RP;{G['3']};;DU)(A;;RP;;;AU)", RP, ALICE, small)


def test_tree_and_grants_agree_on_single_attributes() -> None:
    entries = [f"({kind};;RP;{guid};;DU)" for kind in ("OA", "OD") for guid in (G["2"], G["3"], G["6"], "")]
    for first in entries:
        for second in entries:
            for third in entries:
                text = f"D:{first}{second}{third}"
                for attribute, in_set in ((ATT_IN_SET, SET), (ATT_ALONE, None)):
                    leaf = ObjectTree(attribute)
                    tree = ObjectTree(in_set, (leaf,)) if in_set else leaf
                    expected = not denied(text, RP, ALICE, tree)
                    assert grants(text).allows(RP, attribute, in_set) == expected, text


# --- conditions


def test_conditions_decide_whether_an_entry_applies() -> None:
    member, stranger = "(Member_of {SID(DU)})", "(Member_of {SID(DA)})"
    unknown = "(@User.absent == 1)"
    assert grants(f"D:(XA;;RP;;;WD;{member})").has(RP)
    assert not grants(f"D:(XA;;RP;;;WD;{stranger})").has(RP)
    assert not grants(f"D:(XA;;RP;;;WD;{unknown})").has(RP)
    assert not grants(f"D:(XD;;RP;;;WD;{member})(A;;RP;;;WD)").has(RP)
    assert grants(f"D:(XD;;RP;;;WD;{stranger})(A;;RP;;;WD)").has(RP)
    assert not grants(f"D:(XD;;RP;;;WD;{unknown})(A;;RP;;;WD)").has(RP)
    assert grants(f"D:(ZA;;RP;{G['3']};;WD;{member})").allows(RP, ATT_IN_SET)
    assert not grants(f"D:(ZA;;RP;{G['3']};;WD;{unknown})").allows(RP, ATT_IN_SET)


def test_callback_data_that_is_no_condition_is_unknown() -> None:
    allow = sd_of("D:(XA;;RP;;;WD;(a))")
    assert allow.dacl is not None
    for kind, expected in ((9, False), (10, False)):
        ace = type(allow.dacl.aces[0])(kind, 0, int(RP), wellknown.EVERYONE, data=b"junk")
        plain = sd_of("D:(A;;RP;;;WD)").dacl
        assert plain is not None
        aces = (ace,) if kind == 9 else (ace, *plain.aces)
        sd = SecurityDescriptor(allow.control, dacl=type(plain)(2, aces))
        assert evaluate(sd, ALICE).has(RP) is expected
