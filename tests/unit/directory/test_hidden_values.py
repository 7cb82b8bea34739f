"""No way of asking tells a value that is hidden: an object that has it answers like one that has it not.

Two objects are alike but for every attribute that the schema knows. Whatever a requester asks about an
attribute of which he may see nothing, the answers for both are the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from addc.base.errors import DsError
from addc.codec.filter import (
    And,
    Approx,
    Equal,
    Extensible,
    Filter,
    GreaterOrEqual,
    LessOrEqual,
    Not,
    Or,
    Present,
    Substrings,
)
from addc.directory.controls import RequestOptions, SortKey
from addc.directory.matching_rules import BIT_AND, BIT_OR, DN_WITH_DATA, TRANSITIVE_EVAL
from addc.directory.search import BASE, SUBTREE, SearchRequest, compare, search
from addc.schema import attr
from addc.schema.snapshot import Attribute, Schema
from addc.security.token import Token
from tests.kit.forest import DOMAIN_SID, USERS_DN, KitForest

NAMES = ("rich", "poor")
SEALED = RequestOptions(confidential=True)
READABLE = frozenset(
    (
        attr.OBJECT_CLASS, attr.CN, attr.NAME, attr.DISTINGUISHED_NAME, attr.SAM_ACCOUNT_NAME,
        attr.OBJECT_GUID, attr.OBJECT_SID, attr.INSTANCE_TYPE, attr.USN_CHANGED, attr.USN_CREATED,
        attr.NT_SECURITY_DESCRIPTOR, attr.REPL_PROPERTY_META_DATA, attr.IS_DELETED, attr.IS_RECYCLED,
    )
)  # fmt: skip
"""Not varied: what both have, what the row itself is, and its state."""
SAM_ACCOUNT_NAME = "3e0abfd0-126a-11d0-a060-00aa006c33ed"
CN = "bf96793f-0de6-11d0-a285-00aa003049e2"
SAMPLES: Mapping[str, bytes] = {
    "Integer": b"5", "LargeInteger": b"7", "Enumeration": b"3", "Boolean": b"TRUE",
    "String(Generalized-Time)": b"20250102030405.0Z", "String(UTC-Time)": b"250102030405Z",
    "String(Object-Identifier)": b"2.5.4.3", "String(Sid)": bytes(DOMAIN_SID.child(512)),
    "String(NT-Sec-Desc)": bytes.fromhex("0100048000000000000000000000000000000000"),
    "String(Numeric)": b"12",
}  # fmt: skip
"""A value of each syntax that does not take any text."""


def sample(attribute: Attribute) -> bytes:
    return SAMPLES.get(attribute.syntax.name, b"value")


def varied(schema: Schema) -> list[Attribute]:
    """The attributes that one of the two objects has and the other has not."""
    return [
        one
        for one in schema.attributes
        if not (one.is_constructed or one.is_linked or one.att_id in READABLE)
        and one.syntax.name not in ("Object(DS-DN)", "Object(DN-Binary)", "Object(DN-String)")
    ]


@dataclass
class Pair:
    """The two objects in one forest, and who asks."""

    forest: KitForest
    who: Token
    options: RequestOptions = SEALED

    def found(self, term: Filter, options: RequestOptions | None = None) -> list[str] | str:
        """Which of the two a search finds, in its order, or how it is refused."""
        both = Or(tuple(Equal("sAMAccountName", name.encode()) for name in NAMES))
        request = SearchRequest(
            USERS_DN, SUBTREE, And((both, term)), ("cn",), options=options or self.options
        )
        try:
            entries = self.forest.read(lambda ctx: search(ctx, request), self.who).entries
        except DsError as error:
            return f"{error.code} {error.detail}"
        return [entry.dn.decode().partition(",")[0][3:] for entry in entries]

    def shown(self, name: str, attributes: tuple[str, ...], *, types_only: bool = False) -> list[object]:
        """What a reading of one object shows, its own names and numbers aside."""
        request = SearchRequest(
            f"CN={name},{USERS_DN}",
            BASE,
            Present("objectClass"),
            attributes,
            types_only,
            options=self.options,
        )
        found = self.forest.read(lambda ctx: search(ctx, request), self.who).entries[0]
        return [one for one in found.attributes if one[0].lower() not in (b"cn", b"samaccountname")]

    def compared(self, name: str, attribute: Attribute) -> str:
        dn, value = f"CN={name},{USERS_DN}", sample(attribute)
        try:
            return str(
                self.forest.read(lambda ctx: compare(ctx, dn, attribute.name, value, self.options), self.who)
            )
        except DsError as error:
            return f"{error.code} {error.detail} {error.matched_dn}"


def terms(attribute: Attribute) -> Iterator[Filter]:
    """Every kind of clause, as it is and denied."""
    name, value = attribute.name, sample(attribute)
    kinds: list[Filter] = [
        Present(name),
        Equal(name, value),
        Approx(name, value),
        GreaterOrEqual(name, value),
        LessOrEqual(name, value),
        Substrings(name, value[:1], (), None),
        Substrings(name, None, (value[:1],), value[-1:]),
        *(Extensible(rule, name, b"1") for rule in (BIT_AND, BIT_OR)),
        *(Extensible(rule, name, value) for rule in (None, TRANSITIVE_EVAL, DN_WITH_DATA)),
        Extensible(None, name, value, True),
        Equal(attribute.oid, value),
    ]
    for one in kinds:
        yield one
        yield Not(one)


def pair(forest: KitForest, acl: str, who: str, attributes: list[Attribute]) -> Pair:
    values = {one.name: sample(one) for one in attributes}
    forest.build(lambda b: (b.user("rich", 1300, values, acl), b.user("poor", 1301, {}, acl)))
    return Pair(forest, forest.token(f"CN={who},{USERS_DN}"))


def _order(told: Pair, name: str, reverse: bool) -> list[str] | str:
    options = RequestOptions(
        confidential=told.options.confidential, sort_keys=(SortKey(name, reverse=reverse),)
    )
    return told.found(Present("objectClass"), options)


def learned(told: Pair, attribute: Attribute) -> list[object]:
    """The questions about an attribute that tell the two objects apart."""
    found: list[object] = []
    for term in terms(attribute):
        answer = told.found(term)
        if not isinstance(answer, str) and len(answer) == 1:
            found.append(term)
    for reverse in (False, True):
        # Neither has the one attribute, and nobody may see who has the other.
        missing, order = (_order(told, name, reverse) for name in ("isRecycled", attribute.name))
        if order != (missing if attribute.syntax.ordered else list(NAMES)):
            found.append("sorting")
    if told.compared("rich", attribute) != told.compared("poor", attribute):
        found.append("compare")
    lists = [
        (attribute.name,),
        (attribute.oid,),
        (f"{attribute.name};binary",),
        (f"{attribute.name};range=0-*",),
    ]
    for asked in lists:
        for types_only in (False, True):
            if told.shown("rich", asked, types_only=types_only) != told.shown(
                "poor", asked, types_only=types_only
            ):
                found.append(asked)
    return found


def everything(told: Pair) -> bool:
    """Whether readings of many attributes at once, and of what is made of them, are the same."""
    lists: list[tuple[str, ...]] = [(), ("*",), ("+",), ("*", "+")]
    made = [one.name for one in told.forest.schema.attributes if one.is_constructed]
    lists += [(name,) for name in made if name not in ("parentGUID", "canonicalName")]
    return all(told.shown("rich", asked) == told.shown("poor", asked) for asked in lists)


def test_what_may_not_be_read(sqlite_forest: KitForest) -> None:
    attributes = varied(sqlite_forest.schema)
    acl = f"D:(OA;;RP;{SAM_ACCOUNT_NAME};;AU)(OA;;RP;{CN};;AU)(A;;RC;;;AU)"
    told = pair(sqlite_forest, acl, "alice", attributes)
    assert told.found(Present("objectClass")) == list(NAMES)
    assert {one.name: got for one in attributes if (got := learned(told, one))} == {}
    assert everything(told)
    for text in (b"value", b"=value", b"value value"):
        assert told.found(Equal("anr", text)) == told.found(Substrings("anr", text, (), None)) == []


def test_what_is_confidential(sqlite_forest: KitForest) -> None:
    attributes = [one for one in varied(sqlite_forest.schema) if one.is_confidential]
    assert len(attributes) > 15
    told = pair(sqlite_forest, "D:(A;;RPRC;;;AU)", "alice", attributes)
    assert {one.name: got for one in attributes if (got := learned(told, one))} == {}
    in_clear = Pair(told.forest, sqlite_forest.token(f"CN=Administrator,{USERS_DN}"), RequestOptions())
    assert {one.name: got for one in attributes if (got := learned(in_clear, one))} == {}


@pytest.mark.parametrize("who", ["alice", "Administrator"])
def test_what_is_secret(sqlite_forest: KitForest, who: str) -> None:
    attributes = [one for one in varied(sqlite_forest.schema) if one.is_secret]
    assert len(attributes) > 10
    told = pair(sqlite_forest, "D:(A;;GA;;;WD)", who, attributes)
    assert {one.name: got for one in attributes if (got := learned(told, one))} == {}
    names = [[one[0] for one in told.shown(name, ("*", "+"))] for name in NAMES]  # type: ignore[index]
    assert names[0] == names[1]


def test_the_questions_would_tell_what_is_not_hidden(sqlite_forest: KitForest) -> None:
    """The test of the tests."""
    attributes = varied(sqlite_forest.schema)[::20]
    told = pair(sqlite_forest, "D:(A;;GA;;;WD)", "alice", attributes)
    blind = [one.name for one in attributes if not one.is_secret and len(learned(told, one)) < 5]
    assert blind == []
