"""Values that equal themselves alone, to look things up by what cannot or should not be compared."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Same(Generic[T]):
    """A value as a key of a cache: two are equal if they hold the very same object.

    It keeps the object alive, so that its identity is not another's meanwhile.
    """

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)
