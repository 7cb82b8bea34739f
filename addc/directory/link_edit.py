"""Changes to one forward link attribute of one object, gathered before they are stored.

Costs what is touched: only clearing or replacing the whole attribute reads all its values.

Spec: [MS-ADTS] 3.1.1.5.3.3 (values that refer to deleted-objects), 3.1.1.3.1.2.4 (values that expire).
"""

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt, Usn
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, linked_values, ttl_links
from addc.directory.context import WriteContext
from addc.schema.snapshot import Attribute
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow

Value = tuple[Dnt, bytes]
"""Target and payload."""


class LinkEdit:
    """The values to add and to remove. `_all` holds every living value once they had to be read.

    _known: whether the store holds a value as living, as far as that was asked.
    _seconds: of values with a TTL. _again: values that stay and get another TTL, or lose theirs.
    """

    __slots__ = (
        "_add", "_again", "_all", "_cleared", "_known", "_remove", "_seconds", "attribute", "ctx", "row",
    )  # fmt: skip

    def __init__(self, ctx: WriteContext, row: ObjectRow, attribute: Attribute) -> None:
        self.ctx = ctx
        self.row = row
        self.attribute = attribute
        self._add: dict[Value, None] = {}
        self._remove: dict[Value, None] = {}
        self._all: dict[Value, LinkRow] | None = None
        self._cleared = False
        self._known: dict[Value, bool] = {}
        self._seconds: dict[Value, int] = {}
        self._again: dict[Value, None] = {}

    def _stands(self, value: Value) -> bool:
        """Whether the store holds the value as living."""
        if self._all is not None:
            return value in self._all
        known = self._known.get(value)
        if known is None:
            found = linked_values.find(self.ctx, self.row.dnt, self.attribute, *value)
            known = self._known[value] = found is not None and not found.deleted
        return known

    def _is_live(self, value: Value) -> bool:
        if value in self._add:
            return True
        return not self._cleared and value not in self._remove and self._stands(value)

    def add(self, value: Value, seconds: int | None = None) -> bool:
        """Add a value; False if it is there. Refuses a second one of a single-valued attribute.

        seconds: until it expires; 0 or None for never.
        """
        if self._is_live(value):
            return False
        if self.attribute.single_valued and self._count(2) > 0 and not self._yields():
            raise DsError(
                Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
                f"{self.attribute.name} has its one value",
                ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
                attribute=self.attribute.name,
            )
        self._remove.pop(value, None)
        self._add[value] = None
        self._seconds.pop(value, None)
        if seconds:
            self._seconds[value] = seconds
        return True

    def _yields(self) -> bool:
        """Make room in a single-valued attribute whose one value nobody sees: it refers to a deleted-object.

        Spec: [MS-ADTS] 3.1.1.5.3.3.
        """
        if self._add or self._cleared:
            return False
        standing = linked_values.living(self.ctx, self.row, self.attribute)
        kept = [value for value in standing if value not in self._remove]
        if any(entry.target_is_shown(self.ctx, target) for target, _ in kept):
            return False
        self._remove.update(dict.fromkeys(standing))
        return True

    def retime(self, value: Value, seconds: int) -> None:
        """Let a value that is there expire after `seconds`; never for 0."""
        self._seconds.pop(value, None)
        if seconds:
            self._seconds[value] = seconds
        if value not in self._add:
            self._again[value] = None

    def _retimed(self) -> list[Value]:
        """Values that stay, with another expiry than they had."""
        staying = [*self._again, *[value for value in self._add if self._stands(value)]]
        if not staying or not ttl_links.is_enabled(self.ctx):
            return []
        gone = set(self._gone())
        return [
            value
            for value in staying
            if value not in gone
            and (
                value in self._seconds or ttl_links.has_expiry(self.ctx, self.row.dnt, self.attribute, value)
            )
        ]

    def remove(self, value: Value) -> bool:
        """Remove a value; False if it is not there."""
        if not self._is_live(value):
            return False
        if value in self._add:
            del self._add[value]
            if self._cleared or not self._stands(value):
                return True
        self._remove[value] = None
        return True

    def clear(self) -> bool:
        """Remove all values; False if there are none."""
        if self._all is None:
            self._all = linked_values.living(self.ctx, self.row, self.attribute)
        had = bool(self._add) or (any(value not in self._remove for value in self._all) and not self._cleared)
        self._add.clear()
        self._cleared = True
        return had

    def _count(self, cap: int) -> int:
        """How many values there would be, at most `cap` of those that the store holds counted."""
        if self._cleared:
            return len(self._add)
        base = entry.link_base(self.attribute)
        standing = self.ctx.tx.link_count(base, self.row.dnt, cap + len(self._remove))
        gone = sum(1 for value in self._remove if self._stands(value))
        return standing - gone + sum(1 for value in self._add if not self._stands(value))

    def _gone(self) -> list[Value]:
        if self._cleared:
            assert self._all is not None
            return [value for value in self._all if value not in self._add]
        return list(self._remove)

    def added(self) -> list[Dnt]:
        """Targets of the values that become live."""
        return [value[0] for value in self._add if not self._stands(value)]

    def removed(self) -> list[Dnt]:
        """Targets of the values that go."""
        return [value[0] for value in self._gone()]

    def was_empty(self) -> bool:
        """Whether the attribute had no living value before."""
        return not self.ctx.tx.link_count(entry.link_base(self.attribute), self.row.dnt, 1)

    def is_effective(self) -> bool:
        """Whether anything changes."""
        return bool(self.added() or self._gone() or self._retimed())

    def check(self, must: frozenset[AttId]) -> None:
        """A mandatory attribute keeps a value."""
        if self.attribute.att_id in must and self._gone() and not self._count(1):
            raise DsError(
                Win32.ERROR_DS_MISSING_REQUIRED_ATT,
                f"{self.attribute.name} is mandatory",
                ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
                attribute=self.attribute.name,
            )

    def apply(self, usn: Usn) -> None:
        """Store it."""
        ctx, source, attribute = self.ctx, self.row.dnt, self.attribute
        for value in self._retimed():
            self._expire(value)
            linked_values.restamp(ctx, source, attribute, value, usn)
        for value in self._gone():
            linked_values.remove_value(ctx, source, attribute, value, usn)
        for value in self._add:
            if linked_values.add_value(ctx, source, attribute, value, usn) and value in self._seconds:
                self._expire(value)

    def _expire(self, value: Value) -> None:
        due_ft = ttl_links.expiry(self.ctx, self._seconds.get(value, 0))
        linked_values.set_expiry(self.ctx, self.row.dnt, self.attribute, value, due_ft)
