"""A partner's KDC whose key we hold: it says of its users whatever a test has it say, forged or not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime, whole_seconds
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.codec.krb5 import (
    EncryptionKey,
    EncTgsRepPart,
    EncTicketPart,
    LastReqEntry,
    PrincipalName,
    Ticket,
    TransitedEncoding,
)
from addc.codec.krb5_numbers import NameType, TicketFlags
from addc.codec.pac import (
    SE_GROUP_DEFAULT,
    GroupMembership,
    KerbSidAndAttributes,
    KerbValidationInfo,
    PacClientInfo,
    UpnDnsInfo,
    UserFlags,
    pack_ndr_buffer,
)
from addc.directory import trust_changes
from addc.directory.trust_changes import NewTrust
from addc.kdc.ticket_pac import PacSigners, pac_entry, sign_pac
from addc.kdc.tickets import sealed
from addc.security.krb_keys import Key, KeyUsage, string_to_key
from addc.security.trusts import TrustAttributes, TrustDirection, trust_salt
from tests.kit.corp import Corp
from tests.kit.kdc_corp import REALM
from tests.kit.kdc_realm import Client, SeededRng, Ticketed, client_name, make_key

PARTNER: Final = "partner.test"
PARTNER_REALM: Final = "PARTNER.TEST"
PARTNER_SID: Final = Sid.parse("S-1-5-21-77-88-99")
CHILD_SID: Final = Sid.parse("S-1-5-21-77-88-100")
FRED: Final = client_name("fred")
OUR_TGS: Final = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("krbtgt", REALM))
SECRET: Final = Secret("Tru5t.Secret.1".encode("utf-16-le"))
FOREST: Final = NewTrust(
    PARTNER,
    "PARTNER",
    PARTNER_SID,
    TrustDirection.BOTH,
    attributes=TrustAttributes.FOREST_TRANSITIVE,
    incoming=SECRET,
    outgoing=SECRET,
)


def trust_with(corp: Corp, new: NewTrust = FOREST) -> None:
    corp.write(lambda ctx: trust_changes.create(ctx, new))


def issued_key(etype: int = 18, partner: str = PARTNER_REALM) -> Key:
    """The key of tickets that the partner makes for this realm."""
    return string_to_key(etype, SECRET, trust_salt(partner, REALM))


def wanted_key(etype: int = 18, partner: str = PARTNER_REALM) -> Key:
    """The key of tickets that this realm's KDC makes for the partner."""
    return string_to_key(etype, SECRET, trust_salt(REALM, partner))


def info(
    user_id: int = 1105,
    groups: Sequence[int] = (513, 1200),
    extra: Sequence[Sid] = (),
    domain: Sid | None = PARTNER_SID,
) -> KerbValidationInfo:
    """LOGON_INFO of fred, a user of the partner's."""
    return KerbValidationInfo(
        0, 0, 0, 0, 0, 0, "fred", "Fred", "", "", "", "", 1, 0, user_id, 513,
        tuple(GroupMembership(rid, SE_GROUP_DEFAULT) for rid in groups) or None,
        int(UserFlags.EXTRA_SIDS) if extra else 0, bytes(16), "DC9", "PARTNER", domain, 0x10, 0, 0, 0, 0,
        tuple(KerbSidAndAttributes(sid, SE_GROUP_DEFAULT) for sid in extra) or None, None, None,
    )  # fmt: skip


@dataclass(frozen=True)
class PartnerTicket:
    """What a cross-realm TGT says; `pac` None leaves it out. buffers: more of the PAC's."""

    now: FileTime
    pac: KerbValidationInfo | None
    crealm: str = PARTNER_REALM
    cname: PrincipalName = FRED
    issuer: str = PARTNER_REALM
    flags: int = int(TicketFlags.FORWARDABLE | TicketFlags.PRE_AUTHENT | TicketFlags.RENEWABLE)
    buffers: tuple[tuple[int, bytes], ...] = ()
    transited: bytes = b""
    kvno: int | None = 1
    etype: int = 18
    sname: PrincipalName = OUR_TGS
    client_info: str = "fred"

    def made(self, key: Key | None = None, signer: Key | None = None) -> Ticketed:
        """The client with that ticket. key: of the ticket; signer: of its PAC."""
        key = key or issued_key(self.etype, self.issuer)
        start = whole_seconds(self.now)
        end = FileTime(start + 3600 * TICKS_PER_S)
        session = make_key(18, "cross-realm session")
        client = Client()
        client.now = self.now
        part = EncTicketPart(
            flags=self.flags,
            key=_key(session),
            crealm=self.crealm,
            cname=self.cname,
            transited=TransitedEncoding(1, self.transited),
            authtime=start,
            starttime=start,
            endtime=end,
            renew_till=end,
            authorization_data=None if self.pac is None else (pac_entry(self._pac(start, signer or key)),),
        )
        rng = SeededRng("partner")
        ticket = Ticket(
            realm=self.issuer,
            sname=self.sname,
            enc_part=sealed(key, int(KeyUsage.TICKET), part.pack(), rng, self.kvno),
        )
        reply = EncTgsRepPart(
            key=_key(session), last_req=(LastReqEntry(0, start),), nonce=1, flags=self.flags,
            authtime=start, endtime=end, srealm=self.issuer, sname=self.sname,
        )  # fmt: skip
        return Ticketed(client, ticket, reply, self.cname, self.crealm)

    def _pac(self, authtime: FileTime, signer: Key) -> bytes:
        assert self.pac is not None
        own = make_key(18, "the partner's krbtgt")
        buffers = [
            (1, pack_ndr_buffer(self.pac)),
            (10, PacClientInfo(authtime, self.client_info).pack()),
            *self.buffers,
        ]
        return sign_pac(buffers, PacSigners(signer, own), None)

    def but(self, **more: object) -> "PartnerTicket":
        return replace(self, **more)  # type: ignore[arg-type]


def _key(session: Key) -> EncryptionKey:
    return EncryptionKey(int(session.etype), session.value)


def upn(user_id: int = 1105, domain: Sid = PARTNER_SID, dns: str = PARTNER_REALM) -> tuple[int, bytes]:
    return (12, UpnDnsInfo(f"fred@{PARTNER}", dns, False, "fred", domain.child(user_id)).pack())
