"""A PAC in words: every buffer with its fields, SIDs with their names, and whether its signatures hold.

Spec: [MS-PAC] 2.4-2.15, 2.8.1-2.8.5.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.claims import ClaimValues, decode_claims
from addc.codec.ids import Sid
from addc.codec.pac import (
    GroupAttributes,
    GroupMembership,
    KerbSidAndAttributes,
    KerbValidationInfo,
    PacAttributes,
    PacAttributesInfo,
    PacClientInfo,
    PacCredentialInfo,
    PacSignatureData,
    PacType,
    UpnDnsInfo,
    UserFlags,
    pac_spans,
    unpack_delegation_info,
    unpack_device_info,
    unpack_logon_info,
)
from addc.kdc.describe_values import Showing, Shown, etype_text, fields_of, flag_names, time_text
from addc.kdc.ticket_pac import SERVER, SignedPac, is_signed_by
from addc.security import wellknown
from addc.security.account_flags import UserAccount
from addc.security.krb_keys import Key

NameOf = Callable[[Sid], str]
"""The name of a SID in the forest, "" where it is not known."""


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key with whose it is, as "krbtgt@EXAMPLE.COM, kvno 2"."""

    key: Key
    owner: str


@dataclass(frozen=True, slots=True)
class PacKeys:
    """Keys that may have signed. server: that the ticket opened with. kdc: krbtgt's that are at hand."""

    server: NamedKey | None
    kdc: Sequence[NamedKey]


@dataclass(frozen=True, slots=True)
class _Buffer:
    """One buffer, on its way to words."""

    data: bytes
    name_of: NameOf
    showing: Showing

    def sid(self, sid: Sid | None) -> str:
        if sid is None:
            return "none"
        name = self.name_of(sid)
        return f"{sid} ({name})" if name else str(sid)

    def rids(self, domain: Sid | None, groups: Sequence[GroupMembership] | None) -> list[Shown]:
        return [
            f"{self.sid(domain.child(one.relative_id)) if domain is not None else one.relative_id}"
            f": {flag_names(one.attributes, GroupAttributes)}"
            for one in groups or ()
        ]

    def sids(self, sids: Sequence[KerbSidAndAttributes] | None) -> list[Shown]:
        return [f"{self.sid(one.sid)}: {flag_names(one.attributes, GroupAttributes)}" for one in sids or ()]


def describe_pac(data: bytes, keys: PacKeys, ticket_plain: bytes | None, name_of: NameOf) -> list[Shown]:
    """The buffers of a PAC, in their order.

    ticket_plain: of `signed_plain`; None where the ticket itself is not at hand. Raises DecodeError.
    """
    showing = Showing()
    spans = pac_spans(data)
    verdicts = signature_verdicts(data, keys, ticket_plain)
    out: list[Shown] = []
    for kind, start, end in spans:
        buffer = _Buffer(data[start:end], name_of, showing)
        shown: dict[str, Shown] = {"buffer": _buffer_name(kind), "size": end - start}
        try:
            shown |= _WORDS.get(kind, _unknown)(buffer)
        except DecodeError as error:
            shown["malformed"] = str(error)
        if kind in verdicts:
            shown["verified"] = verdicts[kind]
        out.append(shown)
    return out


def _buffer_name(kind: int) -> str:
    known = {int(one): one.name for one in PacType}
    return f"{known.get(kind, 'unknown')} ({kind})"


# --- signatures ---


def signature_verdicts(data: bytes, keys: PacKeys, ticket_plain: bytes | None) -> Mapping[int, str]:
    """For each signature whether it holds, or why that cannot be told. Raises DecodeError."""
    signed = SignedPac.of(data)
    server = [keys.server] if keys.server is not None else []
    verdicts: dict[int, str] = {}
    for kind, signature in signed.signatures.items():
        message = signed.covered(kind, ticket_plain)
        signers = server if kind == SERVER else keys.kdc
        if message is None:
            verdicts[kind] = "not checked: what it covers is not at hand"
        elif not signers:
            whose = "the service" if kind == SERVER else "krbtgt"
            verdicts[kind] = f"not checked: no key of {whose} is at hand"
        else:
            verdicts[kind] = _verdict(signature, message, signers)
    return verdicts


def _verdict(signature: PacSignatureData, message: bytes, signers: Sequence[NamedKey]) -> str:
    for one in signers:
        if is_signed_by(one.key, signature, message):
            return f"yes, by the key of {one.owner}"
    tried = "; ".join(one.owner for one in signers)
    return f"NO: it was not made with the key of {tried}, or the content was changed"


# --- buffers ---


def _logon(buffer: _Buffer) -> dict[str, Shown]:
    info: KerbValidationInfo = unpack_logon_info(buffer.data)
    domain = info.logon_domain_id
    groups = ("group_ids", "extra_sids", "resource_group_ids", "resource_group_domain_sid", "logon_domain_id")
    out = fields_of(info, buffer.showing, *groups, "user_session_key", "user_flags", "user_account_control")
    out |= {
        "user": buffer.sid(domain.child(info.user_id)) if domain is not None else info.user_id,
        "primary_group": buffer.sid(domain.child(info.primary_group_id))
        if domain is not None
        else info.primary_group_id,
        "user_flags": f"{info.user_flags:#x} ({flag_names(info.user_flags, UserFlags)})",
        "user_account_control": f"{info.user_account_control:#x} "
        f"({flag_names(info.user_account_control, UserAccount)})",
        "logon_domain_id": buffer.sid(domain),
        "group_ids": buffer.rids(domain, info.group_ids),
        "extra_sids": buffer.sids(info.extra_sids),
        "resource_group_ids": buffer.rids(info.resource_group_domain_sid, info.resource_group_ids),
    }
    if any(info.user_session_key):
        out["user_session_key"] = "set (hidden)"
    return out


def _credentials(buffer: _Buffer) -> dict[str, Shown]:
    info = PacCredentialInfo.unpack(buffer.data)
    return {
        "encryption_type": etype_text(info.encryption_type),
        "data": f"{len(info.serialized_data)} bytes, encrypted with the key of the AS reply",
    }


def _signature(buffer: _Buffer) -> dict[str, Shown]:
    return fields_of(PacSignatureData.unpack(buffer.data), buffer.showing)


def _client(buffer: _Buffer) -> dict[str, Shown]:
    info = PacClientInfo.unpack(buffer.data)
    return {"client_id": time_text(info.client_id), "name": info.name}


def _delegation(buffer: _Buffer) -> dict[str, Shown]:
    info = unpack_delegation_info(buffer.data)
    return {
        "s4u2proxy_target": info.s4u2proxy_target,
        "s4u_transited_services": [one.name for one in info.s4u_transited_services or ()],
    }


def _upn(buffer: _Buffer) -> dict[str, Shown]:
    info = UpnDnsInfo.unpack(buffer.data)
    return fields_of(info, buffer.showing, "sid") | ({"sid": buffer.sid(info.sid)} if info.sid else {})


def _device(buffer: _Buffer) -> dict[str, Shown]:
    info = unpack_device_info(buffer.data)
    domain = info.account_domain_id
    if domain is None:
        return fields_of(info, buffer.showing)
    return {
        "device": buffer.sid(domain.child(info.user_id)),
        "primary_group": buffer.sid(domain.child(info.primary_group_id)),
        "account_group_ids": buffer.rids(domain, info.account_group_ids),
        "extra_sids": buffer.sids(info.extra_sids),
        "domain_groups": [
            text for one in info.domain_group or () for text in buffer.rids(one.domain_id, one.group_ids)
        ],
    }


def _attributes(buffer: _Buffer) -> dict[str, Shown]:
    return {"flags": flag_names(PacAttributesInfo.unpack(buffer.data).flags, PacAttributes)}


def _requestor(buffer: _Buffer) -> dict[str, Shown]:
    return {"sid": buffer.sid(Sid.of(buffer.data))}


def _claims(buffer: _Buffer) -> dict[str, Shown]:
    found = decode_claims(buffer.data)
    return {
        "claims": [
            {"id": one.id, "type": one.type.name, "values": _claim_values(one.values)}
            for array in (found.claims_arrays if found is not None else None) or ()
            for one in array.claim_entries or ()
        ]
    }


def _claim_values(values: ClaimValues) -> list[Shown]:
    return [] if isinstance(values, bytes) else list(values.values or ())


def _unknown(buffer: _Buffer) -> dict[str, Shown]:
    return {"data": buffer.data.hex()}


_WORDS: Final[dict[int, Callable[[_Buffer], dict[str, Shown]]]] = {
    int(PacType.LOGON_INFO): _logon,
    int(PacType.CREDENTIALS_INFO): _credentials,
    int(PacType.SERVER_CHECKSUM): _signature,
    int(PacType.PRIVSVR_CHECKSUM): _signature,
    int(PacType.CLIENT_INFO): _client,
    int(PacType.DELEGATION_INFO): _delegation,
    int(PacType.UPN_DNS_INFO): _upn,
    int(PacType.CLIENT_CLAIMS_INFO): _claims,
    int(PacType.DEVICE_INFO): _device,
    int(PacType.DEVICE_CLAIMS_INFO): _claims,
    int(PacType.TICKET_CHECKSUM): _signature,
    int(PacType.ATTRIBUTES_INFO): _attributes,
    int(PacType.REQUESTOR_SID): _requestor,
    int(PacType.FULL_CHECKSUM): _signature,
}


_WELL_KNOWN: Final = {
    sid: name.lower().replace("_", " ") for name, sid in vars(wellknown).items() if isinstance(sid, Sid)
}


def well_known_name(sid: Sid) -> str:
    """The name of a SID that is the same everywhere, "" for others."""
    return _WELL_KNOWN.get(sid, "")
