"""UTF-16 as Windows writes it, and the case folding that its directory compares by.

Spec: [MS-UCODEREF], [MS-ADTS] 3.1.1.2.2.4.
"""

import unicodedata
from typing import Final

from addc.base.errors import DecodeError

# Letters whose mark Unicode does not take apart but Windows' sort weights count as a mark or an expansion.
_PLAIN_LETTERS: Final = str.maketrans(
    {
        "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "ŧ": "t",
        "æ": "ae", "œ": "oe", "þ": "th", "ſ": "s",
        # Katakana to hiragana (NORM_IGNOREKANATYPE).
        **{chr(kana): chr(kana - 0x60) for kana in range(0x30A1, 0x30F7)},
    }
)  # fmt: skip


def utf16_to_wire(text: str) -> bytes:
    """UTF-16LE; unpaired surrogates pass, since Windows passwords may hold them."""
    return text.encode("utf-16-le", "surrogatepass")


def utf16_from_wire(data: bytes, path: str = "UTF-16") -> str:
    if len(data) % 2:
        raise DecodeError("odd number of bytes", len(data), path)
    return data.decode("utf-16-le", "surrogatepass")


def utf8_from_wire(data: bytes, path: str = "UTF-8") -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError("not UTF-8", error.start, path) from None


def fold(text: str) -> str:
    """The form of `text` in which equal names are equal strings.

    Deviation: Windows compares sort keys of its own weight tables (NORM_IGNORECASE, IGNORENONSPACE,
    IGNOREKANATYPE, IGNOREWIDTH). Here: full case folding, compatibility decomposition (width, ligatures),
    accents and other nonspacing marks dropped, katakana read as hiragana. Equality agrees for the scripts of
    personal and host names; the order is that of code points, not of a language.
    Spec: [MS-ADTS] 3.1.1.2.2.4.13, 6.5.1.
    """
    if text.isascii():
        return text.lower()
    taken_apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join([char for char in taken_apart if unicodedata.category(char) != "Mn"])
    # Folding again: decomposition may bring capitals back (MICRO and TELEPHONE signs, for instance).
    folded = unicodedata.normalize("NFKC", bare.casefold().translate(_PLAIN_LETTERS))
    return folded


def fold_utf8(data: bytes) -> bytes:
    """`fold` of UTF-8 bytes; the common ASCII case costs a tenth of a microsecond."""
    if data.isascii():
        return data.lower()
    return fold(utf8_from_wire(data)).encode("utf-8")
