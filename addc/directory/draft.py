"""An object as the transaction at hand will leave it: what rules look at and change before it is stored."""

from collections.abc import Mapping
from typing import Final

from addc.base.ids import AttId, Dnt, Usn
from addc.codec.ids import Sid
from addc.directory.context import ReadContext
from addc.directory.object_classes import ClassPlan, class_plan
from addc.schema import attr
from addc.store.objects import ObjectRow

_NOTHING: Final[Mapping[AttId, tuple[bytes, ...]]] = {}


class Draft:
    """One object being added (row is None) or modified.

    attrs: stored values of non-link attributes as they will be. before: as they were when the transaction's
    work on this object began. touched: attributes that were written, changed or not.
    given: attributes that the requester named, as opposed to those that rules wrote.
    rewritten: touched attributes that count as changed even where the values are the same.
    usn: of this update, once one was drawn. expiries: when link values expire that come with a new object.
    """

    __slots__ = (
        "attrs", "before", "expiries", "given", "plan", "rdn", "rewritten", "row", "sid", "touched", "usn",
    )  # fmt: skip

    def __init__(self, plan: ClassPlan, row: ObjectRow | None, sid: Sid | None, rdn: str) -> None:
        self.plan = plan
        self.row = row
        self.sid = sid
        self.rdn = rdn
        self.before: Mapping[AttId, tuple[bytes, ...]] = _NOTHING if row is None else row.attrs
        self.attrs: dict[AttId, tuple[bytes, ...]] = dict(self.before)
        self.touched: set[AttId] = set()
        self.given: set[AttId] = set()
        self.rewritten: set[AttId] = set()
        self.usn: Usn | None = None
        self.expiries: dict[tuple[AttId, Dnt, bytes], int] = {}

    @property
    def is_new(self) -> bool:
        return self.row is None

    def get(self, att: AttId) -> tuple[bytes, ...]:
        return self.attrs.get(att, ())

    def first(self, att: AttId) -> bytes | None:
        values = self.attrs.get(att)
        return values[0] if values else None

    def has(self, att: AttId) -> bool:
        return bool(self.attrs.get(att))

    def text(self, att: AttId, default: str = "") -> str:
        values = self.attrs.get(att)
        return values[0].decode("utf-8", "replace") if values else default

    def integer(self, att: AttId, default: int = 0) -> int:
        values = self.attrs.get(att)
        return int(values[0]) if values else default

    def integer_before(self, att: AttId, default: int = 0) -> int:
        values = self.before.get(att)
        return int(values[0]) if values else default

    def truth(self, att: AttId) -> bool:
        return self.attrs.get(att) == (b"TRUE",)

    def put(self, att: AttId, *values: bytes) -> None:
        """Set the stored values; none removes the attribute."""
        self.touched.add(att)
        if values:
            self.attrs[att] = values
        else:
            self.attrs.pop(att, None)

    def put_integer(self, att: AttId, value: int) -> None:
        self.put(att, b"%d" % value)

    def put_if_absent(self, att: AttId, value: bytes) -> None:
        if att not in self.attrs:
            self.put(att, value)

    def changes(self, att: AttId) -> bool:
        """Whether the transaction leaves other values than it found."""
        return att in self.rewritten or (att in self.touched and self.attrs.get(att) != self.before.get(att))

    def changed(self) -> list[AttId]:
        """Every attribute whose values change, in order of id."""
        return sorted(att for att in self.touched if self.changes(att))

    def rid(self) -> int:
        """The RID of the object's SID; -1 where it has none."""
        return int(self.sid.rid()) if self.sid else -1


def draft_of(ctx: ReadContext, row: ObjectRow) -> Draft:
    """A draft of an existing object as it is."""
    plan = class_plan(ctx.schema, row.attrs[attr.OBJECT_CLASS])
    return Draft(plan, row, None if row.sid is None else Sid(row.sid), row.rdn)
