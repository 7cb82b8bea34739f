"""The device that a request was armored with: its groups and claims in the ticket of its user.

Spec: [MS-KILE] 3.3.5.7.4 (compound identity), [MS-PAC] 2.12, 2.13.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.pac import (
    SE_GROUP_DEFAULT,
    SE_GROUP_RESOURCE_DEFAULT,
    DomainGroupMembership,
    GroupMembership,
    KerbSidAndAttributes,
    KerbValidationInfo,
    Pac,
    PacDeviceInfo,
    PacType,
    UserFlags,
    pack_ndr_buffer,
    unpack_logon_info,
)
from addc.security import wellknown

_LOGON_INFO = int(PacType.LOGON_INFO)
_DEVICE_BUFFERS = frozenset((int(PacType.DEVICE_INFO), int(PacType.DEVICE_CLAIMS_INFO)))


@dataclass(frozen=True, slots=True)
class Device:
    """The client of an armor ticket.

    pac: of that ticket, verified. local_sids: the groups of this domain that no TGT names: domain-local ones
    and those of BUILTIN.
    """

    pac: Pac
    local_sids: frozenset[Sid] = frozenset()


def with_device(buffers: list[tuple[int, bytes]], device: Device, domain: Sid) -> list[tuple[int, bytes]]:
    """The buffers of a service ticket whose user proved itself on this device. domain: this one.

    Whatever they said of a device before is replaced. Raises DecodeError.
    """
    logon = device.pac.get(PacType.LOGON_INFO)
    if logon is None:
        raise DecodeError("no logon information", 0, "PAC of the armor ticket")
    local = tuple(sorted(sid for sid in device.local_sids if sid.domain() == domain))
    out = [
        (kind, _compounded(data) if kind == _LOGON_INFO else data)
        for kind, data in buffers
        if kind not in _DEVICE_BUFFERS
    ]
    out.append((int(PacType.DEVICE_INFO), device_info(logon, local)))
    claims = device.pac.get(PacType.CLIENT_CLAIMS_INFO)
    if claims is not None:
        out.append((int(PacType.DEVICE_CLAIMS_INFO), claims))
    return out


@lru_cache(maxsize=1024)
def device_info(logon: bytes, local: tuple[Sid, ...]) -> bytes:
    """The DEVICE_INFO buffer of the holder of a LOGON_INFO buffer. local: its groups in this domain."""
    info = unpack_logon_info(logon)
    others: list[KerbSidAndAttributes] = []
    domains: dict[Sid, list[GroupMembership]] = {}
    for sid in local:
        domains.setdefault(sid.domain(), []).append(GroupMembership(sid.rid(), SE_GROUP_RESOURCE_DEFAULT))
    for extra in _extra_sids(info):
        assert extra.sid is not None
        if _is_of_a_domain(extra.sid):
            member = GroupMembership(extra.sid.rid(), extra.attributes)
            domains.setdefault(extra.sid.domain(), []).append(member)
        else:
            others.append(extra)
    groups = tuple(DomainGroupMembership(sid, tuple(members)) for sid, members in domains.items())
    return pack_ndr_buffer(
        PacDeviceInfo(
            user_id=info.user_id,
            primary_group_id=info.primary_group_id,
            account_domain_id=info.logon_domain_id,
            account_group_ids=info.group_ids,
            extra_sids=tuple(others) or None,
            domain_group=groups or None,
        )
    )


def _extra_sids(info: KerbValidationInfo) -> list[KerbSidAndAttributes]:
    """Once each, as they stand."""
    seen = {extra.sid: extra for extra in info.extra_sids or () if extra.sid is not None}
    return list(seen.values())


def _is_of_a_domain(sid: Sid) -> bool:
    """S-1-5-21-x-y-z-rid; CLAIMS_VALID and its like are of the domain S-1-5-21-0-0-0."""
    return sid[1] == 5 and sid[2:12] == _DOMAIN_HEAD


_DOMAIN_HEAD = bytes(Sid.parse("S-1-5-21"))[2:12]


@lru_cache(maxsize=1024)
def _compounded(logon: bytes) -> bytes:
    """A LOGON_INFO buffer that says so that the logon was compounded with a device's."""
    info = unpack_logon_info(logon)
    kept = tuple(extra for extra in info.extra_sids or () if extra.sid != wellknown.COMPOUNDED_AUTHENTICATION)
    said = KerbSidAndAttributes(wellknown.COMPOUNDED_AUTHENTICATION, SE_GROUP_DEFAULT)
    flags = info.user_flags | int(UserFlags.EXTRA_SIDS)
    return pack_ndr_buffer(replace(info, extra_sids=(*kept, said), user_flags=flags))
