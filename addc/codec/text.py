"""UTF-16 as Windows writes it, and the case folding that its directory compares by.

Spec: [MS-UCODEREF], [MS-ADTS] 3.1.1.2.2.4.
"""

from addc.base.errors import DecodeError


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
