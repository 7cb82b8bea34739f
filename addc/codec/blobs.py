"""Binary values that the directory keeps in single attributes: stamps, cursors, key material, partners.

Times that the documents call DSTIME are whole seconds since 1601.

Spec: [MS-DRSR] 5.166 (replUpToDateVector), 5.170 and 5.171 (repsFrom, repsTo), [MS-SAMR] 2.2.10 and
3.1.1.8.11 (supplementalCredentials), [MS-ADTS] 6.1.6.9.1 (trustAuthInfo).
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DecodeError
from addc.base.ids import AttId, Usn
from addc.codec.cursor import Reader, Writer
from addc.codec.declare import register
from addc.codec.text import utf16_from_wire, utf16_to_wire

_ENTRIES_MAX: Final = 65_536


def dstime(when_ft: int) -> int:
    """DSTIME of a FILETIME: whole seconds."""
    return when_ft // TICKS_PER_S


def from_dstime(when_s: int) -> FileTime:
    """FILETIME of a DSTIME."""
    return FileTime(when_s * TICKS_PER_S)


def _count(count: int, path: str) -> int:
    if count > _ENTRIES_MAX:
        raise DecodeError(f"over {_ENTRIES_MAX} elements", -1, path)
    return count


# --- replication metadata ---------------------------------------------------------------------------------

_META_ENTRY: Final = struct.Struct("<IIQ16sQQ")


class PropertyMetaData(NamedTuple):
    """The stamp of one attribute. when_s: DSTIME of the originating change. invocation_id: 16 wire bytes."""

    att_id: AttId
    version: int
    when_s: int
    invocation_id: bytes
    originating_usn: Usn
    local_usn: Usn


def read_property_meta_data(data: bytes) -> PropertyMetaData:
    """PROPERTY_META_DATA alone, as values of msDS-RevealedUsers hold it. Spec: [MS-DRSR] 4.1.10.2.23."""
    if len(data) != _META_ENTRY.size:
        raise DecodeError(f"{_META_ENTRY.size} bytes wanted", len(data), "PROPERTY_META_DATA")
    return PropertyMetaData(*_META_ENTRY.unpack(data))


@register
@dataclass(frozen=True, slots=True)
class ReplPropertyMetaData:
    """replPropertyMetaData, version 1: the stamps of an object's replicated attributes, by ATTRTYP."""

    entries: tuple[PropertyMetaData, ...]

    def pack(self) -> bytes:
        head = struct.pack("<IIII", 1, 0, len(self.entries), 0)
        return head + b"".join([_META_ENTRY.pack(*entry) for entry in sorted(self.entries)])

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        if reader.u32("replPropertyMetaData.version") != 1:
            raise DecodeError("version 1 wanted", 0, "replPropertyMetaData.version")
        reader.skip(4, "replPropertyMetaData.reserved")
        count = _count(reader.u32("replPropertyMetaData.count"), "replPropertyMetaData.count")
        reader.skip(4, "replPropertyMetaData.reserved")
        body = reader.take(count * _META_ENTRY.size, "replPropertyMetaData.entries")
        reader.finish("replPropertyMetaData")
        found = [
            PropertyMetaData(AttId(att), version, when_s, invocation_id, Usn(originating), Usn(local))
            for att, version, when_s, invocation_id, originating, local in _META_ENTRY.iter_unpack(body)
        ]
        return cls(tuple(sorted(found)))


_CURSOR_V1: Final = struct.Struct("<16sQ")
_CURSOR_V2: Final = struct.Struct("<16sQQ")


class UpToDateCursor(NamedTuple):
    """How far a DC's changes are known. uuid_dsa: invocation id, 16 wire bytes. last_sync_s: DSTIME."""

    uuid_dsa: bytes
    usn_high_prop_update: Usn
    last_sync_s: int = 0


@register
@dataclass(frozen=True, slots=True)
class ReplUpToDateVector:
    """replUpToDateVector, written as version 2, read as 1 or 2; cursors in order of their invocation ids."""

    cursors: tuple[UpToDateCursor, ...]

    def pack(self) -> bytes:
        head = struct.pack("<IIII", 2, 0, len(self.cursors), 0)
        return head + b"".join([_CURSOR_V2.pack(*cursor) for cursor in sorted(self.cursors)])

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        version = reader.u32("replUpToDateVector.dwVersion")
        if version not in (1, 2):
            raise DecodeError("version 1 or 2 wanted", 0, "replUpToDateVector.dwVersion")
        reader.skip(4, "replUpToDateVector.dwReserved1")
        count = _count(reader.u32("replUpToDateVector.cNumCursors"), "replUpToDateVector.cNumCursors")
        reader.skip(4, "replUpToDateVector.dwReserved2")
        form = _CURSOR_V1 if version == 1 else _CURSOR_V2
        body = reader.take(count * form.size, "replUpToDateVector.rgCursors")
        reader.finish("replUpToDateVector")
        cursors = [UpToDateCursor(row[0], Usn(row[1]), *row[2:]) for row in form.iter_unpack(body)]
        return cls(tuple(sorted(cursors)))


@register
@dataclass(frozen=True, slots=True)
class SchemaInfo:
    """schemaInfo of the schema NC: how often the schema was changed, and by which DC last.

    Spec: [MS-DRSR] 5.181.
    """

    revision: int
    invocation_id: bytes

    def pack(self) -> bytes:
        return b"\xff" + struct.pack(">I", self.revision) + self.invocation_id

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        if len(data) != 21 or data[0] != 0xFF:
            raise DecodeError("21 bytes that begin with FF wanted", 0, "schemaInfo")
        return cls(int.from_bytes(data[1:5], "big"), data[5:])


_REPS_HEAD: Final = struct.Struct("<IIIIQQIIII84sI3Q16s16s16s")
# dwReserved and cbPasDataOffset, both zero: only partial replicas have PAS data, and some DCs leave them out.
_REPS_TAIL: Final = bytes(8)
_NULL_GUID: Final = bytes(16)


@register
@dataclass(frozen=True, slots=True)
class RepsFrom:
    """A value of repsFrom or repsTo, version 1.

    address: network name of the partner, <DSA GUID>._msdcs.<forest>. *_s: DSTIME. replica_flags: DRS_OPTIONS.
    usn_vector: usnHighObjUpdate, usnReserved, usnHighPropUpdate. GUIDs: 16 wire bytes.
    """

    address: str
    uuid_dsa_obj: bytes
    uuid_invoc_id: bytes = _NULL_GUID
    uuid_transport_obj: bytes = _NULL_GUID
    replica_flags: int = 0
    usn_vector: tuple[int, int, int] = (0, 0, 0)
    consecutive_failures: int = 0
    last_success_s: int = 0
    last_attempt_s: int = 0
    result_last_attempt: int = 0
    schedule: bytes = bytes(84)

    def pack(self) -> bytes:
        name = self.address.encode("utf-8") + b"\0"
        other = struct.pack("<I", len(name)) + name
        padding = bytes(-len(other) % 4)
        offset = _REPS_HEAD.size + len(_REPS_TAIL)
        head = _REPS_HEAD.pack(
            1, 0, offset + len(other) + len(padding), self.consecutive_failures,
            self.last_success_s, self.last_attempt_s, self.result_last_attempt,
            offset, len(other), self.replica_flags, self.schedule, 0, *self.usn_vector,
            self.uuid_dsa_obj, self.uuid_invoc_id, self.uuid_transport_obj,
        )  # fmt: skip
        return head + _REPS_TAIL + other + padding

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        if len(data) < _REPS_HEAD.size:
            raise DecodeError(f"{_REPS_HEAD.size} bytes wanted", len(data), "REPS_FROM")
        version, _, size, failures, success, attempt, result, offset, other_size, *rest = (
            _REPS_HEAD.unpack_from(data)
        )
        flags, schedule, _, high_obj, reserved, high_prop, dsa, invocation, transport = rest
        if version != 1 or size != len(data):
            raise DecodeError("version 1 of that size wanted", 0, "REPS_FROM")
        if offset < _REPS_HEAD.size or other_size < 4 or offset + other_size > size:
            raise DecodeError("cbOtherDraOffset points outside", 36, "REPS_FROM.cbOtherDraOffset")
        reader = Reader(data, offset, offset + other_size)
        name = reader.take(reader.u32("MTX_ADDR.mtx_namelen"), "MTX_ADDR.mtx_name").rstrip(b"\0")
        if not name.isascii():
            raise DecodeError("a host name wanted", offset + 4, "MTX_ADDR.mtx_name")
        return cls(
            name.decode("ascii"), dsa, invocation, transport, flags, (high_obj, reserved, high_prop),
            failures, success, attempt, result, schedule,
        )  # fmt: skip


# --- supplementalCredentials ------------------------------------------------------------------------------

PACKAGES: Final = "Packages"
KERBEROS: Final = "Primary:Kerberos"
KERBEROS_NEWER_KEYS: Final = "Primary:Kerberos-Newer-Keys"
CLEARTEXT: Final = "Primary:CLEARTEXT"
WDIGEST: Final = "Primary:WDigest"
NTLM_STRONG_NTOWF: Final = "Primary:NTLM-Strong-NTOWF"
_PRIMARY: Final = "Primary:"
_SIGNATURE: Final = 0x50
_EMPTY_SIZE: Final = 0x6F
# Reserved4 is arbitrary; Windows fills it with blanks.
_RESERVED4: Final = " ".encode("utf-16-le") * 48


@register
@dataclass(frozen=True, slots=True)
class UserProperties:
    """USER_PROPERTIES, the value of supplementalCredentials: names and binary values."""

    entries: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def of(cls, values: Iterable[tuple[str, bytes]]) -> Self:
        """These properties, and the Packages property that lists the credential types among them.

        Spec: [MS-SAMR] 3.1.1.8.11.2.
        """
        entries = [entry for entry in values if entry[0] != PACKAGES]
        names = [name.removeprefix(_PRIMARY) for name, _ in entries if name.startswith(_PRIMARY)]
        # Windows puts the list last but one.
        if entries:
            entries.insert(len(entries) - 1, (PACKAGES, utf16_to_wire("\0".join(names))))
        return cls(tuple(entries))

    def get(self, name: str) -> bytes | None:
        return next((value for known, value in self.entries if known == name), None)

    def replaced(self, name: str, value: bytes | None) -> "UserProperties":
        """With that property instead of one of its name; without it if `value` is None."""
        kept = [entry for entry in self.entries if entry[0] not in (name, PACKAGES)]
        return UserProperties.of(kept if value is None else [*kept, (name, value)])

    def pack(self) -> bytes:
        body = Writer()
        body.put(_RESERVED4)
        body.u16(_SIGNATURE)
        if self.entries:
            body.u16(len(self.entries))
        for name, value in self.entries:
            name_wire, value_wire = utf16_to_wire(name), value.hex().encode("ascii")
            body.u16(len(name_wire))
            body.u16(len(value_wire))
            # Reserved: Windows writes 1 for credentials and 2 for Packages.
            body.u16(2 if name == PACKAGES else 1)
            body.put(name_wire)
            body.put(value_wire)
        body.u8(0)
        # Length leaves Reserved5 out, whatever the text says: Windows and everyone else count so.
        return struct.pack("<IIHH", 0, len(body) - 1, 0, 0) + body.bytes()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        reader.skip(12 + 96, "USER_PROPERTIES.Reserved4")
        if reader.u16("USER_PROPERTIES.PropertySignature") != _SIGNATURE:
            raise DecodeError("signature 0x50 wanted", 108, "USER_PROPERTIES.PropertySignature")
        if len(data) == _EMPTY_SIZE:
            return cls(())
        count = _count(reader.u16("USER_PROPERTIES.PropertyCount"), "USER_PROPERTIES.PropertyCount")
        entries = []
        for _ in range(count):
            name_size = reader.u16("USER_PROPERTY.NameLength")
            value_size = reader.u16("USER_PROPERTY.ValueLength")
            reader.skip(2, "USER_PROPERTY.Reserved")
            name = utf16_from_wire(reader.take(name_size, "USER_PROPERTY.PropertyName"))
            entries.append((name, _unhex(reader.take(value_size, "USER_PROPERTY.PropertyValue"))))
        return cls(tuple(entries))


def _unhex(digits: bytes) -> bytes:
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise DecodeError("hexadecimal digits wanted", -1, "USER_PROPERTY.PropertyValue") from None


@dataclass(frozen=True, slots=True)
class KerbKeyData:
    """KERB_KEY_DATA: one key. key_type: an encryption type number."""

    key_type: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KerbKeyDataNew:
    """KERB_KEY_DATA_NEW: one key and the rounds that made it."""

    iteration_count: int
    key_type: int
    key: bytes = field(repr=False)


@register
@dataclass(frozen=True, slots=True)
class KerbStoredCredential:
    """KERB_STORED_CREDENTIAL, the value of Primary:Kerberos: DES keys of this password and the one before.

    default_salt: UTF-8; the value holds it as UTF-16.
    """

    default_salt: bytes
    credentials: tuple[KerbKeyData, ...]
    old_credentials: tuple[KerbKeyData, ...] = ()

    def pack(self) -> bytes:
        salt = utf16_to_wire(self.default_salt.decode("utf-8"))
        keys = (*self.credentials, *self.old_credentials)
        salt_at = 16 + 20 * len(keys)
        head = struct.pack(
            "<6HI", 3, 0, len(self.credentials), len(self.old_credentials), len(salt), len(salt), salt_at
        )
        key_at = salt_at + len(salt)
        table = bytearray()
        for one in keys:
            table += struct.pack("<HHIIII", 0, 0, 0, one.key_type, len(one.key), key_at)
            key_at += len(one.key)
        return head + bytes(table) + salt + b"".join(one.key for one in keys)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        _revision(reader, 3)
        counts = [reader.u16("KERB_STORED_CREDENTIAL.CredentialCount") for _ in range(2)]
        salt = _salt(data, reader)
        groups = []
        for count in counts:
            keys = []
            for _ in range(count):
                reader.skip(8, "KERB_KEY_DATA.Reserved")
                keys.append(KerbKeyData(reader.u32("KERB_KEY_DATA.KeyType"), _at(data, reader)))
            groups.append(tuple(keys))
        return cls(salt, *groups)


@register
@dataclass(frozen=True, slots=True)
class KerbStoredCredentialNew:
    """KERB_STORED_CREDENTIAL_NEW, the value of Primary:Kerberos-Newer-Keys.

    default_salt: UTF-8; the value holds it as UTF-16. older_credentials: of the last password but two.
    """

    default_salt: bytes
    default_iteration_count: int
    credentials: tuple[KerbKeyDataNew, ...]
    service_credentials: tuple[KerbKeyDataNew, ...] = ()
    old_credentials: tuple[KerbKeyDataNew, ...] = ()
    older_credentials: tuple[KerbKeyDataNew, ...] = ()

    def pack(self) -> bytes:
        salt = utf16_to_wire(self.default_salt.decode("utf-8"))
        groups = (self.credentials, self.service_credentials, self.old_credentials, self.older_credentials)
        keys = [one for group in groups for one in group]
        salt_at = 24 + 24 * len(keys)
        counts = [len(group) for group in groups]
        head = struct.pack("<HH4HHHI", 4, 0, *counts, len(salt), len(salt), salt_at)
        key_at = salt_at + len(salt)
        table = bytearray()
        for one in keys:
            table += struct.pack("<HHIIIII", 0, 0, 0, one.iteration_count, one.key_type, len(one.key), key_at)
            key_at += len(one.key)
        rounds = struct.pack("<I", self.default_iteration_count)
        return head + rounds + bytes(table) + salt + b"".join(one.key for one in keys)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        _revision(reader, 4)
        counts = [reader.u16("KERB_STORED_CREDENTIAL_NEW.CredentialCount") for _ in range(4)]
        salt = _salt(data, reader)
        rounds = reader.u32("KERB_STORED_CREDENTIAL_NEW.DefaultIterationCount")
        groups = []
        for count in counts:
            keys = []
            for _ in range(count):
                reader.skip(8, "KERB_KEY_DATA_NEW.Reserved")
                iterations = reader.u32("KERB_KEY_DATA_NEW.IterationCount")
                key_type = reader.u32("KERB_KEY_DATA_NEW.KeyType")
                keys.append(KerbKeyDataNew(iterations, key_type, _at(data, reader)))
            groups.append(tuple(keys))
        return cls(salt, rounds, *groups)


def _revision(reader: Reader, wanted: int) -> None:
    if reader.u16("KERB_STORED_CREDENTIAL.Revision") != wanted:
        raise DecodeError(f"revision {wanted} wanted", 0, "KERB_STORED_CREDENTIAL.Revision")
    reader.skip(2, "KERB_STORED_CREDENTIAL.Flags")


def _salt(data: bytes, reader: Reader) -> bytes:
    """The salt as UTF-8 of what DefaultSaltLength, -MaximumLength and -Offset describe."""
    size = reader.u16("KERB_STORED_CREDENTIAL.DefaultSaltLength")
    reader.skip(2, "KERB_STORED_CREDENTIAL.DefaultSaltMaximumLength")
    offset = reader.u32("KERB_STORED_CREDENTIAL.DefaultSaltOffset")
    raw = _slice(data, offset, size, "KERB_STORED_CREDENTIAL.DefaultSalt")
    try:
        return utf16_from_wire(raw).encode("utf-8")
    except UnicodeError:
        raise DecodeError("not UTF-16", offset, "KERB_STORED_CREDENTIAL.DefaultSalt") from None


def _at(data: bytes, reader: Reader) -> bytes:
    """The key that KeyLength and KeyOffset describe."""
    size = reader.u32("KERB_KEY_DATA.KeyLength")
    return _slice(data, reader.u32("KERB_KEY_DATA.KeyOffset"), size, "KERB_KEY_DATA.KeyOffset")


def _slice(data: bytes, offset: int, size: int, path: str) -> bytes:
    if offset + size > len(data):
        raise DecodeError("points outside", offset, path)
    return data[offset : offset + size]


# --- trusts -----------------------------------------------------------------------------------------------

TRUST_AUTH_TYPE_NONE: Final = 0
TRUST_AUTH_TYPE_NT4OWF: Final = 1
TRUST_AUTH_TYPE_CLEAR: Final = 2
TRUST_AUTH_TYPE_VERSION: Final = 3


@dataclass(frozen=True, slots=True)
class AuthInformation:
    """LSAPR_AUTH_INFORMATION as a trusted domain object stores it."""

    last_update_ft: FileTime
    auth_type: int
    auth_info: bytes = field(repr=False)


@register
@dataclass(frozen=True, slots=True)
class TrustAuthInfo:
    """trustAuthIncoming or trustAuthOutgoing: present secrets, and as many previous ones or none."""

    current: tuple[AuthInformation, ...]
    previous: tuple[AuthInformation, ...]

    def pack(self) -> bytes:
        assert len(self.previous) in (0, len(self.current))
        current, previous = (_pack_auth(group) for group in (self.current, self.previous))
        return struct.pack("<III", len(self.current), 12, 12 + len(current)) + current + previous

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        count = _count(reader.u32("trustAuthInfo.Count"), "trustAuthInfo.Count")
        offsets = [reader.u32("trustAuthInfo.Offset") for _ in range(2)]
        groups: list[tuple[AuthInformation, ...]] = []
        for offset in offsets:
            if count and offset > len(data):
                raise DecodeError("points outside", offset, "trustAuthInfo.Offset")
            inner = Reader(data, offset if count else len(data))
            is_absent = bool(groups) and offset == len(data)
            groups.append(() if is_absent else tuple(_read_auth(inner) for _ in range(count)))
        return cls(*groups)


def _pack_auth(group: Iterable[AuthInformation]) -> bytes:
    out = Writer()
    for one in group:
        out.u64(one.last_update_ft)
        out.u32(one.auth_type)
        out.u32(len(one.auth_info))
        out.put(one.auth_info)
        out.align(4)
    return out.bytes()


def _read_auth(reader: Reader) -> AuthInformation:
    when = FileTime(reader.u64("LSAPR_AUTH_INFORMATION.LastUpdateTime"))
    auth_type = reader.u32("LSAPR_AUTH_INFORMATION.AuthType")
    info = reader.take(reader.u32("LSAPR_AUTH_INFORMATION.AuthInfoLength"), "LSAPR_AUTH_INFORMATION.AuthInfo")
    reader.skip(min(-len(info) % 4, reader.remaining()), "LSAPR_AUTH_INFORMATION.Padding")
    return AuthInformation(when, auth_type, info)
