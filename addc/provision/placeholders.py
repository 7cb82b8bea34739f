"""Fills the placeholders of the provision data.

Spec: [MS-ADTS] 6.1.1
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from addc.base.errors import LocalProtocolError
from addc.codec.ids import guid_to_wire

_SIMPLE: Final = re.compile(r"\{([A-Za-z]+)\}")
_WITH_ARGUMENT: Final = re.compile(r"\{(GUID|HYPER|SID|OBJECTGUID):([^{}]*)\}")
_HEX: Final = "hex:"


class Placeholders:
    """Texts and values with every placeholder filled.

    texts: by name, such as DOMAINDN. wire: names whose value is an octet string, such as INVOCATIONID.
    new_guid: a fresh GUID; {GUID:x} draws one for each x. sids: by sAMAccountName; guids: of objects, by DN
    in lower case; both are filled while objects are drafted.
    """

    def __init__(
        self, texts: Mapping[str, str], wire: Mapping[str, bytes], new_guid: Callable[[], UUID]
    ) -> None:
        self._texts = dict(texts)
        self._wire = {f"{{{name}}}": value for name, value in wire.items()}
        self._new_guid = new_guid
        self._named: dict[str, UUID] = {}
        self.sids: dict[str, str] = {}
        self.guids: dict[str, UUID] = {}

    def define(self, name: str, text: str) -> None:
        """Give a placeholder its text, once that is known."""
        self._texts[name] = text

    def text(self, template: str) -> str:
        """`template` with all placeholders filled; braces that hold anything else stay."""
        if "{" not in template:
            return template
        filled = _SIMPLE.sub(self._simple, template)
        return _WITH_ARGUMENT.sub(self._with_argument, filled) if ":" in filled else filled

    def value(self, template: str) -> bytes:
        """The value in LDAP form: octets of hex: and of GUID placeholders that stand alone, else UTF-8."""
        if template.startswith(_HEX):
            return bytes.fromhex(template[len(_HEX) :])
        wire = self._wire.get(template)
        if wire is not None:
            return wire
        if template.startswith("{OBJECTGUID:"):
            return guid_to_wire(UUID(self.text(template)))
        return self.text(template).encode("utf-8")

    def _simple(self, match: re.Match[str]) -> str:
        found = self._texts.get(match.group(1))
        if found is None:
            raise LocalProtocolError(f"unknown placeholder {match.group()} in the provision data")
        return found

    def _with_argument(self, match: re.Match[str]) -> str:
        kind, argument = match.groups()
        if kind == "GUID":
            if argument not in self._named:
                self._named[argument] = self._new_guid()
            return str(self._named[argument])
        if kind == "HYPER":
            low, high = argument.split(":")
            return str(int(high) << 32 | int(low))
        if kind == "SID":
            return self.sids[argument]
        return str(self.guids[argument.lower()])
