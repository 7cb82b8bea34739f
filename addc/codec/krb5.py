"""Kerberos messages, declared once; field names are those of the documents in snake_case.

pvno and msg_type are not checked here: their mismatch has error codes of its own (RFC 4120 3.1.2). Numbers
and bits are in codec/krb5_numbers.py. Times are FileTime of whole seconds; flags are 32-bit ints whose most
significant bit is bit 0; texts are UTF-8, foreign bytes kept as lone surrogates. A checksum over a part of a
message is taken over the bytes that came, never over a value packed again: see `req_body_bytes`.
PA-SUPPORTED-ENCTYPES and the loopback data are bare bytes and have no class.

Spec: RFC 4120 5, RFC 6806 11, RFC 3244 2, RFC 6113 5.3-5.4, [MS-KILE] 2.2, [MS-SFU] 2.2.
"""

import struct
from dataclasses import dataclass
from typing import Annotated, Final, Self

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec import ber
from addc.codec.ber_wire import element, find_element, read_element
from addc.codec.declare import register
from addc.codec.krb5_numbers import AddressType, MessageType

MICROSECONDS: Final = ber.Integer(0, 999_999)
_EXT_ERROR: Final = struct.Struct("<III")
_NAMES: Final = ber.SequenceOf(ber.GENERAL_STRING, limit=64)
_ETYPES: Final = ber.SequenceOf(ber.INT32, limit=256)

Realm = Annotated[str, ber.GENERAL_STRING]
Int32 = Annotated[int, ber.INT32]
UInt32 = Annotated[int, ber.UINT32]
Time = Annotated[FileTime, ber.TIME]
Micros = Annotated[int, MICROSECONDS]
Bits = Annotated[int, ber.FLAGS]


@ber.sequence()
class PrincipalName(ber.Value):
    """PrincipalName. Spec: RFC 4120 5.2.2."""

    name_type: Annotated[Int32, ber.Tag(0)]
    name_string: Annotated[tuple[str, ...], _NAMES, ber.Tag(1)]

    def __str__(self) -> str:
        """The components with slashes between them, for logs; not escaped."""
        return "/".join(self.name_string)


@ber.sequence()
class HostAddress(ber.Value):
    """HostAddress. Spec: RFC 4120 5.2.5."""

    addr_type: Annotated[Int32, ber.Tag(0)]
    address: Annotated[bytes, ber.Tag(1)]

    @classmethod
    def of_machine(cls, name: str) -> Self:
        """A NetBIOS name: 15 characters and a type byte. Spec: RFC 4120 7.5.3."""
        return cls(int(AddressType.NETBIOS), name[:15].encode("cp850", "replace").ljust(15) + b" ")

    def machine(self) -> str:
        """The NetBIOS name, "" for an address of another kind."""
        if self.addr_type != AddressType.NETBIOS:
            return ""
        return self.address[:15].decode("cp850", "replace").rstrip(" \0")


@ber.sequence()
class AuthorizationDataEntry(ber.Value):
    """One element of AuthorizationData. Spec: RFC 4120 5.2.6."""

    ad_type: Annotated[Int32, ber.Tag(0)]
    ad_data: Annotated[bytes, ber.Tag(1)]


@ber.single()
class AuthorizationData(ber.Value):
    """AuthorizationData; AD-IF-RELEVANT and AD-MANDATORY-FOR-KDC have the same form. Spec: RFC 4120 5.2.6."""

    elements: tuple[AuthorizationDataEntry, ...]


@ber.sequence()
class PaData(ber.Value):
    """PA-DATA. Spec: RFC 4120 5.2.7."""

    padata_type: Annotated[Int32, ber.Tag(1)]
    padata_value: Annotated[bytes, ber.Tag(2)] = b""


@ber.single()
class MethodData(ber.Value):
    """METHOD-DATA. Spec: RFC 4120 5.9.1."""

    padata: tuple[PaData, ...]


@ber.sequence(kw_only=True)
class EncryptedData(ber.Value):
    """EncryptedData. Spec: RFC 4120 5.2.9."""

    etype: Annotated[Int32, ber.Tag(0)]
    kvno: Annotated[UInt32 | None, ber.Tag(1)] = None
    cipher: Annotated[bytes, ber.Tag(2)]


@ber.sequence()
class EncryptionKey(ber.Value):
    """EncryptionKey; its repr hides the key. Spec: RFC 4120 5.2.9."""

    keytype: Annotated[Int32, ber.Tag(0)]
    keyvalue: Annotated[bytes, ber.Tag(1)]

    def __repr__(self) -> str:
        return f"EncryptionKey(keytype={self.keytype}, keyvalue={len(self.keyvalue)} bytes)"


@ber.sequence()
class Checksum(ber.Value):
    """Checksum. Spec: RFC 4120 5.2.9."""

    cksumtype: Annotated[Int32, ber.Tag(0)]
    checksum: Annotated[bytes, ber.Tag(1)]


@ber.sequence(application=1, kw_only=True)
class Ticket(ber.Value):
    """Ticket. Spec: RFC 4120 5.3."""

    tkt_vno: Annotated[Int32, ber.Tag(0)] = 5
    realm: Annotated[Realm, ber.Tag(1)]
    sname: Annotated[PrincipalName, ber.Tag(2)]
    enc_part: Annotated[EncryptedData, ber.Tag(3)]


@ber.sequence()
class TransitedEncoding(ber.Value):
    """TransitedEncoding. Spec: RFC 4120 5.3."""

    tr_type: Annotated[Int32, ber.Tag(0)]
    contents: Annotated[bytes, ber.Tag(1)]


@ber.sequence(application=3, kw_only=True)
class EncTicketPart(ber.Value):
    """EncTicketPart. Spec: RFC 4120 5.3."""

    flags: Annotated[Bits, ber.Tag(0)]
    key: Annotated[EncryptionKey, ber.Tag(1)]
    crealm: Annotated[Realm, ber.Tag(2)]
    cname: Annotated[PrincipalName, ber.Tag(3)]
    transited: Annotated[TransitedEncoding, ber.Tag(4)]
    authtime: Annotated[Time, ber.Tag(5)]
    starttime: Annotated[Time | None, ber.Tag(6)] = None
    endtime: Annotated[Time, ber.Tag(7)]
    renew_till: Annotated[Time | None, ber.Tag(8)] = None
    caddr: Annotated[tuple[HostAddress, ...] | None, ber.Tag(9)] = None
    authorization_data: Annotated[tuple[AuthorizationDataEntry, ...] | None, ber.Tag(10)] = None


def with_authorization_data(packed: bytes, entries: bytes) -> bytes:
    """A packed EncTicketPart that has no authorization data, with these packed entries as its last field."""
    _, start, end = read_element(packed, 0, len(packed), "EncTicketPart")
    _, start, end = read_element(packed, start, end, "EncTicketPart")
    return element(0x63, element(0x30, packed[start:end] + element(0xAA, element(0x30, entries))))


@ber.sequence(kw_only=True)
class KdcReqBody(ber.Value):
    """KDC-REQ-BODY. Spec: RFC 4120 5.4.1."""

    kdc_options: Annotated[Bits, ber.Tag(0)]
    cname: Annotated[PrincipalName | None, ber.Tag(1)] = None
    realm: Annotated[Realm, ber.Tag(2)]
    sname: Annotated[PrincipalName | None, ber.Tag(3)] = None
    from_: Annotated[Time | None, ber.Tag(4)] = None
    till: Annotated[Time, ber.Tag(5)]
    rtime: Annotated[Time | None, ber.Tag(6)] = None
    nonce: Annotated[UInt32, ber.Tag(7)]
    etype: Annotated[tuple[int, ...], _ETYPES, ber.Tag(8)]
    addresses: Annotated[tuple[HostAddress, ...] | None, ber.Tag(9)] = None
    enc_authorization_data: Annotated[EncryptedData | None, ber.Tag(10)] = None
    additional_tickets: Annotated[tuple[Ticket, ...] | None, ber.Tag(11)] = None


@ber.sequence(kw_only=True)
class KdcReq(ber.Value):
    """KDC-REQ: what AS-REQ and TGS-REQ have in common. Spec: RFC 4120 5.4.1."""

    pvno: Annotated[Int32, ber.Tag(1)] = 5
    msg_type: Annotated[Int32, ber.Tag(2)]
    padata: Annotated[tuple[PaData, ...] | None, ber.Tag(3)] = None
    req_body: Annotated[KdcReqBody, ber.Tag(4)]


@ber.sequence(application=10, kw_only=True)
class AsReq(KdcReq):
    """AS-REQ. Spec: RFC 4120 5.4.1."""

    msg_type: Annotated[Int32, ber.Tag(2)] = MessageType.KRB_AS_REQ


@ber.sequence(application=12, kw_only=True)
class TgsReq(KdcReq):
    """TGS-REQ. Spec: RFC 4120 5.4.1."""

    msg_type: Annotated[Int32, ber.Tag(2)] = MessageType.KRB_TGS_REQ


def req_body_bytes(message: bytes) -> bytes:
    """The KDC-REQ-BODY of an AS-REQ or TGS-REQ as it came, for checksums over it.

    Spec: RFC 4120 7.2 (PA-TGS-REQ), RFC 6113 5.4.2 (req-checksum).
    """
    return find_element(message, (None, 0x30, 0xA4), "KdcReq.req_body")


@ber.sequence(kw_only=True)
class KdcRep(ber.Value):
    """KDC-REP: what AS-REP and TGS-REP have in common. Spec: RFC 4120 5.4.2."""

    pvno: Annotated[Int32, ber.Tag(0)] = 5
    msg_type: Annotated[Int32, ber.Tag(1)]
    padata: Annotated[tuple[PaData, ...] | None, ber.Tag(2)] = None
    crealm: Annotated[Realm, ber.Tag(3)]
    cname: Annotated[PrincipalName, ber.Tag(4)]
    ticket: Annotated[Ticket, ber.Tag(5)]
    enc_part: Annotated[EncryptedData, ber.Tag(6)]


@ber.sequence(application=11, kw_only=True)
class AsRep(KdcRep):
    """AS-REP. Spec: RFC 4120 5.4.2."""

    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_AS_REP


@ber.sequence(application=13, kw_only=True)
class TgsRep(KdcRep):
    """TGS-REP. Spec: RFC 4120 5.4.2."""

    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_TGS_REP


@ber.sequence()
class LastReqEntry(ber.Value):
    """One element of LastReq. Spec: RFC 4120 5.4.2."""

    lr_type: Annotated[Int32, ber.Tag(0)]
    lr_value: Annotated[Time, ber.Tag(1)]


@ber.sequence(kw_only=True)
class EncKdcRepPart(ber.Value):
    """EncKDCRepPart, with the encrypted-pa-data of RFC 6806 11. Spec: RFC 4120 5.4.2."""

    key: Annotated[EncryptionKey, ber.Tag(0)]
    last_req: Annotated[tuple[LastReqEntry, ...], ber.Tag(1)]
    nonce: Annotated[UInt32, ber.Tag(2)]
    key_expiration: Annotated[Time | None, ber.Tag(3)] = None
    flags: Annotated[Bits, ber.Tag(4)]
    authtime: Annotated[Time, ber.Tag(5)]
    starttime: Annotated[Time | None, ber.Tag(6)] = None
    endtime: Annotated[Time, ber.Tag(7)]
    renew_till: Annotated[Time | None, ber.Tag(8)] = None
    srealm: Annotated[Realm, ber.Tag(9)]
    sname: Annotated[PrincipalName, ber.Tag(10)]
    caddr: Annotated[tuple[HostAddress, ...] | None, ber.Tag(11)] = None
    encrypted_pa_data: Annotated[tuple[PaData, ...] | None, ber.Tag(12)] = None


@ber.sequence(application=25, kw_only=True)
class EncAsRepPart(EncKdcRepPart):
    """EncASRepPart. Spec: RFC 4120 5.4.2."""


@ber.sequence(application=26, kw_only=True)
class EncTgsRepPart(EncKdcRepPart):
    """EncTGSRepPart. Spec: RFC 4120 5.4.2."""


@ber.sequence(application=14, kw_only=True)
class ApReq(ber.Value):
    """AP-REQ. Spec: RFC 4120 5.5.1."""

    pvno: Annotated[Int32, ber.Tag(0)] = 5
    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_AP_REQ
    ap_options: Annotated[Bits, ber.Tag(2)]
    ticket: Annotated[Ticket, ber.Tag(3)]
    authenticator: Annotated[EncryptedData, ber.Tag(4)]


@ber.sequence(application=2, kw_only=True)
class Authenticator(ber.Value):
    """Authenticator. Spec: RFC 4120 5.5.1."""

    authenticator_vno: Annotated[Int32, ber.Tag(0)] = 5
    crealm: Annotated[Realm, ber.Tag(1)]
    cname: Annotated[PrincipalName, ber.Tag(2)]
    cksum: Annotated[Checksum | None, ber.Tag(3)] = None
    cusec: Annotated[Micros, ber.Tag(4)]
    ctime: Annotated[Time, ber.Tag(5)]
    subkey: Annotated[EncryptionKey | None, ber.Tag(6)] = None
    seq_number: Annotated[UInt32 | None, ber.Tag(7)] = None
    authorization_data: Annotated[tuple[AuthorizationDataEntry, ...] | None, ber.Tag(8)] = None


@ber.sequence(application=15, kw_only=True)
class ApRep(ber.Value):
    """AP-REP. Spec: RFC 4120 5.5.2."""

    pvno: Annotated[Int32, ber.Tag(0)] = 5
    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_AP_REP
    enc_part: Annotated[EncryptedData, ber.Tag(2)]


@ber.sequence(application=27, kw_only=True)
class EncApRepPart(ber.Value):
    """EncAPRepPart. Spec: RFC 4120 5.5.2."""

    ctime: Annotated[Time, ber.Tag(0)]
    cusec: Annotated[Micros, ber.Tag(1)]
    subkey: Annotated[EncryptionKey | None, ber.Tag(2)] = None
    seq_number: Annotated[UInt32 | None, ber.Tag(3)] = None


@ber.sequence(kw_only=True)
class KrbSafeBody(ber.Value):
    """KRB-SAFE-BODY. Spec: RFC 4120 5.6.1."""

    user_data: Annotated[bytes, ber.Tag(0)]
    timestamp: Annotated[Time | None, ber.Tag(1)] = None
    usec: Annotated[Micros | None, ber.Tag(2)] = None
    seq_number: Annotated[UInt32 | None, ber.Tag(3)] = None
    s_address: Annotated[HostAddress, ber.Tag(4)]
    r_address: Annotated[HostAddress | None, ber.Tag(5)] = None


@ber.sequence(application=20, kw_only=True)
class KrbSafe(ber.Value):
    """KRB-SAFE. Spec: RFC 4120 5.6.1."""

    pvno: Annotated[Int32, ber.Tag(0)] = 5
    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_SAFE
    safe_body: Annotated[KrbSafeBody, ber.Tag(2)]
    cksum: Annotated[Checksum, ber.Tag(3)]


@ber.sequence(application=21, kw_only=True)
class KrbPriv(ber.Value):
    """KRB-PRIV; there is no [2]. Spec: RFC 4120 5.7.1."""

    pvno: Annotated[Int32, ber.Tag(0)] = 5
    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_PRIV
    enc_part: Annotated[EncryptedData, ber.Tag(3)]


@ber.sequence(application=28, kw_only=True)
class EncKrbPrivPart(ber.Value):
    """EncKrbPrivPart. Spec: RFC 4120 5.7.1."""

    user_data: Annotated[bytes, ber.Tag(0)]
    timestamp: Annotated[Time | None, ber.Tag(1)] = None
    usec: Annotated[Micros | None, ber.Tag(2)] = None
    seq_number: Annotated[UInt32 | None, ber.Tag(3)] = None
    s_address: Annotated[HostAddress, ber.Tag(4)]
    r_address: Annotated[HostAddress | None, ber.Tag(5)] = None

    def __repr__(self) -> str:
        return f"EncKrbPrivPart(user_data={len(self.user_data)} bytes, seq_number={self.seq_number})"


@ber.sequence(application=22, kw_only=True)
class KrbCred(ber.Value):
    """KRB-CRED. Spec: RFC 4120 5.8.1."""

    pvno: Annotated[Int32, ber.Tag(0)] = 5
    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_CRED
    tickets: Annotated[tuple[Ticket, ...], ber.Tag(2)]
    enc_part: Annotated[EncryptedData, ber.Tag(3)]


@ber.sequence(kw_only=True)
class KrbCredInfo(ber.Value):
    """KrbCredInfo. Spec: RFC 4120 5.8.1."""

    key: Annotated[EncryptionKey, ber.Tag(0)]
    prealm: Annotated[Realm | None, ber.Tag(1)] = None
    pname: Annotated[PrincipalName | None, ber.Tag(2)] = None
    flags: Annotated[Bits | None, ber.Tag(3)] = None
    authtime: Annotated[Time | None, ber.Tag(4)] = None
    starttime: Annotated[Time | None, ber.Tag(5)] = None
    endtime: Annotated[Time | None, ber.Tag(6)] = None
    renew_till: Annotated[Time | None, ber.Tag(7)] = None
    srealm: Annotated[Realm | None, ber.Tag(8)] = None
    sname: Annotated[PrincipalName | None, ber.Tag(9)] = None
    caddr: Annotated[tuple[HostAddress, ...] | None, ber.Tag(10)] = None


@ber.sequence(application=29, kw_only=True)
class EncKrbCredPart(ber.Value):
    """EncKrbCredPart. Spec: RFC 4120 5.8.1."""

    ticket_info: Annotated[tuple[KrbCredInfo, ...], ber.Tag(0)]
    nonce: Annotated[UInt32 | None, ber.Tag(1)] = None
    timestamp: Annotated[Time | None, ber.Tag(2)] = None
    usec: Annotated[Micros | None, ber.Tag(3)] = None
    s_address: Annotated[HostAddress | None, ber.Tag(4)] = None
    r_address: Annotated[HostAddress | None, ber.Tag(5)] = None


@ber.sequence(application=30, kw_only=True)
class KrbError(ber.Value):
    """KRB-ERROR. Spec: RFC 4120 5.9.1."""

    pvno: Annotated[Int32, ber.Tag(0)] = 5
    msg_type: Annotated[Int32, ber.Tag(1)] = MessageType.KRB_ERROR
    ctime: Annotated[Time | None, ber.Tag(2)] = None
    cusec: Annotated[Micros | None, ber.Tag(3)] = None
    stime: Annotated[Time, ber.Tag(4)]
    susec: Annotated[Micros, ber.Tag(5)]
    error_code: Annotated[Int32, ber.Tag(6)]
    crealm: Annotated[Realm | None, ber.Tag(7)] = None
    cname: Annotated[PrincipalName | None, ber.Tag(8)] = None
    realm: Annotated[Realm, ber.Tag(9)]
    sname: Annotated[PrincipalName, ber.Tag(10)]
    e_text: Annotated[Realm | None, ber.Tag(11)] = None
    e_data: Annotated[bytes | None, ber.Tag(12)] = None


@ber.sequence()
class TypedDataEntry(ber.Value):
    """One element of TYPED-DATA. Spec: RFC 4120 5.9.1."""

    data_type: Annotated[Int32, ber.Tag(0)]
    data_value: Annotated[bytes | None, ber.Tag(1)] = None


@ber.single()
class TypedData(ber.Value):
    """TYPED-DATA. Spec: RFC 4120 5.9.1."""

    entries: tuple[TypedDataEntry, ...]


@ber.sequence()
class PaEncTsEnc(ber.Value):
    """PA-ENC-TS-ENC. Spec: RFC 4120 5.2.7.2."""

    patimestamp: Annotated[Time, ber.Tag(0)]
    pausec: Annotated[Micros | None, ber.Tag(1)] = None


@ber.sequence()
class EtypeInfoEntry(ber.Value):
    """ETYPE-INFO-ENTRY. Spec: RFC 4120 5.2.7.4."""

    etype: Annotated[Int32, ber.Tag(0)]
    salt: Annotated[bytes | None, ber.Tag(1)] = None


@ber.single()
class EtypeInfo(ber.Value):
    """ETYPE-INFO. Spec: RFC 4120 5.2.7.4."""

    entries: tuple[EtypeInfoEntry, ...]


@ber.sequence()
class EtypeInfo2Entry(ber.Value):
    """ETYPE-INFO2-ENTRY. Spec: RFC 4120 5.2.7.5."""

    etype: Annotated[Int32, ber.Tag(0)]
    salt: Annotated[Realm | None, ber.Tag(1)] = None
    s2kparams: Annotated[bytes | None, ber.Tag(2)] = None


@ber.single()
class EtypeInfo2(ber.Value):
    """ETYPE-INFO2. Spec: RFC 4120 5.2.7.5."""

    entries: tuple[EtypeInfo2Entry, ...]


@ber.sequence(kw_only=True)
class AdKdcIssued(ber.Value):
    """AD-KDCIssued. Spec: RFC 4120 5.2.6.2."""

    ad_checksum: Annotated[Checksum, ber.Tag(0)]
    i_realm: Annotated[Realm | None, ber.Tag(1)] = None
    i_sname: Annotated[PrincipalName | None, ber.Tag(2)] = None
    elements: Annotated[tuple[AuthorizationDataEntry, ...], ber.Tag(3)]


@ber.sequence()
class AdAndOr(ber.Value):
    """AD-AND-OR. Spec: RFC 4120 5.2.6.3."""

    condition_count: Annotated[Int32, ber.Tag(0)]
    elements: Annotated[tuple[AuthorizationDataEntry, ...], ber.Tag(1)]


@ber.sequence(extensible=True, kw_only=True)
class ChangePasswdData(ber.Value):
    """ChangePasswdData; fields behind targrealm are to be ignored. Spec: RFC 3244 2."""

    newpasswd: Annotated[bytes, ber.Tag(0)]
    targname: Annotated[PrincipalName | None, ber.Tag(1)] = None
    targrealm: Annotated[Realm | None, ber.Tag(2)] = None

    def __repr__(self) -> str:
        return f"ChangePasswdData(targname={self.targname}, targrealm={self.targrealm!r})"


@ber.sequence(extensible=True)
class PaAuthenticationSetElem(ber.Value):
    """PA-AUTHENTICATION-SET-ELEM. Spec: RFC 6113 5.3."""

    pa_type: Annotated[Int32, ber.Tag(0)]
    pa_hint: Annotated[bytes | None, ber.Tag(1)] = None
    pa_value: Annotated[bytes | None, ber.Tag(2)] = None


@ber.single()
class PaAuthenticationSet(ber.Value):
    """PA-AUTHENTICATION-SET. Spec: RFC 6113 5.3."""

    elements: tuple[PaAuthenticationSetElem, ...]


@ber.sequence(extensible=True)
class KrbFastArmor(ber.Value):
    """KrbFastArmor. Spec: RFC 6113 5.4.1."""

    armor_type: Annotated[Int32, ber.Tag(0)]
    armor_value: Annotated[bytes, ber.Tag(1)]


@ber.sequence(extensible=True, kw_only=True)
class KrbFastArmoredReq(ber.Value):
    """KrbFastArmoredReq. Spec: RFC 6113 5.4.2."""

    armor: Annotated[KrbFastArmor | None, ber.Tag(0)] = None
    req_checksum: Annotated[Checksum, ber.Tag(1)]
    enc_fast_req: Annotated[EncryptedData, ber.Tag(2)]


@ber.single(context=0, explicit=True)
class PaFxFastRequest(ber.Value):
    """PA-FX-FAST-REQUEST, a CHOICE with one alternative. Spec: RFC 6113 5.4.2."""

    armored_data: KrbFastArmoredReq


@ber.sequence(extensible=True, kw_only=True)
class KrbFastReq(ber.Value):
    """KrbFastReq; req_body takes the place of the outer one. Spec: RFC 6113 5.4.2."""

    fast_options: Annotated[Bits, ber.Tag(0)]
    padata: Annotated[tuple[PaData, ...], ber.Tag(1)]
    req_body: Annotated[KdcReqBody, ber.Tag(2)]


@ber.sequence(extensible=True)
class KrbFastArmoredRep(ber.Value):
    """KrbFastArmoredRep. Spec: RFC 6113 5.4.3."""

    enc_fast_rep: Annotated[EncryptedData, ber.Tag(0)]


@ber.single(context=0, explicit=True)
class PaFxFastReply(ber.Value):
    """PA-FX-FAST-REPLY, a CHOICE with one alternative. Spec: RFC 6113 5.4.3."""

    armored_data: KrbFastArmoredRep


@ber.sequence(extensible=True, kw_only=True)
class KrbFastFinished(ber.Value):
    """KrbFastFinished. Spec: RFC 6113 5.4.3."""

    timestamp: Annotated[Time, ber.Tag(0)]
    usec: Annotated[Micros, ber.Tag(1)]
    crealm: Annotated[Realm, ber.Tag(2)]
    cname: Annotated[PrincipalName, ber.Tag(3)]
    ticket_checksum: Annotated[Checksum, ber.Tag(4)]


@ber.sequence(extensible=True, kw_only=True)
class KrbFastResponse(ber.Value):
    """KrbFastResponse. Spec: RFC 6113 5.4.3."""

    padata: Annotated[tuple[PaData, ...], ber.Tag(0)]
    strengthen_key: Annotated[EncryptionKey | None, ber.Tag(1)] = None
    finished: Annotated[KrbFastFinished | None, ber.Tag(2)] = None
    nonce: Annotated[UInt32, ber.Tag(3)]


@register
@dataclass(frozen=True, slots=True)
class KerbExtError:
    """KERB-EXT-ERROR: an NTSTATUS inside KERB-ERROR-DATA. Spec: [MS-KILE] 2.2.1."""

    status: int
    reserved: int = 0
    flags: int = 1

    def pack(self) -> bytes:
        return _EXT_ERROR.pack(self.status, self.reserved, self.flags)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        if len(data) != _EXT_ERROR.size:
            raise DecodeError("not 12 bytes", 0, "KerbExtError")
        return cls(*_EXT_ERROR.unpack(data))


@ber.sequence()
class KerbErrorData(ber.Value):
    """KERB-ERROR-DATA. Spec: [MS-KILE] 2.2.2."""

    data_type: Annotated[Int32, ber.Tag(1)]
    data_value: Annotated[bytes | None, ber.Tag(2)] = None


@ber.sequence()
class PaPacRequest(ber.Value):
    """KERB-PA-PAC-REQUEST. Spec: [MS-KILE] 2.2.3."""

    include_pac: Annotated[bool, ber.Tag(0)]


@ber.sequence()
class KerbAdRestrictionEntry(ber.Value):
    """KERB-AD-RESTRICTION-ENTRY. Spec: [MS-KILE] 2.2.6."""

    restriction_type: Annotated[Int32, ber.Tag(0)]
    restriction: Annotated[bytes, ber.Tag(1)]


@ber.sequence()
class PaPacOptions(ber.Value):
    """PA-PAC-OPTIONS. Spec: [MS-KILE] 2.2.10."""

    flags: Annotated[Bits, ber.Tag(0)]


@ber.single()
class KerbKeyListReq(ber.Value):
    """KERB-KEY-LIST-REQ. Spec: [MS-KILE] 2.2.11."""

    etypes: Annotated[tuple[int, ...], ber.SequenceOf(ber.INT32, limit=256)]


@ber.single()
class KerbKeyListRep(ber.Value):
    """KERB-KEY-LIST-REP. Spec: [MS-KILE] 2.2.12."""

    keys: tuple[EncryptionKey, ...]


@ber.sequence(extensible=True)
class KerbSupersededByUser(ber.Value):
    """KERB-SUPERSEDED-BY-USER. Spec: [MS-KILE] 2.2.13."""

    name: Annotated[PrincipalName, ber.Tag(0)]
    realm: Annotated[Realm, ber.Tag(1)]


@ber.sequence(extensible=True, kw_only=True)
class KerbDmsaKeyPackage(ber.Value):
    """KERB-DMSA-KEY-PACKAGE; there is no [3]. Spec: [MS-KILE] 2.2.14."""

    current_keys: Annotated[tuple[EncryptionKey, ...], ber.Tag(0)]
    previous_keys: Annotated[tuple[EncryptionKey, ...] | None, ber.Tag(1)] = None
    expiration_interval: Annotated[Time, ber.Tag(2)]
    fetch_interval: Annotated[Time, ber.Tag(4)]


@ber.sequence(kw_only=True)
class PaForUser(ber.Value):
    """PA-FOR-USER. Spec: [MS-SFU] 2.2.1."""

    user_name: Annotated[PrincipalName, ber.Tag(0)]
    user_realm: Annotated[Realm, ber.Tag(1)]
    cksum: Annotated[Checksum, ber.Tag(2)]
    auth_package: Annotated[Realm, ber.Tag(3)] = "Kerberos"


@ber.sequence(extensible=True, kw_only=True)
class S4uUserId(ber.Value):
    """S4UUserID. Spec: [MS-SFU] 2.2.2."""

    nonce: Annotated[UInt32, ber.Tag(0)]
    cname: Annotated[PrincipalName | None, ber.Tag(1)] = None
    crealm: Annotated[Realm, ber.Tag(2)]
    subject_certificate: Annotated[bytes | None, ber.Tag(3)] = None
    options: Annotated[Bits | None, ber.Tag(4)] = None


@ber.sequence()
class PaS4uX509User(ber.Value):
    """PA-S4U-X509-USER. Spec: [MS-SFU] 2.2.2."""

    user_id: Annotated[S4uUserId, ber.Tag(0)]
    checksum: Annotated[Checksum, ber.Tag(1)]


@ber.sequence(kw_only=True)
class KdcProxyMessage(ber.Value):
    """KDC-PROXY-MESSAGE; kerb_message begins with its length. Spec: [MS-KKDCP] 2.2.2."""

    kerb_message: Annotated[bytes, ber.Tag(0)]
    target_domain: Annotated[Realm | None, ber.Tag(1)] = None
    dclocator_hint: Annotated[Int32 | None, ber.Tag(2)] = None


def s4u_user_id_bytes(padata_value: bytes) -> bytes:
    """The S4UUserID of a PA-S4U-X509-USER as it came, for its checksum. Spec: [MS-SFU] 2.2.2."""
    return find_element(padata_value, (0x30, 0xA0), "PaS4uX509User.user_id")
