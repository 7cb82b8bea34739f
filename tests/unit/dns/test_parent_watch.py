"""Parents that are to have the DS of a new key: whether it is there, and how long others keep the old one."""

import asyncio

from addc.base.clock import TICKS_PER_S
from addc.codec.dns_data import DsData
from addc.codec.dns_message import CLASS_IN, Message, Record, reply_to
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_signing_keys import RolloverStatus, SigningKeyDescriptor
from addc.codes.rcode import Rcode
from addc.directory import dns_signing
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_keys import PublicKey, keys_of
from addc.directory.dns_signing import SignWith, begin_roll, sign_zone
from addc.directory.dns_zones import ZoneFacts, zone_named
from addc.dns.parent_watch import ParentWatch
from addc.security.zone_keys import ds_of
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock

ZONE = "corp.example.com"
APEX = parse_name(ZONE)
_DAY_S = 86_400


def _zone(ctx: ReadContext) -> ZoneFacts:
    found = zone_named(ctx, ZONE)
    assert found is not None
    return found


def _ksk(corp: Corp) -> SigningKeyDescriptor:
    held = corp.read(lambda ctx: keys_of(_zone(ctx).row).descriptors)
    return next(one for one in held if one.is_ksk)


def _waiting(corp: Corp) -> PublicKey:
    """The new key of a zone whose roll waits for its parent."""

    def begin(ctx: WriteContext) -> None:
        sign_zone(ctx, _zone(ctx), SignWith())
        begin_roll(ctx, _zone(ctx), is_ksk=True)

    corp.write(begin)
    corp.later(3 * _DAY_S)
    corp.write(lambda ctx: dns_signing.advance(ctx, _zone(ctx)))
    assert _ksk(corp).status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE
    (found,) = corp.read(lambda ctx: dns_signing.waiting_for_parent(ctx, _zone(ctx)))
    return found


def _look(corp: Corp, shown: DsData | None, ttl_s: int) -> int:
    async def resolve(request: Message, source: str) -> Message:
        if shown is None:
            return reply_to(request, rcode=int(Rcode.SERVFAIL))
        return reply_to(request, answers=(Record(APEX, DnsType.DS, CLASS_IN, ttl_s, shown),))

    directory = Directory(corp.store, corp.schema, Services(StandingClock(corp.now), CountingRng(b"parent")))
    return asyncio.run(ParentWatch(directory, resolve).look())


def test_the_old_ds_is_waited_for_a_day_whatever_a_cache_has_left_of_it_rfc_7583_3_3_1(corp: Corp) -> None:
    """Denied: to end the old key by the seconds that one cache still keeps the parent's answer."""
    new = _waiting(corp)
    assert _look(corp, ds_of(APEX, new.key), ttl_s=5) == 1
    held = _ksk(corp)
    assert held.status is RolloverStatus.KSK_WAITING_FOR_DS_TTL
    assert held.next_rollover_ft - corp.now >= _DAY_S * TICKS_PER_S


def test_a_parent_that_shows_other_keys_or_cannot_be_asked_changes_nothing(corp: Corp) -> None:
    new = _waiting(corp)
    other = DsData(new.tag, new.key.algorithm, 2, bytes(32))
    _look(corp, other, ttl_s=5)
    _look(corp, None, ttl_s=5)
    assert _ksk(corp).status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE


def test_a_zone_that_waits_for_nothing_is_not_asked_about(corp: Corp) -> None:
    corp.write(lambda ctx: sign_zone(ctx, _zone(ctx), SignWith()))
    assert _look(corp, DsData(1, 13, 2, bytes(32)), ttl_s=5) == 0
