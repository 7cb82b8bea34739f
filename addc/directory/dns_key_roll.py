"""When a zone's keys change, and in which steps, so that no cache's content stops being proven.

Zone signing keys are published before they sign; key signing keys sign beside their predecessors until the
parent's DS of the new one is in every cache. Each step waits until what the last one changed is everywhere:
at all servers (the zone's propagation time) and in all caches (the TTL of what was replaced). One kind of key
of a zone rolls at a time, but for one that waits for the parent.

Spec: RFC 6781 4.1.1.1, 4.1.2; RFC 7583 3.2.1, 3.3.1; [MS-DNSP] 2.2.6.2.3, 2.3.2.19.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from addc.base.clock import DAY_FT, TICKS_PER_S
from addc.codec.dns_signing_keys import (
    NO_KEY,
    NO_ROLLOVER,
    KeyPointer,
    KeyScope,
    RolloverAction,
    RolloverStatus,
    RollState,
    SigningKeyDescriptor,
    SkdState,
)

_S = RolloverStatus
DEFAULT_DS_TTL_S: Final = 86_400
"""Of a parent's DS, where only an operator says that it is there."""
_EVENTS: Final = ((90, 1), (95, 2))


@dataclass(frozen=True, slots=True)
class RollFacts:
    """What a step goes by. max_ttl_s: the longest TTL of the zone's records, asked where it is needed."""

    now: int
    dnskey_ttl_s: int
    propagation_s: int
    max_ttl_s: Callable[[], int]
    other_rolls: bool

    def after(self, wait_s: int) -> int:
        """When something changed now has been everywhere for so long."""
        return self.now + (wait_s + self.propagation_s) * TICKS_PER_S


NewKey = Callable[[SigningKeyDescriptor], UUID]
"""Makes a key pair of a descriptor's kind; its identifier."""


def is_rolling(skd: SigningKeyDescriptor) -> bool:
    """Whether a roll has begun and not ended."""
    return skd.status not in (_S.NOT_ROLLING, _S.QUEUED, _S.ROLL_ERROR)


def holds_others_up(skd: SigningKeyDescriptor) -> bool:
    """Whether other kinds of keys wait: not while the parent has to act, which may take months."""
    return is_rolling(skd) and skd.status is not _S.KSK_WAITING_FOR_DS_UPDATE


def is_due(skd: SigningKeyDescriptor, now: int) -> bool:
    """Whether a roll is to begin."""
    if skd.state != SkdState.ACTIVE or is_rolling(skd):
        return False
    return skd.manual_trigger or 0 < skd.next_rollover_ft <= now


def step(skd: SigningKeyDescriptor, facts: RollFacts, new_key: NewKey) -> SigningKeyDescriptor:
    """The descriptor after what is to be done now; the same where nothing is."""
    if skd.state != SkdState.ACTIVE:
        return skd
    if not is_rolling(skd):
        if not is_due(skd, facts.now):
            return _noted(skd, facts.now)
        if facts.other_rolls:
            return replace(skd, status=_S.QUEUED)
        return _begun(skd, facts, new_key)
    if skd.status is _S.KSK_WAITING_FOR_DS_UPDATE or facts.now < skd.next_rollover_ft:
        return skd
    match skd.status:
        case _S.ZSK_WAITING_FOR_DNSKEY_TTL:
            return replace(
                skd,
                active=replace(skd.standby, scope=KeyScope.DEFAULT),
                standby=replace(skd.active, scope=KeyScope.ADD_ONLY),
                status=_S.ZSK_WAITING_FOR_MAXZONE_TTL,
                roll_state=RollState.ZSK_FINISH,
                next_rollover_ft=facts.after(facts.max_ttl_s()),
            )
        case _S.ZSK_WAITING_FOR_MAXZONE_TTL:
            return _ended(skd, facts.now, skd.active)
        case _S.ROLL_STARTED:
            return replace(skd, status=_S.KSK_WAITING_FOR_DS_UPDATE, roll_state=RollState.KSK_DS_WAIT)
        case _S.KSK_WAITING_FOR_DS_TTL | _S.KSK_WAITING_FOR_DNSKEY_TTL:
            return _ended(skd, facts.now, replace(skd.standby, scope=KeyScope.DEFAULT))
    return skd


def _begun(skd: SigningKeyDescriptor, facts: RollFacts, new_key: NewKey) -> SigningKeyDescriptor:
    """A new key is published; a key signing key signs the keys at once."""
    if skd.next_action == RolloverAction.RETIRE:
        return replace(skd, state=SkdState.RETIRED, status=_S.NOT_ROLLING, manual_trigger=False)
    fresh = skd.next.key_id or skd.standby.key_id or new_key(skd)
    scope = KeyScope.DEFAULT if skd.is_ksk else KeyScope.ADD_ONLY
    return replace(
        skd,
        standby=KeyPointer(fresh, scope),
        next=NO_KEY,
        status=_S.ROLL_STARTED if skd.is_ksk else _S.ZSK_WAITING_FOR_DNSKEY_TTL,
        roll_state=RollState.KSK_DS_WAIT if skd.is_ksk else RollState.ZSK_SWAP,
        next_key_made_ft=0 if skd.is_ksk else facts.now,
        next_rollover_ft=facts.after(facts.dnskey_ttl_s),
        pre_roll_event=0,
    )


def _ended(skd: SigningKeyDescriptor, now: int, active: KeyPointer) -> SigningKeyDescriptor:
    """The roll is over; the key that was replaced is no more."""
    period = skd.rollover_period_s
    return replace(
        skd,
        active=active,
        standby=NO_KEY,
        status=_S.NOT_ROLLING,
        roll_state=RollState.NOT_STARTED,
        manual_trigger=False,
        last_rollover_ft=now,
        next_rollover_ft=0 if period == NO_ROLLOVER else now + period * TICKS_PER_S,
    )


def _noted(skd: SigningKeyDescriptor, now: int) -> SigningKeyDescriptor:
    """How near the next roll of a key signing key is. Spec: [MS-DNSP] 2.3.2.19 (dwPreRollEventFired)."""
    if not skd.is_ksk or not skd.next_rollover_ft or skd.rollover_period_s == NO_ROLLOVER:
        return skd
    left = skd.next_rollover_ft - now
    period = skd.rollover_period_s * TICKS_PER_S
    event = max((event for percent, event in _EVENTS if left * 100 <= period * (100 - percent)), default=0)
    event = 3 if left < DAY_FT else event
    return skd if event == skd.pre_roll_event else replace(skd, pre_roll_event=event)


# --- what the parent shows ---------------------------------------------------------------------------------


def parent_shows(skd: SigningKeyDescriptor, facts: RollFacts, ds_ttl_s: int) -> SigningKeyDescriptor:
    """The parent has the new key's DS at all of its servers: the old one's has to leave the caches."""
    assert skd.status is _S.KSK_WAITING_FOR_DS_UPDATE
    return replace(
        skd,
        status=_S.KSK_WAITING_FOR_DS_TTL,
        roll_state=RollState.KSK_FINISH,
        next_rollover_ft=facts.after(ds_ttl_s),
    )


def parent_has_none(skd: SigningKeyDescriptor, facts: RollFacts) -> SigningKeyDescriptor:
    """Nobody goes by a DS of this zone, an operator says: only the old set of keys has to be forgotten."""
    assert skd.status is _S.KSK_WAITING_FOR_DS_UPDATE
    return replace(
        skd,
        status=_S.KSK_WAITING_FOR_DNSKEY_TTL,
        roll_state=RollState.KSK_FINISH,
        next_rollover_ft=facts.after(facts.dnskey_ttl_s),
    )


def triggered(skd: SigningKeyDescriptor) -> SigningKeyDescriptor:
    """A roll is to begin at the next step."""
    return replace(skd, manual_trigger=True, next_action=RolloverAction.NORMAL)


def retired(skd: SigningKeyDescriptor, key_id: UUID, now: int) -> SigningKeyDescriptor | None:
    """Without a key that was replaced, or is not used yet, at once; None where it signs the zone alone."""
    if skd.standby.key_id == key_id and skd.standby.scope is KeyScope.ADD_ONLY:
        return _ended(skd, now, skd.active)
    if skd.next.key_id == key_id:
        return replace(skd, next=NO_KEY)
    if skd.is_ksk and skd.active.key_id == key_id and skd.standby.key_id is not None:
        return _ended(skd, now, replace(skd.standby, scope=KeyScope.DEFAULT))
    if skd.is_ksk and skd.standby.key_id == key_id:
        return _ended(skd, now, skd.active)
    return None
