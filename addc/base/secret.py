"""Values that must never be printed, logged or compared byte by byte."""

import hmac


class Secret:
    """Bytes that stay out of reprs, logs and exceptions; `reveal()` marks every place that needs them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    @classmethod
    def of_text(cls, text: str) -> "Secret":
        """The UTF-8 bytes of `text`."""
        return cls(text.encode("utf-8", "surrogatepass"))

    def reveal(self) -> bytes:
        return self._value

    def matches(self, other: "Secret | bytes") -> bool:
        """Compare in constant time."""
        value = other.reveal() if isinstance(other, Secret) else other
        return hmac.compare_digest(self._value, value)

    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other)

    def __hash__(self) -> int:
        raise TypeError("a Secret is not hashable")
