"""The Privilege Attribute Certificate: its container and all its buffers.

The container and the small buffers have fixed layouts of their own; the others are NDR, serialized by type
serialization version 1 as a [unique] pointer.
Spec: [MS-PAC] 2.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar, Final, Self

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.declare import register
from addc.codec.ids import Sid
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    FILETIME,
    SID,
    U16,
    U32,
    UNICODE_STRING,
    Conformant,
    Const,
    CountOf,
    FixedBytes,
    Ndr,
    UnicodeString,
    Unique,
    deserialize_v1,
    serialize_v1,
    structure,
)
from addc.codec.text import utf16_from_wire, utf16_to_wire

PAC_BUFFERS_MAX: Final = 64
_BUFFER: Final = struct.Struct("<IIQ")
_HEADER: Final = struct.Struct("<II")


class PacType(IntEnum):
    """ulType of PAC_INFO_BUFFER; buffers of other types are kept as they are ([MS-PAC] 2.4)."""

    LOGON_INFO = 1
    CREDENTIALS_INFO = 2
    SERVER_CHECKSUM = 6
    PRIVSVR_CHECKSUM = 7
    CLIENT_INFO = 10
    DELEGATION_INFO = 11
    UPN_DNS_INFO = 12
    CLIENT_CLAIMS_INFO = 13
    DEVICE_INFO = 14
    DEVICE_CLAIMS_INFO = 15
    TICKET_CHECKSUM = 16
    ATTRIBUTES_INFO = 17
    REQUESTOR_SID = 18
    FULL_CHECKSUM = 19
    REQUESTOR_GUID = 20


class UserFlags(IntFlag):
    """KERB_VALIDATION_INFO.UserFlags ([MS-PAC] 2.5)."""

    GUEST = 0x1
    EXTRA_SIDS = 0x20
    RESOURCE_GROUPS = 0x200


class GroupAttributes(IntFlag):
    """SE_GROUP_* ([MS-PAC] 2.2.1)."""

    MANDATORY = 0x1
    ENABLED_BY_DEFAULT = 0x2
    ENABLED = 0x4
    OWNER = 0x8
    RESOURCE = 0x2000_0000


SE_GROUP_DEFAULT: Final = 0x7
SE_GROUP_RESOURCE_DEFAULT: Final = 0x2000_0007


@structure
class GroupMembership(Ndr):
    """GROUP_MEMBERSHIP, [MS-PAC] 2.2.2."""

    relative_id: Annotated[int, U32]
    attributes: Annotated[int, U32]


@structure
class KerbSidAndAttributes(Ndr):
    """KERB_SID_AND_ATTRIBUTES, [MS-PAC] 2.2.1."""

    sid: Annotated[Sid | None, Unique(SID)]
    attributes: Annotated[int, U32]


@structure
class DomainGroupMembership(Ndr):
    """DOMAIN_GROUP_MEMBERSHIP, [MS-PAC] 2.2.3."""

    domain_id: Annotated[Sid | None, Unique(SID)]
    group_count: ClassVar = CountOf("group_ids")
    group_ids: Annotated[tuple[GroupMembership, ...] | None, Unique(Conformant(GroupMembership))]


@structure
class KerbValidationInfo(Ndr):
    """KERB_VALIDATION_INFO, [MS-PAC] 2.5."""

    logon_time: Annotated[int, FILETIME]
    logoff_time: Annotated[int, FILETIME]
    kick_off_time: Annotated[int, FILETIME]
    password_last_set: Annotated[int, FILETIME]
    password_can_change: Annotated[int, FILETIME]
    password_must_change: Annotated[int, FILETIME]
    effective_name: Annotated[str | None, UNICODE_STRING]
    full_name: Annotated[str | None, UNICODE_STRING]
    logon_script: Annotated[str | None, UNICODE_STRING]
    profile_path: Annotated[str | None, UNICODE_STRING]
    home_directory: Annotated[str | None, UNICODE_STRING]
    home_directory_drive: Annotated[str | None, UNICODE_STRING]
    logon_count: Annotated[int, U16]
    bad_password_count: Annotated[int, U16]
    user_id: Annotated[int, U32]
    primary_group_id: Annotated[int, U32]
    group_count: ClassVar = CountOf("group_ids")
    group_ids: Annotated[tuple[GroupMembership, ...] | None, Unique(Conformant(GroupMembership))]
    user_flags: Annotated[int, U32]
    user_session_key: Annotated[bytes, FixedBytes(16)]
    logon_server: Annotated[str | None, UnicodeString(room=2)]
    logon_domain_name: Annotated[str | None, UnicodeString(room=2)]
    logon_domain_id: Annotated[Sid | None, Unique(SID)]
    reserved1_0: ClassVar = Const(U32)
    reserved1_1: ClassVar = Const(U32)
    user_account_control: Annotated[int, U32]
    sub_auth_status: Annotated[int, U32]
    last_successful_i_logon: Annotated[int, FILETIME]
    last_failed_i_logon: Annotated[int, FILETIME]
    failed_i_logon_count: Annotated[int, U32]
    reserved3: ClassVar = Const(U32)
    sid_count: ClassVar = CountOf("extra_sids")
    extra_sids: Annotated[tuple[KerbSidAndAttributes, ...] | None, Unique(Conformant(KerbSidAndAttributes))]
    resource_group_domain_sid: Annotated[Sid | None, Unique(SID)]
    resource_group_count: ClassVar = CountOf("resource_group_ids")
    resource_group_ids: Annotated[tuple[GroupMembership, ...] | None, Unique(Conformant(GroupMembership))]


@structure
class SecpkgSupplementalCred(Ndr):
    """SECPKG_SUPPLEMENTAL_CRED, [MS-PAC] 2.6.3."""

    package_name: Annotated[str | None, UNICODE_STRING]
    credential_size: ClassVar = CountOf("credentials")
    credentials: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class PacCredentialData(Ndr):
    """PAC_CREDENTIAL_DATA, [MS-PAC] 2.6.2; encrypted inside PAC_CREDENTIAL_INFO."""

    credential_count: ClassVar = CountOf("credentials")
    credentials: Annotated[tuple[SecpkgSupplementalCred, ...], Conformant(SecpkgSupplementalCred)]


@structure
class NtlmSupplementalCredential(Ndr):
    """NTLM_SUPPLEMENTAL_CREDENTIAL, [MS-PAC] 2.6.4. flags: 1 = LM OWF, 2 = NT OWF is there."""

    version: ClassVar = Const(U32)
    flags: Annotated[int, U32]
    lm_password: Annotated[bytes, FixedBytes(16)]
    nt_password: Annotated[bytes, FixedBytes(16)]


@structure
class TransitedService(Ndr):
    """One element of S4UTransitedServices."""

    name: Annotated[str | None, UNICODE_STRING]


@structure
class S4uDelegationInfo(Ndr):
    """S4U_DELEGATION_INFO, [MS-PAC] 2.9."""

    s4u2proxy_target: Annotated[str | None, UNICODE_STRING]
    transited_list_size: ClassVar = CountOf("s4u_transited_services")
    s4u_transited_services: Annotated[
        tuple[TransitedService, ...] | None, Unique(Conformant(TransitedService))
    ]


@structure
class PacDeviceInfo(Ndr):
    """PAC_DEVICE_INFO, [MS-PAC] 2.12."""

    user_id: Annotated[int, U32]
    primary_group_id: Annotated[int, U32]
    account_domain_id: Annotated[Sid | None, Unique(SID)]
    account_group_count: ClassVar = CountOf("account_group_ids")
    account_group_ids: Annotated[tuple[GroupMembership, ...] | None, Unique(Conformant(GroupMembership))]
    sid_count: ClassVar = CountOf("extra_sids")
    extra_sids: Annotated[tuple[KerbSidAndAttributes, ...] | None, Unique(Conformant(KerbSidAndAttributes))]
    domain_group_count: ClassVar = CountOf("domain_group")
    domain_group: Annotated[
        tuple[DomainGroupMembership, ...] | None, Unique(Conformant(DomainGroupMembership))
    ]


def pack_ndr_buffer(value: Ndr) -> bytes:
    """A PAC buffer that is an NDR type."""
    return serialize_v1(value, pointer=True)


def unpack_logon_info(data: bytes) -> KerbValidationInfo:
    """The LOGON_INFO buffer; a null pointer is refused."""
    info = deserialize_v1(KerbValidationInfo, data, pointer=True)
    if info is None:
        raise DecodeError("no logon information", 16, "PAC.LOGON_INFO")
    return info


def unpack_delegation_info(data: bytes) -> S4uDelegationInfo:
    """The DELEGATION_INFO buffer."""
    info = deserialize_v1(S4uDelegationInfo, data, pointer=True)
    if info is None:
        raise DecodeError("no delegation information", 16, "PAC.DELEGATION_INFO")
    return info


def unpack_device_info(data: bytes) -> PacDeviceInfo:
    """The DEVICE_INFO buffer."""
    info = deserialize_v1(PacDeviceInfo, data, pointer=True)
    if info is None:
        raise DecodeError("no device information", 16, "PAC.DEVICE_INFO")
    return info


@register
@dataclass(frozen=True, slots=True)
class PacClientInfo:
    """PAC_CLIENT_INFO, [MS-PAC] 2.7. client_id: authtime of the TGT, FILETIME. name: the cname."""

    client_id: int
    name: str

    def pack(self) -> bytes:
        name = utf16_to_wire(self.name)
        return struct.pack("<QH", self.client_id, len(name)) + name

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        client_id = reader.u64("PAC_CLIENT_INFO.ClientId")
        size = reader.u16("PAC_CLIENT_INFO.NameLength")
        name = utf16_from_wire(reader.take(size, "PAC_CLIENT_INFO.Name"), "PAC_CLIENT_INFO.Name")
        reader.finish("PAC_CLIENT_INFO")
        return cls(client_id, name)


SIGNATURE_SIZES: Final = {-138: 16, 15: 12, 16: 12, 19: 16, 20: 24}
"""Bytes of a Signature by its type; 19 and 20 are the RFC 8009 checksums."""


@register
@dataclass(frozen=True, slots=True)
class PacSignatureData:
    """PAC_SIGNATURE_DATA, [MS-PAC] 2.8. rodc_identifier: None unless the KDC is an RODC."""

    signature_type: int
    signature: bytes
    rodc_identifier: int | None = None

    def pack(self) -> bytes:
        tail = b"" if self.rodc_identifier is None else struct.pack("<H", self.rodc_identifier)
        return struct.pack("<i", self.signature_type) + self.signature + tail

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        path = "PAC_SIGNATURE_DATA"
        if len(data) < 4:
            raise DecodeError("too short", 0, path)
        (kind,) = struct.unpack_from("<i", data)
        size = SIGNATURE_SIZES.get(kind, len(data) - 4)
        rest = data[4 + size :]
        if len(data) < 4 + size or len(rest) not in (0, 2):
            raise DecodeError("a signature of the wrong size", 4, path)
        return cls(kind, data[4 : 4 + size], int.from_bytes(rest, "little") if rest else None)


class UpnFlags(IntFlag):
    """UPN_DNS_INFO.Flags, [MS-PAC] 2.10."""

    U = 1
    """The account has no userPrincipalName; the UPN is made up."""
    S = 2
    """SAM name and SID follow."""


@register
@dataclass(frozen=True, slots=True)
class UpnDnsInfo:
    """UPN_DNS_INFO, [MS-PAC] 2.10. sam_name and sid: both or neither."""

    upn: str
    dns_domain_name: str
    constructed: bool
    sam_name: str | None = None
    sid: Sid | None = None

    def pack(self) -> bytes:
        parts = [utf16_to_wire(self.upn), utf16_to_wire(self.dns_domain_name)]
        flags = UpnFlags.U if self.constructed else 0
        if self.sam_name is not None and self.sid is not None:
            flags |= UpnFlags.S
            parts += [utf16_to_wire(self.sam_name), bytes(self.sid)]
        body, fields = bytearray(), []
        start = 24 if flags & UpnFlags.S else 16
        for part in parts:
            body += bytes(-len(body) & 7)
            fields.append((len(part), start + len(body)))
            body += part
        head = struct.pack("<4HI", *fields[0], *fields[1], flags)
        for size, offset in fields[2:]:
            head += struct.pack("<HH", size, offset)
        return head + bytes(start - len(head)) + bytes(body)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        path = "UPN_DNS_INFO"
        fields = [(reader.u16(path), reader.u16(path)) for _ in range(2)]
        flags = reader.u32(path)
        if flags & UpnFlags.S:
            fields += [(reader.u16(path), reader.u16(path)) for _ in range(2)]
        parts = []
        for size, offset in fields:
            if offset + size > len(data):
                raise DecodeError("a field outside the buffer", offset, path)
            parts.append(data[offset : offset + size])
        texts = [utf16_from_wire(part, path) for part in parts[:3]]
        extended = (texts[2], Sid.of(parts[3])) if flags & UpnFlags.S else (None, None)
        return cls(texts[0], texts[1], bool(flags & UpnFlags.U), *extended)


class PacAttributes(IntFlag):
    """Flags of PAC_ATTRIBUTES_INFO, [MS-PAC] 2.14."""

    PAC_WAS_REQUESTED = 1
    PAC_WAS_GIVEN_IMPLICITLY = 2


@register
@dataclass(frozen=True, slots=True)
class PacAttributesInfo:
    """PAC_ATTRIBUTES_INFO, [MS-PAC] 2.14; flag words behind the first are not defined and not kept."""

    flags: int

    def pack(self) -> bytes:
        return struct.pack("<II", 2, self.flags & 3)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        if len(data) < 8 or len(data) % 4:
            raise DecodeError("not whole words of flags", 0, "PAC_ATTRIBUTES_INFO")
        bits, flags = struct.unpack_from("<II", data)
        if not 1 <= bits <= (len(data) - 4) * 8:
            raise DecodeError("a number of flags that cannot be", 0, "PAC_ATTRIBUTES_INFO")
        return cls(flags & 3)


@register
@dataclass(frozen=True, slots=True)
class PacCredentialInfo:
    """PAC_CREDENTIAL_INFO, [MS-PAC] 2.6.1: an encrypted PAC_CREDENTIAL_DATA."""

    encryption_type: int
    serialized_data: bytes

    def pack(self) -> bytes:
        return struct.pack("<II", 0, self.encryption_type) + self.serialized_data

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        if reader.u32("PAC_CREDENTIAL_INFO.Version"):
            raise DecodeError("unknown version", 0, "PAC_CREDENTIAL_INFO.Version")
        etype = reader.u32("PAC_CREDENTIAL_INFO.EncryptionType")
        return cls(etype, reader.take(reader.remaining(), "PAC_CREDENTIAL_INFO.SerializedData"))


@register
@dataclass(frozen=True, slots=True)
class Pac:
    """PACTYPE, [MS-PAC] 2.3: buffers as (type, bytes), in wire order."""

    buffers: tuple[tuple[int, bytes], ...]

    def pack(self) -> bytes:
        """Every buffer on a multiple of 8, the whole padded to one."""
        buffers = self.buffers
        out = bytearray(_HEADER.pack(len(buffers), 0))
        offset = 8 + 16 * len(buffers)
        for kind, data in buffers:
            out += _BUFFER.pack(kind, len(data), offset)
            offset += (len(data) + 7) & ~7
        for _, data in buffers:
            out += data
            out += bytes(-len(data) & 7)
        return bytes(out)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        return cls(tuple((kind, data[start:end]) for kind, start, end in pac_spans(data)))

    def get(self, kind: int) -> bytes | None:
        """The first buffer of a type; more of the same type MUST be ignored."""
        return next((data for buffer_type, data in self.buffers if buffer_type == kind), None)


def pac_spans(data: bytes) -> list[tuple[int, int, int]]:
    """(type, start, end) of each buffer of a packed PAC."""
    if len(data) < 8:
        raise DecodeError("no PAC header", 0, "PACTYPE")
    count, version = _HEADER.unpack_from(data)
    if version or not 1 <= count <= PAC_BUFFERS_MAX or 8 + 16 * count > len(data):
        raise DecodeError("no PAC header", 0, "PACTYPE")
    spans = []
    for index in range(count):
        kind, size, offset = _BUFFER.unpack_from(data, 8 + 16 * index)
        if offset & 7 or offset + size > len(data) or offset < 8 + 16 * count:
            raise DecodeError("a buffer outside the PAC", 8 + 16 * index, "PAC_INFO_BUFFER")
        spans.append((kind, offset, offset + size))
    return spans


def with_zeroed_signatures(data: bytes, spans: list[tuple[int, int, int]], kinds: frozenset[int]) -> bytes:
    """A packed PAC with the Signature bytes of these buffers as zeros, as they are when it is signed.

    So are the numbers of the RODCs that made them. spans: of `pac_spans(data)`.
    """
    out = bytearray(data)
    for kind, start, end in spans:
        if kind in kinds:
            signature = PacSignatureData.unpack(data[start:end])
            size = len(signature.signature) + (0 if signature.rodc_identifier is None else 2)
            out[start + 4 : start + 4 + size] = bytes(size)
    return bytes(out)


def signature_offsets(buffers: list[tuple[int, bytes]]) -> dict[int, int]:
    """Where the Signature of each of these buffers would begin in a PAC of exactly them."""
    offset, found = 8 + 16 * len(buffers) + 4, {}
    for kind, data in buffers:
        found[kind] = offset
        offset += (len(data) + 7) & ~7
    return found
