"""Enumerations that survive numbers which nobody listed."""

from enum import IntEnum
from typing import Self


class OpenIntEnum(IntEnum):
    """Numbers from a registry that peers may extend.

    An unknown number becomes a value named UNKNOWN_0x..., equal to that number.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        new = int.__new__(cls, value)
        new._name_ = f"UNKNOWN_{value:#x}"
        new._value_ = value
        return new
