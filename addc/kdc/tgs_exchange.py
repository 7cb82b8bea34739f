"""The TGS exchange: from a ticket to the next ticket, in two steps.

`open_tgs_req` decrypts what the client presents, with nothing but krbtgt's keys; it tells whose facts are
needed. `answer_tgs_req` decides over these facts.

Spec: RFC 4120 3.3, RFC 6806 8, [MS-KILE] 3.3.5.7, [MS-PAC] 2.8, 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.ids import Sid
from addc.codec.krb5 import (
    ApReq,
    Authenticator,
    AuthorizationData,
    AuthorizationDataEntry,
    EncTgsRepPart,
    EncTicketPart,
    HostAddress,
    KdcReqBody,
    PaData,
    PaPacOptions,
    PrincipalName,
    TgsRep,
    Ticket,
    req_body_bytes,
)
from addc.codec.krb5_numbers import KdcOptions, MessageType, PaType
from addc.codec.pac import Pac, PacAttributesInfo, PacClientInfo, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import tickets
from addc.kdc.as_exchange import KRBTGT_ENCTYPES, check_server, is_tgs, supported_enctypes
from addc.kdc.facts import (
    AccountFlags,
    KdcRefusal,
    Principal,
    RealmFacts,
    SupportedEncryption,
    TgsFacts,
    TgsOutcome,
    TgsRequest,
)
from addc.kdc.krb_errors import refusal_bytes
from addc.kdc.pac_build import (
    PacSigners,
    find_pac,
    service_buffers,
    signatures_hold,
    tgt_buffers,
    without_pac,
)
from addc.kdc.policy import (
    KdcPolicy,
    check_hours,
    check_standing,
    end_of_ticket,
    new_session_key,
    session_etype,
    supported,
    ticket_key,
)
from addc.kdc.preauth import find_padata, pac_options
from addc.security.krb_keys import ETYPES, Cksumtype, Key, KeyUsage, decrypt, is_keyed, verify_checksum

_POSTDATED: Final = int(KdcOptions.POSTDATED)
_VALIDATE: Final = int(KdcOptions.VALIDATE)
_RENEW: Final = int(KdcOptions.RENEW)
_FORWARDED: Final = int(KdcOptions.FORWARDED)
_PROXY: Final = int(KdcOptions.PROXY)
_CANONICALIZE: Final = int(KdcOptions.CANONICALIZE)
_USER2USER: Final = int(KdcOptions.ENC_TKT_IN_SKEY)
_S4U2PROXY: Final = int(KdcOptions.CNAME_IN_ADDL_TKT)
_RENEWABLE: Final = int(KdcOptions.RENEWABLE)
_RENEWABLE_OK: Final = int(KdcOptions.RENEWABLE_OK)
_DELEGATION: Final = int(AccountFlags.TRUSTED_FOR_DELEGATION)
_NO_PAC: Final = int(AccountFlags.NO_AUTH_DATA_REQUIRED)
_DISABLED: Final = int(AccountFlags.DISABLED)
_NO_COMPRESSION: Final = int(SupportedEncryption.RESOURCE_SID_COMPRESSION_DISABLED)
_ETYPE_BITS: Final = ((18, 0x10), (17, 0x8), (23, 0x4))
_KEPT_FLAGS: Final = tickets.PRE_AUTHENT | tickets.FORWARDED | tickets.PROXY
_KRB_EPOCH: Final = 116_444_736_000_000_000


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """A TGT of this realm, decrypted. key: krbtgt's key that it opened with."""

    part: EncTicketPart
    key: Key
    session: Key


@dataclass(frozen=True, slots=True)
class OpenedTgs:
    """A TGS-REQ whose authenticator proves that the client knows the session key of its ticket.

    second: the additional ticket of user-to-user.
    """

    request: TgsRequest
    tgt: OpenedTicket
    subkey: Key | None
    second: OpenedTicket | None = None

    @property
    def cname(self) -> PrincipalName:
        return self.tgt.part.cname


def open_tgs_req(
    request: TgsRequest, realm: RealmFacts, policy: KdcPolicy, now: FileTime
) -> OpenedTgs | TgsOutcome:
    """Check the message, its ticket and its authenticator; an outcome is a refusal.

    Spec: RFC 4120 3.3.2, 3.2.3.
    """
    try:
        return _open(request, realm, policy, now)
    except DecodeError:
        return _refused(KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC), request, realm, now)
    except KdcRefusal as refusal:
        return _refused(refusal, request, realm, now)


def _refused(
    refusal: KdcRefusal,
    request: TgsRequest,
    realm: RealmFacts,
    now: FileTime,
    client: Principal | None = None,
) -> TgsOutcome:
    sname = request.message.req_body.sname
    reply = refusal_bytes(refusal, now, realm.realm, sname)
    return TgsOutcome(
        reply, refusal.code, refusal.status, client=client, server_name=str(sname or "")
    )  # fmt: skip


def _open(request: TgsRequest, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTgs:
    message = request.message
    if message.pvno != 5:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BAD_PVNO)
    if message.msg_type != MessageType.KRB_TGS_REQ:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MSG_TYPE)
    value = find_padata(message.padata, int(PaType.PA_TGS_REQ))
    if value is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP)
    ap_req = ApReq.unpack(value)
    if ap_req.pvno != 5:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADVERSION)
    if ap_req.msg_type != MessageType.KRB_AP_REQ:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MSG_TYPE)
    tgt = open_tgt(ap_req.ticket, realm, policy, now)
    authenticator = _authenticator(ap_req, tgt, policy, now)
    _check_body(request, authenticator, tgt)
    subkey = authenticator.subkey
    second = None
    if message.req_body.kdc_options & _USER2USER:
        second = _second_ticket(message.req_body, realm, policy, now)
    return OpenedTgs(request, tgt, Key(subkey.keytype, subkey.keyvalue) if subkey else None, second)


def open_tgt(ticket: Ticket, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTicket:
    """Decrypt a TGT of this realm and check its times (RFC 4120 3.2.3).

    A kadmin/changepw ticket is encrypted with the same key but is no TGT: the name decides.
    """
    if ticket.tkt_vno != 5:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADVERSION)
    named = is_tgs(ticket.sname) and realm.is_alias(ticket.sname.name_string[1])
    if not named or not realm.is_alias(ticket.realm):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_NOT_US)
    data, ring = ticket.enc_part, realm.krbtgt.keys
    if not ring.knows_version(data.kvno):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADKEYVER)
    key = ring.find(data.etype, data.kvno)
    if key is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    try:
        part = EncTicketPart.unpack(decrypt(key, int(KeyUsage.TICKET), data.cipher))
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED) from None
    if part.flags & tickets.INVALID or (part.starttime or part.authtime) > now + policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_NYV)
    if part.endtime < now - policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_EXPIRED)
    return OpenedTicket(part, key, _session_key(part.key.keytype, part.key.keyvalue))


@lru_cache(maxsize=4096)
def _session_key(etype: int, value: bytes) -> Key:
    """The same object for the same key: what was derived from it serves a client's next request too."""
    return Key(etype, value)


def same_name(one: PrincipalName, other: PrincipalName) -> bool:
    """Equal components; neither case nor name type counts ([MS-KILE] 3.1.5.7)."""
    if one.name_string == other.name_string:
        return True
    return [part.casefold() for part in one.name_string] == [part.casefold() for part in other.name_string]


def _authenticator(ap_req: ApReq, tgt: OpenedTicket, policy: KdcPolicy, now: FileTime) -> Authenticator:
    try:
        plain = decrypt(tgt.session, int(KeyUsage.TGS_REQ_AUTHENTICATOR), ap_req.authenticator.cipher)
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BAD_INTEGRITY) from None
    authenticator = Authenticator.unpack(plain)
    part = tgt.part
    if not same_name(authenticator.cname, part.cname) or authenticator.crealm.upper() != part.crealm.upper():
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADMATCH)
    if abs(authenticator.ctime - now) > policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_SKEW)
    return authenticator


def _check_body(request: TgsRequest, authenticator: Authenticator, tgt: OpenedTicket) -> None:
    """The authenticator's checksum over the request body.

    Deviation: RFC 4120 3.3.2 wants a keyed checksum. Impacket and minikerberos send none, Java sends RSA-MD5;
    Windows takes both, and the authenticator's own encryption covers the latter.
    """
    cksum = authenticator.cksum
    if cksum is None:
        return
    if not is_keyed(cksum.cksumtype) and cksum.cksumtype != Cksumtype.RSA_MD5:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_INAPP_CKSUM)
    try:
        good = verify_checksum(
            tgt.session,
            int(KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM),
            req_body_bytes(request.raw),
            cksum.cksumtype,
            cksum.checksum,
        )
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_INAPP_CKSUM) from None
    if not good:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)


def _second_ticket(body: KdcReqBody, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTicket:
    """The TGT whose session key a user-to-user ticket is encrypted with (RFC 4120 3.3.3)."""
    if not body.additional_tickets:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    return open_tgt(body.additional_tickets[0], realm, policy, now)


def answer_tgs_req(
    opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> TgsOutcome:
    """Decide one TGS exchange over the facts that `opened` asked for ([MS-KILE] 3.3.5.7)."""
    request = opened.request
    try:
        reply = _decide(opened, facts, policy, now, rng)
    except DecodeError:
        refusal = KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
        return _refused(refusal, request, facts.realm, now, facts.client)
    except KdcRefusal as refusal:
        return _refused(refusal, request, facts.realm, now, facts.client)
    sname = request.message.req_body.sname
    return TgsOutcome(
        reply, client=facts.client, server_name=str(sname or ""), client_name=str(opened.cname)
    )  # fmt: skip


def _decide(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime, rng: Rng) -> bytes:
    body = opened.request.message.req_body
    # 1. The client is still who its ticket says.
    client = facts.client
    pac = _checked_pac(opened.tgt, client)
    assert client is not None
    if policy.validate_client and now - opened.tgt.part.authtime > policy.validate_client_after:
        check_standing(client, now)
        check_hours(client, now)
    # 2. What is asked for can be done.
    _check_options(opened, policy, now)
    if body.sname is None or not facts.realm.is_alias(body.realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
    server = facts.server
    if server is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
    if opened.second is None:
        check_server(server)
    else:
        _check_user2user(opened.second, facts, server)
    # 3. The ticket.
    return _Granting(opened, facts, client, server, pac, policy).reply(now, rng)


@dataclass(frozen=True, slots=True)
class _TgtPac:
    """A PAC whose signatures hold, and the identity in it. sids: of requestor and logon."""

    pac: Pac
    client_id: int
    name: str
    sids: tuple[Sid, Sid | None]


def _checked_pac(tgt: OpenedTicket, client: Principal | None) -> Pac:
    """The PAC of a TGT, if its signatures hold and it belongs to the account that the ticket names.

    Spec: [MS-PAC] 2.8.4, 2.8.5, [MS-KILE] 3.3.5.7 (PAC_REQUESTOR), W-LOGON-10.
    """
    data = find_pac(tgt.part.authorization_data)
    found = (
        KrbErrorCode.KDC_ERR_TGT_REVOKED if data is None else _verified(data, tgt.key.etype, tgt.key.value)
    )
    if isinstance(found, KrbErrorCode):
        raise KdcRefusal(found)
    named = found.client_id == tgt.part.authtime and found.name == str(tgt.part.cname).casefold()
    if not named or client is None or found.sids != (client.sid, client.sid):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_TGT_REVOKED)
    return found.pac


@lru_cache(maxsize=4096)
def _verified(data: bytes, etype: int, key: bytes) -> _TgtPac | KrbErrorCode:
    """Verify a TGT's PAC; a client's next request brings the same bytes. Raises DecodeError."""
    krbtgt = Key(etype, key)
    if not signatures_hold(data, PacSigners(krbtgt, krbtgt), None):
        return KrbErrorCode.KRB_AP_ERR_MODIFIED
    pac = Pac.unpack(data)
    requestor, info, logon = (
        pac.get(kind) for kind in (PacType.REQUESTOR_SID, PacType.CLIENT_INFO, PacType.LOGON_INFO)
    )
    if requestor is None or info is None or logon is None:
        return KrbErrorCode.KDC_ERR_TGT_REVOKED
    client = PacClientInfo.unpack(info)
    return _TgtPac(pac, client.client_id, client.name.casefold(), (Sid.of(requestor), logon_sid(logon)))


def logon_sid(logon: bytes) -> Sid | None:
    """The client's SID in a LOGON_INFO buffer."""
    info = unpack_logon_info(logon)
    return None if info.logon_domain_id is None else info.logon_domain_id.child(info.user_id)


def _check_options(opened: OpenedTgs, policy: KdcPolicy, now: FileTime) -> None:
    """Options and padata that this KDC refuses, and those that the ticket must allow (RFC 4120 3.3.3)."""
    body, flags = opened.request.message.req_body, opened.tgt.part.flags
    options, padata = body.kdc_options, opened.request.message.padata
    if options & _POSTDATED or (body.from_ and body.from_ > now + policy.max_clock_skew):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_CANNOT_POSTDATE)
    if options & _S4U2PROXY:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION, NtStatus.STATUS_NOT_SUPPORTED)
    if options & _VALIDATE:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if find_padata(padata, int(PaType.PA_FOR_USER)) is not None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP)
    if find_padata(padata, int(PaType.PA_S4U_X509_USER)) is not None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP)
    if options & _FORWARDED and not flags & tickets.FORWARDABLE:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if options & _PROXY and not flags & tickets.PROXIABLE:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if options & _RENEW:
        if not flags & tickets.RENEWABLE or body.sname is None or not is_tgs(body.sname):
            raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
        if (opened.tgt.part.renew_till or 0) <= now:
            raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_EXPIRED)


def _check_user2user(second: OpenedTicket, facts: TgsFacts, server: Principal) -> None:
    """The additional ticket belongs to the service, and its PAC to its client."""
    if facts.second is None or facts.second.sid != server.sid:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_SERVER_NOMATCH)
    if server.flags & _DISABLED:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_SERVICE_REVOKED)
    _checked_pac(second, facts.second)


@dataclass(frozen=True, slots=True)
class _Granting:
    """A TGS exchange that will succeed, unless no encryption type fits."""

    opened: OpenedTgs
    facts: TgsFacts
    client: Principal
    server: Principal
    pac: Pac
    policy: KdcPolicy

    def reply(self, now: FileTime, rng: Rng) -> bytes:
        """TGS-REP: ticket, then the part encrypted with the subkey or the session key."""
        opened, realm = self.opened, self.facts.realm
        grant = self._grant(now, rng)
        kdc_key = ticket_key(realm.krbtgt, self.policy)
        kvno: int | None = self.server.keys.kvno
        if opened.second is not None:
            server_key, kvno = opened.second.session, None
        else:
            server_key = ticket_key(self.server, self.policy)
        ticket = tickets.issue(
            grant,
            self._pac_buffers(),
            PacSigners(server_key, kdc_key),
            kvno,
            full_signatures=not self._for_tgt,
            rng=rng,
        )
        part = EncTgsRepPart(
            key=grant.session_key(),
            last_req=tickets.no_last_req(now),
            nonce=opened.request.message.req_body.nonce,
            flags=grant.flags,
            authtime=grant.authtime,
            starttime=grant.starttime,
            endtime=grant.endtime,
            renew_till=grant.renew_till,
            srealm=grant.srealm,
            sname=grant.sname,
            caddr=grant.caddr,
            encrypted_pa_data=self._encrypted_padata() or None,
        )
        key, usage = opened.tgt.session, KeyUsage.TGS_REP_ENC_PART_SESSION
        if opened.subkey is not None:
            key, usage = opened.subkey, KeyUsage.TGS_REP_ENC_PART_SUBKEY
        return TgsRep(
            crealm=grant.crealm,
            cname=grant.cname,
            ticket=ticket,
            enc_part=tickets.sealed(key, int(usage), part.pack(), rng),
        ).pack()

    @property
    def _body(self) -> KdcReqBody:
        return self.opened.request.message.req_body

    @property
    def _for_tgt(self) -> bool:
        """Whether the new ticket is a TGT; kadmin/changepw is krbtgt's too, but a service."""
        sname = self._body.sname
        return sname is not None and is_tgs(sname) and self.opened.second is None

    def _pac_buffers(self) -> list[tuple[int, bytes]] | None:
        if self._for_tgt:
            return tgt_buffers(self.pac)
        if self._without_pac():
            return None
        realm = self.facts.realm
        bits = supported(self.server, self.policy) | supported(realm.krbtgt, self.policy)
        compressed = not bits & _NO_COMPRESSION
        return service_buffers(self.pac, realm.domain_sid, self.facts.resource_rids, compressed)

    def _without_pac(self) -> bool:
        """Whether client or service want none. A DC always gets one: a mere name may change its owner."""
        if self.server.is_dc:
            return False
        if self.server.flags & _NO_PAC:
            return True
        attributes = self.pac.get(PacType.ATTRIBUTES_INFO)
        return attributes is not None and not PacAttributesInfo.unpack(attributes).flags

    def _grant(self, now: FileTime, rng: Rng) -> tickets.Grant:
        body, part, realm = self._body, self.opened.tgt.part, self.facts.realm
        assert body.sname is not None
        start = tickets.whole_seconds(now)
        end, renew_till = self._times(start, now)
        sname = body.sname
        if body.kdc_options & _CANONICALIZE and is_tgs(sname):
            sname = PrincipalName(sname.name_type, ("krbtgt", realm.realm))
        etype = self._session_etype()
        return tickets.Grant(
            flags=self._flags(renew_till),
            session=new_session_key(etype, rng.bytes(ETYPES[etype].key_size)),
            crealm=part.crealm,
            cname=part.cname,
            srealm=realm.realm,
            sname=sname,
            authtime=part.authtime,
            starttime=start,
            endtime=end,
            renew_till=renew_till,
            caddr=self._addresses(),
            extra=self._extra(),
        )

    def _times(self, start: FileTime, now: FileTime) -> tuple[FileTime, FileTime | None]:
        """endtime and renew-till (RFC 4120 3.3.3)."""
        body, part, policy = self._body, self.opened.tgt.part, self.policy
        age = policy.max_ticket_age if self._for_tgt else policy.max_service_ticket_age
        if body.kdc_options & _RENEW:
            assert part.renew_till is not None
            life = part.endtime - (part.starttime or part.authtime)
            end = min(start + min(life, age), part.renew_till)
            return tickets.whole_seconds(end), part.renew_till
        limit = min(part.endtime, start + age)
        end = tickets.whole_seconds(end_of_ticket(body.till, limit, now))
        wanted = body.kdc_options & _RENEWABLE or (body.kdc_options & _RENEWABLE_OK and body.till > end)
        if not wanted or not part.flags & tickets.RENEWABLE or part.renew_till is None:
            return end, None
        renew_till = min(part.renew_till, start + policy.max_renew_age)
        asked = body.rtime if body.kdc_options & _RENEWABLE else body.till
        if asked and asked > start:
            renew_till = min(renew_till, asked)
        return end, tickets.whole_seconds(renew_till)

    def _flags(self, renew_till: FileTime | None) -> int:
        """RFC 4120 3.3.3; what the TGT does not allow is left out, as Windows clients always ask for it."""
        options, had = self._body.kdc_options, self.opened.tgt.part.flags
        flags = had & _KEPT_FLAGS
        if options & _RENEW:
            flags |= had & (tickets.FORWARDABLE | tickets.PROXIABLE)
        # Options and flags of the same meaning have the same bit.
        flags |= options & had & (tickets.FORWARDABLE | tickets.PROXIABLE)
        flags |= options & (_FORWARDED | _PROXY)
        if renew_till is not None:
            flags |= tickets.RENEWABLE
        if self.server.flags & _DELEGATION:
            flags |= tickets.OK_AS_DELEGATE
        return flags

    def _session_etype(self) -> int:
        """For a forwarded TGT, PA-SUPPORTED-ENCTYPES may help out ([MS-KILE] 3.3.5.7.6)."""
        asked: Sequence[int] = self._body.etype
        try:
            return session_etype(asked, self.server, self.policy, False)
        except KdcRefusal:
            value = find_padata(self.opened.request.message.padata, int(PaType.PA_SUPPORTED_ENCTYPES))
            if value is None or len(value) != 4 or not self._body.kdc_options & _FORWARDED:
                raise
            bits = int.from_bytes(value, "little")
            offered = [etype for etype, bit in _ETYPE_BITS if bits & bit]
            return session_etype(offered, self.server, self.policy, False)

    def _addresses(self) -> tuple[HostAddress, ...] | None:
        body = self._body
        if body.kdc_options & (_FORWARDED | _PROXY):
            return body.addresses or None
        return self.opened.tgt.part.caddr

    def _extra(self) -> tuple[AuthorizationDataEntry, ...]:
        """The client's own authorization data, for the service to see (RFC 4120 5.4.1)."""
        data = self._body.enc_authorization_data
        if data is None:
            return ()
        key, usage = self.opened.tgt.session, KeyUsage.TGS_REQ_AUTH_DATA_SESSION
        if self.opened.subkey is not None:
            key, usage = self.opened.subkey, KeyUsage.TGS_REQ_AUTH_DATA_SUBKEY
        try:
            plain = decrypt(key, int(usage), data.cipher)
        except DecodeError:
            raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BAD_INTEGRITY) from None
        return without_pac(AuthorizationData.unpack(plain).elements)

    def _encrypted_padata(self) -> tuple[PaData, ...]:
        """encrypted-pa-data: [MS-KILE] 3.3.5.7."""
        out = []
        bits = self.server.supported_enctypes
        if self._for_tgt:
            bits = KRBTGT_ENCTYPES
        if bits is not None:
            out.append(supported_enctypes(bits))
        options = pac_options(self.opened.request.message.padata)
        if options is not None:
            out.append(PaData(int(PaType.PA_PAC_OPTIONS), PaPacOptions(options).pack()))
        return tuple(out)
