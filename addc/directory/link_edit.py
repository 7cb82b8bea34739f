"""Changes to one forward link attribute of one object, gathered before they are stored.

Costs what is touched: only clearing or replacing the whole attribute reads all its values.
"""

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt, Usn
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, linked_values
from addc.directory.context import WriteContext
from addc.schema.snapshot import Attribute
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow

Value = tuple[Dnt, bytes]
"""Target and payload."""


class LinkEdit:
    """The values to add and to remove. `_all` holds every living value once they had to be read."""

    __slots__ = ("_add", "_all", "_cleared", "_remove", "attribute", "ctx", "row")

    def __init__(self, ctx: WriteContext, row: ObjectRow, attribute: Attribute) -> None:
        self.ctx = ctx
        self.row = row
        self.attribute = attribute
        self._add: dict[Value, None] = {}
        self._remove: dict[Value, None] = {}
        self._all: dict[Value, LinkRow] | None = None
        self._cleared = False

    def _stands(self, value: Value) -> bool:
        """Whether the store holds the value as living."""
        if self._all is not None:
            return value in self._all
        found = linked_values.find(self.ctx, self.row.dnt, self.attribute, *value)
        return found is not None and not found.deleted

    def _is_live(self, value: Value) -> bool:
        if value in self._add:
            return True
        return not self._cleared and value not in self._remove and self._stands(value)

    def add(self, value: Value) -> bool:
        """Add a value; False if it is there. Refuses a second one of a single-valued attribute."""
        if self._is_live(value):
            return False
        if self.attribute.single_valued and self._count(2) > 0:
            raise DsError(
                Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
                f"{self.attribute.name} has its one value",
                ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
                attribute=self.attribute.name,
            )
        self._remove.pop(value, None)
        self._add[value] = None
        return True

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
        return bool(self.added() or self._gone())

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
        for value in self._gone():
            linked_values.remove_value(self.ctx, self.row.dnt, self.attribute, value, usn)
        for value in self._add:
            linked_values.add_value(self.ctx, self.row.dnt, self.attribute, value, usn)
