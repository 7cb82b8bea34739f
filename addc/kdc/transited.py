"""The realms that a ticket came through: DOMAIN-X500-COMPRESS read, and one more realm added.

Spec: RFC 4120 2.7, 3.3.3.2.
"""

from typing import Final

from addc.base.errors import DecodeError

TRANSITED_MAX: Final = 4096
"""Bytes of a list that is read."""
REALMS_MAX: Final = 64
_PATH: Final = "TransitedEncoding.contents"


def _split(contents: bytes) -> list[tuple[str, bool, bool]]:
    """(text without escapes, whether a last dot joins, whether a first slash joins) per subfield."""
    try:
        text = contents.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("realms are text", 0, _PATH) from None
    fields: list[tuple[str, bool, bool]] = []
    current: list[str] = []
    escaped = dotted = False
    slashed = text.startswith("/")

    def close() -> None:
        fields.append(("".join(current), dotted, slashed))
        if len(fields) > REALMS_MAX:
            raise DecodeError(f"over {REALMS_MAX} realms", 0, _PATH)

    for at, character in enumerate(text):
        if escaped:
            current.append(character)
            escaped, dotted = False, False
        elif character == "\\":
            escaped = True
        elif character == ",":
            close()
            current.clear()
            dotted, slashed = False, text[at + 1 : at + 2] == "/"
        else:
            current.append(character)
            dotted = character == "."
    if escaped:
        raise DecodeError("an escape of nothing", len(contents), _PATH)
    close()
    return fields


def realms(contents: bytes, crealm: str, srealm: str) -> tuple[str, ...]:
    """Every realm between the client's and the server's, in the order of the list.

    Raises DecodeError for what is no such list, or leaves out realms that names do not tell.
    """
    if not contents:
        return ()
    if len(contents) > TRANSITED_MAX:
        raise DecodeError(f"over {TRANSITED_MAX} bytes", 0, _PATH)
    named: list[str] = []
    last = ""
    for text, dotted, slashed in _split(contents):
        if not text:
            named.append("")
            continue
        if dotted:
            last = text + last if last else text[:-1]
        elif slashed and last.startswith("/"):
            last = last + text
        else:
            last = text.removeprefix(" ")
        named.append(last)
    return _filled(named, crealm, srealm)


def _filled(named: list[str], crealm: str, srealm: str) -> tuple[str, ...]:
    """With the realms that empty subfields stand for: those between their neighbours."""
    found: list[str] = []
    for at, realm in enumerate(named):
        if realm:
            found.append(realm)
            continue
        before = next((one for one in reversed(named[:at]) if one), crealm)
        after = next((one for one in named[at + 1 :] if one), srealm)
        found += _between(before, after)
        if len(found) > REALMS_MAX:
            raise DecodeError(f"over {REALMS_MAX} realms", 0, _PATH)
    return tuple(dict.fromkeys(found))


def _between(one: str, other: str) -> list[str]:
    """The realms on the way from one to one that is above or below it."""
    low, high = (one, other) if len(one) > len(other) else (other, one)
    if low == high:
        return []
    slash = low.startswith("/")
    if not (low.startswith(high + "/") if slash else low.endswith("." + high)):
        raise DecodeError("realms left out that names do not tell", -1, _PATH)
    found: list[str] = []
    while True:
        low = low.rpartition("/")[0] if slash else low.partition(".")[2]
        if low == high or not low:
            return found
        found.append(low)


def with_realm(contents: bytes, realm: str) -> bytes:
    """The list with one realm more; it is not compressed, which nobody has to do."""
    text = "".join("\\" + one if one in ",\\" else one for one in realm)
    if text.endswith("."):
        text = text[:-1] + "\\."
    if text.startswith("/"):
        text = " " + text
    field = text.encode("utf-8")
    return contents + b"," + field if contents else field
