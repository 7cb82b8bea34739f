"""Whether an answer is as its zone signed it: the chain of trust from an anchor down to each name's zone.

A generator like the question itself: DS and DNSKEY records are fetched with the question's own means, and
what was established of a zone is kept. Work is bounded: signatures verified and zones fetched for one
question, so that many keys of one tag or long chains cost little (KeyTrap). Zones that are ours, or that an
administrator gave a way of its own, need no chain from the root; an anchor at or below one has it checked.

Spec: RFC 4035 4.3, 5; RFC 5155 8; RFC 6840 5; RFC 8198 is not used
"""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_data import DnskeyData, DsData, RrsigData
from addc.codec.dns_message import Record
from addc.codec.dns_names import Name, is_below
from addc.codec.dns_rdata import DnsType, NameData
from addc.codec.dns_wire import canonical_rdata, rdata_name
from addc.codes.rcode import Rcode
from addc.dns.dnssec import is_supported, may_sign, source_of, verify_rrset
from addc.dns.nsec import NsecProofs
from addc.dns.nsec3 import Nsec3Proofs, Verdict
from addc.dns.recursion import Ask, Heard, Outcome
from addc.security.zone_keys import ds_matches, is_digest_supported, is_zone_key

VERIFIED_MAX: Final = 48
"""Signatures verified for one question."""
TRIES_OF_SET_MAX: Final = 6
"""Signatures verified for one RRset: its zone may have several keys, and some may share a tag."""
_ZONES_KEPT_MAX: Final = 8192
_KEPT_MAX_S: Final = 3600.0
_SKEW_S: Final = 300
_ANY: Final = 255
_DENIALS: Final = frozenset({DnsType.NSEC, DnsType.NSEC3})


class Security(Enum):
    """SECURE: signed, and the chain holds. INSECURE: it need not be. BOGUS: it has to, and does not hold."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"


class _State(Enum):
    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    NO_CUT = "no cut"
    """The name is no zone of its own: its parent's keys hold."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What is believed of a zone's keys beforehand."""

    digests: tuple[DsData, ...] = ()
    keys: tuple[DnskeyData, ...] = ()


@dataclass(frozen=True, slots=True)
class _Zone:
    """What was established of a name as a zone."""

    name: Name
    state: _State
    keys: tuple[DnskeyData, ...] = ()
    until_s: float = 0.0


@dataclass(slots=True)
class ZoneMemory:
    """What was established of zones; bounded, the oldest forgotten first."""

    held: OrderedDict[Name, _Zone] = field(default_factory=OrderedDict)

    def get(self, name: Name, now_s: float) -> _Zone | None:
        zone = self.held.get(name)
        return zone if zone is not None and zone.until_s > now_s else None

    def put(self, zone: _Zone) -> None:
        self.held.pop(zone.name, None)
        while len(self.held) >= _ZONES_KEPT_MAX:
            self.held.popitem(last=False)
        self.held[zone.name] = zone


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What validation starts from. private: zones without a chain. is_ours: of a name in a zone of ours."""

    anchors: Mapping[Name, Anchor]
    private: frozenset[Name]
    is_ours: Callable[[Name], bool]


@dataclass(frozen=True, slots=True)
class _Set:
    """An RRset of an answer."""

    owner: Name
    rtype: int
    records: tuple[Record, ...]
    signatures: tuple[RrsigData, ...]


Fetch = Callable[[Name, int], Generator[Ask, Heard, Outcome]]
Steps = Generator[Ask, Heard, Security]
ZoneSteps = Generator[Ask, Heard, _Zone]


class Validator:
    """Checks the answer to one question. now_s: seconds since 1970; loop_s: on the loop's clock."""

    def __init__(
        self, beliefs: Beliefs, memory: ZoneMemory, fetch: Fetch, *, now_s: int, loop_s: float
    ) -> None:
        self._beliefs = beliefs
        self._memory = memory
        self._fetch = fetch
        self._now_s = now_s
        self._loop_s = loop_s
        self._verified = 0

    def check(self, name: Name, qtype: int, outcome: Outcome) -> Steps:
        """What the whole answer is: the worst of its parts."""
        found = Security.SECURE
        sets = _sets_of(outcome.answers)
        if qtype == DnsType.RRSIG:
            return Security.INSECURE  # signatures are not signed
        for one in sets:
            if _is_made_alias(one, sets):
                continue
            part = yield from self._check_set(one, outcome.authority)
            if part is Security.BOGUS:
                return part
            found = part if part is Security.INSECURE else found
        target = _end_of_chain(name, qtype, sets)
        if target is not None:
            part = yield from self._check_absence(target, qtype, outcome)
            if part is not Security.SECURE:
                return part
        return found

    # --- parts of an answer ---

    def _check_set(self, one: _Set, authority: Sequence[Record]) -> Steps:
        if self._beliefs.is_ours(one.owner):
            return Security.INSECURE
        signer = _signer_of(one)
        zone = yield from self._zone_of(one.owner if signer is None else signer)
        if zone.state is not _State.SECURE:
            return Security.INSECURE if zone.state is _State.INSECURE else Security.BOGUS
        if signer is None or zone.name != signer:
            return Security.BOGUS
        signature = self._signed_by(one, zone.keys)
        if signature is None:
            return Security.BOGUS
        source = source_of(signature, one.owner)
        if source == one.owner or source is None:
            return Security.SECURE
        proofs = self._proven(authority, zone)
        verdicts = [proof.denies_exact(one.owner, source[1:]) for proof in proofs]
        return _as_security(verdicts)

    def _check_absence(self, target: Name, qtype: int, outcome: Outcome) -> Steps:
        if self._beliefs.is_ours(target):
            return Security.INSECURE
        sets = _sets_of(outcome.authority)
        signers = {s for one in sets if (s := _signer_of(one)) is not None and is_below(target, s)}
        above = target[1:] if qtype == DnsType.DS and target else target
        start = max(signers, key=len) if signers else above
        zone = yield from self._zone_of(start)
        if zone.state is not _State.SECURE:
            return Security.INSECURE if zone.state is _State.INSECURE else Security.BOGUS
        if not signers or zone.name != start:
            return Security.BOGUS
        proofs = self._proven(outcome.authority, zone)
        if outcome.rcode == Rcode.NXDOMAIN:
            return _as_security([proof.denies_name(target) for proof in proofs])
        return _as_security([proof.denies_type(target, qtype) for proof in proofs])

    # --- zones ---

    def _zone_of(self, name: Name) -> ZoneSteps:
        """The deepest zone at or above a name, by the chain from the anchor above it."""
        anchor = self._anchor_above(name)
        if anchor is None:
            return _Zone(name, _State.INSECURE)
        zone = yield from self._anchored(anchor)
        for size in range(len(anchor) + 1, len(name) + 1):
            if zone.state is not _State.SECURE:
                return zone
            child = yield from self._child(name[len(name) - size :], zone)
            if child.state is not _State.NO_CUT:
                zone = child
        return zone

    def _anchor_above(self, name: Name) -> Name | None:
        """The longest anchor above a name that no private zone cuts off."""
        for skip in range(len(name) + 1):
            if name[skip:] in self._beliefs.anchors:
                return name[skip:]
            if name[skip:] in self._beliefs.private:
                return None
        return None

    def _anchored(self, name: Name) -> ZoneSteps:
        """A zone whose keys are believed beforehand."""
        known = self._memory.get(name, self._loop_s)
        if known is not None:
            return known
        anchor = self._beliefs.anchors[name]
        usable = [ds for ds in anchor.digests if _is_usable(ds)]
        if not usable and not any(is_supported(key.algorithm) for key in anchor.keys):
            return self._keep(_Zone(name, _State.INSECURE), ())
        return (yield from self._with_keys(name, tuple(usable), anchor.keys))

    def _with_keys(self, name: Name, digests: tuple[DsData, ...], keys: tuple[DnskeyData, ...]) -> ZoneSteps:
        """A zone by its DNSKEY records, signed by one of the keys that its parent or an anchor names."""
        outcome = yield from self._fetch(name, DnsType.DNSKEY)
        for one in _sets_of(outcome.answers):
            if (one.owner, one.rtype) != (name, DnsType.DNSKEY):
                continue
            held = tuple(r.data for r in one.records if isinstance(r.data, DnskeyData))
            entries = [k for k in held if k in keys and is_zone_key(k)]
            entries += [k for k in held if k not in entries and any(ds_matches(d, name, k) for d in digests)]
            if self._signed_by(one, entries) is not None:
                return self._keep(_Zone(name, _State.SECURE, held), one.records)
        return _Zone(name, _State.BOGUS)

    def _child(self, name: Name, parent: _Zone) -> ZoneSteps:
        """What a secure zone says of a name below it: a signed zone, an unsigned one, or none."""
        known = self._memory.get(name, self._loop_s)
        if known is not None:
            return known
        if self._beliefs.is_ours(name) or name in self._beliefs.private:
            return _Zone(name, _State.INSECURE)
        outcome = yield from self._fetch(name, DnsType.DS)
        for one in _sets_of(outcome.answers):
            if one.owner != name or one.rtype not in (DnsType.DS, DnsType.CNAME):
                continue
            if self._signed_by(one, parent.keys) is None:
                return _Zone(name, _State.BOGUS)
            if one.rtype == DnsType.CNAME:
                return self._keep(_Zone(name, _State.NO_CUT), one.records)
            usable = tuple(r.data for r in one.records if isinstance(r.data, DsData) and _is_usable(r.data))
            if not usable:
                return self._keep(_Zone(name, _State.INSECURE), one.records)
            return (yield from self._with_keys(name, usable, ()))
        state = self._without_ds(name, parent, outcome)
        zone = _Zone(name, state)
        return zone if state is _State.BOGUS else self._keep(zone, outcome.authority)

    def _without_ds(self, name: Name, parent: _Zone, outcome: Outcome) -> _State:
        """What the proofs of a missing DS say."""
        if not outcome.complete or outcome.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            return _State.BOGUS
        for proof in self._proven(outcome.authority, parent):
            if outcome.rcode == Rcode.NXDOMAIN:
                verdict, otherwise = proof.denies_name(name), _State.NO_CUT
            elif (verdict := proof.no_ds(name)) is not Verdict.BOGUS:
                otherwise = _State.INSECURE
            else:
                verdict, otherwise = proof.denies_type(name, DnsType.DS), _State.NO_CUT
            if verdict is Verdict.SECURE:
                return otherwise
            if verdict is not Verdict.BOGUS:
                return _State.INSECURE
        return _State.BOGUS

    def _keep(self, zone: _Zone, records: Iterable[Record]) -> _Zone:
        left_s = min((float(r.ttl_s) for r in records), default=0.0)
        kept = _Zone(zone.name, zone.state, zone.keys, self._loop_s + min(left_s, _KEPT_MAX_S))
        self._memory.put(kept)
        return kept

    # --- signatures ---

    def _proven(self, authority: Iterable[Record], zone: _Zone) -> list[NsecProofs | Nsec3Proofs]:
        """The proofs of absence that the zone has signed, one reader for each kind."""
        good: dict[int, list[Record]] = {}
        for one in _sets_of(authority):
            if one.rtype in _DENIALS and _signer_of(one) == zone.name:
                if self._signed_by(one, zone.keys) is not None:
                    good.setdefault(one.rtype, []).extend(one.records)
        found: list[NsecProofs | Nsec3Proofs] = []
        if DnsType.NSEC in good:
            found.append(NsecProofs(good[DnsType.NSEC], zone.name))
        if DnsType.NSEC3 in good:
            found.append(Nsec3Proofs(good[DnsType.NSEC3], zone.name))
        return found

    def _signed_by(self, one: _Set, keys: Sequence[DnskeyData]) -> RrsigData | None:
        """The signature of an RRset that one of the keys made; None where none holds."""
        try:
            rdatas = [canonical_rdata(r.type, r.data) for r in one.records]
        except DecodeError:
            return None
        tries = 0
        for signature in one.signatures:
            for key in keys:
                if not may_sign(signature, key):
                    continue
                tries += 1
                self._verified += 1
                if tries > TRIES_OF_SET_MAX or self._verified > VERIFIED_MAX:
                    return None
                if verify_rrset(signature, key, one.owner, rdatas, now_s=self._now_s, skew_s=_SKEW_S):
                    return signature
        return None


def _is_usable(ds: DsData) -> bool:
    return is_supported(ds.algorithm) and is_digest_supported(ds.digest_type)


def _as_security(verdicts: Iterable[Verdict]) -> Security:
    """What proofs of absence make of an answer; unsigned delegations in between leave it insecure."""
    found = Security.BOGUS
    for verdict in verdicts:
        if verdict is Verdict.SECURE:
            return Security.SECURE
        if verdict is not Verdict.BOGUS:
            found = Security.INSECURE
    return found


def _sets_of(records: Iterable[Record]) -> list[_Set]:
    """The records by owner and type, each with the signatures over it."""
    plain: dict[tuple[Name, int], list[Record]] = {}
    signed: dict[tuple[Name, int], list[RrsigData]] = {}
    for record in records:
        if isinstance(record.data, RrsigData):
            signed.setdefault((record.owner, record.data.covered), []).append(record.data)
        else:
            plain.setdefault((record.owner, record.type), []).append(record)
    return [_Set(*key, tuple(held), tuple(signed.get(key, ()))) for key, held in plain.items()]


def _signer_of(one: _Set) -> Name | None:
    """The zone that signed an RRset, by its own word: above the owner, and for a DS above its zone."""
    for signature in one.signatures:
        try:
            signer = rdata_name(signature.signer)
        except DecodeError:
            continue
        if is_below(one.owner, signer) and not (one.rtype == DnsType.DS and signer == one.owner):
            return signer
    return None


def _is_made_alias(one: _Set, sets: Iterable[_Set]) -> bool:
    """Whether a CNAME without signature is just what a DNAME of the same answer makes of the name."""
    if one.rtype != DnsType.CNAME or one.signatures or len(one.records) != 1:
        return False
    target = _target_of(one.records[0])
    for other in sets:
        if other.rtype == DnsType.DNAME and len(one.owner) > len(other.owner):
            kept = one.owner[: len(one.owner) - len(other.owner)]
            made = [(*kept, *end) for r in other.records if (end := _target_of(r)) is not None]
            if is_below(one.owner, other.owner) and made == [target]:
                return True
    return False


def _target_of(record: Record) -> Name | None:
    try:
        return rdata_name(record.data.name) if isinstance(record.data, NameData) else None
    except DecodeError:
        return None


def _end_of_chain(name: Name, qtype: int, sets: Sequence[_Set]) -> Name | None:
    """The name whose absence the answer tells; None where it ends in records."""
    aliases = {
        one.owner: target
        for one in sets
        if one.rtype == DnsType.CNAME
        for record in one.records
        if (target := _target_of(record)) is not None
    }
    for _ in range(len(aliases) + 1):
        if any(one.owner == name and qtype in (one.rtype, _ANY) for one in sets):
            return None
        if name not in aliases:
            return name
        name = aliases[name]
    return name
