"""What one snapshot of the directory knew when a KDC request came in; the decisions look at nothing else.

Spec: [MS-KILE] 3.3.1.1 (account database extensions).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, TypeVar

from addc.base.clock import FileTime
from addc.codec.forest_trust import TopLevelName
from addc.codec.ids import Sid
from addc.codec.krb5 import AsReq, Checksum, EncTicketPart, PaData, PrincipalName, TgsReq, Ticket
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.pkinit_facts import CertificateFacts
from addc.security.account_flags import UserAccountControl
from addc.security.authn_policy import AuthnPolicy
from addc.security.crypto.trust_chain import TrustStore
from addc.security.enctypes import AES_SHA1
from addc.security.krb_keys import Key
from addc.security.logon_rules import Standing
from addc.security.sid_filter import TrustScope

_SERVER_TRUST: Final = int(UserAccountControl.UF_SERVER_TRUST_ACCOUNT)
_MACHINE: Final = int(UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT) | _SERVER_TRUST


Message = TypeVar("Message", AsReq, TgsReq)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """An account's keys by encryption type. salt: of the present AES keys.

    old: previous passwords as (kvno, keys), newest first; tickets made with them still open.
    also: others that prove the account all the same, as a managed one's do around a roll.
    """

    kvno: int
    current: Mapping[int, Key]
    salt: bytes = b""
    old: tuple[tuple[int, Mapping[int, Key]], ...] = ()
    also: tuple[tuple[int, Mapping[int, Key]], ...] = ()

    def find(self, etype: int, kvno: int | None) -> Key | None:
        """The key of a version; without one, or with 0, the present key."""
        if not kvno or kvno == self.kvno:
            return self.current.get(etype)
        for version, keys in self.old:
            if version == kvno:
                return keys.get(etype)
        return None

    def knows_version(self, kvno: int | None) -> bool:
        return not kvno or kvno == self.kvno or any(version == kvno for version, _ in self.old)


@dataclass(frozen=True, slots=True)
class Membership:
    """Groups of a client, as [MS-PAC] splits them.

    domain_rids: global and universal groups of the client's own domain, the primary group included.
    other_sids: groups of other domains and SID history. resource_rids: domain-local groups of this domain.
    builtin: groups of BUILTIN, which no PAC names. claims: the CLIENT_CLAIMS_INFO buffer.
    until: FILETIME at which the first of these memberships ends by itself.
    """

    domain_rids: tuple[int, ...]
    other_sids: tuple[Sid, ...] = ()
    resource_rids: tuple[int, ...] = ()
    builtin: tuple[Sid, ...] = ()
    claims: bytes = b""
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a logon tells the client's machine about its user ([MS-PAC] 2.5); times are FILETIME."""

    full_name: str = ""
    logon_script: str = ""
    profile_path: str = ""
    home_directory: str = ""
    home_directory_drive: str = ""
    logon_count: int = 0
    last_logon: int = 0
    password_can_change: int = 0


@dataclass(frozen=True, slots=True)
class Principal:
    """An account, as client or as service.

    key: what names the account to whoever writes its counters back. name: sAMAccountName.
    policy: the authentication policy that it is under.
    supported_enctypes: msDS-SupportedEncryptionTypes, None where absent. successor: sAMAccountName of the
    delegated managed account that has replaced it.
    delegate_to: msDS-AllowedToDelegateTo, the SPNs where it may act on behalf of users.
    allowed_to_act: msDS-AllowedToActOnBehalfOfOtherIdentity, a descriptor of who may do so to this account.
    """

    key: int
    name: str
    sid: Sid
    flags: int
    keys: KeyRing
    upn: str | None = None
    primary_group_id: int = 513
    pwd_last_set: int = 0
    standing: Standing = Standing()  # noqa: RUF009 - a frozen value
    bad_pwd_count: int = 0
    supported_enctypes: int | None = None
    has_spn: bool = False
    profile: Profile = field(default_factory=Profile)
    successor: str | None = None
    policy: AuthnPolicy | None = None
    delegate_to: tuple[str, ...] = ()
    allowed_to_act: bytes | None = None

    @property
    def is_dc(self) -> bool:
        return bool(self.flags & _SERVER_TRUST)

    @property
    def is_machine(self) -> bool:
        return bool(self.flags & _MACHINE)

    @property
    def is_krbtgt(self) -> bool:
        return self.sid.rid() == 502


@dataclass(frozen=True, slots=True)
class TrustFacts:
    """A trusted or trusting realm.

    to_partner: keys of the tickets that this KDC makes for the partner's krbtgt (the trust is inbound).
    from_partner: keys of the tickets that the partner's KDC makes for this realm (outbound).
    enctypes: SupportedEncryption of its tickets. former_until_ft: till when those to the partner are made
    with the former key. names: what it claims. netbios_names: of its domains. scope: what it may say.
    Spec: [MS-ADTS] 6.1.6, W-TRUST-06.
    """

    realm: str
    netbios: str
    sid: Sid | None
    trust_type: int = 2
    attributes: int = 0
    to_partner: KeyRing | None = None
    from_partner: KeyRing | None = None
    enctypes: int = AES_SHA1
    former_until_ft: int = 0
    names: tuple[TopLevelName, ...] = ()
    netbios_names: frozenset[str] = frozenset()
    scope: TrustScope | None = None


NO_TRUSTS: Final[Mapping[str, TrustFacts]] = {}


@dataclass(frozen=True, slots=True)
class Rodc:
    """An RODC. krbtgt: that it makes tickets with. is_linked: there still is an RODC to this krbtgt."""

    krbtgt: Principal
    is_linked: bool = True


@dataclass(frozen=True, slots=True)
class RodcClient:
    """The client of a ticket that an RODC made. is_allowed, is_revealed: that RODC may hold, and was given,
    the client's secrets.
    """

    membership: Membership
    is_allowed: bool = False
    is_revealed: bool = False


NO_RODCS: Final[Mapping[int, Rodc]] = {}


@dataclass(frozen=True, slots=True)
class RealmFacts:
    """The realm that this KDC answers for. server: NetBIOS name of the DC. trusts: by upper-case realm.

    forest_names: DNS names of the forest's other domains, lower case. rodcs: the domain's read-only DCs, by
    their number.
    """

    realm: str
    netbios: str
    dns_domain: str
    domain_sid: Sid
    server: str
    krbtgt: Principal
    trusts: Mapping[str, TrustFacts] = field(default_factory=lambda: NO_TRUSTS)
    forest_names: tuple[str, ...] = ()
    rodcs: Mapping[int, Rodc] = field(default_factory=lambda: NO_RODCS)

    def is_alias(self, realm: str) -> bool:
        """Whether a realm name means this realm: any case, or the NetBIOS name ([MS-KILE] 3.1.5.7)."""
        folded = realm.upper()
        return folded in (self.realm, self.netbios.upper())


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """A ticket, decrypted.

    key: that it opened with. session: its session key. trust: whose KDC made it, None for this realm's.
    cipher: of its sealed part, by which it is known again. rodc: number of the RODC that made it, else 0.
    """

    part: EncTicketPart
    key: Key
    session: Key
    trust: TrustFacts | None = None
    cipher: bytes = b""
    rodc: int = 0


@dataclass(frozen=True, slots=True)
class Armor:
    """The FAST channel around a request (RFC 6113 5.4).

    key: the armor key. ticket: of the armor, None where the armor is a TGS-REQ's own. options: fast-options.
    body: the inner KDC-REQ-BODY as it came, for checksums over it.
    """

    key: Key
    ticket: OpenedTicket | None
    options: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class KdcRequest(Generic[Message]):
    """A request as value and as the bytes that came, which checksums cover.

    armor: with it, `message` is what FAST protected, and `raw` is what was around it.
    """

    raw: bytes
    message: Message
    armor: Armor | None = None


AsRequest = KdcRequest[AsReq]
TgsRequest = KdcRequest[TgsReq]


@dataclass(frozen=True, slots=True)
class ForUser:
    """For whom a service asks a ticket to itself (S4U2Self); checked to be from that service.

    cname: None where only the certificate tells. checksum, key: of PA-S4U-X509-USER, which its reply answers;
    PA-FOR-USER has no reply. options: S4uOptions.
    Spec: [MS-SFU] 2.2.1, 2.2.2.
    """

    cname: PrincipalName | None
    crealm: str
    certificate: bytes | None = None
    options: int = 0
    checksum: Checksum | None = None
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class OpenedTgs:
    """A TGS-REQ whose authenticator proves that the client knows the session key of its ticket.

    second: the additional ticket of user-to-user. for_user: of S4U2Self. evidence: of S4U2Proxy from another
    realm, the ticket that leads the user here.
    """

    request: TgsRequest
    tgt: OpenedTicket
    subkey: Key | None
    second: OpenedTicket | None = None
    for_user: ForUser | None = None
    evidence: OpenedTicket | None = None

    @property
    def cname(self) -> PrincipalName:
        return self.tgt.part.cname


@dataclass(frozen=True, slots=True)
class AsFacts:
    """Facts of one AS exchange. membership: None if this request cannot get a ticket anyway.

    armor: the client of the armor's ticket. armor_sids: its groups that only this domain knows.
    armor_by_rodc: where an RODC made that ticket. certificates: for PKINIT, None where the request has none.
    """

    realm: RealmFacts
    client: Principal | None
    server: Principal | None
    membership: Membership | None = None
    armor: Principal | None = None
    certificates: CertificateFacts | None = None
    armor_sids: frozenset[Sid] = frozenset()
    armor_by_rodc: RodcClient | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Impersonated:
    """A user in whose name a service asks for a ticket; equals itself alone, to be looked up by."""

    principal: Principal
    membership: Membership


@dataclass(frozen=True, slots=True)
class Delegated:
    """A delegated managed account that a machine asks to act as.

    allowed: it may. current, previous: keys, the latter with those of the account that was replaced.
    expiry_ft: when there are new keys. fetch_ft: from when on there may be. membership: the groups of both.
    """

    allowed: bool
    current: tuple[Key, ...]
    previous: tuple[Key, ...]
    expiry_ft: FileTime
    fetch_ft: FileTime
    membership: Membership


class Counter(Enum):
    """What an exchange means for the counters of its client's account."""

    NONE = 0
    """Nothing."""
    BAD_PASSWORD = 1
    """One more bad password ([MS-ADTS] 3.1.1.5, badPwdCount)."""
    LOGON = 2
    """A logon: lastLogon, logonCount, badPwdCount = 0."""
    RENEW_SECRET = 3
    """The secret of a smart card account is to be renewed, and the request decided anew after that."""


class KdcRefusal(Exception):
    """A decision against the request; ends the steps of an exchange, never leaves the exchange's function.

    padata: METHOD-DATA, which replaces the KERB-ERROR-DATA that `status` would make; so do other bytes in
    e_data. crealm: the realm to ask, with KDC_ERR_WRONG_REALM.
    """

    def __init__(
        self,
        code: KrbErrorCode,
        status: NtStatus = NtStatus.STATUS_SUCCESS,
        *,
        e_data: bytes | None = None,
        counter: Counter = Counter.NONE,
        padata: tuple[PaData, ...] | None = None,
        crealm: str | None = None,
    ) -> None:
        super().__init__(code, status)
        self.code = code
        self.status = status
        self.e_data = e_data
        self.padata = padata
        self.crealm = crealm
        self.counter = counter


@dataclass(frozen=True, slots=True)
class Evidence:
    """The additional ticket of S4U2Proxy, which its user gave to the service that asks.

    ticket: opened with that service's keys, or why it could not be. sname: of the ticket, realm included.
    names_service: whether that name is the asking service's. user: whom its cname means now, None for a
    foreigner. local_sids: of the asking service: what this domain's own groups add to its PAC.
    resource_rids: the domain-local groups of a user that is a foreigner.
    """

    ticket: OpenedTicket | KrbErrorCode
    sname: str
    names_service: bool
    user: Impersonated | None
    local_sids: frozenset[Sid] = frozenset()
    resource_rids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TgsFacts:
    """Facts of one TGS exchange. client: whom the ticket's cname means now. resource_rids: of that client.

    second: the client of the additional ticket, for user-to-user. user: of S4U2Self. evidence: of S4U2Proxy.
    authorities: that vouch for the certificate of S4U2Self.
    membership: of a client that stands for another realm's name. may_authenticate: to the server, by the
    descriptor of its account, where that is asked for. client_by_rodc, second_by_rodc: where an RODC made the
    ticket. armor, armor_sids, armor_by_rodc: as in AsFacts. local_sids: of the client, where the service
    has a policy.
    """

    realm: RealmFacts
    client: Principal | None
    server: Principal | None
    resource_rids: tuple[int, ...] = ()
    second: Principal | None = None
    membership: Membership | None = None
    may_authenticate: bool = True
    user: Impersonated | None = None
    evidence: Evidence | None = None
    authorities: TrustStore | None = None
    delegated: Delegated | None = None
    armor: Principal | None = None
    armor_sids: frozenset[Sid] = frozenset()
    local_sids: frozenset[Sid] = frozenset()
    client_by_rodc: RodcClient | None = None
    second_by_rodc: RodcClient | None = None
    armor_by_rodc: RodcClient | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A reply, and of the ticket in it what only service and client could tell, for who writes it down.

    reply: the packed message. reply_etype: of the key that its sealed part has.
    """

    reply: bytes
    ticket: Ticket
    crealm: str
    cname: PrincipalName
    flags: int
    session_etype: int
    reply_etype: int
    endtime: FileTime
    renew_till: FileTime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of one exchange: its bytes, and what to log and to write back.

    error: KDC_ERR_NONE for a reply. status: the NTSTATUS told to the client, STATUS_SUCCESS where none was.
    issued: what was granted.
    """

    reply: bytes
    error: KrbErrorCode = KrbErrorCode.KDC_ERR_NONE
    status: NtStatus = NtStatus.STATUS_SUCCESS
    counter: Counter = Counter.NONE
    client: Principal | None = None
    server_name: str = ""
    client_name: str = ""
    issued: Issued | None = None


AsOutcome = Outcome
TgsOutcome = Outcome
