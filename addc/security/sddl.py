"""Descriptors as text: the Security Descriptor Description Language.

Spec: [MS-DTYP] 2.5.1.
"""

import re
from typing import Final

from addc.base.errors import DecodeError
from addc.base.limits import ACE_COUNT_MAX
from addc.codec.ids import Sid, guid_from_wire, guid_parse, guid_to_wire
from addc.security import sddl_conditions, wellknown
from addc.security.descriptor import (
    ACL_REVISION,
    ACL_REVISION_DS,
    CALLBACK_TYPES,
    OBJECT_TYPES,
    SYSTEM_MANDATORY_LABEL,
    SYSTEM_RESOURCE_ATTRIBUTE,
    Ace,
    Acl,
    Control,
    SecurityDescriptor,
)
from addc.security.sddl_tables import (
    ACE_FLAGS,
    ACE_TYPES,
    DOMAIN_ALIASES,
    FIXED_ALIASES,
    FOREST_ALIASES,
    LABEL_RIGHTS,
    RIGHTS,
    WHOLE_RIGHTS,
)

_SID: Final = r"S-1-(?:0[xX][0-9a-fA-F]+|[0-9]+)(?:-[0-9]+)*"
_SID_TEXT: Final = re.compile(rf"{_SID}|[A-Za-z]{{2}}", re.IGNORECASE)
_ACL_FLAGS: Final = re.compile(r"(?:P|AR|AI|NO_ACCESS_CONTROL|\s)*")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}")
_NO_ACCESS_CONTROL: Final = "NO_ACCESS_CONTROL"
_TYPE_NAMES: Final = {number: name for name, number in ACE_TYPES.items()}
_ALIAS_OF_SID: Final = {sid: alias for alias, sid in reversed(FIXED_ALIASES.items())}
_DOMAIN_ALIAS_OF_RID: Final = {rid: alias for alias, rid in DOMAIN_ALIASES.items()}
_FOREST_ALIAS_OF_RID: Final = {rid: alias for alias, rid in FOREST_ALIASES.items()}


def parse(text: str, domain_sid: Sid | None = None, forest_sid: Sid | None = None) -> SecurityDescriptor:
    """The descriptor that `text` describes; generic rights stay generic.

    domain_sid, forest_sid: for aliases of a domain (DA) and of the forest root (EA); an alias that needs an
    absent one is an error.
    Raises DecodeError.
    Spec: [MS-DTYP] 2.5.1.1.
    """
    return _Parser(text, domain_sid, forest_sid or domain_sid).descriptor()


def parse_sid(text: str, domain_sid: Sid | None = None, forest_sid: Sid | None = None) -> Sid:
    """A SID in text form or by its two-letter alias."""
    match = _SID_TEXT.fullmatch(text)
    if match is None:
        raise DecodeError("not a SID or alias", 0, "sid-string")
    return _sid(text, domain_sid, forest_sid or domain_sid, 0)


def _sid(text: str, domain_sid: Sid | None, forest_sid: Sid | None, at: int) -> Sid:
    if len(text) > 2:
        return Sid.parse(text)
    alias = text.upper()
    fixed = FIXED_ALIASES.get(alias)
    if fixed is not None:
        return fixed
    rid = DOMAIN_ALIASES.get(alias)
    if rid is not None and domain_sid is not None:
        return domain_sid.child(rid)
    rid = FOREST_ALIASES.get(alias)
    if rid is not None and forest_sid is not None:
        return forest_sid.child(rid)
    raise DecodeError(f"unknown SID alias {alias}", at, "sid-token")


def parse_rights(text: str) -> int:
    """An access mask: letters in pairs, or a number (0x hexadecimal, 0 octal, decimal)."""
    number = _NUMBER.fullmatch(text)
    if number is not None:
        base = 16 if text[:2] in ("0x", "0X") else 8 if text[0] == "0" and len(text) > 1 else 10
        try:
            return int(text, base) & 0xFFFF_FFFF
        except ValueError:
            raise DecodeError("not a number", 0, "ace-rights") from None
    mask = 0
    for at in range(0, len(text), 2):
        pair = text[at : at + 2].upper()
        bits = RIGHTS.get(pair) or WHOLE_RIGHTS.get(pair) or LABEL_RIGHTS.get(pair)
        if bits is None:
            raise DecodeError(f"unknown right {pair}", at, "ace-rights")
        mask |= bits
    return mask


class _Parser:
    """One pass over one text."""

    __slots__ = ("domain_sid", "forest_sid", "pos", "text")

    def __init__(self, text: str, domain_sid: Sid | None, forest_sid: Sid | None) -> None:
        self.text = text.strip()
        self.domain_sid = domain_sid
        self.forest_sid = forest_sid
        self.pos = 0

    def fail(self, why: str, path: str) -> DecodeError:
        return DecodeError(why, self.pos, path)

    def descriptor(self) -> SecurityDescriptor:
        control = int(Control.SR)
        owner: Sid | None = None
        group: Sid | None = None
        lists: dict[str, Acl | None] = {}
        seen: set[str] = set()
        while self.pos < len(self.text):
            part = self.text[self.pos : self.pos + 2].upper()
            if part not in ("O:", "G:", "D:", "S:") or part in seen:
                raise self.fail("O:, G:, D: or S: expected once", "sddl")
            seen.add(part)
            self.pos += 2
            if part == "O:":
                owner = self.sid()
            elif part == "G:":
                group = self.sid()
            else:
                bits, lists[part] = self.acl(part == "D:")
                control |= bits
            while self.text[self.pos : self.pos + 1].isspace():
                self.pos += 1
        return SecurityDescriptor(control, owner, group, lists.get("S:"), lists.get("D:"))

    def sid(self) -> Sid:
        match = _SID_TEXT.match(self.text, self.pos)
        if match is None:
            raise self.fail("not a SID or alias", "sid-string")
        self.pos = match.end()
        return _sid(match.group(), self.domain_sid, self.forest_sid, match.start())

    def acl(self, is_dacl: bool) -> tuple[int, Acl | None]:
        """Control bits and the list; NO_ACCESS_CONTROL is a present list that is NULL."""
        match = _ACL_FLAGS.match(self.text, self.pos)
        assert match is not None
        flags = match.group().upper()
        self.pos = match.end()
        control = int(Control.DP if is_dacl else Control.SP)
        is_null = _NO_ACCESS_CONTROL in flags
        flags = flags.replace(_NO_ACCESS_CONTROL, "")
        if "AR" in flags:
            control |= Control.DC if is_dacl else Control.SC
        if "AI" in flags:
            control |= Control.DI if is_dacl else Control.SI
        if "P" in flags:
            control |= Control.PD if is_dacl else Control.PS
        aces: list[Ace] = []
        while self.text[self.pos : self.pos + 1] == "(":
            if len(aces) >= ACE_COUNT_MAX:
                raise self.fail("too many entries", "aces")
            aces.append(self.ace())
            while self.text[self.pos : self.pos + 1].isspace():
                self.pos += 1
        if is_null and aces:
            raise self.fail("entries after NO_ACCESS_CONTROL", "aces")
        revision = ACL_REVISION_DS if any(ace.type in OBJECT_TYPES for ace in aces) else ACL_REVISION
        return int(control), None if is_null else Acl(revision, tuple(aces))

    def ace(self) -> Ace:
        start = self.pos + 1
        end = self.closing(start)
        fields = self.text[start:end].split(";", 6)
        if len(fields) < 6:
            raise self.fail("six fields expected", "ace")
        kind = ACE_TYPES.get(fields[0].strip().upper())
        if kind is None:
            raise self.fail(f"unknown ACE type {fields[0]}", "ace-type")
        tail = fields[6] if len(fields) > 6 else None
        flags = self.flags(fields[1].strip())
        mask = parse_rights(fields[2].strip().replace(" ", ""))
        guids = [guid_to_wire(guid_parse(field.strip())) if field.strip() else None for field in fields[3:5]]
        if kind not in OBJECT_TYPES and (guids[0] or guids[1]):
            raise self.fail("GUID in an entry without object types", "object-guid")
        sid_text = fields[5].strip()
        if _SID_TEXT.fullmatch(sid_text) is None:
            raise self.fail("not a SID or alias", "sid-string")
        sid = _sid(sid_text, self.domain_sid, self.forest_sid, start)
        data = self.data(kind, tail)
        self.pos = end + 1
        return Ace(kind, flags, mask, sid, guids[0], guids[1], data)

    def data(self, kind: int, tail: str | None) -> bytes:
        """The condition or resource attribute that the seventh field holds."""
        if tail is None:
            if kind in CALLBACK_TYPES or kind == SYSTEM_RESOURCE_ATTRIBUTE:
                raise self.fail("seventh field expected", "ace")
            return b""
        if kind in CALLBACK_TYPES:
            data = sddl_conditions.parse_condition(tail, self._literal_sid)
        elif kind == SYSTEM_RESOURCE_ATTRIBUTE:
            data = sddl_conditions.parse_resource_attribute(tail, self._literal_sid)
        else:
            raise self.fail("no seventh field allowed", "ace")
        return data + bytes(-len(data) % 4)

    def _literal_sid(self, text: str) -> Sid:
        return parse_sid(text, self.domain_sid, self.forest_sid)

    def flags(self, text: str) -> int:
        flags = 0
        for at in range(0, len(text), 2):
            bit = ACE_FLAGS.get(text[at : at + 2].upper())
            if bit is None:
                raise self.fail(f"unknown ACE flag {text[at : at + 2]}", "ace-flag")
            flags |= bit
        return flags

    def closing(self, pos: int) -> int:
        """Where the parenthesis that was opened before `pos` ends; quoted text does not count."""
        depth, quoted, text = 1, False, self.text
        while pos < len(text):
            char = text[pos]
            if char == '"':
                quoted = not quoted
            elif not quoted and char == "(":
                depth += 1
            elif not quoted and char == ")":
                depth -= 1
                if depth == 0:
                    return pos
            pos += 1
        raise self.fail("unclosed parenthesis", "ace")


def format(sd: SecurityDescriptor, domain_sid: Sid | None = None, forest_sid: Sid | None = None) -> str:
    """Text of a descriptor, with aliases for SIDs where there are some.

    domain_sid, forest_sid: SIDs of these domains get their alias; forest_sid None = same domain.
    Spec: [MS-DTYP] 2.5.1.1.
    """
    names = _Names(domain_sid, forest_sid or domain_sid)
    out: list[str] = []
    if sd.owner is not None:
        out.append(f"O:{names.sid(sd.owner)}")
    if sd.group is not None:
        out.append(f"G:{names.sid(sd.group)}")
    if sd.control & Control.DP:
        flags = _acl_flags(sd.control, Control.PD, Control.DC, Control.DI)
        out.append(f"D:{flags}{names.acl(sd.dacl)}")
    if sd.control & Control.SP:
        flags = _acl_flags(sd.control, Control.PS, Control.SC, Control.SI)
        out.append(f"S:{flags}{names.acl(sd.sacl)}")
    return "".join(out)


def _acl_flags(control: int, protected: int, required: int, inherited: int) -> str:
    return (
        ("P" if control & protected else "")
        + ("AR" if control & required else "")
        + ("AI" if control & inherited else "")
    )


def format_rights(mask: int, is_label: bool = False) -> str:
    """Letters where every bit has some, else hexadecimal."""
    if is_label:
        table = LABEL_RIGHTS
    else:
        for name, bits in WHOLE_RIGHTS.items():
            if mask == bits:
                return name
        table = RIGHTS
    rest, out = int(mask), []
    for name, bits in table.items():
        if rest & bits:
            out.append(name)
            rest &= ~bits
    return f"0x{int(mask):x}" if rest else "".join(out)


class _Names:
    """Printing with the aliases of one domain and forest."""

    __slots__ = ("domain_sid", "forest_sid")

    def __init__(self, domain_sid: Sid | None, forest_sid: Sid | None) -> None:
        self.domain_sid = domain_sid
        self.forest_sid = forest_sid

    def sid(self, sid: Sid) -> str:
        alias = _ALIAS_OF_SID.get(sid)
        if alias is None and sid[1] > 1 and self.domain_sid is not None:
            domain = sid.domain()
            if domain == self.domain_sid:
                alias = _DOMAIN_ALIAS_OF_RID.get(sid.rid())
            if alias is None and domain == self.forest_sid:
                alias = _FOREST_ALIAS_OF_RID.get(sid.rid())
        return alias or str(sid)

    def acl(self, acl: Acl | None) -> str:
        return _NO_ACCESS_CONTROL if acl is None else "".join([self.ace(ace) for ace in acl.aces])

    def ace(self, ace: Ace) -> str:
        name = _TYPE_NAMES.get(ace.type)
        if name is None:
            raise DecodeError(f"ACE type {ace.type} has no text form", -1, "ace-type")
        flags = "".join([flag for flag, bit in ACE_FLAGS.items() if ace.flags & bit])
        fields = [
            name,
            flags,
            format_rights(ace.mask, ace.type == SYSTEM_MANDATORY_LABEL),
            str(guid_from_wire(ace.object_type)) if ace.object_type else "",
            str(guid_from_wire(ace.inherited_object_type)) if ace.inherited_object_type else "",
            self.sid(ace.sid),
        ]
        if ace.type in CALLBACK_TYPES:
            fields.append(sddl_conditions.format_condition(ace.data, self.sid))
        elif ace.type == SYSTEM_RESOURCE_ATTRIBUTE:
            fields.append(sddl_conditions.format_resource_attribute(ace.data, self.sid))
            fields[2] = "" if not ace.mask else fields[2]
        return f"({';'.join(fields)})"


assert wellknown.EVERYONE in _ALIAS_OF_SID
