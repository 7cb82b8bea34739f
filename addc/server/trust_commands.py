"""What `addc trust` does: trusts as plain data, made, changed, ended and asked about.

Spec: [MS-ADTS] 6.1.6, [MS-LSAD] 3.1.4.7.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from addc.base.clock import FileTime, SystemClock
from addc.base.errors import DecodeError, DsError, UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.codec.forest_trust import DomainInfo, ForestTrustInfo, Record, TopLevelFlags, TopLevelName
from addc.codec.ids import Sid
from addc.codec.krb5 import EncTicketPart, Ticket
from addc.codes.krb_error import KrbErrorCode
from addc.directory import trust_changes, trusts
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.trust_changes import NewTrust
from addc.directory.trusts import Trust, TrustKeys
from addc.security.enctypes import AES_SHA1, RC4, etypes_of
from addc.security.krb_keys import Etype, KeyUsage, decrypt
from addc.security.token import SYSTEM
from addc.security.trusts import TrustAttributes, TrustDirection, TrustType
from addc.server import trust_probe
from addc.server.trust_probe import Account, Partner, ProbeError

T = TypeVar("T")

DIRECTIONS: Final = {
    "inbound": TrustDirection.INBOUND,
    "outbound": TrustDirection.OUTBOUND,
    "both": TrustDirection.BOTH,
}
_TYPES: Final[Mapping[str, tuple[TrustType, TrustAttributes]]] = {
    "forest": (TrustType.UPLEVEL, TrustAttributes.FOREST_TRANSITIVE),
    "external": (TrustType.UPLEVEL, TrustAttributes.QUARANTINED_DOMAIN),
    "mit": (TrustType.MIT, TrustAttributes.NON_TRANSITIVE),
}
FLAGS: Final = {
    "selective_auth": TrustAttributes.CROSS_ORGANIZATION,
    "quarantine": TrustAttributes.QUARANTINED_DOMAIN,
    "treat_as_external": TrustAttributes.TREAT_AS_EXTERNAL,
    "enable_delegation": TrustAttributes.ENABLE_TGT_DELEGATION,
}
WITH_RC4: Final = AES_SHA1 | RC4
PASSWORD_MIN: Final = 14
"""Characters: whoever sees one ticket of a trust can guess at its password for ever."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trust as a person describes it. secrets: incoming, outgoing. flags: of FLAGS, True or False."""

    partner: str
    netbios: str | None
    sid: str | None
    direction: str
    kind: str
    secrets: tuple[Secret, Secret]
    flags: Mapping[str, bool]
    rc4: bool = False
    transitive: bool = False
    kvno: int = 1


class _DryRunError(Exception):
    """Ends a transaction that was only tried."""


def _change(directory: Directory, work: Callable[[WriteContext], T], *, dry_run: bool = False) -> T | None:
    """Run a change, or only try it; what the directory refuses becomes a person's error."""

    def tried(ctx: WriteContext) -> T:
        value = work(ctx)
        if dry_run:
            raise _DryRunError
        return value

    try:
        return directory.write_now("trust", SYSTEM, tried)
    except _DryRunError:
        return None
    except DsError as error:
        raise UserError(f"Refused: {error.detail}. Next step: addc trust list") from error


def _find(directory: Directory, name: str) -> Trust:
    found = directory.read_now("trust", SYSTEM, lambda ctx: trusts.find(ctx, name))
    if found is None:
        raise UserError(f"There is no trust with {name}. Next step: addc trust list")
    return found


# --- create ------------------------------------------------------------------------------------------------


def create(directory: Directory, wanted: Wanted, *, dry_run: bool) -> dict[str, object]:
    """Make a trust; what it is, or would be."""
    new = _new_trust(wanted)
    _change(directory, lambda ctx: trust_changes.create(ctx, new), dry_run=dry_run)
    if not dry_run:
        return show(directory, new.partner)
    return {
        "partner": new.partner,
        "netbios": new.flat_name,
        "sid": None if new.sid is None else str(new.sid),
        "direction": wanted.direction,
        "attributes": _flag_names(new.attributes),
    }


def _new_trust(wanted: Wanted) -> NewTrust:
    trust_type, attributes = _TYPES[wanted.kind]
    for name, is_on in wanted.flags.items():
        attributes = attributes | FLAGS[name] if is_on else attributes & ~FLAGS[name]
    if wanted.transitive:
        attributes &= ~TrustAttributes.NON_TRANSITIVE
    is_mit = trust_type is TrustType.MIT
    if is_mit and wanted.sid is not None:
        raise UserError("A realm of MIT's kind has no SID. Next step: leave --sid out")
    partner = wanted.partner.rstrip(".")
    partner = partner.upper() if is_mit else partner.lower()
    label = partner if is_mit else partner.partition(".")[0].upper()[:15]
    incoming, outgoing = wanted.secrets
    for secret in wanted.secrets:
        if len(secret.reveal()) // 2 < PASSWORD_MIN:
            raise UserError(
                f"The password is shorter than {PASSWORD_MIN} characters. Next step: choose a longer one"
            )
    return NewTrust(
        partner,
        wanted.netbios.upper() if wanted.netbios else label,
        _sid(wanted.sid),
        DIRECTIONS[wanted.direction],
        trust_type,
        attributes,
        incoming,
        outgoing,
        WITH_RC4 if wanted.rc4 else AES_SHA1,
        kvno=wanted.kvno,
    )


def _sid(text: str | None) -> Sid | None:
    try:
        return None if text is None else Sid.parse(text)
    except DecodeError as error:
        raise UserError(
            f"{text!r} is no SID. Next step: ask the partner's DC, as S-1-5-21-..., for its domain's"
        ) from error


# --- looking -----------------------------------------------------------------------------------------------


def listed(directory: Directory) -> list[dict[str, object]]:
    """Every trust, in short."""
    found = directory.read_now("trust", SYSTEM, trusts.trusted_domains)
    return [
        {
            "partner": one.partner,
            "netbios": one.flat_name,
            "direction": _direction(one),
            "boundary": one.boundary.name.lower(),
        }
        for one in found
    ]


def _direction(one: Trust) -> str:
    return next((name for name, value in DIRECTIONS.items() if value == one.direction), "disabled")


def _flag_names(attributes: TrustAttributes) -> list[str]:
    return [flag.name.lower() for flag in TrustAttributes if attributes & flag and flag.name]


def show(directory: Directory, name: str) -> dict[str, object]:
    """One trust in full, but for its secrets."""
    one = _find(directory, name)
    secrets = {"incoming": one.incoming, "outgoing": one.outgoing}
    return {
        "partner": one.partner,
        "netbios": one.flat_name,
        "sid": None if one.sid is None else str(one.sid),
        "direction": _direction(one),
        "type": TrustType(one.trust_type).name.lower(),
        "attributes": _flag_names(one.attributes),
        "boundary": one.boundary.name.lower(),
        "encryption_types": [Etype(etype).name.lower() for etype in etypes_of(one.enctypes)],
        "secrets": {
            way: {"kvno": held.current.kvno, "changed": _when(held.current.changed_ft)}
            for way, held in secrets.items()
            if held is not None
        },
        "namespaces": [_record(record) for record in (one.forest.records if one.forest else ())],
        "dn": one.dn,
    }


def _when(when: FileTime) -> str:
    from addc.codec.times import format_generalized  # noqa: PLC0415 - only here

    return format_generalized(when).decode("ascii")


def _record(record: Record) -> dict[str, object]:
    match record:
        case TopLevelName():
            kind = "excluded name" if record.excluded else "name"
            return {"kind": kind, "name": record.name, "enabled": record.enabled}
        case DomainInfo():
            return {
                "kind": "scanned domain" if record.scanned else "domain",
                "name": record.dns_name,
                "netbios": record.netbios_name,
                "sid": None if record.sid is None else str(record.sid),
                "enabled": record.enabled,
            }
    return {"kind": f"record of type {record.record_type}", "name": "", "enabled": False}


# --- changing ----------------------------------------------------------------------------------------------


def delete(directory: Directory, name: str, *, dry_run: bool) -> dict[str, object]:
    """End a trust; what it was."""
    gone = show(directory, name)
    one = _find(directory, name)
    _change(directory, lambda ctx: trust_changes.delete(ctx, one), dry_run=dry_run)
    return gone


def set_password(
    directory: Directory,
    name: str,
    incoming: Secret | None,
    outgoing: Secret | None,
    *,
    dry_run: bool = False,
) -> dict[str, object]:
    """New secrets, each for a direction that the trust has."""
    one = _find(directory, name)
    if not one.direction & TrustDirection.INBOUND:
        incoming = None
    if not one.direction & TrustDirection.OUTBOUND:
        outgoing = None
    _change(
        directory,
        lambda ctx: trust_changes.set_secrets(ctx, one, incoming=incoming, outgoing=outgoing),
        dry_run=dry_run,
    )
    return show(directory, name)


def set_attributes(
    directory: Directory, name: str, flags: Mapping[str, bool], *, rc4: bool | None, dry_run: bool
) -> dict[str, object]:
    """Other flags of FLAGS, and RC4 or none; what is not named stays."""
    one = _find(directory, name)
    attributes = one.attributes
    for flag, is_on in flags.items():
        attributes = attributes | FLAGS[flag] if is_on else attributes & ~FLAGS[flag]
    enctypes = None if rc4 is None else (WITH_RC4 if rc4 else AES_SHA1)
    _change(
        directory,
        lambda ctx: trust_changes.set_attributes(ctx, one, attributes, enctypes),
        dry_run=dry_run,
    )
    return show(directory, name)


@dataclass(frozen=True, slots=True)
class NameChanges:
    """Changes of what a partner's forest claims; domains as (DNS name, NetBIOS name, SID)."""

    add: Sequence[str] = ()
    exclude: Sequence[str] = ()
    remove: Sequence[str] = ()
    enable: Sequence[str] = ()
    disable: Sequence[str] = ()
    domains: Sequence[tuple[str, str, str]] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.add or self.exclude or self.remove or self.enable or self.disable or self.domains)


def namespaces(directory: Directory, name: str, changes: NameChanges, *, dry_run: bool) -> dict[str, object]:
    """What the partner's forest claims, changed as asked."""
    one = _find(directory, name)
    if changes.is_empty:
        return show(directory, name)
    info = _changed(one.forest or ForestTrustInfo(()), changes)
    _change(directory, lambda ctx: trust_changes.set_namespaces(ctx, one, info), dry_run=dry_run)
    return show(directory, name)


def _changed(info: ForestTrustInfo, changes: NameChanges) -> ForestTrustInfo:
    records = [one for one in info.records if not _named(one, changes.remove)]
    records = [_switched(one, changes) for one in records]
    fresh: list[Record] = [TopLevelName(name) for name in changes.add]
    fresh += [TopLevelName(name, excluded=True) for name in changes.exclude]
    for dns_name, netbios, sid in changes.domains:
        fresh.append(DomainInfo(_sid(sid), dns_name, netbios.upper()))
    there = {(type(one), _name_of(one)) for one in records}
    return ForestTrustInfo((*records, *(one for one in fresh if (type(one), _name_of(one)) not in there)))


def _name_of(record: Record) -> str:
    match record:
        case TopLevelName():
            return record.name.lower()
        case DomainInfo():
            return record.dns_name.lower()
    return ""


def _named(record: Record, names: Sequence[str]) -> bool:
    return _name_of(record) in {name.lower() for name in names if name}


def _switched(record: Record, changes: NameChanges) -> Record:
    if not isinstance(record, TopLevelName):
        return record
    if _named(record, changes.enable):
        return replace(record, flags=0)
    if _named(record, changes.disable):
        return replace(record, flags=record.flags | int(TopLevelFlags.DISABLED_ADMIN))
    return record


# --- verifying ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. good: None where it could not be looked at."""

    what: str
    good: bool | None
    found: str


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What the directory holds of a trust for asking the partner."""

    incoming: TrustKeys | None
    outgoing: TrustKeys | None
    secret: Secret | None
    realm: str
    netbios: str
    now: FileTime


def verify(directory: Directory, name: str, kdc: str | None) -> list[Check]:
    """Look at both directions: keys here, names, and what the partner's KDC says.

    kdc: host, or host:port, of a KDC of the partner's; None looks its domain's name up.
    """
    one = _find(directory, name)
    held = directory.read_now("trust", SYSTEM, lambda ctx: _held(ctx, one))
    checks = []
    for bit, keys, what in (
        (TrustDirection.INBOUND, held.incoming, "tickets for the partner"),
        (TrustDirection.OUTBOUND, held.outgoing, "tickets from the partner"),
    ):
        if one.direction & bit:
            types = "" if keys is None else ", ".join(Etype(etype).name.lower() for etype in keys.current)
            checks.append(Check(f"key of {what}", keys is not None, types or "no secret that makes a key"))
    try:
        partner = Partner(one.realm, _address(one.partner, kdc))
    except UserError as error:
        return [*checks, Check("a KDC of the partner", False, str(error))]
    checks.append(Check("a KDC of the partner", True, f"{partner.address[0]} port {partner.address[1]}"))
    if held.incoming is not None:
        checks.append(_probed("the partner opens our tickets", lambda: _outward(partner, held)))
    if held.outgoing is not None:
        checks.append(_probed("we open the partner's tickets", lambda: _inward(partner, one, held)))
    return checks


def _held(ctx: ReadContext, one: Trust) -> _Secrets:
    return _Secrets(
        trusts.incoming_keys(ctx, one),
        trusts.outgoing_keys(ctx, one),
        None if one.outgoing is None else one.outgoing.current.clear,
        ctx.forest.realm,
        ctx.forest.netbios,
        SystemClock().now(),
    )


def _address(name: str, kdc: str | None) -> tuple[str, int]:
    host, _, port = (kdc or name).partition(":")
    try:
        found = socket.getaddrinfo(host, int(port or 88), type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{host} cannot be looked up: {error}; let this machine's name server know the partner's names, "
            "or name a KDC of its with --kdc HOST"
        ) from error
    return str(found[0][4][0]), int(found[0][4][1])


def _probed(what: str, probe: Callable[[], Check]) -> Check:
    try:
        return probe()
    except ProbeError as error:
        return Check(what, False, str(error))


def _outward(partner: Partner, held: _Secrets) -> Check:
    what = "the partner opens our tickets"
    assert held.incoming is not None
    key = next(iter(held.incoming.current.values()))
    code = trust_probe.opens_ours(partner, held.realm, key, held.now, SystemRng())
    if code is None:
        return Check(what, True, "the secret of the inbound direction is the same on both sides")
    return Check(what, False, f"it says {code.name}: its secret, its trust or its encryption types differ")


def _inward(partner: Partner, one: Trust, held: _Secrets) -> Check:
    what = "we open the partner's tickets"
    if one.is_mit or held.secret is None:
        return Check(what, None, f"needs a user of {one.realm}: kinit there, then kvno a service of ours")
    account = Account(f"{held.netbios}$", held.secret)
    found = trust_probe.ticket_from(partner, held.realm, account, held.now, SystemRng())
    if isinstance(found, KrbErrorCode):
        return Check(what, False, f"it says {found.name} to {account.name}: its secret or its trust differs")
    if not _opens(found, held):
        return Check(what, False, "it makes tickets with another key, or none of ours to open")
    return Check(what, True, "the secret of the outbound direction is the same on both sides")


def _opens(ticket: Ticket, held: _Secrets) -> bool:
    assert held.outgoing is not None
    for keys in (held.outgoing.current, held.outgoing.previous):
        key = keys.get(ticket.enc_part.etype)
        if key is None:
            continue
        try:
            EncTicketPart.unpack(decrypt(key, int(KeyUsage.TICKET), ticket.enc_part.cipher))
        except DecodeError:
            continue
        return True
    return False
