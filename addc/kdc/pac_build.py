"""PACs: built for a first ticket, rebuilt for the next one.

Spec: [MS-PAC] 2.5-2.15, [MS-KILE] 3.3.5.6.4, 3.3.5.7.3, 3.3.5.7.9.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from addc.base.clock import NEVER_FT, FileTime
from addc.codec.ids import Sid
from addc.codec.pac import (
    SE_GROUP_DEFAULT,
    SE_GROUP_RESOURCE_DEFAULT,
    GroupMembership,
    KerbSidAndAttributes,
    KerbValidationInfo,
    Pac,
    PacAttributes,
    PacAttributesInfo,
    PacClientInfo,
    PacType,
    UpnDnsInfo,
    UserFlags,
    pack_ndr_buffer,
    unpack_logon_info,
)
from addc.kdc.facts import Membership, Principal, RealmFacts
from addc.kdc.ticket_pac import SIGNATURES
from addc.security import wellknown
from addc.security.account_flags import sam_account_control
from addc.security.logon_rules import hours_end

_ONLY_IN_TGT: Final = frozenset((int(PacType.ATTRIBUTES_INFO), int(PacType.REQUESTOR_SID)))


@lru_cache(maxsize=8192)
def _groups(rids: tuple[int, ...], attributes: int) -> tuple[GroupMembership, ...]:
    return tuple(GroupMembership(rid, attributes) for rid in rids)


@lru_cache(maxsize=1024)
def _extra_sids(sids: tuple[Sid, ...]) -> tuple[KerbSidAndAttributes, ...]:
    return tuple(KerbSidAndAttributes(sid, SE_GROUP_DEFAULT) for sid in sids)


def logon_info(
    client: Principal, membership: Membership, realm: RealmFacts, now: FileTime, asserted: tuple[Sid, ...]
) -> KerbValidationInfo:
    """KERB_VALIDATION_INFO of a logon with a password ([MS-KILE] 3.3.5.6.4.1).

    Of the groups only global and universal ones; a service ticket adds the resource groups.
    asserted: SIDs of how the identity was asserted; that claims are valid is said of everybody.
    """
    profile = client.profile
    standing = client.standing
    logoff = hours_end(standing.logon_hours, standing.account_expires or NEVER_FT, now)
    sids = (*membership.other_sids, *asserted, wellknown.CLAIMS_VALID)
    return KerbValidationInfo(
        logon_time=profile.last_logon or int(now),
        logoff_time=logoff,
        kick_off_time=logoff,
        password_last_set=client.pwd_last_set,
        password_can_change=profile.password_can_change,
        password_must_change=standing.password_must_change,
        effective_name=client.name,
        full_name=profile.full_name,
        logon_script=profile.logon_script,
        profile_path=profile.profile_path,
        home_directory=profile.home_directory,
        home_directory_drive=profile.home_directory_drive,
        logon_count=min(profile.logon_count, 0xFFFF),
        bad_password_count=min(client.bad_pwd_count, 0xFFFF),
        user_id=client.sid.rid(),
        primary_group_id=client.primary_group_id,
        group_ids=_groups(membership.domain_rids, SE_GROUP_DEFAULT) or None,
        user_flags=int(UserFlags.EXTRA_SIDS),
        user_session_key=bytes(16),
        logon_server=realm.server,
        logon_domain_name=realm.netbios,
        logon_domain_id=realm.domain_sid,
        user_account_control=sam_account_control(client.flags),
        sub_auth_status=0,
        last_successful_i_logon=0,
        last_failed_i_logon=0,
        failed_i_logon_count=0,
        extra_sids=_extra_sids(sids),
        resource_group_domain_sid=None,
        resource_group_ids=None,
    )


@lru_cache(maxsize=1024)
def with_resource_groups(
    logon: bytes, domain_sid: Sid, resource_rids: tuple[int, ...], compressed: bool
) -> bytes:
    """A LOGON_INFO buffer with the domain-local groups that a service ticket adds.

    compressed: as ResourceGroupIds; else as ExtraSids, for services that cannot read the former.
    Spec: [MS-KILE] 3.3.5.7.3.
    """
    if not resource_rids:
        return logon
    info = unpack_logon_info(logon)
    if compressed:
        groups = _groups(resource_rids, SE_GROUP_RESOURCE_DEFAULT)
        flags = info.user_flags | int(UserFlags.RESOURCE_GROUPS)
        return pack_ndr_buffer(
            replace(info, user_flags=flags, resource_group_domain_sid=domain_sid, resource_group_ids=groups)
        )
    sids = tuple(
        KerbSidAndAttributes(domain_sid.child(rid), SE_GROUP_RESOURCE_DEFAULT) for rid in resource_rids
    )
    flags = info.user_flags | int(UserFlags.EXTRA_SIDS)
    return pack_ndr_buffer(replace(info, user_flags=flags, extra_sids=(*(info.extra_sids or ()), *sids)))


def upn_dns_info(client: Principal, realm: RealmFacts) -> UpnDnsInfo:
    """UPN_DNS_INFO, always with SAM name and SID ([MS-KILE] 3.3.5.6.4.5, 3.3.5.2)."""
    made_up = client.upn is None
    upn = f"{client.name}@{realm.dns_domain}" if client.upn is None else client.upn
    return UpnDnsInfo(upn, realm.realm, made_up, client.name, client.sid)


def _whole_words(data: bytes) -> bytes:
    """Filled up to whole 8 bytes, as Windows counts this buffer."""
    return data + bytes(-len(data) % 8)


@dataclass(frozen=True, slots=True)
class PacParts:
    """What the PAC of an initial ticket is made of.

    client_name: cname of the ticket. pac_requested: PA-PAC-REQUEST, None where there was none.
    """

    client: Principal
    membership: Membership
    realm: RealmFacts
    client_name: str
    pac_requested: bool | None
    asserted: tuple[Sid, ...] = (wellknown.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY,)

    def buffers(self, authtime: FileTime, now: FileTime, for_tgt: bool) -> list[tuple[int, bytes]]:
        """Without resource groups in a TGT, and without ATTRIBUTES and REQUESTOR in a service ticket.

        Claims are there whether or not the client asked, their buffer empty where there are none, as the KDCs
        of a domain do that all know claims ([MS-KILE] 3.3.5.6.4.6, ClaimsCompIdFASTSupport 2).
        """
        logon = pack_ndr_buffer(logon_info(self.client, self.membership, self.realm, now, self.asserted))
        if not for_tgt:
            logon = with_resource_groups(logon, self.realm.domain_sid, self.membership.resource_rids, True)
        out = [
            (1, logon),
            (10, PacClientInfo(authtime, self.client_name).pack()),
            (12, _whole_words(upn_dns_info(self.client, self.realm).pack())),
        ]
        out.append((13, self.membership.claims))
        if for_tgt:
            if self.pac_requested is None:
                flags = PacAttributes.PAC_WAS_GIVEN_IMPLICITLY
            else:
                flags = PacAttributes.PAC_WAS_REQUESTED if self.pac_requested else PacAttributes(0)
            out += [(17, PacAttributesInfo(flags).pack()), (18, bytes(self.client.sid))]
        return out


def service_buffers(
    pac: Pac, domain_sid: Sid, resource_rids: tuple[int, ...], compressed: bool
) -> list[tuple[int, bytes]]:
    """The buffers of a service ticket: those of a TGT's PAC minus ATTRIBUTES, REQUESTOR and credentials.

    Spec: [MS-KILE] 3.3.5.7.3, 3.3.5.7.9, [MS-PAC] 2.6.1.
    """
    out = []
    for kind, data in pac.buffers:
        if kind in SIGNATURES or kind in _ONLY_IN_TGT or kind == PacType.CREDENTIALS_INFO:
            continue
        logon = kind == PacType.LOGON_INFO
        out.append(
            (kind, with_resource_groups(data, domain_sid, resource_rids, compressed) if logon else data)
        )
    return out


def tgt_buffers(pac: Pac) -> list[tuple[int, bytes]]:
    """The buffers of a TGT made from another TGT: everything but its signatures."""
    return [(kind, data) for kind, data in pac.buffers if kind not in SIGNATURES]


def onward_buffers(pac: Pac) -> list[tuple[int, bytes]]:
    """The buffers of a ticket for another realm's KDC: a TGT's without what the client's machine reads.

    Deviation: no empty ones, such as the claims of who has none: the KDC of Samba 4.17 dies of them.
    """
    return [(kind, data) for kind, data in tgt_buffers(pac) if data and kind != PacType.CREDENTIALS_INFO]
