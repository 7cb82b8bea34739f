"""SVCB and HTTPS: a target and its parameters, as text and as octets.

Spec: RFC 9460 2.1, 2.2, 7, 8, Appendix A, RFC 9461 5, RFC 9540 4
"""

import re
from base64 import b64decode
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.dns_names import pack_text, read_name
from addc.codec.dns_rdata import pack_strings, read_strings
from addc.codec.dns_words import Words, number, quoted, show_base64, show_name, unescaped

_MANDATORY, _ALPN, _NO_DEFAULT_ALPN, _PORT, _IPV4HINT, _ECH, _IPV6HINT, _DOHPATH, _OHTTP = range(9)
_KEYS: Final = (
    "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp",
)  # fmt: skip
_EMPTY_KEYS: Final = frozenset({_NO_DEFAULT_ALPN, _OHTTP})
_ADDRESS_SIZES: Final = {_IPV4HINT: 4, _IPV6HINT: 16}
_KEY_RESERVED: Final = 65_535
_VALUE_MAX: Final = 0xFFFF
_ITEMS: Final = re.compile(rb"((?:[^,\\]|\\.)*)(?:,|$)", re.DOTALL)
_ITEM_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)


def show_svcb(reader: Reader) -> str:
    """Priority, target and parameters; DecodeError where these are out of order or not well-formed."""
    priority = int.from_bytes(reader.take(2, "SVCB.priority"), "big")
    parts = [str(priority), show_name(read_name(reader, pointers=False))]
    last = -1
    while reader.remaining():
        key = int.from_bytes(reader.take(2, "SVCB.key"), "big")
        value = reader.take(int.from_bytes(reader.take(2, "SVCB.length"), "big"), "SVCB.value")
        if key <= last:
            raise DecodeError("keys are in no order", reader.pos, "SVCB.key")
        last = key
        parts.append(_show_parameter(key, value))
    return " ".join(parts)


def _key_text(key: int) -> str:
    return _KEYS[key] if key < len(_KEYS) else f"key{key}"


def _show_parameter(key: int, value: bytes) -> str:
    name = _key_text(key)
    if key in _EMPTY_KEYS:
        if value:
            raise DecodeError("no value wanted", 0, name)
        return name
    if key == _MANDATORY:
        if not value or len(value) % 2:
            raise DecodeError("keys wanted", 0, name)
        keys = [int.from_bytes(value[at : at + 2], "big") for at in range(0, len(value), 2)]
        return f"{name}={','.join(map(_key_text, keys))}"
    if key == _ALPN:
        items = read_strings(Reader(value))
        if not items or not all(items):
            raise DecodeError("protocols wanted", 0, name)
        escaped = (item.replace(b"\\", b"\\\\").replace(b",", b"\\,") for item in items)
        return f"{name}={quoted(b','.join(escaped))}"
    if key == _PORT:
        if len(value) != 2:
            raise DecodeError("two octets wanted", 0, name)
        return f"{name}={int.from_bytes(value, 'big')}"
    if key in _ADDRESS_SIZES:
        return f"{name}={','.join(_show_addresses(value, _ADDRESS_SIZES[key]))}"
    if key == _ECH:
        return f"{name}={show_base64(value)}"
    return f"{name}={quoted(value)}" if value else name


def _show_addresses(value: bytes, size: int) -> list[str]:
    if not value or len(value) % size:
        raise DecodeError("addresses wanted", 0, "SVCB.hint")
    parts = [value[at : at + size] for at in range(0, len(value), size)]
    return [str(IPv4Address(part)) if size == 4 else str(IPv6Address(part)) for part in parts]


def parse_svcb(words: Words) -> bytes:
    """The octets of priority, target and parameters in any order. Raises DecodeError."""
    head = words.u16().to_bytes(2, "big") + pack_text(words.name())
    values: dict[int, bytes] = {}
    for word in words.rest():
        name, equals, value = word.partition("=")
        key = _key_number(name)
        if key in values:
            raise DecodeError(f"{name} stands twice", -1, "SVCB")
        values[key] = _parse_parameter(key, value if equals else "")
    _check_mandatory(values)
    return head + b"".join(
        key.to_bytes(2, "big") + len(values[key]).to_bytes(2, "big") + values[key] for key in sorted(values)
    )


def _check_mandatory(values: dict[int, bytes]) -> None:
    listed = values.get(_MANDATORY, b"")
    keys = [int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2)]
    if any(key == _MANDATORY or key not in values for key in keys) or len(set(keys)) != len(keys):
        raise DecodeError("mandatory names keys that are there, each once", -1, "SVCB.mandatory")
    if _NO_DEFAULT_ALPN in values and _ALPN not in values:
        raise DecodeError("no-default-alpn wants alpn", -1, "SVCB")


def _key_number(name: str) -> int:
    if name in _KEYS:
        return _KEYS.index(name)
    if not name.startswith("key"):
        raise DecodeError(f"{name!r} is no key that is known here", -1, "SVCB.key")
    return number(name[3:], _KEY_RESERVED - 1)


def _parse_parameter(key: int, text: str) -> bytes:
    if key in _EMPTY_KEYS:
        if text:
            raise DecodeError("no value wanted", -1, _key_text(key))
        return b""
    value = unescaped(text)
    if len(value) > _VALUE_MAX:
        raise DecodeError("the value is too long", -1, _key_text(key))
    if key == _MANDATORY:
        keys = sorted(_key_number(item.decode("utf-8", "replace")) for item in _items(value))
        return b"".join(each.to_bytes(2, "big") for each in keys)
    if key == _ALPN:
        return pack_strings(_items(value))
    if key == _PORT:
        return number(text, 0xFFFF).to_bytes(2, "big")
    try:
        if key in _ADDRESS_SIZES:
            kind = IPv4Address if key == _IPV4HINT else IPv6Address
            return b"".join(kind(item.decode("ascii")).packed for item in _items(value))
        return b64decode(value, validate=True) if key == _ECH else value
    except ValueError as error:
        raise DecodeError(str(error), -1, _key_text(key)) from error


def _items(value: bytes) -> Sequence[bytes]:
    """A list with commas between, which a backslash makes plain."""
    items, pos = [], 0
    while pos <= len(value):
        found = _ITEMS.match(value, pos)
        if found is None or not found.group(1):
            raise DecodeError("an empty item of a list", -1, "SVCB")
        items.append(_ITEM_ESCAPE.sub(rb"\1", found.group(1)))
        if found.end() == len(value) and not found.group(0).endswith(b","):
            break
        pos = found.end()
    return items
