"""The reply of a TGS exchange: its ticket, and the part that the client reads.

Spec: RFC 4120 3.3.3, [MS-KILE] 3.3.5.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime, whole_seconds
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.krb5 import (
    AuthorizationData,
    AuthorizationDataEntry,
    EncTgsRepPart,
    HostAddress,
    KdcReqBody,
    PaData,
    PrincipalName,
    TgsRep,
)
from addc.codec.krb5_numbers import KdcOptions, PaType
from addc.codec.pac import PacAttributesInfo, PacType
from addc.codes.krb_error import KrbErrorCode
from addc.kdc import fast, tickets
from addc.kdc.facts import Issued, KdcRefusal, OpenedTgs, Principal, TgsFacts, TrustFacts
from addc.kdc.fast_device import Device, with_device
from addc.kdc.pac_build import onward_buffers, service_buffers, tgt_buffers
from addc.kdc.padata import (
    KRBTGT_ENCTYPES,
    echoed_pac_options,
    find_padata,
    pac_options,
    supported_enctypes,
)
from addc.kdc.policy import (
    CHANGE_PASSWORD_AGE,
    KdcPolicy,
    end_of_ticket,
    new_session_key,
    session_etype,
    supported,
    ticket_key,
)
from addc.kdc.principal_names import is_tgs
from addc.kdc.referrals import may_be_delegated, referral_name
from addc.kdc.subject import Subject
from addc.kdc.ticket_pac import PacSigners, without_pac
from addc.security.account_flags import UserAccountControl
from addc.security.enctypes import SupportedEncryption, etypes_of
from addc.security.krb_keys import ETYPES, KeyUsage, decrypt

_PA_ENC_PA_REP: Final = int(PaType.PA_REQ_ENC_PA_REP)
_RENEW: Final = int(KdcOptions.RENEW)
_VALIDATE: Final = int(KdcOptions.VALIDATE)
_FORWARDED: Final = int(KdcOptions.FORWARDED)
_PROXY: Final = int(KdcOptions.PROXY)
_CANONICALIZE: Final = int(KdcOptions.CANONICALIZE)
_RENEWABLE: Final = int(KdcOptions.RENEWABLE)
_RENEWABLE_OK: Final = int(KdcOptions.RENEWABLE_OK)
_DELEGATION: Final = int(UserAccountControl.UF_TRUSTED_FOR_DELEGATION)
_NO_PAC: Final = int(UserAccountControl.UF_NO_AUTH_DATA_REQUIRED)
_NO_COMPRESSION: Final = int(SupportedEncryption.RESOURCE_SID_COMPRESSION_DISABLED)
_COMPOUND_IDENTITY: Final = int(SupportedEncryption.COMPOUND_IDENTITY)
_KEPT_FLAGS: Final = tickets.PRE_AUTHENT | tickets.FORWARDED | tickets.PROXY


@dataclass(frozen=True, slots=True)
class TgsGrant:
    """A TGS exchange that will succeed, unless no encryption type fits.

    onward: the ticket is for the KDC of this partner, whatever service was asked for. device: on which the
    client proved itself, and told so by an armor of its own.
    """

    opened: OpenedTgs
    facts: TgsFacts
    subject: Subject
    server: Principal
    policy: KdcPolicy
    onward: TrustFacts | None = None
    device: Device | None = None

    def reply(self, now: FileTime, rng: Rng) -> Issued:
        """TGS-REP: ticket, then the part encrypted with the subkey or the session key."""
        opened, realm = self.opened, self.facts.realm
        grant = self._grant(now, rng)
        kdc_key = ticket_key(realm.krbtgt, self.policy)
        kvno: int | None = self.server.keys.kvno or None
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
        key, usage = opened.tgt.session, KeyUsage.TGS_REP_ENC_PART_SESSION
        if opened.subkey is not None:
            key, usage = opened.subkey, KeyUsage.TGS_REP_ENC_PART_SUBKEY
        outer = fast.Reply(key, self.subject.padata or None, ticket, grant.crealm, grant.cname)
        if opened.request.armor is not None:
            outer = fast.protected(outer, opened.request.armor, self._body.nonce, now, rng)
        part = tickets.reply_part(
            EncTgsRepPart, grant, self._body.nonce, now, padata=self._encrypted_padata()
        )
        message = TgsRep(
            padata=outer.padata,
            crealm=outer.crealm,
            cname=outer.cname,
            ticket=ticket,
            enc_part=tickets.sealed(outer.key, int(usage), part, rng),
        )
        return tickets.issued(message.pack(), ticket, grant, int(key.etype))

    @property
    def _body(self) -> KdcReqBody:
        return self.opened.request.message.req_body

    @property
    def _for_tgt(self) -> bool:
        """Whether the new ticket is a TGT; kadmin/changepw is krbtgt's too, but a service."""
        sname = self._body.sname
        if self.onward is not None:
            return True
        return sname is not None and is_tgs(sname) and self.opened.second is None

    def _pac_buffers(self) -> list[tuple[int, bytes]] | None:
        if not self.subject.pac.buffers:
            return None  # of a realm without PACs, and nobody here
        if self.onward is not None:
            return onward_buffers(self.subject.pac)
        pac = self.subject.pac
        if self._for_tgt:
            return tgt_buffers(pac)
        if self._without_pac():
            return None
        realm = self.facts.realm
        bits = supported(self.server, self.policy) | supported(realm.krbtgt, self.policy)
        compressed = not bits & _NO_COMPRESSION
        buffers = service_buffers(pac, realm.domain_sid, self.subject.resource_rids, compressed)
        if self.device is None or not (self.server.supported_enctypes or 0) & _COMPOUND_IDENTITY:
            return buffers
        return with_device(buffers, self.device, realm.domain_sid)

    def _without_pac(self) -> bool:
        """Whether client or service want none. A DC always gets one: a mere name may change its owner."""
        if self.server.is_dc or self.subject.needs_pac:
            return False
        if self.server.flags & _NO_PAC:
            return True
        attributes = self.subject.pac.get(PacType.ATTRIBUTES_INFO)
        return attributes is not None and not PacAttributesInfo.unpack(attributes).flags

    def _grant(self, now: FileTime, rng: Rng) -> tickets.Grant:
        body, subject, realm = self._body, self.subject, self.facts.realm
        assert body.sname is not None
        start = whole_seconds(now)
        end, renew_till = self._times(start, now)
        sname = body.sname
        if self.onward is not None:
            sname = referral_name(self.onward)
        elif body.kdc_options & _CANONICALIZE and is_tgs(sname):
            sname = PrincipalName(sname.name_type, ("krbtgt", realm.realm))
        etype = self._session_etype()
        return tickets.Grant(
            flags=self._flags(renew_till),
            session=new_session_key(etype, rng.bytes(ETYPES[etype].key_size)),
            crealm=subject.crealm,
            cname=subject.cname,
            srealm=realm.realm,
            sname=sname,
            authtime=subject.authtime,
            starttime=start,
            endtime=end,
            renew_till=renew_till,
            caddr=self._addresses(),
            extra=(*subject.extra, *self._extra()),
            transited=subject.transited,
        )

    def _times(self, start: FileTime, now: FileTime) -> tuple[FileTime, FileTime | None]:
        """endtime and renew-till (RFC 4120 3.3.3)."""
        body, had, policy = self._body, self.subject, self.policy
        age = policy.max_ticket_age if self._for_tgt else policy.max_service_ticket_age
        if self.server.is_krbtgt and not self._for_tgt:
            age = min(age, CHANGE_PASSWORD_AGE)
        if body.kdc_options & _VALIDATE:
            return had.endtime, had.renew_till
        if body.kdc_options & _RENEW:
            assert had.renew_till is not None
            life = had.endtime - had.starttime
            end = min(start + min(life, age), had.renew_till)
            return whole_seconds(end), had.renew_till
        limit = min(had.endtime, start + age)
        end = whole_seconds(end_of_ticket(body.till, limit, now))
        wanted = body.kdc_options & _RENEWABLE or (body.kdc_options & _RENEWABLE_OK and body.till > end)
        if not wanted or not had.flags & tickets.RENEWABLE or had.renew_till is None:
            return end, None
        renew_till = min(had.renew_till, start + policy.max_renew_age)
        asked = body.rtime if body.kdc_options & _RENEWABLE else body.till
        if asked and asked > start:
            renew_till = min(renew_till, asked)
        return end, whole_seconds(renew_till)

    def _flags(self, renew_till: FileTime | None) -> int:
        """RFC 4120 3.3.3; what the TGT does not allow is left out, as Windows clients always ask for it."""
        options, had = self._body.kdc_options, self.subject.flags
        flags = had & _KEPT_FLAGS
        if options & (_RENEW | _VALIDATE):
            flags |= had & (tickets.FORWARDABLE | tickets.PROXIABLE)
        # Options and flags of the same meaning have the same bit.
        flags |= options & had & (tickets.FORWARDABLE | tickets.PROXIABLE)
        flags |= options & (_FORWARDED | _PROXY)
        if find_padata(self.opened.request.message.padata, _PA_ENC_PA_REP) is not None:
            flags |= tickets.ENC_PA_REP
        if renew_till is not None:
            flags |= tickets.RENEWABLE
        if self.opened.tgt.trust is not None or self.onward is not None:
            return flags | self._border_flags()
        if self.server.flags & _DELEGATION:
            flags |= tickets.OK_AS_DELEGATE
        return flags

    def _border_flags(self) -> int:
        """Flags of tickets that come over a trust or lead over one ([MS-KILE] 3.3.5.7.5, RFC 4120 2.7)."""
        came_by, had = self.opened.tgt.trust, self.subject.flags
        flags = 0 if came_by is None else tickets.TRANSITED_POLICY_CHECKED
        delegable = self.onward is not None or bool(self.server.flags & _DELEGATION)
        if came_by is not None:
            delegable &= may_be_delegated(came_by, had)
        if self.onward is not None:
            delegable &= may_be_delegated(self.onward, None)
        return flags | tickets.OK_AS_DELEGATE if delegable else flags

    def _session_etype(self) -> int:
        """For a forwarded TGT, PA-SUPPORTED-ENCTYPES may help out ([MS-KILE] 3.3.5.7.6)."""
        asked: Sequence[int] = self._body.etype
        try:
            return session_etype(asked, self.server, self.policy, False)
        except KdcRefusal:
            value = find_padata(self.opened.request.message.padata, int(PaType.PA_SUPPORTED_ENCTYPES))
            if value is None or len(value) != 4 or not self._body.kdc_options & _FORWARDED:
                raise
            offered = etypes_of(int.from_bytes(value, "little"))
            return session_etype(offered, self.server, self.policy, False)

    def _addresses(self) -> tuple[HostAddress, ...] | None:
        body = self._body
        if body.kdc_options & (_FORWARDED | _PROXY):
            return body.addresses or None
        return self.subject.caddr

    def _extra(self) -> tuple[AuthorizationDataEntry, ...]:
        """The client's own authorization data, for the service to see (RFC 4120 5.4.1)."""
        data = self._body.enc_authorization_data
        if data is None:
            return ()
        key = self.subject.auth_data_key or self.opened.tgt.session
        usage = KeyUsage.TGS_REQ_AUTH_DATA_SESSION
        if self.opened.subkey is not None:
            key, usage = self.opened.subkey, KeyUsage.TGS_REQ_AUTH_DATA_SUBKEY
        try:
            plain = decrypt(key, int(usage), data.cipher)
        except DecodeError:
            raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BAD_INTEGRITY) from None
        return without_pac(AuthorizationData.unpack(plain).elements)

    def _encrypted_padata(self) -> tuple[PaData, ...]:
        """encrypted-pa-data, what the service can do only for who canonicalizes ([MS-KILE] 3.3.5.7).

        A list of keys comes first: Impacket looks nowhere else.
        """
        out = []
        if self._body.kdc_options & _CANONICALIZE:
            own = self.server.supported_enctypes or self.policy.default_enctypes
            out.append(supported_enctypes(KRBTGT_ENCTYPES if self.server.is_krbtgt else own))
        options = pac_options(self.opened.request.message.padata)
        if options:
            out.append(echoed_pac_options(options))
        return (*self.subject.encrypted_padata, *out)
