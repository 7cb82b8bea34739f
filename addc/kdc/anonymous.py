"""Tickets for nobody: whoever checks the KDC's certificate may have one, to protect another exchange with.

They have no PAC and say that they are anonymous, so that no service here takes them; FAST does, as armor.

Spec: RFC 8062 3, 4, 7 (PA-PKINIT-KX), RFC 6113 5.4.1.1
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime, whole_seconds
from addc.base.rng import Rng
from addc.codec.krb5 import AsRep, EncAsRepPart, EncryptionKey, PaData
from addc.codec.krb5_numbers import KdcOptions, PaType, TicketFlags
from addc.codec.pkinit import ID_AUTH_DATA, AuthPack, PaPkAsReq
from addc.codes.krb_error import KrbErrorCode
from addc.kdc import fast, pkinit, tickets
from addc.kdc.facts import AsFacts, AsRequest, Issued, KdcRefusal
from addc.kdc.padata import find_padata
from addc.kdc.pkinit_reply import Replier
from addc.kdc.pkinit_request import open_signed
from addc.kdc.policy import KdcPolicy, check_clock, end_of_ticket, new_session_key, session_etype, ticket_key
from addc.kdc.principal_names import ANONYMOUS, is_tgs
from addc.kdc.proof import Proof
from addc.kdc.ticket_pac import PacSigners
from addc.security.krb_keys import ETYPES, Key, KeyUsage, cf2

ANONYMOUS_REALM: Final = "WELLKNOWN:ANONYMOUS"
_ASKED: Final = int(KdcOptions.REQUEST_ANONYMOUS)
_PK_AS_REQ: Final = int(PaType.PA_PK_AS_REQ)
_PK_AS_REP: Final = int(PaType.PA_PK_AS_REP)
_KX: Final = int(PaType.PA_PKINIT_KX)
_KX_USAGE: Final = int(KeyUsage.PA_PKINIT_KX)
_REPLY_USAGE: Final = int(KeyUsage.AS_REP_ENC_PART)
_FLAGS: Final = int(TicketFlags.INITIAL | TicketFlags.PRE_AUTHENT | TicketFlags.ANONYMOUS)


def is_asked_for(request: AsRequest, policy: KdcPolicy) -> bool:
    """Whether a request is for such a ticket, and such tickets are to be had."""
    return bool(
        request.message.req_body.kdc_options & _ASKED
        and policy.pkinit is not None
        and policy.pkinit.anonymous
    )


def answer(
    request: AsRequest, facts: AsFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> tuple[Issued, Proof]:
    """The reply to an anonymous AS-REQ; raises KdcRefusal, DecodeError."""
    body = request.message.req_body
    if body.cname is None or body.cname.name_string != ANONYMOUS.name_string:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if not facts.realm.is_alias(body.realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_WRONG_REALM)
    if body.sname is None or facts.server is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
    if not is_tgs(body.sname):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    value = find_padata(request.message.padata, _PK_AS_REQ)
    if value is None:
        offered = (PaData(_PK_AS_REQ), PaData(_KX), *fast.offer(request.armor))
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED, padata=offered)
    exchange = _Exchange(request, facts, policy, now, rng)
    proof = exchange.proof(value)
    return exchange.reply(proof), proof


@dataclass(frozen=True, slots=True)
class _Exchange:
    """An anonymous exchange that proves nothing but that both sides made its keys."""

    request: AsRequest
    facts: AsFacts
    policy: KdcPolicy
    now: FileTime
    rng: Rng

    def proof(self, value: bytes) -> Proof:
        """The key that a PA-PK-AS-REQ, signed by nobody, agrees on."""
        rules = self.policy.pkinit
        assert rules is not None
        content = frozenset((ID_AUTH_DATA,))
        signed = open_signed(PaPkAsReq.unpack(value).signed_auth_pack, content, anonymous=True)
        pack = AuthPack.unpack(signed.content)
        check_clock(pack.pk_authenticator.ctime, self.policy, self.now)
        pkinit.check_body(self.request, pack.pk_authenticator)
        if pack.client_public_value is None:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED)
        etype = pkinit.reply_etype(self.request.message.req_body.etype, rc4_allowed=False)
        exchange = pkinit.exchange_of(self.request, ANONYMOUS_REALM)
        found = Replier(rules, etype, self.now, self.rng).agreed(pack, exchange)
        return Proof(found.key, None, (PaData(_PK_AS_REP, found.padata),), by_password=False)

    def reply(self, proof: Proof) -> Issued:
        """AS-REP whose session key both sides made: nobody between them could have chosen it (RFC 8062 7)."""
        body, server, rng = self.request.message.req_body, self.facts.server, self.rng
        assert server is not None
        etype = session_etype(body.etype, server, self.policy, rc4_allowed=False)
        ours = new_session_key(etype, rng.bytes(ETYPES[etype].key_size))
        contribution = EncryptionKey(int(ours.etype), ours.value).pack()
        grant = self._grant(cf2(ours, proof.key, b"PKINIT", b"KEYEXCHANGE"))
        server_key = ticket_key(server, self.policy)
        signers = PacSigners(server_key, ticket_key(self.facts.realm.krbtgt, self.policy))
        ticket = tickets.issue(grant, None, signers, server.keys.kvno, full_signatures=False, rng=rng)
        part = tickets.reply_part(EncAsRepPart, grant, body.nonce, self.now)
        kx = PaData(_KX, tickets.sealed(proof.key, _KX_USAGE, contribution, rng).pack())
        message = AsRep(
            padata=(*proof.padata, kx),
            crealm=grant.crealm,
            cname=grant.cname,
            ticket=ticket,
            enc_part=tickets.sealed(proof.key, _REPLY_USAGE, part, rng),
        )
        return tickets.issued(message.pack(), ticket, grant, int(proof.key.etype))

    def _grant(self, session: Key) -> tickets.Grant:
        body = self.request.message.req_body
        assert body.sname is not None
        start = whole_seconds(self.now)
        end = end_of_ticket(body.till, start + self.policy.max_ticket_age, self.now)
        return tickets.Grant(
            flags=_FLAGS,
            session=session,
            crealm=ANONYMOUS_REALM,
            cname=ANONYMOUS,
            srealm=self.facts.realm.realm,
            sname=body.sname,
            authtime=start,
            starttime=start,
            endtime=whole_seconds(end),
        )
