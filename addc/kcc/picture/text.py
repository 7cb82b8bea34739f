"""How wide text is, without a font at hand, and text cut to a width."""

from typing import Final

_NARROW: Final = frozenset("iljtfrI.,:;'|!()[]- ")
_WIDE: Final = frozenset("mwMW@%&")
_ASIAN_FROM: Final = "\u2e80"


def text_width(text: str, size: float) -> float:
    """About the width of a line in a plain face, on the safe side."""
    units = 0.0
    for one in text:
        if one >= _ASIAN_FROM:
            units += 1.05
        elif one in _NARROW:
            units += 0.40
        elif one in _WIDE:
            units += 0.92
        elif one.isupper():
            units += 0.74
        else:
            units += 0.61
    return units * size


def cut(text: str, width: float, size: float) -> str:
    """The text, or as much of its start as fits and an ellipsis."""
    if text_width(text, size) <= width:
        return text
    kept = text
    while kept and text_width(kept + "…", size) > width:
        kept = kept[:-1]
    return kept + "…"
