"""A finding: something in a topology that an administrator should know, as a value."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is; the worst comes first."""

    ERROR = 0
    """Changes do not arrive somewhere."""
    WARNING = 1
    """It works, and one more thing going wrong ends that; or something does not work as it was meant."""
    NOTE = 2
    """Good to know."""

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    code: for machines. where: DN of the object that it is about. what, then: what is so, and what to do, in
    people's words. weight: of two with one code the heavier comes first.
    """

    severity: Severity
    code: str
    where: str
    what: str
    then: str
    weight: int = 0


def in_order(found: list[Finding]) -> tuple[Finding, ...]:
    """The worst first, alike ones together, then by weight and name."""
    return tuple(sorted(found, key=lambda one: (one.severity, one.code, -one.weight, one.what, one.where)))
