"""Shared secrets that tools and other DNS servers sign with, and what each lets its holder do.

They are this DC's own, sealed in the store, and do not replicate: Windows has none of them.

Spec: RFC 8945 7 (shared secrets).
"""

import base64
import json
from dataclasses import dataclass
from enum import Enum
from typing import Final

from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.directory.context import Fact, ReadContext, WriteContext

STATE: Final = "dns.tsig_keys"
"""Named state, sealed: JSON, keys by name."""
ANY_ZONE: Final = "*"
KEYS_MAX: Final = 1000


class KeyRight(Enum):
    """What a key's holder may do with zones."""

    UPDATE = "update"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class TsigKeyFacts:
    """One key. name: lower case, without its last dot. algorithm: as "hmac-sha256".

    zones: names of those that its rights are about, ANY_ZONE for all.
    """

    name: str
    algorithm: str
    secret: Secret
    rights: frozenset[KeyRight]
    zones: tuple[str, ...]

    def may(self, right: KeyRight, zone: str) -> bool:
        """Whether the holder may do that with a zone, by its name without the last dot."""
        return right in self.rights and (ANY_ZONE in self.zones or zone.lower() in self.zones)


_KEYS: Final = Fact[dict[str, TsigKeyFacts]]()


def tsig_keys(ctx: ReadContext) -> dict[str, TsigKeyFacts]:
    """Every key by name."""
    return _KEYS.get(ctx, ctx.tx.seq, lambda: _read(ctx.tx.sealed_state(STATE)))


def tsig_key(ctx: ReadContext, name: str) -> TsigKeyFacts | None:
    """A key, by name with or without its last dot."""
    return tsig_keys(ctx).get(key_name(name))


def key_name(text: str) -> str:
    """A key's name as it is kept."""
    return text.lower().removesuffix(".")


def keep_tsig_key(ctx: WriteContext, key: TsigKeyFacts) -> None:
    """Add a key. Raises UserError where there is one of that name."""
    kept = dict(tsig_keys(ctx))
    if key.name in kept:
        raise UserError(f"There is a key {key.name}. Next step: addc dns tsig delete {key.name}")
    if len(kept) >= KEYS_MAX:
        raise UserError(f"There are {KEYS_MAX} keys, all there can be. Next step: addc dns tsig list")
    kept[key.name] = key
    _write(ctx, kept)


def remove_tsig_key(ctx: WriteContext, name: str) -> None:
    """Forget a key. Raises UserError where there is none."""
    kept = dict(tsig_keys(ctx))
    if kept.pop(key_name(name), None) is None:
        raise UserError(f"There is no key {key_name(name)}. Next step: addc dns tsig list")
    _write(ctx, kept)


def _write(ctx: WriteContext, kept: dict[str, TsigKeyFacts]) -> None:
    told = {
        name: {
            "algorithm": key.algorithm,
            "secret": base64.b64encode(key.secret.reveal()).decode(),
            "rights": sorted(right.value for right in key.rights),
            "zones": list(key.zones),
        }
        for name, key in sorted(kept.items())
    }
    ctx.tx.set_sealed_state(STATE, json.dumps(told).encode())
    ctx.facts.pop(_KEYS, None)


def _read(kept: bytes | None) -> dict[str, TsigKeyFacts]:
    if kept is None:
        return {}
    told = json.loads(kept)
    return {
        name: TsigKeyFacts(
            name,
            one["algorithm"],
            Secret(base64.b64decode(one["secret"])),
            frozenset(KeyRight(right) for right in one["rights"]),
            tuple(one["zones"]),
        )
        for name, one in told.items()
    }
