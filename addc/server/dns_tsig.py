"""What `addc dns tsig` does: the shared secrets that tools and other DNS servers sign with, kept by this DC.

Spec: RFC 8945 7, 8 (shared secrets, and their length).
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.codec.dns_names import fold, name_text, parse_name
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.directory.dns_tsig_keys import (
    ANY_ZONE,
    KeyRight,
    TsigKeyFacts,
    keep_tsig_key,
    key_name,
    remove_tsig_key,
    tsig_key,
    tsig_keys,
)
from addc.dns.tsig import HMAC_ALGORITHMS
from addc.security.token import SYSTEM
from addc.server.forest_changes import change

Facts = dict[str, object]
DEFAULT_ALGORITHM: Final = "hmac-sha256"
_SECRET_SIZES: Final = {"hmac-sha1": 20, "hmac-sha224": 28, "hmac-sha384": 48, "hmac-sha512": 64}
_SECRET_SIZE: Final = 32
_SECRET_MIN: Final = 16


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a person asks for. secret: base64; "" for one that is made."""

    name: str
    algorithm: str
    secret: str
    rights: Sequence[str]
    zones: Sequence[str]


def listed(directory: Directory) -> list[Facts]:
    """Every key, without its secret."""
    keys = directory.read_now("dns.keys", SYSTEM, tsig_keys)
    return [_told(keys[name]) for name in sorted(keys)]


def shown(directory: Directory, name: str) -> Facts:
    """A key with its secret. Raises UserError."""
    found = directory.read_now("dns.keys", SYSTEM, lambda ctx: tsig_key(ctx, name))
    if found is None:
        raise UserError(f"There is no key {key_name(name)}. Next step: addc dns tsig list")
    return _told(found) | {"secret": base64.b64encode(found.secret.reveal()).decode()}


def added(directory: Directory, wanted: NewKey, rng: Rng, *, dry_run: bool = False) -> Facts:
    """Make a key. Raises UserError."""
    key = _checked(wanted, rng)
    change(directory, "dns.key.add", lambda ctx: keep_tsig_key(ctx, key), dry_run=dry_run)
    return _told(key) | {"secret": base64.b64encode(key.secret.reveal()).decode()}


def deleted(directory: Directory, name: str, *, dry_run: bool = False) -> Facts:
    """End a key; what is signed with it from now on is refused. Raises UserError."""

    def work(ctx: WriteContext) -> Facts:
        found = tsig_key(ctx, name)
        remove_tsig_key(ctx, name)
        assert found is not None
        return _told(found)

    return change(directory, "dns.key.delete", work, dry_run=dry_run)


def named_conf(facts: Facts) -> str:
    """The key as BIND and its tools want it in a file."""
    return f'key "{facts["name"]}" {{\n\talgorithm {facts["algorithm"]};\n\tsecret "{facts["secret"]}";\n}};'


def _told(key: TsigKeyFacts) -> Facts:
    return {
        "name": key.name,
        "algorithm": key.algorithm,
        "rights": sorted(right.value for right in key.rights),
        "zones": list(key.zones),
    }


def _checked(wanted: NewKey, rng: Rng) -> TsigKeyFacts:
    if wanted.algorithm not in HMAC_ALGORITHMS:
        raise UserError(
            f"No algorithm {wanted.algorithm} is spoken here. Next step: one of {', '.join(HMAC_ALGORITHMS)}"
        )
    name = key_name(wanted.name)
    zones = tuple(one if one == ANY_ZONE else _name(one) for one in wanted.zones)
    if not zones:
        raise UserError(
            "A key without zones lets nobody do anything. Next step: --zone ZONE, or --zone '*' for all"
        )
    rights = frozenset(KeyRight(one) for one in wanted.rights)
    return TsigKeyFacts(_name(name), wanted.algorithm, _secret(wanted, rng), rights, zones)


def _name(text: str) -> str:
    try:
        name = parse_name(text.lower())
    except DecodeError as error:
        raise UserError(f"{text!r} is no name: {error.why}. Next step: one as tool.example.com") from error
    if not name:
        raise UserError(f"{text!r} is no name. Next step: one as tool.example.com")
    return name_text(fold(name))


def _secret(wanted: NewKey, rng: Rng) -> Secret:
    if not wanted.secret:
        return Secret(rng.bytes(_SECRET_SIZES.get(wanted.algorithm, _SECRET_SIZE)))
    try:
        found = base64.b64decode(wanted.secret, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError("That secret is not base64. Next step: leave it out, and one is made") from error
    if len(found) < _SECRET_MIN:
        raise UserError(
            f"A secret of {len(found)} octets can be guessed. Next step: {_SECRET_MIN} or more, or none"
        )
    return Secret(found)
