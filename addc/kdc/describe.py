"""Kerberos messages and tickets in words: decrypted with what keys there are, PACs checked.

A `Describer` remembers the session keys that it sees, so that of a whole conversation each message opens
those behind it: the AS reply the authenticator of the next request, and that the TGS reply.

Spec: RFC 4120 5, RFC 6113 5.4, RFC 3244 2, [MS-KILE] 2.2, [MS-SFU] 2.2.
"""

import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from addc.base.errors import DecodeError
from addc.codec.krb5 import (
    ApRep,
    ApReq,
    AsRep,
    AsReq,
    Authenticator,
    AuthorizationData,
    AuthorizationDataEntry,
    EncApRepPart,
    EncAsRepPart,
    EncKdcRepPart,
    EncKrbCredPart,
    EncKrbPrivPart,
    EncryptedData,
    EncryptionKey,
    EncTgsRepPart,
    EncTicketPart,
    KdcRep,
    KdcReq,
    KdcReqBody,
    KerbErrorData,
    KerbExtError,
    KrbCred,
    KrbError,
    KrbFastArmoredRep,
    KrbPriv,
    MethodData,
    PaData,
    PaFxFastReply,
    PaFxFastRequest,
    PrincipalName,
    TgsRep,
    TgsReq,
    Ticket,
)
from addc.codec.krb5_numbers import AdType, KerbErrorDataType, PaType
from addc.codes.ntstatus import NtStatus
from addc.kdc.describe_fast import FastTunnels
from addc.kdc.describe_pac import NamedKey, NameOf, PacKeys, describe_pac
from addc.kdc.describe_padata import padata_value
from addc.kdc.describe_values import Showing, Shown, fields_of, sealed_value, value_of
from addc.kdc.ticket_pac import find_pac, signed_plain
from addc.security.krb_keys import Key, KeyUsage, decrypt

_LEARNT_MAX: Final = 256
_DEPTH_MAX: Final = 4
_KPASSWD_HEAD: Final = struct.Struct(">HHH")


class KeySource(Protocol):
    """Where long-term keys come from: a keytab, or a forest."""

    def keys_of(self, realm: str, name: PrincipalName, etype: int, kvno: int | None) -> Sequence[NamedKey]:
        """Keys that something encrypted for this principal may have; the likeliest first."""

    def kdc_keys(self, realm: str) -> Sequence[NamedKey]:
        """Keys of the realm's krbtgt, of all types and versions that are at hand."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """Something decrypted."""

    plain: bytes
    by: NamedKey


class Describer:
    """Turns messages into plain data, for people and for JSON. Bad bytes are told, not raised."""

    def __init__(self, keys: KeySource, name_of: NameOf, showing: Showing | None = None) -> None:
        self._keys = keys
        self._name_of = name_of
        self._showing = showing or Showing()
        self._learnt: deque[NamedKey] = deque(maxlen=_LEARNT_MAX)
        self._sessions: dict[bytes, NamedKey] = {}
        self._tunnels = FastTunnels()
        self._finished: tuple[str, PrincipalName] | None = None

    # --- keys ---

    def learn(self, ticket: bytes, key: EncryptionKey, owner: str) -> None:
        """A session key that came with a ticket (DER), such as from a credential cache."""
        try:
            named = NamedKey(Key(key.keytype, key.keyvalue), owner)
            self._sessions[Ticket.unpack(ticket).enc_part.cipher] = named
        except DecodeError:
            return
        self._learnt.appendleft(named)

    def _note(self, key: EncryptionKey | None, owner: str) -> NamedKey | None:
        """Remember a session key or subkey."""
        if key is None:
            return None
        try:
            named = NamedKey(Key(key.keytype, key.keyvalue), owner)
        except DecodeError:
            return None
        if not any(named.key == one.key for one in self._learnt):
            self._learnt.appendleft(named)
        return named

    @staticmethod
    def _open(data: EncryptedData, usages: Sequence[int], keys: Sequence[NamedKey]) -> _Opened | None:
        for one in keys:
            if one.key.etype != data.etype:
                continue
            for usage in usages:
                try:
                    return _Opened(decrypt(one.key, usage, data.cipher), one)
                except DecodeError:
                    continue
        return None

    # --- whole messages ---

    def message(self, data: bytes) -> dict[str, Shown]:
        """Any Kerberos message, a ticket included; also a request or reply of the password service."""
        kind = _MESSAGES.get(data[0]) if data else None
        if kind is None:
            return self._kpasswd(data) if len(data) > _KPASSWD_HEAD.size else {"malformed": "no message"}
        name, describe = kind
        try:
            return {"message": name, **describe(self, data)}
        except DecodeError as error:
            return {"message": name, "malformed": str(error)}

    def _bare_ticket(self, data: bytes) -> dict[str, Shown]:
        return self.ticket(Ticket.unpack(data))

    def ticket(self, ticket: Ticket) -> dict[str, Shown]:
        """A ticket, its sealed part, its PAC and what the PAC's signatures are worth."""
        data = ticket.enc_part
        out: dict[str, Shown] = {"realm": ticket.realm, "server": value_of(ticket.sname, self._showing)}
        out["enc_part"] = dict(sealed_value(data, self._showing))
        keys = self._keys.keys_of(ticket.realm, ticket.sname, data.etype, data.kvno)
        opened = self._open(data, (KeyUsage.TICKET,), [*keys, *self._learnt])
        if opened is None:
            tried = ", ".join(dict.fromkeys(one.owner for one in keys if one.key.etype == data.etype))
            out["opened"] = f"no: tried {tried}" if tried else f"no: no key of {ticket.sname} is at hand"
            return out
        out["opened"] = f"with the key of {opened.by.owner}"
        try:
            part = EncTicketPart.unpack(opened.plain)
        except DecodeError as error:
            return out | {"malformed": str(error)}
        session = self._note(part.key, f"the session with {ticket.sname}")
        if session is not None:
            self._sessions[data.cipher] = session
        out |= fields_of(part, self._showing, "authorization_data")
        out["authorization_data"] = self._authorization(part, ticket, opened.by)
        return out

    def _authorization(self, part: EncTicketPart, ticket: Ticket, server: NamedKey) -> list[Shown]:
        plain = None
        try:
            if find_pac(part.authorization_data) is not None:
                plain = signed_plain(part)
        except DecodeError:
            plain = None
        keys = PacKeys(server, self._keys.kdc_keys(ticket.realm))
        return self._entries(part.authorization_data or (), keys, plain, _DEPTH_MAX)

    def _entries(
        self, entries: Sequence[AuthorizationDataEntry], keys: PacKeys, plain: bytes | None, depth: int
    ) -> list[Shown]:
        out: list[Shown] = []
        for one in entries:
            shown = fields_of(one, self._showing, "ad_data")
            try:
                if one.ad_type == AdType.AD_IF_RELEVANT and depth:
                    inner = AuthorizationData.unpack(one.ad_data).elements
                    shown["elements"] = self._entries(inner, keys, plain, depth - 1)
                elif one.ad_type == AdType.AD_WIN2K_PAC:
                    shown["pac"] = describe_pac(one.ad_data, keys, plain, self._name_of)
                else:
                    shown |= fields_of(one, self._showing, "ad_type")
            except DecodeError as error:
                shown["malformed"] = str(error)
            out.append(shown)
        return out

    # --- requests ---

    def _as_req(self, data: bytes) -> dict[str, Shown]:
        return self._kdc_req(AsReq.unpack(data))

    def _tgs_req(self, data: bytes) -> dict[str, Shown]:
        return self._kdc_req(TgsReq.unpack(data))

    def _kdc_req(self, message: KdcReq) -> dict[str, Shown]:
        body = message.req_body
        client = () if body.cname is None else (body.realm, body.cname)
        out = fields_of(message, self._showing, "padata", "req_body")
        out["padata"] = [self._padata(one, client) for one in message.padata or ()]
        out["req_body"] = self._body(body)
        return out

    def _body(self, body: KdcReqBody) -> dict[str, Shown]:
        shown = fields_of(body, self._showing, "enc_authorization_data", "additional_tickets")
        if body.additional_tickets:
            shown["additional_tickets"] = [self.ticket(one) for one in body.additional_tickets]
        if body.enc_authorization_data is not None:
            shown["enc_authorization_data"] = dict(sealed_value(body.enc_authorization_data, self._showing))
        return shown

    def _padata(self, one: PaData, client: tuple[str, PrincipalName] | tuple[()]) -> Shown:
        out: dict[str, Shown] = {"padata_type": value_of(one.padata_type, self._showing, "padata_type")}
        try:
            if one.padata_type == PaType.PA_TGS_REQ:
                return out | self._ap_req(one.padata_value)
            if one.padata_type == PaType.PA_FX_FAST and one.padata_value:
                return out | self._fast(one.padata_value, client)
            return out | padata_value(
                one, self._showing, lambda data, usages: self._of_client(data, usages, client)
            )
        except DecodeError as error:
            return out | {"malformed": str(error), "value": one.padata_value.hex()}

    def _of_client(
        self, data: EncryptedData, usages: Sequence[int], client: tuple[str, PrincipalName] | tuple[()]
    ) -> tuple[bytes, str] | None:
        """Open what is encrypted with the client's own key, or in its session."""
        keys = self._keys.keys_of(*client, data.etype, data.kvno) if client else ()
        opened = self._open(data, usages, [*keys, *self._learnt, *self._tunnels.challenges(keys)])
        return None if opened is None else (opened.plain, opened.by.owner)

    def _fast(self, data: bytes, client: tuple[str, PrincipalName] | tuple[()]) -> dict[str, Shown]:
        """What is inside FAST, if its armor is known (RFC 6113 5.4)."""
        try:
            asked = PaFxFastRequest.unpack(data).armored_data
        except DecodeError:
            return self._fast_reply(PaFxFastReply.unpack(data).armored_data, client)
        out = fields_of(asked, self._showing, "armor")
        if asked.armor is not None:
            out["armor"] = self._ap_req(asked.armor.armor_value)
        inner = self._tunnels.request(asked)
        if inner is None:
            return out | {"opened": "no"}
        body = inner.req_body
        who = client if body.cname is None else (body.realm, body.cname)
        shown = fields_of(inner, self._showing, "padata", "req_body")
        shown["padata"] = [self._padata(one, who) for one in inner.padata]
        shown["req_body"] = self._body(body)
        return out | {"opened": "with the armor's key", "inside": shown}

    def _fast_reply(
        self, sealed: KrbFastArmoredRep, client: tuple[str, PrincipalName] | tuple[()]
    ) -> dict[str, Shown]:
        out: dict[str, Shown] = {"enc_fast_rep": dict(sealed_value(sealed.enc_fast_rep, self._showing))}
        inner = self._tunnels.response(sealed)
        if inner is None:
            return out | {"opened": "no"}
        if inner.finished is not None:
            self._finished = client = (inner.finished.crealm, inner.finished.cname)
        shown = fields_of(inner, self._showing, "padata")
        shown["padata"] = [self._padata(one, client) for one in inner.padata]
        return out | {"opened": "with the armor's key", "inside": shown}

    def _ap_req(self, data: bytes) -> dict[str, Shown]:
        message = ApReq.unpack(data)
        out = fields_of(message, self._showing, "ticket", "authenticator")
        out["ticket"] = self.ticket(message.ticket)
        session = self._sessions.get(message.ticket.enc_part.cipher)
        usages = (KeyUsage.TGS_REQ_AUTHENTICATOR, KeyUsage.AP_REQ_AUTHENTICATOR)
        opened = self._open(message.authenticator, usages, [session] if session is not None else self._learnt)
        if opened is None:
            out["authenticator"] = sealed_value(message.authenticator, self._showing) | {"opened": "no"}
            return out
        authenticator = Authenticator.unpack(opened.plain)
        subkey = self._note(authenticator.subkey, "the authenticator's subkey")
        if subkey is not None:
            self._tunnels.note_armor(subkey.key, opened.by.key)
        out["authenticator"] = fields_of(authenticator, self._showing)
        return out

    def _kpasswd(self, data: bytes) -> dict[str, Shown]:
        size, version, ap_size = _KPASSWD_HEAD.unpack_from(data)
        at = _KPASSWD_HEAD.size
        if size != len(data) or at + ap_size >= size or version not in (1, 0xFF80):
            return {"malformed": "no Kerberos message", "bytes": value_of(data, self._showing)}
        out: dict[str, Shown] = {"message": "kpasswd", "version": f"{version:#x}"}
        first, second = data[at : at + ap_size], data[at + ap_size :]
        return out | {"first": self.message(first) if first else None, "second": self.message(second)}

    def _priv(self, data: bytes) -> dict[str, Shown]:
        message = KrbPriv.unpack(data)
        opened = self._open(message.enc_part, (KeyUsage.KRB_PRIV,), self._learnt)
        out = dict(sealed_value(message.enc_part, self._showing))
        if opened is None:
            return out | {"opened": "no"}
        part = EncKrbPrivPart.unpack(opened.plain)
        shown = fields_of(part, self._showing, "user_data")
        held = part.user_data
        shown["user_data"] = held.hex() if self._showing.keys else f"hidden ({len(held)} bytes)"
        return out | {"opened": f"with {opened.by.owner}", "enc_part": shown}

    # --- replies ---

    def _as_rep(self, data: bytes) -> dict[str, Shown]:
        message = AsRep.unpack(data)
        keys = self._keys.keys_of(
            message.crealm, message.cname, message.enc_part.etype, message.enc_part.kvno
        )
        return self._kdc_rep(message, (KeyUsage.AS_REP_ENC_PART,), keys)

    def _tgs_rep(self, data: bytes) -> dict[str, Shown]:
        usages = (KeyUsage.TGS_REP_ENC_PART_SUBKEY, KeyUsage.TGS_REP_ENC_PART_SESSION)
        return self._kdc_rep(TgsRep.unpack(data), usages, ())

    def _kdc_rep(self, message: KdcRep, usages: Sequence[int], keys: Sequence[NamedKey]) -> dict[str, Shown]:
        client = (message.crealm, message.cname)
        out = fields_of(message, self._showing, "padata", "ticket", "enc_part")
        out["padata"] = [self._padata(one, client) for one in message.padata or ()]
        out["ticket"] = self.ticket(message.ticket)
        sealed: dict[str, Shown] = sealed_value(message.enc_part, self._showing)
        if self._finished is not None:  # FAST may hide who it is from everybody else
            realm, name = self._finished
            keys = [*keys, *self._keys.keys_of(realm, name, message.enc_part.etype, message.enc_part.kvno)]
            self._finished = None
        known = [*keys, *self._learnt]
        opened = self._open(message.enc_part, usages, [*known, *self._tunnels.strengthened(known)])
        if opened is None:
            out["enc_part"] = sealed | {"opened": "no"}
            return out
        part = _rep_part(opened.plain)
        named = self._note(part.key, f"the session with {part.sname}")
        if named is not None:
            self._sessions[message.ticket.enc_part.cipher] = named
        shown = fields_of(part, self._showing, "encrypted_pa_data")
        shown["encrypted_pa_data"] = [self._padata(one, client) for one in part.encrypted_pa_data or ()]
        out["enc_part"] = sealed | {"opened": f"with the key of {opened.by.owner}", **shown}
        return out

    def _ap_rep(self, data: bytes) -> dict[str, Shown]:
        message = ApRep.unpack(data)
        opened = self._open(message.enc_part, (KeyUsage.AP_REP_ENC_PART,), self._learnt)
        if opened is None:
            return {"enc_part": sealed_value(message.enc_part, self._showing) | {"opened": "no"}}
        part = EncApRepPart.unpack(opened.plain)
        self._note(part.subkey, "the acceptor's subkey")
        return {"enc_part": fields_of(part, self._showing)}

    def _cred(self, data: bytes) -> dict[str, Shown]:
        """KRB-CRED, as .kirbi files hold it: mostly with nothing encrypted (etype 0)."""
        message = KrbCred.unpack(data)
        out: dict[str, Shown] = {}
        sealed = message.enc_part
        opened = None if sealed.etype == 0 else self._open(sealed, (KeyUsage.KRB_CRED,), self._learnt)
        plain = sealed.cipher if sealed.etype == 0 else opened.plain if opened is not None else None
        if plain is None:
            out["enc_part"] = sealed_value(sealed, self._showing) | {"opened": "no"}
        else:
            part = EncKrbCredPart.unpack(plain)
            for ticket, info in zip(message.tickets, part.ticket_info, strict=False):
                self.learn(ticket.pack(), info.key, f"the session with {info.sname or ticket.sname}")
            out["enc_part"] = fields_of(part, self._showing)
        out["tickets"] = [self.ticket(one) for one in message.tickets]
        return out

    def _error(self, data: bytes) -> dict[str, Shown]:
        message = KrbError.unpack(data)
        out = fields_of(message, self._showing, "e_data")
        if message.e_data is not None:
            out["e_data"] = self._e_data(message.e_data)
        return out

    def _e_data(self, data: bytes) -> Shown:
        """METHOD-DATA, or KERB-ERROR-DATA with the NTSTATUS that Windows shows."""
        try:
            return [self._padata(one, ()) for one in MethodData.unpack(data).padata]
        except DecodeError:
            pass
        try:
            error = KerbErrorData.unpack(data)
            if error.data_type == KerbErrorDataType.KERB_ERR_TYPE_EXTENDED and error.data_value is not None:
                status = KerbExtError.unpack(error.data_value).status
                return {"status": f"{status:#010x} ({_status_name(status)})"}
            return fields_of(error, self._showing)
        except DecodeError:
            return value_of(data, self._showing)


def _status_name(status: int) -> str:
    try:
        return NtStatus(status).name
    except ValueError:
        return "unknown"


def _rep_part(plain: bytes) -> EncKdcRepPart:
    """MIT's KDC tags the part of an AS reply as one of a TGS reply, as RFC 4120 5.4.2 lets it."""
    try:
        return EncAsRepPart.unpack(plain)
    except DecodeError:
        return EncTgsRepPart.unpack(plain)


_MESSAGES: Final[dict[int, tuple[str, Callable[[Describer, bytes], dict[str, Shown]]]]] = {
    0x61: ("Ticket", Describer._bare_ticket),
    0x6A: ("AS-REQ", Describer._as_req),
    0x6B: ("AS-REP", Describer._as_rep),
    0x6C: ("TGS-REQ", Describer._tgs_req),
    0x6D: ("TGS-REP", Describer._tgs_rep),
    0x6E: ("AP-REQ", Describer._ap_req),
    0x6F: ("AP-REP", Describer._ap_rep),
    0x75: ("KRB-PRIV", Describer._priv),
    0x76: ("KRB-CRED", Describer._cred),
    0x7E: ("KRB-ERROR", Describer._error),
}
"""By the first byte, the application tag."""
