"""The reply of an AS exchange: its ticket, and the part that only who proved itself can read.

Spec: RFC 4120 3.1.3, RFC 6806 11, [MS-KILE] 3.3.5.6.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import NEVER_FT, FileTime, whole_seconds
from addc.base.rng import Rng
from addc.codec.krb5 import AsRep, Checksum, EncAsRepPart, PaData, PrincipalName
from addc.codec.krb5_numbers import KdcOptions, NameType, PaType
from addc.kdc import fast, tickets
from addc.kdc.authn_policy import tgt_ages
from addc.kdc.facts import AsFacts, AsRequest, Issued, Membership, Principal
from addc.kdc.pac_build import PacParts
from addc.kdc.padata import (
    KRBTGT_ENCTYPES,
    echoed_pac_options,
    find_padata,
    pac_options,
    pac_request,
    supported_enctypes,
)
from addc.kdc.policy import (
    CHANGE_PASSWORD_AGE,
    PROTECTED_USERS_AGE,
    KdcPolicy,
    end_of_ticket,
    lists_rc4,
    new_session_key,
    session_etype,
    ticket_key,
)
from addc.kdc.principal_names import TGS, is_tgs
from addc.kdc.proof import Proof
from addc.kdc.ticket_pac import PacSigners
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import ETYPES, Key, KeyUsage, checksum

_CANONICALIZE: Final = int(KdcOptions.CANONICALIZE)
_FORWARDABLE: Final = int(KdcOptions.FORWARDABLE)
_PROXIABLE: Final = int(KdcOptions.PROXIABLE)
_RENEWABLE: Final = int(KdcOptions.RENEWABLE)
_RENEWABLE_OK: Final = int(KdcOptions.RENEWABLE_OK)
_NOT_DELEGATED: Final = int(UserAccountControl.UF_NOT_DELEGATED)
_DELEGATION: Final = int(UserAccountControl.UF_TRUSTED_FOR_DELEGATION)
_PA_ENC_PA_REP: Final = int(PaType.PA_REQ_ENC_PA_REP)
_REPLY_USAGE: Final = int(KeyUsage.AS_REP_ENC_PART)


@dataclass(frozen=True, slots=True)
class AsGrant:
    """An AS exchange that will succeed. protected: the client is one of the Protected Users."""

    request: AsRequest
    facts: AsFacts
    client: Principal
    server: Principal
    membership: Membership
    policy: KdcPolicy
    proof: Proof
    protected: bool

    def reply(self, now: FileTime, rng: Rng) -> Issued:
        """AS-REP: ticket, then the part encrypted with the key of the proof."""
        body = self.request.message.req_body
        assert body.sname is not None
        for_tgt = is_tgs(body.sname)
        grant = self._grant(now, rng)
        realm = self.facts.realm
        server_key = ticket_key(self.server, self.policy)
        signers = PacSigners(server_key, ticket_key(realm.krbtgt, self.policy))
        pac = None
        wanted = pac_request(self.request.message.padata)
        if for_tgt or self.server.is_dc or wanted is not False:
            parts = PacParts(self.client, self.membership, realm, str(grant.cname), wanted, self.proof.sids)
            pac = [*parts.buffers(grant.authtime, now, for_tgt), *self.proof.buffers]
        ticket = tickets.issue(
            grant, pac, signers, self.server.keys.kvno, full_signatures=not for_tgt, rng=rng
        )
        outer = fast.Reply(self.proof.key, self.proof.padata, ticket, grant.crealm, grant.cname)
        if self.request.armor is not None:
            outer = fast.protected(outer, self.request.armor, body.nonce, now, rng)
        part = tickets.reply_part(
            EncAsRepPart,
            grant,
            body.nonce,
            now,
            padata=self._encrypted_padata(outer.key),
            key_expiration=self._key_expiration(),
        )
        message = AsRep(
            padata=outer.padata or None,
            crealm=outer.crealm,
            cname=outer.cname,
            ticket=ticket,
            enc_part=tickets.sealed(outer.key, _REPLY_USAGE, part, rng, self.proof.kvno),
        )
        return tickets.issued(message.pack(), ticket, grant, int(self.proof.key.etype))

    def _grant(self, now: FileTime, rng: Rng) -> tickets.Grant:
        body, realm = self.request.message.req_body, self.facts.realm
        options = body.kdc_options
        assert body.cname is not None and body.sname is not None
        canonical = options & _CANONICALIZE
        cname, sname = body.cname, body.sname
        if canonical:
            cname = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), (self.client.name,))
            if is_tgs(sname):
                sname = PrincipalName(sname.name_type, (TGS, realm.realm))
            elif not self.server.is_krbtgt:
                sname = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), (self.server.name,))
        start = whole_seconds(now)
        end = whole_seconds(end_of_ticket(body.till, self._last_moment(start + self._max_age()), now))
        flags = self._flags()
        renew_till = None
        if options & _RENEWABLE or (options & _RENEWABLE_OK and body.till > end):
            renew_till = self._renew_till(start)
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

    def _max_age(self) -> int:
        policy = self.policy
        sname = self.request.message.req_body.sname
        if self.server.is_krbtgt:
            if sname is None or not is_tgs(sname):
                return min(policy.max_service_ticket_age, CHANGE_PASSWORD_AGE)
            return tgt_ages(self.client, policy, self.protected)[0]
        age = policy.max_service_ticket_age
        return min(age, PROTECTED_USERS_AGE) if self.protected else age

    def _last_moment(self, limit: int) -> int:
        """`limit`, unless one of the memberships in the PAC ends before."""
        until = self.membership.until
        return limit if until is None else min(limit, until)

    def _renew_till(self, start: FileTime) -> FileTime:
        """renew-till: as asked; with RENEWABLE-OK alone, no longer than the ticket that was asked for."""
        limit = self._last_moment(start + tgt_ages(self.client, self.policy, self.protected)[1])
        body = self.request.message.req_body
        asked = body.rtime if body.kdc_options & _RENEWABLE else body.till
        return whole_seconds(min(asked, limit) if asked and asked > start else limit)

    def _flags(self) -> int:
        options = self.request.message.req_body.kdc_options
        flags = tickets.INITIAL | tickets.ENC_PA_REP
        if self.proof.preauthenticated:
            flags |= tickets.PRE_AUTHENT
        if not (self.protected or self.client.flags & _NOT_DELEGATED):
            if options & _FORWARDABLE:
                flags |= tickets.FORWARDABLE
            if options & _PROXIABLE:
                flags |= tickets.PROXIABLE
        if self.server.flags & _DELEGATION:
            flags |= tickets.OK_AS_DELEGATE
        return flags

    def _key_expiration(self) -> FileTime | None:
        """When the password expires, so that clients can warn; clients show dates, so none for "never"."""
        must_change = self.client.standing.password_must_change
        return None if must_change in (0, NEVER_FT) else whole_seconds(must_change)

    def _encrypted_padata(self, key: Key) -> tuple[PaData, ...]:
        """encrypted-pa-data, what the service can do only for who canonicalizes; key: of the reply.

        Spec: [MS-KILE] 3.3.5.6, RFC 6806 11, W-LOGON-05.
        """
        padata = self.request.message.padata
        out = []
        if self.request.message.req_body.kdc_options & _CANONICALIZE:
            own = self.server.supported_enctypes or self.policy.default_enctypes
            out.append(supported_enctypes(KRBTGT_ENCTYPES if self.server.is_krbtgt else own))
        if find_padata(padata, _PA_ENC_PA_REP) is not None:
            kind = int(ETYPES[key.etype].cksumtype)
            value = checksum(key, int(KeyUsage.AS_REQ), self.request.raw, kind)
            out.append(PaData(_PA_ENC_PA_REP, Checksum(kind, value).pack()))
            out.append(PaData(fast.FX_FAST))
        options = pac_options(padata)
        if options:
            out.append(echoed_pac_options(options))
        return tuple(out)
