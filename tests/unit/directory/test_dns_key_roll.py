"""Keys of zones roll without a moment at which a validator with an old cache fails."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar
from uuid import UUID

import pytest

from addc.base.clock import DAY_FT, HOUR_FT, TICKS_PER_S
from addc.codec.dns_signing_keys import (
    NO_ROLLOVER,
    KeyPointer,
    KeyScope,
    RolloverAction,
    RolloverStatus,
    RolloverType,
    SigningKeyDescriptor,
    SkdState,
)
from addc.directory import dns_key_roll
from addc.directory.dns_key_roll import RollFacts, holds_others_up, is_rolling

T = TypeVar("T")
DAY_S = 86_400
BEGIN = 130_000 * DAY_FT
KEY_TTL_S, MAX_TTL_S, DS_TTL_S, PROPAGATION_S = 3600, 2 * DAY_S, DAY_S, 2 * DAY_S


def _kind(number: int, *, is_ksk: bool, period_s: int) -> SigningKeyDescriptor:
    return SigningKeyDescriptor(
        UUID(int=number),
        is_ksk=is_ksk,
        algorithm=13,
        key_bits=256,
        dnskey_validity_s=7 * DAY_S,
        ds_validity_s=7 * DAY_S,
        validity_s=10 * DAY_S,
        rollover_type=RolloverType.DOUBLE_SIGNATURE if is_ksk else RolloverType.PREPUBLISH,
        rollover_period_s=period_s,
        next_rollover_ft=BEGIN + period_s * TICKS_PER_S,
        active=KeyPointer(UUID(int=number * 1000)),
    )


KSK = _kind(1, is_ksk=True, period_s=100 * DAY_S)
ZSK = _kind(2, is_ksk=False, period_s=30 * DAY_S)


@dataclass(frozen=True)
class Shown:
    """What the zone's servers show: keys published, keys that sign them, keys that sign the rest."""

    published: frozenset[UUID]
    key_signers: frozenset[UUID]
    zone_signers: frozenset[UUID]


@dataclass
class World:
    """A zone, its parent, and all that either ever showed: (from when, what)."""

    ksk: SigningKeyDescriptor = KSK
    zsk: SigningKeyDescriptor = ZSK
    now: int = BEGIN
    parent_delay_s: int = 3 * DAY_S
    zone_history: list[tuple[int, Shown]] = field(default_factory=list)
    ds_history: list[tuple[int, UUID]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1_000_000))
    rolls: int = 0
    wanted_since: int = 0

    def __post_init__(self) -> None:
        assert self.ksk.active.key_id is not None
        self.ds_history.append((self.now - 400 * DAY_FT, self.ksk.active.key_id))
        self.zone_history.append((self.now - 400 * DAY_FT, self.shown()))

    def shown(self) -> Shown:
        pointers = [(self.ksk, one) for one in (self.ksk.active, self.ksk.standby)]
        pointers += [(self.zsk, one) for one in (self.zsk.active, self.zsk.standby)]
        held = [(kind, one) for kind, one in pointers if one.key_id is not None]
        signing = [(kind, one.key_id) for kind, one in held if one.scope is KeyScope.DEFAULT and one.key_id]
        return Shown(
            frozenset(one.key_id for _, one in held if one.key_id),
            frozenset(key for kind, key in signing if kind.is_ksk),
            frozenset(key for kind, key in signing if not kind.is_ksk),
        )

    def facts(self, own: SigningKeyDescriptor) -> RollFacts:
        others = [one for one in (self.ksk, self.zsk) if one.guid != own.guid]
        return RollFacts(
            self.now, KEY_TTL_S, PROPAGATION_S, lambda: MAX_TTL_S, any(map(holds_others_up, others))
        )

    def new_key(self, kind: SigningKeyDescriptor) -> UUID:
        del kind
        self.rolls += 1
        return UUID(int=next(self.numbers))

    def advance(self, by_ft: int) -> None:
        """Time passes; the zone's key master works, the parent follows its CDS, which is then seen."""
        self.now += by_ft
        self.ksk = dns_key_roll.step(self.ksk, self.facts(self.ksk), self.new_key)
        self.zsk = dns_key_roll.step(self.zsk, self.facts(self.zsk), self.new_key)
        if self.ksk.status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE:
            self.wanted_since = self.wanted_since or self.now
            if self.now - self.wanted_since >= self.parent_delay_s * TICKS_PER_S:
                assert self.ksk.standby.key_id is not None
                self.ds_history.append((self.now, self.ksk.standby.key_id))
                self.ksk = dns_key_roll.parent_shows(self.ksk, self.facts(self.ksk), DS_TTL_S)
        else:
            self.wanted_since = 0
        if self.shown() != self.zone_history[-1][1]:
            self.zone_history.append((self.now, self.shown()))

    def zone_since(self, age_s: int) -> list[Shown]:
        """All that a server may have told somebody in the last so many seconds, however late it is itself."""
        begin = self.now - (age_s + PROPAGATION_S) * TICKS_PER_S
        return [what for at, what in _since(self.zone_history, begin)]

    def check(self) -> None:
        """Every cache that can be out there still proves every record. Spec: RFC 7583 3.2.1, 3.3.1."""
        anchors = {
            key for _, key in _since(self.ds_history, self.now - (DS_TTL_S + PROPAGATION_S) * TICKS_PER_S)
        }
        signed_by = [one.zone_signers for one in self.zone_since(MAX_TTL_S)]
        for keys in self.zone_since(KEY_TTL_S):
            assert all(one in keys.key_signers for one in anchors), "a DS without its key"
            assert all(signers & keys.published for signers in signed_by), "a signature without its key"


def _since(history: list[tuple[int, T]], begin: int) -> list[tuple[int, T]]:
    later = [one for one in history if one[0] > begin]
    earlier = [one for one in history if one[0] <= begin]
    return [*earlier[-1:], *later]


@pytest.mark.parametrize("parent_delay_s", [0, 3 * DAY_S, 45 * DAY_S])
def test_a_year_of_rolls_breaks_no_cache(parent_delay_s: int) -> None:
    """RFC 6781 4.1.1.1, 4.1.2; RFC 7583 3.2.1, 3.3.1."""
    world = World(parent_delay_s=parent_delay_s)
    for _ in range(400 * 4):
        world.advance(6 * HOUR_FT)
        world.check()
        assert len(world.shown().published) <= 4
    assert world.rolls >= 8
    assert len(world.ds_history) >= 3


@pytest.mark.parametrize("hurried", ["propagation", "dnskey", "records"])
def test_the_simulation_sees_a_roll_that_is_too_fast(hurried: str) -> None:
    class Hurried(World):
        def facts(self, own: SigningKeyDescriptor) -> RollFacts:
            facts = super().facts(own)
            if hurried == "propagation":
                return replace(facts, propagation_s=0)
            if hurried == "dnskey":
                return replace(facts, dnskey_ttl_s=-PROPAGATION_S)
            return replace(facts, max_ttl_s=lambda: 0)

    world = Hurried()
    with pytest.raises(AssertionError, match="without its key"):
        for _ in range(400 * 24):
            world.advance(HOUR_FT)
            world.check()


def test_a_key_signing_roll_waits_for_the_parent() -> None:
    """[MS-DNSP] 2.2.6.2.3: DNS_SKD_STATUS_KSK_WAITING_FOR_DS_UPDATE."""
    world = World(parent_delay_s=10_000 * DAY_S)
    for _ in range(300 * 4):
        world.advance(6 * HOUR_FT)
        world.check()
    assert world.ksk.status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE
    assert world.ksk.active == KSK.active
    assert world.rolls > 4, "the other kind goes on rolling"


def test_without_a_parent_that_knows_the_zone_the_roll_goes_on() -> None:
    """[MS-DNSP] 2.2.6.2.3: no DS at the parent."""
    world = World(zsk=replace(ZSK, next_rollover_ft=0), parent_delay_s=10_000 * DAY_S)
    while world.ksk.status is not RolloverStatus.KSK_WAITING_FOR_DS_UPDATE:
        world.advance(HOUR_FT)
    fresh = world.ksk.standby.key_id
    world.ksk = dns_key_roll.parent_has_none(world.ksk, world.facts(world.ksk))
    assert world.ksk.status is RolloverStatus.KSK_WAITING_FOR_DNSKEY_TTL
    while is_rolling(world.ksk):
        world.advance(HOUR_FT)
    assert world.ksk.active.key_id == fresh


def test_operators_begin_a_roll_and_end_keys() -> None:
    world = World()
    world.zsk = dns_key_roll.triggered(world.zsk)
    world.advance(1)
    assert world.zsk.status is RolloverStatus.ZSK_WAITING_FOR_DNSKEY_TTL
    fresh, old = world.zsk.standby.key_id, world.zsk.active.key_id
    assert fresh is not None and old is not None
    assert dns_key_roll.retired(world.zsk, old, world.now) is None
    dropped = dns_key_roll.retired(world.zsk, fresh, world.now)
    assert dropped is not None and dropped.standby.key_id is None and dropped.active.key_id == old
    while world.zsk.active.key_id == old:
        world.advance(HOUR_FT)
    ended = dns_key_roll.retired(world.zsk, old, world.now)
    assert ended is not None and ended.active.key_id == fresh
    assert ended.status is RolloverStatus.NOT_ROLLING and ended.last_rollover_ft == world.now


def test_a_kind_that_is_to_be_retired_is_not_rolled() -> None:
    """[MS-DNSP] 2.2.5.1.6: DNS_ROLLOVER_ACTION_RETIRE."""
    world = World(zsk=replace(ZSK, next_action=RolloverAction.RETIRE, next_rollover_ft=BEGIN))
    world.advance(1)
    assert world.zsk.state is SkdState.RETIRED
    assert world.rolls == 0


def test_a_period_that_never_comes() -> None:
    """[MS-DNSP] 2.2.6.2.1: 0xFFFFFFFF; a roll that an operator begins plans no other."""
    world = World(
        zsk=replace(ZSK, rollover_period_s=NO_ROLLOVER, next_rollover_ft=0),
        ksk=replace(KSK, next_rollover_ft=0),
    )
    world.advance(1000 * DAY_FT)
    assert world.rolls == 0
    world.zsk = dns_key_roll.triggered(world.zsk)
    for _ in range(12):
        world.advance(DAY_FT)
    assert world.rolls == 1 and world.zsk.next_rollover_ft == 0 and not world.zsk.manual_trigger


def test_how_near_a_roll_is_noted() -> None:
    """[MS-DNSP] 2.3.2.19: dwPreRollEventFired."""
    world = World(zsk=replace(ZSK, next_rollover_ft=0))
    seen = []
    while not is_rolling(world.ksk):
        world.advance(6 * HOUR_FT)
        if world.ksk.pre_roll_event not in seen:
            seen.append(world.ksk.pre_roll_event)
    assert seen == [0, 1, 2, 3]
