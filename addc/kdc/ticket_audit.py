"""One record for each ticket that is asked for: who, for what, from where, by which proof, what came of it.

Numbers are those of Windows' security log: 4768 for ticket-granting tickets, 4769 for service tickets, 4770
for renewals, 4771 for a wrong proof. Fields are stable: what is added later has a new name, and FORMAT grows
when a field changes its meaning. Hashes of tickets tell which tickets came of which.

Spec: [MS-KILE] 3.3.5.6, 3.3.5.7 (the exchanges), [MS-SFU] 3.2.5 (delegation).
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.krb5 import EncryptedData, PaData
from addc.codec.krb5_numbers import KdcOptions, PaType
from addc.codec.pac import Pac, PacType, unpack_delegation_info
from addc.codec.pkinit import PaPkAsReq, PaPkAsReqOld
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.exchange import Exchange
from addc.kdc.facts import Evidence, Issued, OpenedTgs, OpenedTicket, Principal, TgsFacts
from addc.kdc.padata import find_padata
from addc.kdc.pkinit_request import named_signer
from addc.kdc.ticket_pac import find_pac
from addc.security import wellknown
from addc.security.crypto.hashes import insecure_sha1

FORMAT: Final = 1
TGT_REQUESTED: Final = 4768
SERVICE_REQUESTED: Final = 4769
RENEWED: Final = 4770
PREAUTH_FAILED: Final = 4771

_RENEW: Final = int(KdcOptions.RENEW)
_S4U2PROXY: Final = int(KdcOptions.CNAME_IN_ADDL_TKT)
_PREAUTH_FAILURES: Final = frozenset(
    (
        KrbErrorCode.KDC_ERR_PREAUTH_FAILED,
        KrbErrorCode.KDC_ERR_KEY_EXPIRED,
        KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP,
    )
)
_MECHANISMS: Final = (
    int(PaType.PA_PK_AS_REQ),
    int(PaType.PA_PK_AS_REQ_OLD),
    int(PaType.PA_ENCRYPTED_CHALLENGE),
    int(PaType.PA_ENC_TIMESTAMP),
)
_WITH_ETYPE: Final = frozenset(_MECHANISMS[2:])
_NAMES: Final = {
    TGT_REQUESTED: "ticket-granting ticket requested",
    SERVICE_REQUESTED: "service ticket requested",
    RENEWED: "ticket renewed",
    PREAUTH_FAILED: "pre-authentication failed",
}


def is_told(found: Exchange) -> bool:
    """Whether an exchange is worth a record: being asked for a proof is half an exchange."""
    return found.outcome.error is not KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED


def title(fields: Mapping[str, object]) -> str:
    """A record in words."""
    event = fields["event"]
    return _NAMES[event] if isinstance(event, int) else ""


def ticket_event(found: Exchange, realm: str, address: str, port: int) -> dict[str, object]:
    """The fields of an exchange's record; JSON can hold them. realm: of this KDC. port: 0 where unknown."""
    outcome, body = found.outcome, found.request.message.req_body
    code, issued, client = outcome.error, outcome.issued, outcome.client
    server = None if found.facts is None else found.facts.server
    fields: dict[str, object] = {
        "event": _event(found),
        "format": FORMAT,
        "result": "failure" if issued is None else "success",
        "client": client.name if client is not None else _asked_client(found),
        "client_realm": issued.crealm if issued is not None else _realm_of(found, realm),
        "client_sid": _sid(client),
        "server": outcome.server_name,
        "server_account": "" if server is None else server.name,
        "server_sid": _sid(server),
        "realm": realm,
        "options": f"{body.kdc_options:#010x}",
        "error": int(code),
        "error_name": code.name,
        "address": address,
        "port": port,
        "client_etypes": list(body.etype),
    }
    if outcome.status != NtStatus.STATUS_SUCCESS:
        fields["status"] = f"{int(outcome.status):#010x}"
        fields["status_name"] = outcome.status.name
    if issued is not None:
        _add_ticket(fields, issued)
    if found.is_as:
        _add_proof(fields, found.request.message.padata, issued)
    elif found.opened is not None:
        _add_presented(fields, found.opened, found.facts if isinstance(found.facts, TgsFacts) else None)
    device = None if found.facts is None else found.facts.armor
    if device is not None:
        fields["device"], fields["device_sid"] = device.name, _sid(device)
    return fields


def _event(found: Exchange) -> int:
    if found.is_as:
        return PREAUTH_FAILED if found.outcome.error in _PREAUTH_FAILURES else TGT_REQUESTED
    return RENEWED if found.request.message.req_body.kdc_options & _RENEW else SERVICE_REQUESTED


def _sid(account: Principal | None) -> str:
    return str(wellknown.NULL) if account is None else str(account.sid)


def _asked_client(found: Exchange) -> str:
    """A client that is no account here, by the name that it gives."""
    if found.opened is not None:
        return str(found.opened.cname)
    return str(found.request.message.req_body.cname or "")


def _realm_of(found: Exchange, realm: str) -> str:
    return realm if found.opened is None else found.opened.tgt.part.crealm


def ticket_hash(cipher: bytes) -> str:
    """What names a ticket in the records of all who see it: a digest of its sealed part."""
    return hashlib.sha256(cipher).hexdigest()


def _add_ticket(fields: dict[str, object], issued: Issued) -> None:
    data = issued.ticket.enc_part
    fields["flags"] = f"{issued.flags:#010x}"
    fields["ticket_etype"] = data.etype
    fields["session_etype"] = issued.session_etype
    fields["reply_etype"] = issued.reply_etype
    fields["key_version"] = data.kvno
    fields["ticket_hash"] = ticket_hash(data.cipher)


def _add_proof(fields: dict[str, object], padata: tuple[PaData, ...] | None, issued: Issued | None) -> None:
    """By what the client proved itself, or meant to; 0 for by nothing."""
    kind = 0
    for one in _MECHANISMS:
        value = find_padata(padata, one)
        if value is None:
            continue
        kind = one
        if issued is not None:
            fields["preauth_etype"] = issued.reply_etype
        elif one in _WITH_ETYPE:
            fields["preauth_etype"] = _etype_of(value)
        if one not in _WITH_ETYPE:
            fields["certificate"] = _certificate(one, value)
        break
    fields["preauth_type"] = kind


def _certificate(kind: int, value: bytes) -> dict[str, str]:
    """The certificate that a PKINIT request names, whether it was believed or not."""
    try:
        asked = PaPkAsReq.unpack(value) if kind == PaType.PA_PK_AS_REQ else PaPkAsReqOld.unpack(value)
        signer = named_signer(asked.signed_auth_pack)
    except DecodeError:
        return {}
    if signer is None:
        return {}
    thumbprint = insecure_sha1(signer.der).hex()
    return {"issuer": signer.issuer_text, "serial": f"{signer.serial:x}", "thumbprint": thumbprint}


def _etype_of(value: bytes) -> int:
    try:
        return EncryptedData.unpack(value).etype
    except DecodeError:
        return 0


def _add_presented(fields: dict[str, object], opened: OpenedTgs, facts: TgsFacts | None) -> None:
    """The tickets that were shown, and in whose name the service asks."""
    fields["request_ticket_hash"] = ticket_hash(opened.tgt.cipher)
    user = opened.for_user
    if user is not None:
        impersonated = facts.user.principal if facts is not None and facts.user is not None else None
        fields["delegation"] = "S4U2Self"
        fields["for_user"], fields["for_user_realm"] = str(user.cname or ""), user.crealm
        fields["for_user_sid"] = _sid(impersonated)
    elif opened.request.message.req_body.kdc_options & _S4U2PROXY:
        fields["delegation"] = "S4U2Proxy"
        evidence = None if facts is None else facts.evidence
        if evidence is not None and isinstance(evidence.ticket, OpenedTicket):
            _add_evidence(fields, evidence, evidence.ticket)


def _add_evidence(fields: dict[str, object], evidence: Evidence, ticket: OpenedTicket) -> None:
    """Whose ticket was handed on, and by which services it came before."""
    part = ticket.part
    fields["for_user"], fields["for_user_realm"] = str(part.cname), part.crealm
    fields["for_user_sid"] = _sid(None if evidence.user is None else evidence.user.principal)
    fields["evidence_hash"] = ticket_hash(ticket.cipher)
    fields["transited_services"] = [*_transited(ticket), evidence.sname]


def _transited(ticket: OpenedTicket) -> list[str]:
    """The services in a ticket's S4U_DELEGATION_INFO."""
    try:
        data = find_pac(ticket.part.authorization_data)
        info = None if data is None else Pac.unpack(data).get(PacType.DELEGATION_INFO)
        passed = () if info is None else unpack_delegation_info(info).s4u_transited_services or ()
    except DecodeError:
        return []
    return [one.name or "" for one in passed]
