"""Security descriptors, access control lists and their entries as values.

Spec: [MS-DTYP] 2.4.4 (ACE), 2.4.5 (ACL), 2.4.6 (SECURITY_DESCRIPTOR), 2.4.7 (SECURITY_INFORMATION).
"""

import struct
from dataclasses import dataclass, field, replace
from enum import IntFlag
from typing import Final, Self

from addc.base.errors import DecodeError, DsError
from addc.base.limits import ACE_COUNT_MAX, SID_SUBAUTHORITIES_MAX
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.security.access_mask import DS_MAPPING, GENERIC_BITS, GenericMapping
from addc.security.wellknown import NULL

ACCESS_ALLOWED: Final = 0x00
ACCESS_DENIED: Final = 0x01
SYSTEM_AUDIT: Final = 0x02
SYSTEM_ALARM: Final = 0x03
ACCESS_ALLOWED_OBJECT: Final = 0x05
ACCESS_DENIED_OBJECT: Final = 0x06
SYSTEM_AUDIT_OBJECT: Final = 0x07
SYSTEM_ALARM_OBJECT: Final = 0x08
ACCESS_ALLOWED_CALLBACK: Final = 0x09
ACCESS_DENIED_CALLBACK: Final = 0x0A
ACCESS_ALLOWED_CALLBACK_OBJECT: Final = 0x0B
ACCESS_DENIED_CALLBACK_OBJECT: Final = 0x0C
SYSTEM_AUDIT_CALLBACK: Final = 0x0D
SYSTEM_ALARM_CALLBACK: Final = 0x0E
SYSTEM_AUDIT_CALLBACK_OBJECT: Final = 0x0F
SYSTEM_ALARM_CALLBACK_OBJECT: Final = 0x10
SYSTEM_MANDATORY_LABEL: Final = 0x11
SYSTEM_RESOURCE_ATTRIBUTE: Final = 0x12
SYSTEM_SCOPED_POLICY_ID: Final = 0x13

OBJECT_INHERIT: Final = 0x01
CONTAINER_INHERIT: Final = 0x02
NO_PROPAGATE_INHERIT: Final = 0x04
INHERIT_ONLY: Final = 0x08
INHERITED: Final = 0x10
CRITICAL: Final = 0x20
SUCCESSFUL_ACCESS: Final = 0x40
FAILED_ACCESS: Final = 0x80

OBJECT_TYPES: Final = frozenset((0x05, 0x06, 0x07, 0x08, 0x0B, 0x0C, 0x0F, 0x10))
"""ACE types with the two optional GUIDs."""
_PLAIN_TYPES: Final = frozenset((0x00, 0x01, 0x02, 0x03, 0x09, 0x0A, 0x0D, 0x0E, 0x11, 0x12, 0x13))
ALLOW_TYPES: Final = frozenset((0x00, 0x05, 0x09, 0x0B))
DENY_TYPES: Final = frozenset((0x01, 0x06, 0x0A, 0x0C))
AUDIT_TYPES: Final = frozenset((0x02, 0x07, 0x0D, 0x0F))
CALLBACK_TYPES: Final = frozenset((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10))

ACL_REVISION: Final = 2
ACL_REVISION_DS: Final = 4

_ACE_HEAD: Final = struct.Struct("<BBH")
_U32: Final = struct.Struct("<I")
_ACE_FULL: Final = struct.Struct("<BBHI")
_ACL_HEAD: Final = struct.Struct("<BBHHH")
_SD_HEAD: Final = struct.Struct("<BBHIIII")


class Control(IntFlag):
    """SECURITY_DESCRIPTOR Control bits, [MS-DTYP] 2.4.6."""

    OD = 0x0001
    GD = 0x0002
    DP = 0x0004
    DD = 0x0008
    SP = 0x0010
    SD = 0x0020
    DT = 0x0040
    SS = 0x0080
    DC = 0x0100
    SC = 0x0200
    DI = 0x0400
    SI = 0x0800
    PD = 0x1000
    PS = 0x2000
    RM = 0x4000
    SR = 0x8000


class SecurityInformation(IntFlag):
    """Parts of a descriptor, [MS-DTYP] 2.4.7."""

    OWNER = 0x0000_0001
    GROUP = 0x0000_0002
    DACL = 0x0000_0004
    SACL = 0x0000_0008
    LABEL = 0x0000_0010
    ATTRIBUTE = 0x0000_0020
    SCOPE = 0x0000_0040
    BACKUP = 0x0001_0000
    UNPROTECTED_SACL = 0x1000_0000
    UNPROTECTED_DACL = 0x2000_0000
    PROTECTED_SACL = 0x4000_0000
    PROTECTED_DACL = 0x8000_0000


ALL_PARTS: Final = 0xF
_DACL_BITS: Final = Control.DP | Control.DD | Control.DT | Control.DC | Control.DI | Control.PD
_SACL_BITS: Final = Control.SP | Control.SD | Control.SC | Control.SI | Control.PS


@dataclass(frozen=True, slots=True)
class Ace:
    """One entry of an ACL.

    object_type, inherited_object_type: 16 wire bytes, only in object ACEs; None where absent.
    data: what follows the SID (the condition of a callback ACE, a resource attribute). An entry of a type
    without a known layout keeps its whole body here, with mask 0 and the NULL SID.
    Spec: [MS-DTYP] 2.4.4.
    """

    type: int
    flags: int
    mask: int
    sid: Sid
    object_type: bytes | None = None
    inherited_object_type: bytes | None = None
    data: bytes = b""

    def pack(self) -> bytes:
        """Wire bytes; `data` is padded to a multiple of four."""
        kind = self.type
        if kind in OBJECT_TYPES:
            first, second = self.object_type or b"", self.inherited_object_type or b""
            present = (1 if first else 0) | (2 if second else 0)
            body = b"".join((_U32.pack(self.mask), _U32.pack(present), first, second, self.sid, self.data))
        elif kind in _PLAIN_TYPES:
            body = _U32.pack(self.mask) + self.sid + self.data
        else:
            body = self.data or bytes(4)
        body += bytes(-len(body) % 4)
        if len(body) > 0xFFFF - 12:
            raise DsError(Win32.ERROR_INVALID_ACL, "an entry has at most 65535 bytes")
        return _ACE_HEAD.pack(kind, self.flags, 4 + len(body)) + body

    @property
    def is_allow(self) -> bool:
        return self.type in ALLOW_TYPES

    @property
    def is_deny(self) -> bool:
        return self.type in DENY_TYPES


def _sid_at(data: bytes, pos: int, end: int, path: str) -> Sid:
    if pos + 8 > end:
        raise DecodeError("no room for a SID", pos, path)
    size = 8 + 4 * data[pos + 1]
    if data[pos] != 1 or data[pos + 1] > SID_SUBAUTHORITIES_MAX or pos + size > end:
        raise DecodeError("not a SID", pos, path)
    return Sid(data[pos : pos + size])


def _ace_at(data: bytes, pos: int, end: int) -> tuple[Ace, int]:
    if pos + 8 > end:
        raise DecodeError("no room for an ACE", pos, "ACE")
    kind, flags, size, mask = _ACE_FULL.unpack_from(data, pos)
    stop = pos + size
    if size < 8 or size % 4 or stop > end:
        raise DecodeError("bad ACE size", pos + 2, "ACE.AceSize")
    if kind in OBJECT_TYPES:
        at = pos + 12
        if at > stop:
            raise DecodeError("no room for the flags", pos, "ACE.Flags")
        present = data[pos + 8]
        guids: list[bytes | None] = [None, None]
        for bit in (0, 1):
            if present >> bit & 1:
                guids[bit] = data[at : at + 16]
                at += 16
        sid = _sid_at(data, at, stop, "ACE.Sid")
        at += len(sid)
        return Ace(kind, flags, mask, sid, guids[0], guids[1], data[at:stop]), stop
    if kind in _PLAIN_TYPES:
        sid = _sid_at(data, pos + 8, stop, "ACE.Sid")
        return Ace(kind, flags, mask, sid, None, None, data[pos + 8 + len(sid) : stop]), stop
    return Ace(kind, flags, 0, NULL, None, None, data[pos + 4 : stop]), stop


@dataclass(frozen=True, slots=True)
class Acl:
    """An ordered list of entries, [MS-DTYP] 2.4.5."""

    revision: int = ACL_REVISION_DS
    aces: tuple[Ace, ...] = ()

    def pack(self) -> bytes:
        body = b"".join([ace.pack() for ace in self.aces])
        size = 8 + len(body)
        if size > 0xFFFF or len(self.aces) > ACE_COUNT_MAX:
            raise DsError(Win32.ERROR_INVALID_ACL, "a list has at most 65535 bytes")
        return _ACL_HEAD.pack(self.revision, 0, size, len(self.aces), 0) + body

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        return cls.unpack_at(data, 0)

    @classmethod
    def unpack_at(cls, data: bytes, pos: int) -> Self:
        """The list that begins at `pos`; room behind the last entry is allowed, as Windows leaves some."""
        if pos + 8 > len(data):
            raise DecodeError("no room for an ACL", pos, "ACL")
        revision, _, size, count, _ = _ACL_HEAD.unpack_from(data, pos)
        if not 2 <= revision <= 4:
            raise DecodeError("unknown ACL revision", pos, "ACL.AclRevision")
        if size < 8 or pos + size > len(data) or count > ACE_COUNT_MAX:
            raise DecodeError("bad ACL size", pos + 2, "ACL.AclSize")
        end, at = pos + size, pos + 8
        aces = []
        for _ in range(count):
            ace, at = _ace_at(data, at, end)
            aces.append(ace)
        return cls(revision, tuple(aces))


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """SECURITY_DESCRIPTOR, [MS-DTYP] 2.4.6.

    dacl: None with the DP bit, or no DP bit, lets everybody in; an empty list nobody.
    sbz1: resource manager control, meaningful with the RM bit.
    """

    control: int = int(Control.SR)
    owner: Sid | None = None
    group: Sid | None = None
    sacl: Acl | None = None
    dacl: Acl | None = None
    sbz1: int = 0
    plan: object = field(default=None, init=False, repr=False, compare=False)
    """What access_check.py prepared from this descriptor; nobody else looks at it."""

    def pack(self) -> bytes:
        """The self-relative form, in the order that Windows writes: SACL, DACL, owner, group."""
        control = self.control | Control.SR
        body = bytearray()
        owner_at = group_at = sacl_at = dacl_at = 0
        if self.sacl is not None:
            control |= Control.SP
            sacl_at = 20
            body += self.sacl.pack()
        if self.dacl is not None:
            control |= Control.DP
            dacl_at = 20 + len(body)
            body += self.dacl.pack()
        if self.owner is not None:
            owner_at = 20 + len(body)
            body += self.owner
        if self.group is not None:
            group_at = 20 + len(body)
            body += self.group
        return _SD_HEAD.pack(1, self.sbz1, control, owner_at, group_at, sacl_at, dacl_at) + bytes(body)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read the self-relative form; a DACL or SACL without its presence bit does not count."""
        if len(data) < 20:
            raise DecodeError("no room for a header", 0, "SECURITY_DESCRIPTOR")
        revision, sbz1, control, owner_at, group_at, sacl_at, dacl_at = _SD_HEAD.unpack_from(data)
        if revision != 1 or not control & 0x8000:
            raise DecodeError("not a self-relative descriptor of revision 1", 0, "SECURITY_DESCRIPTOR")
        end = len(data)
        for offset in (owner_at, group_at, sacl_at, dacl_at):
            if offset and not 20 <= offset < end:
                raise DecodeError("offset outside", 4, "SECURITY_DESCRIPTOR")
        return cls(
            control,
            _sid_at(data, owner_at, end, "OwnerSid") if owner_at else None,
            _sid_at(data, group_at, end, "GroupSid") if group_at else None,
            Acl.unpack_at(data, sacl_at) if sacl_at and control & 0x10 else None,
            Acl.unpack_at(data, dacl_at) if dacl_at and control & 0x04 else None,
            sbz1,
        )


def acl_of(aces: tuple[Ace, ...]) -> Acl:
    """A list with the lowest revision that its entries allow."""
    return Acl(ACL_REVISION_DS if any(ace.type in OBJECT_TYPES for ace in aces) else ACL_REVISION, aces)


def parts(sd: SecurityDescriptor, flags: int) -> SecurityDescriptor:
    """Only what `flags` (SECURITY_INFORMATION) names; the rest is absent.

    Spec: [MS-ADTS] 3.1.1.3.4.1.11 (LDAP_SERVER_SD_FLAGS_OID).
    """
    control = int(Control.SR) | (sd.control & int(Control.RM))
    if flags & SecurityInformation.OWNER:
        control |= sd.control & int(Control.OD)
    if flags & SecurityInformation.GROUP:
        control |= sd.control & int(Control.GD)
    if flags & SecurityInformation.DACL:
        control |= sd.control & int(_DACL_BITS)
    if flags & SecurityInformation.SACL:
        control |= sd.control & int(_SACL_BITS)
    return SecurityDescriptor(
        control,
        sd.owner if flags & SecurityInformation.OWNER else None,
        sd.group if flags & SecurityInformation.GROUP else None,
        sd.sacl if flags & SecurityInformation.SACL else None,
        sd.dacl if flags & SecurityInformation.DACL else None,
        sd.sbz1,
    )


def merge(old: SecurityDescriptor, new: SecurityDescriptor, flags: int) -> SecurityDescriptor:
    """`old` with the parts that `flags` names taken from `new`."""
    taken, kept = parts(new, flags & ALL_PARTS), parts(old, ~flags & ALL_PARTS)
    return SecurityDescriptor(
        taken.control | kept.control,
        taken.owner if flags & SecurityInformation.OWNER else kept.owner,
        taken.group if flags & SecurityInformation.GROUP else kept.group,
        taken.sacl if flags & SecurityInformation.SACL else kept.sacl,
        taken.dacl if flags & SecurityInformation.DACL else kept.dacl,
        old.sbz1,
    )


def map_generic(sd: SecurityDescriptor, mapping: GenericMapping = DS_MAPPING) -> SecurityDescriptor:
    """`sd` with the generic rights of its entries replaced by specific ones.

    Spec: [MS-ADTS] 5.1.3.2: generic rights are never stored.
    """

    def mapped(acl: Acl | None) -> Acl | None:
        if acl is None or not any(ace.mask & GENERIC_BITS for ace in acl.aces):
            return acl
        return Acl(
            acl.revision,
            tuple(
                replace(ace, mask=mapping.map(ace.mask)) if ace.mask & GENERIC_BITS else ace
                for ace in acl.aces
            ),
        )

    return SecurityDescriptor(sd.control, sd.owner, sd.group, mapped(sd.sacl), mapped(sd.dacl), sd.sbz1)
