"""The claims of an account: what the claims dictionary issues about it, as a PAC carries them.

Spec: [MS-ADTS] 3.1.1.11.2.1 - 3.1.1.11.2.4, 3.1.1.11.2.18, [MS-KILE] 3.3.5.6.4.6.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.claims import (
    ClaimEntry,
    ClaimInt64,
    ClaimsArray,
    ClaimsSet,
    ClaimsSourceType,
    ClaimString,
    ClaimType,
    ClaimUint64,
    ClaimValues,
    encode_claims,
)
from addc.directory import authn_policies, entry, groups
from addc.directory.claim_types import (
    AUTHENTICATION_SILO,
    ClaimDefinition,
    ClaimSource,
    claim_definitions,
)
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.security import sddl
from addc.security.descriptor import SecurityDescriptor
from addc.store.objects import ObjectRow

_OBJECT_IDENTIFIER: Final = "2.5.5.2"
_DESCRIPTOR: Final = "2.5.5.15"


@dataclass(frozen=True, slots=True)
class _Version:
    """What a kept set was made of; compared by identity but for the two numbers."""

    row: ObjectRow
    definitions: tuple[ClaimDefinition, ...]
    links: int
    silos: object

    def holds(self, other: "_Version") -> bool:
        return (
            self.row is other.row
            and self.definitions is other.definitions
            and self.links == other.links
            and self.silos == other.silos
        )


def claims_blob(ctx: ReadContext, row: ObjectRow) -> bytes:
    """The CLAIMS_BLOB of an account, b"" where nothing is issued about it.

    GetClaimsForPrincipal without certificates. Kept as long as row, dictionary, silos and links stay.
    """
    definitions = [one for one in claim_definitions(ctx) if row.class_id in one.classes]
    if not definitions:
        return b""
    silo = authn_policies.silo_name(ctx, row)
    if silo is None and all(one.source is not ClaimSource.AD for one in definitions):
        return b""
    version = _Version(row, claim_definitions(ctx), groups.links_version(ctx), silo)
    key = ("claims", row.dnt)
    kept = ctx.facts.get(key)
    if kept is not None and isinstance(kept[0], _Version) and kept[0].holds(version):
        assert isinstance(kept[1], bytes)
        return kept[1]
    blob = encode_claims(claims_of(ctx, row))
    ctx.keep(key, version, blob)
    return blob


def claims_of(ctx: ReadContext, row: ObjectRow, certificate: Collection[str] = ()) -> ClaimsSet:
    """The claims about an account. certificate: the strings that its certificate brings.

    Rights do not matter: a claim may tell what its subject cannot read.
    """
    directory: list[ClaimEntry] = []
    by_certificate: list[ClaimEntry] = []
    for one in claim_definitions(ctx):
        if row.class_id not in one.classes:
            continue
        if one.source is ClaimSource.AD:
            assert one.attribute is not None
            values = _values(ctx, row, one.attribute, one.type)
            if values is not None:
                directory.append(ClaimEntry(one.id, one.type, values))
        elif one.source is ClaimSource.CONSTRUCTED and one.id == AUTHENTICATION_SILO:
            silo = authn_policies.silo_name(ctx, row)
            if silo is not None:
                directory.append(ClaimEntry(one.id, ClaimType.STRING, ClaimString((silo,))))
        elif one.source is ClaimSource.CERTIFICATE and one.origin in certificate:
            by_certificate.append(ClaimEntry(one.origin, ClaimType.BOOLEAN, ClaimUint64((1,))))
    arrays = [
        ClaimsArray(kind, tuple(entries))
        for kind, entries in (
            (ClaimsSourceType.AD, directory),
            (ClaimsSourceType.CERTIFICATE, by_certificate),
        )
        if entries
    ]
    return ClaimsSet(tuple(arrays) or None, None)


def _values(ctx: ReadContext, row: ObjectRow, attribute: Attribute, kind: ClaimType) -> ClaimValues | None:
    """The values of an attribute as those of a claim; None where there are none."""
    if attribute.syntax.oid == _OBJECT_IDENTIFIER:
        numbers = _identifiers(ctx, row, attribute)
        return ClaimUint64(numbers) if numbers else None
    shown = entry.values(ctx, row, attribute.att_id)
    if not shown:
        return None
    if kind == ClaimType.INT64:
        return ClaimInt64(tuple(int(value) for value in shown))
    if kind == ClaimType.BOOLEAN:
        return ClaimUint64(tuple(int(value == b"TRUE") for value in shown))
    if attribute.syntax.oid == _DESCRIPTOR:
        texts = tuple(text for value in shown if (text := _sddl(ctx, value)) is not None)
        return ClaimString(texts) if texts else None
    return ClaimString(tuple(value.decode("utf-8", "replace") for value in shown))


def _identifiers(ctx: ReadContext, row: ObjectRow, attribute: Attribute) -> tuple[int, ...]:
    """The classes and attributes that values name, as ATTRTYPs; of objectClass the most special first."""
    found = []
    for token in row.attrs.get(attribute.att_id, ()):
        known = ctx.schema.stored_class(token)
        if known is not None:
            found.append(int(known.class_id))
            continue
        named = ctx.schema.attribute(token.decode("utf-8", "replace"))
        if named is not None:
            found.append(int(named.att_id))
    return tuple(reversed(found)) if attribute.att_id == attr.OBJECT_CLASS else tuple(found)


def _sddl(ctx: ReadContext, value: bytes) -> str | None:
    try:
        return sddl.format(SecurityDescriptor.unpack(value), ctx.forest.domain_sid)
    except DecodeError:
        return None
