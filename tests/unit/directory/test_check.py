"""The checker finds what is broken, tells it, and mends it: every rule with its own damage."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from addc.base.ids import AttId, Dnt, Rid, Usn
from addc.codec.ids import Sid
from addc.directory import names
from addc.directory.api import Directory
from addc.directory.check import RULES, Report, check, check_rows
from addc.directory.check_forest import FOREST_RULES
from addc.directory.delete import delete_object
from addc.directory.rename import rename_object
from addc.directory.tombstones import TOMBSTONE
from addc.schema import attr
from addc.schema.wellknown import WellKnownContainer
from addc.security.descriptor import INHERITED, SecurityDescriptor
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, ObjectState, Stamp
from addc.store.tx import WriteTx
from tests.kit.corp import Corp, delete_values, replace_values

GROUP: Final = "CN=Staff,CN=Users"
USER: Final = "CN=ann,CN=Users"
GONE: Final = "a deleted user"
NOBODY: Final = Dnt(999_999)
MEMBER: Final = 1
MANAGER: Final = 21


def _checked(corp: Corp, *, mend: bool = False) -> Report:
    return check(Directory(corp.store, corp.schema), mend=mend)


def _staffed(corp: Corp) -> None:
    corp.user("ann", "Corr3ct.Horse")
    corp.user("bob")
    corp.group("Staff")
    corp.modify(GROUP, replace_values("member", corp.dn(USER), corp.dn("CN=bob,CN=Users")))


def test_a_new_forest_is_sound(corp: Corp) -> None:
    report = _checked(corp)
    assert report.findings == () and report.objects > 2000


def test_writing_of_all_kinds_leaves_it_sound(corp: Corp) -> None:
    _staffed(corp)
    corp.add("OU=here", "organizationalUnit")
    corp.modify(GROUP, delete_values("member", corp.dn(USER)))
    corp.modify(USER, replace_values("sn", "Äpfel"), replace_values("manager", corp.dn("CN=bob,CN=Users")))
    corp.write(lambda ctx: rename_object(ctx, corp.dn(USER), "CN=Anne", True, corp.dn("OU=here")), corp.admin)
    corp.write(lambda ctx: delete_object(ctx, corp.dn("CN=bob,CN=Users")), corp.admin)
    assert _checked(corp).findings == ()


Damage = Callable[[WriteTx, ObjectRow], object]


def _stamp_of(usn: int) -> Stamp:
    return Stamp(1, 0, bytes(16), Usn(usn), Usn(usn))


def _with(att: AttId, *values: bytes) -> Damage:
    """Another value than there was."""
    return lambda tx, row: tx.update(row, attrs={**row.attrs, att: values})


def _without(att: AttId) -> Damage:
    return lambda tx, row: tx.update(row, attrs={one: v for one, v in row.attrs.items() if one != att})


def _column(number: int, value: int | bytes) -> Damage:
    """Another value in a column of the table."""

    def hurt(tx: WriteTx, row: ObjectRow) -> None:
        found = list(row.to_tuple())
        found[number] = value
        tx._replace(tuple(found))  # type: ignore[arg-type]

    return hurt


_PARENT: Final = 1
_ATTRS: Final = 15


def _break_path(tx: WriteTx, row: ObjectRow) -> None:
    _column(14, row.path[:8] + row.path[-8:])(tx, row)


def _unstamp(tx: WriteTx, row: ObjectRow) -> None:
    tx.update(row, meta={att: one for att, one in row.meta.items() if att != attr.SAM_ACCOUNT_NAME})


def _outrun(tx: WriteTx, row: ObjectRow) -> None:
    tx.update(row, meta={**row.meta, attr.SN: _stamp_of(row.usn_changed + 1)})


def _empty_descriptor(tx: WriteTx, row: ObjectRow) -> None:
    tx.update(row, sd_id=tx.put_descriptor(bytes.fromhex("0100008000000000") + bytes(12)))


def _disinherit(tx: WriteTx, row: ObjectRow) -> None:
    sd = SecurityDescriptor.unpack(tx.descriptor(row.sd_id))
    assert sd.dacl is not None
    explicit = tuple([ace for ace in sd.dacl.aces if not ace.flags & INHERITED])
    bare = replace(sd, dacl=replace(sd.dacl, aces=explicit))
    tx.update(row, sd_id=tx.put_descriptor(bare.pack()))


def _link(base: int, *targets: Dnt | int) -> Damage:
    """Links to rows; numbers up to 9 count on from the row itself."""

    def hurt(tx: WriteTx, row: ObjectRow) -> None:
        for target in targets:
            end = Dnt(row.dnt + target) if target < 10 else Dnt(target)
            tx.put_link(LinkRow(base, row.dnt, end, b"", 1, 0, _stamp_of(1)))

    return hurt


def _sid(rid: int) -> Damage:
    """Another RID; over 1000 behind the one that it has."""

    def hurt(tx: WriteTx, row: ObjectRow) -> None:
        assert row.sid is not None
        own = Sid(row.sid)
        tx.update(row, sid=bytes(own.domain().child(Rid(own.rid() + rid - 1000 if rid > 1000 else rid))))

    return hurt


def _same_name(tx: WriteTx, row: ObjectRow) -> None:
    _with(attr.SAM_ACCOUNT_NAME, b"bob")(tx, row)
    tx.set_index(row.dnt, attr.SAM_ACCOUNT_NAME, [b"BOB"])


def _index(att: AttId, key: bytes) -> Damage:
    return lambda tx, row: tx.set_index(row.dnt, att, [key])


DAMAGES: Final[dict[str, tuple[str, Damage, str]]] = {
    "path": (USER, _break_path, "does not lead through its parent"),
    "path of an orphan": (USER, _column(_PARENT, NOBODY), "row 999999, is missing"),
    "naming-context": (USER, lambda tx, row: tx.update(row, nc=Dnt(row.nc - 1)), "naming context of row"),
    "name": (USER, lambda tx, row: tx.update(row, rdn_key=row.rdn_key + b"x"), "under another name"),
    "identity": (USER, lambda tx, row: tx.update(row, instance_type=5), "does not fit its place"),
    "class": (USER, lambda tx, row: tx.update(row, class_id=attr.CN), "says user"),
    "class that is none": (USER, _with(attr.OBJECT_CLASS, b"top", b"nonsense"), "make no object"),
    "values of a reference": (
        USER, _with(attr.SHOW_IN_ADDRESS_BOOK, names.reference(NOBODY)), "rows that do not exist"
    ),
    "values beyond one": (USER, _with(attr.DISPLAY_NAME, b"a", b"b"), "takes one value and has 2"),
    "values of another syntax": (USER, _with(attr.ADMIN_COUNT, b"many"), "none of its syntax"),
    "mandatory": (USER, _without(attr.OBJECT_CATEGORY), "objectCategory is mandatory"),
    "state": (USER, lambda tx, row: tx.update(row, state=ObjectState.DELETED), "isDeleted is not set"),
    "agenda": (GONE, lambda tx, row: tx.drop_due(TOMBSTONE, row.dnt), "nothing will ever collect it"),
    "stamps": (USER, _unstamp, "no stamp for sAMAccountName"),
    "stamps out of order": (USER, _outrun, "has USN"),
    "descriptor": (USER, lambda tx, row: tx.update(row, sd_id=12345), "no security descriptor"),
    "descriptor without parts": (USER, _empty_descriptor, "no owner, no group, no DACL"),
    "inheritance": (USER, _disinherit, "lacks what its parent hands down"),
    "index": (USER, _index(attr.SAM_ACCOUNT_NAME, b"wrong"), "the index of sAMAccountName"),
    "index of nothing": (USER, _index(attr.MAIL, b"a@b"), "the index of mail"),
    "link-ends": (GROUP, _link(MEMBER, NOBODY), "member points at row 999999"),
    "link-count": (USER, _link(MANAGER, 0, 1), "manager takes one value"),
    "link-class": (USER, _link(MEMBER, 0), "a user may not have member"),
    "sid never given": (USER, _sid(1200), "never given out"),
    "sid twice": (USER, _sid(500), "as well"),
    "account-name": (USER, _same_name, "sAMAccountName as well"),
    "primary-group": (USER, _with(attr.PRIMARY_GROUP_ID, b"99999"), "99999, does not exist"),
}  # fmt: skip
"""By rule: the object that is damaged, how, and what the finding says."""

_BEYOND_MENDING: Final = frozenset(
    {
        "class that is none", "identity", "values beyond one", "values of another syntax", "mandatory",
        "state", "link-count", "link-class", "sid twice", "account-name",
    }
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_mended_or_left_to_a_person(corp_sqlite: Corp, damage: str) -> None:
    corp = corp_sqlite
    _staffed(corp)
    gone = corp.user("gone")
    corp.write(lambda ctx: delete_object(ctx, corp.dn("CN=gone,CN=Users")), corp.admin)
    dn, hurt, words = DAMAGES[damage]
    row = corp.row(gone if dn == GONE else dn)
    corp.store.write("test", lambda tx: hurt(tx, row))
    directory = Directory(corp.store, corp.schema)
    findings = check_rows(directory, [row.dnt]).findings
    found = [one for one in findings if words in one.detail]
    assert found and found[0].rule == damage.split(" ", maxsplit=1)[0], findings
    mended = check_rows(directory, [row.dnt], mend=True)
    if damage in _BEYOND_MENDING:
        assert mended.open and check_rows(directory, [row.dnt]).open
    else:
        assert not mended.open, mended.findings
        assert check_rows(directory, [row.dnt]).findings == ()


def test_every_rule_has_its_damage() -> None:
    assert {name.split(" ", maxsplit=1)[0] for name in DAMAGES} == {rule.name for rule in RULES}


def test_a_row_that_cannot_be_decoded_is_named_and_nothing_else_stops(corp: Corp) -> None:
    dnt = corp.user("ann", "Corr3ct.Horse")

    row = corp.row(dnt)
    corp.store.write("test", lambda tx: _column(_ATTRS, b"\x07" + row.attrs_packed)(tx, row))
    report = _checked(corp, mend=True)
    assert [(one.rule, one.dnt) for one in report.findings] == [("readable", dnt)]
    assert report.open == 1


def test_a_secret_that_was_moved_to_another_object_is_found(corp: Corp) -> None:
    """Sealed values are bound to their object: a copy does not open elsewhere."""
    ann, bob = corp.row(corp.user("ann", "Corr3ct.Horse")), corp.row(corp.user("bob", "Corr3ct.Horse"))
    corp.store.write("test", lambda tx: _column(_ATTRS, ann.attrs_packed)(tx, bob))
    assert ("readable", bob.dnt) in {(one.rule, one.dnt) for one in _checked(corp).findings}


def _no_role(corp: Corp, tx: WriteTx) -> None:
    row = tx.get(corp.row(f"CN=Infrastructure,{corp.forest.domain_dn}").dnt)
    assert row is not None
    _with(attr.FSMO_ROLE_OWNER, names.reference(row.dnt))(tx, row)
    tx.set_index(row.dnt, attr.FSMO_ROLE_OWNER, [names.reference(row.dnt)])


def _no_users(corp: Corp, tx: WriteTx) -> None:
    row = tx.get(corp.forest.domain_nc)
    assert row is not None
    wire = WellKnownContainer.USERS.bytes_le
    kept = [one for one in row.attrs[attr.WELL_KNOWN_OBJECTS] if not one.endswith(wire)]
    _with(attr.WELL_KNOWN_OBJECTS, *kept)(tx, row)


def _other_domain(corp: Corp, tx: WriteTx) -> None:
    row = tx.get(corp.forest.domain_nc)
    assert row is not None
    tx.update(row, guid=bytes(range(16)))


def _stray(corp: Corp, tx: WriteTx) -> None:
    del corp
    tx.set_index(NOBODY, attr.MAIL, [b"a@b"])


WHOLE: Final = {
    "strays": (_stray, "belongs to a row that does not exist", True),
    "facts": (_other_domain, "not the one this DC was made with", False),
    "well-known": (_no_users, "USERS is missing", False),
    "roles": (_no_role, "no domain controller owns its role", True),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_damage_to_the_whole_is_found(corp_sqlite: Corp, rule: str) -> None:
    hurt, words, mendable = WHOLE[rule]
    corp_sqlite.store.write("test", lambda tx: hurt(corp_sqlite, tx))
    assert [(one.rule, words in one.detail) for one in _checked(corp_sqlite).findings] == [(rule, True)]
    assert bool(_checked(corp_sqlite, mend=True).open) != mendable


def test_every_rule_of_the_whole_has_its_damage() -> None:
    assert set(WHOLE) == {rule.name for rule in FOREST_RULES}
