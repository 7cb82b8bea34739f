"""Sort keys of text, for the sort orders of languages that searches can name.

Spec: [MS-ADTS] 6.5.1, 3.1.1.3.4.1.13 (which OIDs name which order), [MS-UCODEREF] 3.1.5.2.
"""

import unicodedata
from collections.abc import Callable
from typing import Final

from addc.codec.text import fold, utf8_from_wire

_OID_ARC: Final = "1.2.840.113556.1.4."
_SYMBOLS: Final = ' \t\n\v\f\r!"#$%&()*,./:;?@[\\]^_`{|}~+<=>'
"""Symbols in the order of their weights; digits follow, then letters."""
_MINOR: Final = "'-"
"""Ignored at first: word sort puts "co-op" beside "coop"."""
_MARK: Final = 0xE000
"""A character from here on, behind a letter, makes another that comes after all words with the first."""


def _weights() -> bytes:
    """The weight of each ASCII character, by code: 0x02 and up, since 0x01 ends the first part of a key."""
    table = bytearray(256)
    for place, char in enumerate(_SYMBOLS):
        table[ord(char)] = 0x02 + place
    for place, char in enumerate("0123456789abcdefghijklmnopqrstuvwxyz"):
        table[ord(char)] = _OTHER_SYMBOLS + 1 + place
    return bytes(table)


_OTHER_SYMBOLS: Final = 0x40
"""Goes before the code point of symbols beyond ASCII, which come before digits."""
_OTHER_LETTERS: Final = 0xF0
"""Goes before the code point of letters beyond those that fold to ASCII."""
_WEIGHTS: Final = _weights()
_WEIGHTLESS: Final = bytes(code for code in range(128) if not _WEIGHTS[code] and not 65 <= code <= 90)
"""Control characters and those of _MINOR."""
_BEYOND_ASCII: Final = 0x80


def _tail(folded: str) -> bytes:
    """Tells strings apart that differ only in what has no weight of its own."""
    if "-" in folded or "'" in folded:
        return b"\x01" + folded.encode("utf-8", "surrogatepass")
    return b""


def sort_key(text: str, tailor: "Tailor | None" = None) -> bytes:
    """Bytes that compare as the strings sort: without regard to case, marks, width and kind of kana.

    tailor: the letters of a language that sort in places of their own; None for English and most others.
    Deviation: the weights of Windows' tables are known here for ASCII, and for other scripts the order of
    code points stands for them.
    """
    if text.isascii():
        if tailor is not None:
            return _weigh(fold(tailor(text.lower())))
        lower = text.lower()
        return lower.encode("ascii").translate(_WEIGHTS, _WEIGHTLESS) + _tail(lower)
    if tailor is not None:
        text = tailor(unicodedata.normalize("NFC", text).lower())
    return _weigh(fold(text.translate(_BETWEEN)))


def _weigh(folded: str) -> bytes:
    out = bytearray()
    for char in folded:
        code = ord(char)
        if code >= _BEYOND_ASCII:
            out.append(_OTHER_SYMBOLS if unicodedata.category(char)[0] in "PSZ" else _OTHER_LETTERS)
            out += code.to_bytes(3, "big")
        elif _WEIGHTS[code]:
            out.append(_WEIGHTS[code])
    return bytes(out) + _tail(folded)


def _between() -> dict[int, str]:
    """Characters that sort between others for everybody: fractions before 1, eng behind n."""
    fractions = [0xBC, 0xBD, 0xBE, *range(0x2150, 0x215F)]
    found = {code: f"0{chr(_MARK + round(100 * unicodedata.numeric(chr(code))))}" for code in fractions}
    return {**found, ord("ŋ"): f"n{chr(_MARK)}", ord("Ŋ"): f"n{chr(_MARK)}"}


_BETWEEN: Final = _between()

Tailor = Callable[[str], str]


def _after(pairs: str) -> dict[str, str]:
    """ "ä:z1 ö:z2": each letter comes after all words with the base letter, in the order of the numbers."""
    found = {}
    for pair in pairs.split():
        letters, _, place = pair.partition(":")
        put = place.rstrip("0123456789")
        rank = place[len(put) :]
        found[letters] = put + (chr(_MARK + int(rank)) if rank else "")
    return found


_SWEDISH: Final = "å:z1 ä:z2 æ:z2 ö:z3 ø:z3"
_DANISH: Final = "aa:z3 å:z3 æ:z1 ä:z1 ø:z2 ö:z2"
_CZECH: Final = "ch:h1 č:c1 ř:r1 š:s1 ž:z1"
_CROATIAN: Final = "dž:d1 lj:l1 nj:n1 č:c1 ć:c2 đ:d2 š:s1 ž:z1"
_TURKISH: Final = "ç:c1 ğ:g1 ı:h1 ö:o1 ş:s1 ü:u1"

_TAILORINGS: Final[dict[str, str]] = {
    "Czech": _CZECH,
    "Slovak": "ch:h1 č:c1 š:s1 ž:z1 ä:a1 ô:o1",
    "Croatian": _CROATIAN,
    "Serbian": _CROATIAN,
    "Slovenian": "č:c1 š:s1 ž:z1",
    "Danish": _DANISH,
    "Norwegian": _DANISH,
    "Estonian": "š:s1 z:s2 ž:s3 õ:w1 ä:w2 ö:w3 ü:w4",
    "Faeroese": "æ:z1 ø:z2",
    "Finnish": _SWEDISH,
    "Swedish": _SWEDISH,
    "German Phone": "ä:ae ö:oe ü:ue",
    "Hungarian": "dzs:d2 dz:d1 cs:c1 gy:g1 ly:l1 ny:n1 sz:s1 ty:t1 zs:z1 ö:o1 ő:o1 ü:u1 ű:u1",
    "Icelandic": "á:a1 ð:d1 é:e1 í:i1 ó:o1 ú:u1 ý:y1 þ:z1 æ:z2 ö:z3",
    "Latvian": "č:c1 ģ:g1 ķ:k1 ļ:l1 ņ:n1 š:s1 ž:z1",
    "Lithuanian": "č:c1 š:s1 ž:z1 y:i1",
    "Polish": "ą:a1 ć:c1 ę:e1 ł:l1 ń:n1 ó:o1 ś:s1 ź:z1 ż:z2",
    "Romanian": "ă:a1 â:a2 î:i1 ș:s1 ş:s1 ț:t1 ţ:t1",
    "Spanish Traditional": "ch:c1 ll:l1 ñ:n1",
    "Spanish": "ñ:n1",
    "Turkish": _TURKISH,
    "Azeri Latin": _TURKISH,
    "Vietnamese": "ă:a1 â:a2 đ:d1 ê:e1 ô:o1 ơ:o2 ư:u1",
}
"""Languages with letters that do not sort where their base letter does."""

_NAMED: Final[dict[str, tuple[int, ...]]] = {
    "Azeri Latin": (1481,),
    "Croatian": (1494,),
    "Czech": (1495,),
    "Danish": (1496,),
    "Estonian": (1512,),
    "Faeroese": (1513,),
    "Finnish": (1515,),
    "Hungarian": (1532, 1617),
    "Icelandic": (1533,),
    "Latvian": (1548,),
    "Lithuanian": (1549,),
    "Norwegian": (1558, 1559),
    "Polish": (1561,),
    "Romanian": (1565,),
    "Serbian": (1569,),
    "Slovak": (1571,),
    "Slovenian": (1572,),
    "Spanish Traditional": (1573,),
    "Spanish": tuple(range(1574, 1593)),
    "Swedish": (1594, 1595),
    "Turkish": (1600,),
    "Vietnamese": (1606,),
    "German Phone": (1616,),
}

JAPANESE: Final = _OID_ARC + "1538"
"""The order that a phonetic display name sort must name."""


def _tailor(rules: dict[str, str]) -> Tailor:
    letters = str.maketrans({seen: put for seen, put in rules.items() if len(seen) == 1})
    groups = [(seen, put) for seen, put in rules.items() if len(seen) > 1]

    def tailor(text: str) -> str:
        for seen, put in groups:
            text = text.replace(seen, put)
        return text.translate(letters)

    return tailor


def _orders() -> dict[str, Tailor | None]:
    numbers = (*range(1461, 1501), *range(1505, 1621), *range(1665, 1669))
    found: dict[str, Tailor | None] = {f"{_OID_ARC}{number}": None for number in numbers}
    for language, places in _NAMED.items():
        tailor = _tailor(_after(_TAILORINGS[language]))
        for number in places:
            found[f"{_OID_ARC}{number}"] = tailor
    return found


ORDERS: Final[dict[str, Tailor | None]] = _orders()
"""The orders that a sort key's orderingRule can name, by OID. Spec: [MS-ADTS] 3.1.1.3.4.1.13."""


def key_of_utf8(oid: str) -> Callable[[bytes], bytes]:
    """From UTF-8 to the sort key of one order; "" for English: United States.

    Raises KeyError for an OID that names no order.
    """
    tailor = ORDERS[oid] if oid else None
    return lambda value: sort_key(utf8_from_wire(value), tailor)
