"""Text from elsewhere as a terminal may have it: nothing in it moves the cursor, colours or turns the order.

Names in a directory, and in a file even more so, are what others wrote.
"""

import re
from typing import Final

_ACTS: Final = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters but tabs, those that turn the direction of text or part lines, and halves of pairs."""


def visible(line: str) -> str:
    """One line, with an escape in the place of each character that would act."""
    return line if line.isprintable() else _ACTS.sub(_escape, line)


def visible_lines(text: str) -> str:
    """The same for text of several lines."""
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def visible_json(text: str) -> str:
    """The same for JSON, which stays that: line ends between values stay as they are."""
    return text if text.isprintable() else _ACTS.sub(_json_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _json_escape(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}"
