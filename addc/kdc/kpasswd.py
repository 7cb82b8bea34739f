"""The password change protocol: what is asked, and how the answer is wrapped.

A request is opened with krbtgt's keys alone, the directory does what it asks, `reply_to` tells the result.
Spec: RFC 3244 2, [MS-KILE] 3.1.5.12, W-LOGON-16.
"""

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from addc.base.clock import FileTime, micros, whole_seconds
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.codec.krb5 import (
    ApRep,
    ApReq,
    Authenticator,
    ChangePasswdData,
    EncApRepPart,
    EncKrbPrivPart,
    EncTicketPart,
    HostAddress,
    KrbError,
    KrbPriv,
    PrincipalName,
    Ticket,
)
from addc.codec.krb5_numbers import AddressType, MessageType, NameType
from addc.codec.pac import Pac, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode
from addc.kdc import tickets
from addc.kdc.facts import KdcRefusal, OpenedTicket, RealmFacts
from addc.kdc.open_ticket import check_times, decrypt_ticket, open_authenticator, read_ap_req
from addc.kdc.policy import KdcPolicy, check_clock
from addc.kdc.principal_names import is_change_password
from addc.kdc.ticket_pac import PacSigners, find_pac, signatures_hold
from addc.security.krb_keys import Etype, Key, KeyUsage, decrypt
from addc.security.pac_identity import user_of

VERSION_CHANGE: Final = 1
VERSION_SET: Final = 0xFF80
_HEADER: Final = struct.Struct(">HHH")
_SERVICE: Final = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), ("kadmin", "changepw"))


class KpasswdResult(IntEnum):
    """Result codes (RFC 3244 2)."""

    SUCCESS = 0
    MALFORMED = 1
    HARDERROR = 2
    AUTHERROR = 3
    SOFTERROR = 4
    ACCESSDENIED = 5
    BAD_VERSION = 6
    INITIAL_FLAG_NEEDED = 7


@dataclass(frozen=True, slots=True)
class OpenedKpasswd:
    """An authenticated request.

    client: SID from the ticket's PAC. password: UTF-8. target: whose password, None for the client's own.
    initial: the ticket came from an AS exchange. proof: the sealed authenticator, of which no two are equal.
    """

    client: Sid
    cname: PrincipalName
    password: Secret
    target: PrincipalName | None
    target_realm: str | None
    initial: bool
    session: Key
    reply_key: Key
    authenticator: Authenticator
    timed: bool
    proof: bytes

    @property
    def is_change(self) -> bool:
        """A change of one's own password, not a reset of some account's ([MS-KILE] 3.1.5.12)."""
        return self.target is None


def looks_like_request(data: bytes) -> bool:
    """Whether a datagram may be answered. An error that answered an error would go to and fro for ever."""
    return len(data) > _HEADER.size and data[4:6] != b"\0\0" and data[_HEADER.size] == ApReq.ber_tag


def open_kpasswd(data: bytes, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedKpasswd | bytes:
    """Check a request; bytes are the reply to one that is refused."""
    try:
        return _open(data, realm, policy, now)
    except DecodeError:
        return refused(KrbErrorCode.KRB_ERR_GENERIC, KpasswdResult.MALFORMED, realm, now)
    except KdcRefusal as refusal:
        result = KpasswdResult.AUTHERROR
        if refusal.code == KrbErrorCode.KRB_AP_ERR_BADVERSION:
            result = KpasswdResult.BAD_VERSION
        return refused(refusal.code, result, realm, now)


def _open(data: bytes, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedKpasswd:
    if len(data) < _HEADER.size:
        raise DecodeError("no header", 0, "kpasswd")
    length, version, ap_size = _HEADER.unpack_from(data)
    if length != len(data) or _HEADER.size + ap_size > length:
        raise DecodeError("lengths disagree", 0, "kpasswd")
    if version not in (VERSION_CHANGE, VERSION_SET):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADVERSION)
    ap_req = read_ap_req(data[_HEADER.size : _HEADER.size + ap_size])
    priv = KrbPriv.unpack(data[_HEADER.size + ap_size :])
    if priv.msg_type != MessageType.KRB_PRIV:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MSG_TYPE)
    ticket = _ticket(ap_req.ticket, realm, policy, now)
    part, session = ticket.part, ticket.session
    authenticator = open_authenticator(ap_req, ticket, KeyUsage.AP_REQ_AUTHENTICATOR, policy, now)
    subkey = authenticator.subkey
    reply_key = Key(subkey.keytype, subkey.keyvalue) if subkey else session
    private = _private(priv, reply_key, policy, now)
    password, target, target_realm = _wanted(version, private.user_data)
    return OpenedKpasswd(
        client=_client(part, ticket.key),
        cname=part.cname,
        password=password,
        target=target,
        target_realm=target_realm,
        initial=bool(part.flags & tickets.INITIAL),
        session=session,
        reply_key=reply_key,
        authenticator=authenticator,
        timed=private.timestamp is not None,
        proof=ap_req.authenticator.cipher,
    )


def _ticket(ticket: Ticket, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTicket:
    """A ticket for kadmin/changepw, which is krbtgt's; a TGT has the same key and is refused by its name.

    krbtgt's RC4 key, its NT hash, makes no such ticket.
    """
    if not is_change_password(ticket.sname) or not realm.is_alias(ticket.realm):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_NOT_US)
    if ticket.enc_part.etype == Etype.RC4_HMAC:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADKEYVER)
    opened = decrypt_ticket(ticket, realm.krbtgt.keys)
    check_times(opened.part, policy, now)
    return opened


def _private(priv: KrbPriv, key: Key, policy: KdcPolicy, now: FileTime) -> EncKrbPrivPart:
    try:
        private = EncKrbPrivPart.unpack(decrypt(key, int(KeyUsage.KRB_PRIV), priv.enc_part.cipher))
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED) from None
    if private.timestamp is not None:
        check_clock(private.timestamp, policy, now)
    return private


def _wanted(version: int, user_data: bytes) -> tuple[Secret, PrincipalName | None, str | None]:
    if version == VERSION_CHANGE:
        return Secret(user_data), None, None
    wanted = ChangePasswdData.unpack(user_data)
    if (wanted.targname is None) != (wanted.targrealm is None):
        raise DecodeError("a target's name without its realm", 0, "ChangePasswdData")
    return Secret(wanted.newpasswd), wanted.targname, wanted.targrealm


def _client(part: EncTicketPart, key: Key) -> Sid:
    """The SID in the ticket's PAC, whose signatures must hold."""
    data = find_pac(part.authorization_data)
    if data is None or not signatures_hold(data, PacSigners(key, key), None):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    pac = Pac.unpack(data)
    if pac.get(PacType.REQUESTOR_SID) is not None:
        # Only a TGT has it: this one was renamed, which its encryption does not prevent.
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_NOT_US)
    logon = pac.get(PacType.LOGON_INFO)
    sid = None if logon is None else user_of(unpack_logon_info(logon))
    if sid is None:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    return sid


def result_data(result: KpasswdResult, text: str | bytes = "") -> bytes:
    """Result code, then its string; bytes for the policy of a soft error."""
    return struct.pack(">H", int(result)) + (text.encode() if isinstance(text, str) else text)


def policy_text(
    minimum_length: int, history: int, properties: int, maximum_age: int, minimum_age: int
) -> bytes:
    """The result string of a soft error: the password policy, 30 bytes behind 0x0000.

    Ages are 100 ns, positive. Clients tell it from a text by its size and its two zero bytes (W-LOGON-16).
    """
    return struct.pack(">HIIIQQ", 0, minimum_length, history, properties, maximum_age, minimum_age)


def host_address(address: str) -> HostAddress:
    """A HostAddress of an IP address in text form; 0.0.0.0 for what is none."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return HostAddress(AddressType.IPV4, bytes(4))
    if ip.version == 6 and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return HostAddress(AddressType.IPV4 if ip.version == 4 else AddressType.IPV6, ip.packed)


def refused(code: KrbErrorCode, result: KpasswdResult, realm: RealmFacts, now: FileTime) -> bytes:
    """The reply to who could not be authenticated: a KRB-ERROR with the result as its e-data."""
    error = KrbError(
        stime=whole_seconds(now),
        susec=micros(now),
        error_code=int(code),
        realm=realm.realm,
        sname=_SERVICE,
        e_data=result_data(result, result.name),
    ).pack()
    return _HEADER.pack(_HEADER.size + len(error), VERSION_CHANGE, 0) + error


def reply_to(opened: OpenedKpasswd, result: bytes, local: HostAddress, now: FileTime, rng: Rng) -> bytes:
    """The reply to an authenticated request: AP-REP, then the result in a KRB-PRIV.

    result: from `result_data`. local: the address that the request came to.
    """
    sequence = int.from_bytes(rng.bytes(4), "big") & 0x3FFF_FFFF
    answer = EncApRepPart(
        ctime=opened.authenticator.ctime, cusec=opened.authenticator.cusec, seq_number=sequence
    )
    ap_rep = ApRep(
        enc_part=tickets.sealed(opened.session, int(KeyUsage.AP_REP_ENC_PART), answer.pack(), rng)
    ).pack()
    private = EncKrbPrivPart(
        user_data=result,
        timestamp=whole_seconds(now) if opened.timed else None,
        usec=micros(now) if opened.timed else None,
        seq_number=sequence,
        s_address=local,
    )
    priv = KrbPriv(
        enc_part=tickets.sealed(opened.reply_key, int(KeyUsage.KRB_PRIV), private.pack(), rng)
    ).pack()
    size = _HEADER.size + len(ap_rep) + len(priv)
    return _HEADER.pack(size, VERSION_CHANGE, len(ap_rep)) + ap_rep + priv
