"""The AS exchange: a first ticket for who knows the password.

Spec: RFC 4120 3.1, RFC 6806 6-7, 11, [MS-KILE] 3.3.5.6.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.krb5 import (
    AsRep,
    Checksum,
    EncAsRepPart,
    KdcReqBody,
    PaData,
    PaPacOptions,
    PrincipalName,
)
from addc.codec.krb5_numbers import KdcOptions, MessageType, NameType, PaType
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import tickets
from addc.kdc.facts import (
    AccountFlags,
    AsFacts,
    AsOutcome,
    AsRequest,
    Counter,
    KdcRefusal,
    Membership,
    Principal,
)
from addc.kdc.krb_errors import refusal_bytes
from addc.kdc.pac_build import PacParts, PacSigners
from addc.kdc.policy import (
    PROTECTED_USERS_AGE,
    KdcPolicy,
    account_keys,
    by_strength,
    check_logon,
    check_standing,
    end_of_ticket,
    lists_rc4,
    new_session_key,
    session_etype,
    ticket_key,
)
from addc.kdc.preauth import check_timestamp, etype_info2, find_padata, offer, pac_options, pac_request
from addc.security.krb_keys import ETYPES, Key, KeyUsage, checksum

_TGS: Final = "krbtgt"
_NETBIOS_ADDRESS: Final = 20
_PROTECTED_USERS: Final = 525
_RC4: Final = 23
KRBTGT_ENCTYPES: Final = 0x1F
"""PA-SUPPORTED-ENCTYPES of krbtgt ([MS-KILE] 3.3.5.6); FAST and claims bits once they are supported."""

_FORBIDDEN: Final = int(
    KdcOptions.FORWARDED
    | KdcOptions.PROXY
    | KdcOptions.RENEW
    | KdcOptions.VALIDATE
    | KdcOptions.ENC_TKT_IN_SKEY
    | KdcOptions.CNAME_IN_ADDL_TKT
    | KdcOptions.REQUEST_ANONYMOUS
)
_POSTDATED: Final = int(KdcOptions.POSTDATED)
_CANONICALIZE: Final = int(KdcOptions.CANONICALIZE)
_FORWARDABLE: Final = int(KdcOptions.FORWARDABLE)
_PROXIABLE: Final = int(KdcOptions.PROXIABLE)
_RENEWABLE: Final = int(KdcOptions.RENEWABLE)
_RENEWABLE_OK: Final = int(KdcOptions.RENEWABLE_OK)
_NOT_DELEGATED: Final = int(AccountFlags.NOT_DELEGATED)
_DELEGATION: Final = int(AccountFlags.TRUSTED_FOR_DELEGATION)
_NO_PREAUTH: Final = int(AccountFlags.DONT_REQUIRE_PREAUTH)
_NO_PAC: Final = int(AccountFlags.NO_AUTH_DATA_REQUIRED)
_DISABLED: Final = int(AccountFlags.DISABLED)
_PA_TIMESTAMP: Final = int(PaType.PA_ENC_TIMESTAMP)
_PA_ENC_PA_REP: Final = int(PaType.PA_REQ_ENC_PA_REP)
_REPLY_USAGE: Final = int(KeyUsage.AS_REP_ENC_PART)
_NEVER: Final = 0x7FFF_FFFF_FFFF_FFFF


def answer_as_req(
    request: AsRequest, facts: AsFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> AsOutcome:
    """Decide one AS exchange ([RFC4120] 3.1, [MS-KILE] 3.3.5.6).

    facts: what one snapshot of the directory knew of client and server; nothing else is consulted.
    Returns the packed reply or KRB-ERROR, plus the counter to write back (bad password, logon).
    """
    body = request.message.req_body
    server_name, client_name = str(body.sname or ""), str(body.cname or "")
    try:
        reply = _decide(request, facts, policy, now, rng)
    except DecodeError:
        refusal = KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
    except KdcRefusal as refused:
        refusal = refused
    else:
        return AsOutcome(
            reply,
            counter=Counter.LOGON,
            client=facts.client,
            server_name=server_name,
            client_name=client_name,
        )
    return AsOutcome(
        refusal_bytes(refusal, now, facts.realm.realm, body.sname),
        refusal.code,
        refusal.status,
        refusal.counter,
        facts.client,
        server_name,
        client_name,
    )


def _decide(request: AsRequest, facts: AsFacts, policy: KdcPolicy, now: FileTime, rng: Rng) -> bytes:
    message = request.message
    body = message.req_body
    # 1. The message itself (RFC 4120 3.1.2).
    if message.pvno != 5:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BAD_PVNO)
    if message.msg_type != MessageType.KRB_AS_REQ:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MSG_TYPE)
    _check_options(body, policy, now)
    # 2. Who, and for what.
    if not facts.realm.is_alias(body.realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_WRONG_REALM)
    client, server = facts.client, facts.server
    if client is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN, NtStatus.STATUS_NO_SUCH_USER)
    check_standing(client, now)
    if server is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
    check_server(server)
    # 3. Whether the client knows its key.
    key, preauthenticated = _reply_key(request, client, policy, now)
    if facts.membership is None:
        raise KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
    protected = _PROTECTED_USERS in facts.membership.domain_rids
    if protected and key.etype == _RC4:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    # 4. Whether the account may log on now, from here.
    assert body.sname is not None
    check_logon(client, _workstation(body), is_change_password(body.sname), now)
    # 5. The ticket.
    granting = _Granting(request, facts, client, server, facts.membership, policy)
    return granting.reply(key, preauthenticated, protected, now, rng)


def _check_options(body: KdcReqBody, policy: KdcPolicy, now: FileTime) -> None:
    if body.kdc_options & _FORBIDDEN:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if body.kdc_options & _POSTDATED or (body.from_ and body.from_ > now + policy.max_clock_skew):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_CANNOT_POSTDATE)
    if body.cname is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN, NtStatus.STATUS_NO_SUCH_USER)
    if body.sname is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)


def check_server(server: Principal) -> None:
    """Whether tickets for this account are issued at all."""
    if server.flags & _DISABLED and not server.is_krbtgt:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_SERVICE_REVOKED)
    if not server.has_spn and not server.is_krbtgt:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_MUST_USE_USER2USER)


def is_change_password(name: PrincipalName) -> bool:
    """kadmin/changepw."""
    return tuple(part.lower() for part in name.name_string) == ("kadmin", "changepw")


def is_tgs(name: PrincipalName) -> bool:
    """krbtgt/REALM, whatever the realm."""
    return len(name.name_string) == 2 and name.name_string[0].lower() == _TGS


def _workstation(body: KdcReqBody) -> str:
    """The NetBIOS name among the request's addresses (RFC 4120 7.5.3): 15 characters and a type byte."""
    for address in body.addresses or ():
        if address.addr_type == _NETBIOS_ADDRESS:
            return address.address[:15].decode("cp850", "replace").rstrip(" \0")
    return ""


def _reply_key(request: AsRequest, client: Principal, policy: KdcPolicy, now: FileTime) -> tuple[Key, bool]:
    """The key of the reply, and whether its knowledge was proved."""
    asked = request.message.req_body.etype
    keys = account_keys(client, policy)
    usable = by_strength([etype for etype in asked if etype in keys])
    if not usable:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    value = find_padata(request.message.padata, _PA_TIMESTAMP)
    if value is not None:
        try:
            return check_timestamp(client, keys, value, policy, now), True
        except KdcRefusal as refusal:
            if refusal.code == KrbErrorCode.KDC_ERR_PREAUTH_FAILED:
                refusal.e_data = offer(client, usable, asked, refusal.status)
            raise
    if client.flags & _NO_PREAUTH:
        return keys[usable[0]], False
    raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED, e_data=offer(client, usable, asked))


@dataclass(frozen=True, slots=True)
class _Granting:
    """An AS exchange that will succeed."""

    request: AsRequest
    facts: AsFacts
    client: Principal
    server: Principal
    membership: Membership
    policy: KdcPolicy

    def reply(self, key: Key, preauthenticated: bool, protected: bool, now: FileTime, rng: Rng) -> bytes:
        """AS-REP: ticket, then the part encrypted with the client's key."""
        body = self.request.message.req_body
        assert body.sname is not None
        for_tgt = is_tgs(body.sname)
        grant = self._grant(preauthenticated, protected, now, rng)
        realm = self.facts.realm
        server_key = ticket_key(self.server, self.policy)
        signers = PacSigners(server_key, ticket_key(realm.krbtgt, self.policy))
        pac = None
        if for_tgt or self.server.is_dc or not self.server.flags & _NO_PAC:
            wanted = pac_request(self.request.message.padata)
            parts = PacParts(self.client, self.membership, realm, str(grant.cname), wanted)
            pac = parts.buffers(grant.authtime, now, for_tgt)
        ticket = tickets.issue(
            grant, pac, signers, self.server.keys.kvno, full_signatures=not for_tgt, rng=rng
        )
        part = EncAsRepPart(
            key=grant.session_key(),
            last_req=tickets.no_last_req(now),
            nonce=body.nonce,
            key_expiration=self._key_expiration(),
            flags=grant.flags,
            authtime=grant.authtime,
            starttime=grant.starttime,
            endtime=grant.endtime,
            renew_till=grant.renew_till,
            srealm=grant.srealm,
            sname=grant.sname,
            caddr=grant.caddr,
            encrypted_pa_data=self._encrypted_padata(key),
        )
        return AsRep(
            padata=(etype_info2(self.client, (int(key.etype),)),),
            crealm=grant.crealm,
            cname=grant.cname,
            ticket=ticket,
            enc_part=tickets.sealed(key, _REPLY_USAGE, part.pack(), rng, self.client.keys.kvno),
        ).pack()

    def _grant(self, preauthenticated: bool, protected: bool, now: FileTime, rng: Rng) -> tickets.Grant:
        body, realm = self.request.message.req_body, self.facts.realm
        options = body.kdc_options
        assert body.cname is not None and body.sname is not None
        canonical = options & _CANONICALIZE
        cname, sname = body.cname, body.sname
        if canonical:
            cname = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), (self.client.name,))
            if is_tgs(sname):
                sname = PrincipalName(sname.name_type, (_TGS, realm.realm))
        start = tickets.whole_seconds(now)
        max_age = self._max_age(protected)
        end = tickets.whole_seconds(end_of_ticket(body.till, start + max_age, now))
        flags = self._flags(preauthenticated, protected)
        renew_till = None
        if options & _RENEWABLE or (options & _RENEWABLE_OK and body.till > end):
            renew_till = self._renew_till(protected, start)
            flags |= tickets.RENEWABLE
        etype = session_etype(body.etype, self.server, self.policy, lists_rc4(self.client, self.policy))
        return tickets.Grant(
            flags=flags,
            session=new_session_key(etype, rng.bytes(ETYPES[etype].key_size)),
            crealm=realm.realm,
            cname=cname,
            srealm=realm.realm,
            sname=sname,
            authtime=start,
            starttime=start,
            endtime=end,
            renew_till=renew_till,
            caddr=body.addresses or None,
        )

    def _max_age(self, protected: bool) -> int:
        assert self.request.message.req_body.sname is not None
        policy = self.policy
        age = policy.max_ticket_age if self.server.is_krbtgt else policy.max_service_ticket_age
        return min(age, PROTECTED_USERS_AGE) if protected else age

    def _renew_till(self, protected: bool, start: FileTime) -> FileTime:
        """renew-till: as asked; with RENEWABLE-OK alone, no longer than the ticket that was asked for."""
        age = min(self.policy.max_renew_age, PROTECTED_USERS_AGE) if protected else self.policy.max_renew_age
        body = self.request.message.req_body
        asked = body.rtime if body.kdc_options & _RENEWABLE else body.till
        return tickets.whole_seconds(min(asked, start + age) if asked and asked > start else start + age)

    def _flags(self, preauthenticated: bool, protected: bool) -> int:
        options = self.request.message.req_body.kdc_options
        flags = tickets.INITIAL
        if preauthenticated:
            flags |= tickets.PRE_AUTHENT
        if not (protected or self.client.flags & _NOT_DELEGATED):
            if options & _FORWARDABLE:
                flags |= tickets.FORWARDABLE
            if options & _PROXIABLE:
                flags |= tickets.PROXIABLE
        if self.server.flags & _DELEGATION:
            flags |= tickets.OK_AS_DELEGATE
        if find_padata(self.request.message.padata, _PA_ENC_PA_REP) is not None:
            flags |= tickets.ENC_PA_REP
        return flags

    def _key_expiration(self) -> FileTime | None:
        """When the password expires, so that clients can warn; clients show dates, so none for "never"."""
        must_change = self.client.standing.password_must_change
        return None if must_change in (0, _NEVER) else tickets.whole_seconds(must_change)

    def _encrypted_padata(self, key: Key) -> tuple[PaData, ...]:
        """encrypted-pa-data: [MS-KILE] 3.3.5.6, RFC 6806 11, W-LOGON-05."""
        padata = self.request.message.padata
        out = []
        bits = KRBTGT_ENCTYPES if self.server.is_krbtgt else self.server.supported_enctypes
        if bits is not None:
            out.append(supported_enctypes(bits))
        if find_padata(padata, _PA_ENC_PA_REP) is not None:
            kind = int(ETYPES[key.etype].cksumtype)
            value = checksum(key, int(KeyUsage.AS_REQ), self.request.raw, kind)
            out.append(PaData(_PA_ENC_PA_REP, Checksum(kind, value).pack()))
        options = pac_options(padata)
        if options is not None:
            out.append(PaData(int(PaType.PA_PAC_OPTIONS), PaPacOptions(options).pack()))
        return tuple(out)


def supported_enctypes(bits: int) -> PaData:
    """PA-SUPPORTED-ENCTYPES: four bytes, little-endian ([MS-KILE] 2.2.8)."""
    return PaData(int(PaType.PA_SUPPORTED_ENCTYPES), (bits & 0xFFFF_FFFF).to_bytes(4, "little"))
