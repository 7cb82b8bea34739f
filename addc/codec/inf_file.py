"""Files of sections with "name = value" lines, as gpt.ini and security templates are.

What is read is kept line by line, so that a change to one value leaves all others, comments and order as
they were.

Spec: [MS-GPOL] 2.2.4 (gpt.ini), [MS-GPSB] 2.2 (GptTmpl.inf).
"""

from collections.abc import Iterator
from typing import Final

from addc.base.errors import DecodeError

SIZE_MAX: Final = 4_194_304
_BOM16: Final = b"\xff\xfe"
_BOM8: Final = b"\xef\xbb\xbf"
_NEWLINE: Final = "\r\n"
_TIGHT: Final = frozenset(("general", "unicode", "registry values", "version"))
"""Sections whose lines Windows writes without spaces around the sign."""


class InfFile:
    """A file's lines; section and value names compare without case."""

    __slots__ = ("_lines", "encoding")

    def __init__(self, lines: list[str] | None = None, encoding: str = "ascii") -> None:
        self._lines = lines if lines is not None else []
        self.encoding = encoding

    @classmethod
    def unpack(cls, data: bytes) -> "InfFile":
        """Read UTF-16 with its mark, UTF-8 with its mark, or octets. Raises DecodeError."""
        if len(data) > SIZE_MAX:
            raise DecodeError("too large for a file of settings", len(data), "InfFile")
        if data.startswith(_BOM16):
            encoding, body = "utf-16", data[2:]
        elif data.startswith(_BOM8):
            encoding, body = "utf-8", data[3:]
        else:
            encoding, body = "ascii", data
        try:
            text = body.decode({"utf-16": "utf-16-le", "utf-8": "utf-8", "ascii": "latin-1"}[encoding])
        except UnicodeDecodeError as error:
            raise DecodeError(f"not {encoding}", error.start, "InfFile") from None
        return cls(text.replace(_NEWLINE, "\n").rstrip("\n").split("\n") if text else [], encoding)

    def pack(self) -> bytes:
        """The file's octets."""
        text = "".join([line + _NEWLINE for line in self._lines])
        if self.encoding == "utf-16":
            return _BOM16 + text.encode("utf-16-le")
        return _BOM8 + text.encode() if self.encoding == "utf-8" else text.encode("latin-1", "replace")

    def _walk(self) -> Iterator[tuple[int, str, str, str]]:
        """(line, section, name, value) of each value; name "" for the section's own line."""
        section = ""
        for number, line in enumerate(self._lines):
            bare = line.strip("\ufeff \t\0")
            if not bare or bare.startswith(";"):
                continue
            if bare.startswith("[") and bare.endswith("]"):
                section = bare[1:-1].strip().lower()
                yield number, section, "", ""
            else:
                name, _, value = bare.partition("=")
                yield number, section, name.strip(), value.strip()

    def sections(self) -> list[str]:
        """The sections' names in small letters."""
        return [section for _, section, name, _ in self._walk() if not name]

    def items(self, section: str) -> list[tuple[str, str]]:
        """Names and values of a section in their order."""
        wanted = section.lower()
        return [(name, value) for _, found, name, value in self._walk() if name and found == wanted]

    def get(self, section: str, name: str) -> str | None:
        """A value; the last, where it is given more than once."""
        found = None
        for held, value in self.items(section):
            if held.lower() == name.lower():
                found = value
        return found

    def put(self, section: str, name: str, value: str) -> None:
        """Set a value where it stands, else at the end of its section, else in a new section."""
        wanted, end = section.lower(), None
        line = f"{name}={value}" if wanted in _TIGHT else f"{name} = {value}"
        for number, found, held, _ in list(self._walk()):
            if found != wanted:
                continue
            end = number + 1
            if held.lower() == name.lower():
                self._lines[number] = line
                return
        if end is None:
            self._lines.append(f"[{section}]")
            end = len(self._lines)
        self._lines.insert(end, line)

    def drop(self, section: str, name: str) -> None:
        """Take a value away."""
        wanted = [
            number
            for number, found, held, _ in self._walk()
            if found == section.lower() and held.lower() == name.lower()
        ]
        for number in reversed(wanted):
            del self._lines[number]
