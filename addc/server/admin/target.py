"""Where administrators' commands work: one shape for the directory in this process and for a DC elsewhere.

A command reads with `search` and `read`, says in values what is to change, and hands these to `apply`. Here
they are one transaction; elsewhere they are requests one after the other. What is allowed is the directory's
to say, either way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from addc.base.secret import Secret
from addc.codec.filter import Filter, Present
from addc.codec.ids import Sid
from addc.directory.changes import Change, ModOp

__all__ = [
    "BASE", "EVERYTHING", "ONE_LEVEL", "SUBTREE", "Add", "Change", "Delete", "Entry", "Look", "ModOp",
    "Modify", "Move", "Operation", "Place", "Target",
]  # fmt: skip

BASE: Final = 0
ONE_LEVEL: Final = 1
SUBTREE: Final = 2
"""Scopes of searches, as LDAP numbers them."""
EVERYTHING: Final = Present("objectClass")
Values = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as it was read: its DN, and values by lower-case attribute name."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)

    def all(self, name: str) -> tuple[bytes, ...]:
        return self.values.get(name.lower(), ())

    def first(self, name: str) -> bytes | None:
        found = self.all(name)
        return found[0] if found else None

    def texts(self, name: str) -> list[str]:
        return [value.decode("utf-8", "replace") for value in self.all(name)]

    def text(self, name: str) -> str:
        """The first value as text; "" where there is none."""
        found = self.first(name)
        return "" if found is None else found.decode("utf-8", "replace")

    def number(self, name: str, default: int = 0) -> int:
        found = self.first(name)
        return default if found is None else int(found)

    def sid(self) -> Sid | None:
        found = self.first("objectSid")
        return None if found is None else Sid.of(found)

    def is_a(self, name: str) -> bool:
        """Whether it is of a class."""
        return name.lower() in (one.lower() for one in self.texts("objectClass"))


@dataclass(frozen=True, slots=True)
class Add:
    """Make an object."""

    dn: str
    attributes: Sequence[tuple[str, Values]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Modify:
    """Change attributes; all or none. dn: "" is the rootDSE, for roles and the like."""

    dn: str
    changes: Sequence[Change] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delete:
    """End an object. tree: with all below it."""

    dn: str
    tree: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Give an object another name, another place, or both. new_parent: None for the present one."""

    dn: str
    new_rdn: str
    new_parent: str | None = None


Operation = Add | Modify | Delete | Move


@dataclass(frozen=True, slots=True)
class Place:
    """What a target is a DC of. name: for people, the DC or the folder."""

    name: str
    dns_domain: str
    domain_dn: str
    config_dn: str
    schema_dn: str
    host: str = ""

    @property
    def realm(self) -> str:
        return self.dns_domain.upper()


@dataclass(frozen=True, slots=True)
class Look:
    """How a search looks.

    sd_flags: parts of nTSecurityDescriptor, None for no say. limit: entries, 0 for all there are.
    """

    deleted: bool = False
    sd_flags: int | None = None
    limit: int = 0


PLAIN_LOOK: Final = Look()


class Target(Protocol):
    """One directory to work on. All raise UserError for what is refused, in people's words."""

    @property
    def place(self) -> Place: ...

    def search(
        self,
        base: str,
        scope: int,
        wanted: Filter = EVERYTHING,
        attributes: Sequence[str] = (),
        look: Look = PLAIN_LOOK,
    ) -> Iterator[Entry]:
        """Every object found, with all values of each attribute, however many there are."""
        ...

    def read(self, dn: str, attributes: Sequence[str] = (), look: Look = PLAIN_LOOK) -> Entry | None:
        """One object; None where there is none (or none that the asker may see)."""
        ...

    def apply(self, operations: Sequence[Operation], *, dry_run: bool = False) -> None:
        """Carry out changes in order.

        dry_run: here, all is done and taken back; elsewhere, rights are asked for and nothing is sent.
        """
        ...

    def close(self) -> None: ...


def text(value: str) -> tuple[bytes, ...]:
    """One value of an attribute."""
    return (value.encode(),)


def unicode_pwd(password: str) -> tuple[bytes, ...]:
    """A password as unicodePwd has it. Spec: [MS-ADTS] 3.1.1.3.1.5."""
    return (f'"{password}"'.encode("utf-16-le"),)


def secret_pwd(password: Secret) -> tuple[bytes, ...]:
    """`unicode_pwd` of UTF-8."""
    return unicode_pwd(password.reveal().decode())


def replace(attribute: str, *values: bytes) -> Change:
    """A change that leaves just these values."""
    return Change(ModOp.REPLACE, attribute, values)


def insert(attribute: str, *values: bytes) -> Change:
    """A change that puts values beside those that are there."""
    return Change(ModOp.ADD, attribute, values)


def remove(attribute: str, *values: bytes) -> Change:
    """A change that takes values away; all without any."""
    return Change(ModOp.DELETE, attribute, values)
