"""What `addc gkdi` does to root keys, past LDAP.

Spec: [MS-GKDI] 3.1.1, 3.1.4.1.1.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.clock import TICKS_PER_S, FileTime
from addc.directory import kds_new_key, kds_root_keys
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.security import gkdi
from addc.security.gkdi import GkdiError, RootKey
from addc.security.token import SYSTEM

USE_AFTER_S: Final = 36_000
"""Ten hours, until every DC has a key that is made now."""


@dataclass(frozen=True, slots=True)
class RootKeyReport:
    """A root key without its secret. hash_name: what makes keys, or why nothing can."""

    key_id: UUID
    created_ft: int
    use_start_ft: int
    kdf: str
    hash_name: str
    secret_agreement: str
    public_key_bits: int
    private_key_bits: int


def root_keys(directory: Directory) -> list[RootKeyReport]:
    """All root keys, oldest first."""
    found = directory.read_now("gkdi", SYSTEM, kds_root_keys.all_keys)
    return [_report(one) for one in sorted(found.values(), key=lambda one: one.create_ft)]


def _report(key: RootKey) -> RootKeyReport:
    try:
        hash_name = gkdi.hash_of(key)
    except GkdiError as error:
        hash_name = f"unusable: {error}"
    return RootKeyReport(
        key.key_id,
        key.create_ft,
        key.use_start_ft,
        key.kdf_algorithm,
        hash_name,
        key.secret_algorithm,
        key.public_key_length,
        key.private_key_length,
    )


def create(
    directory: Directory, start_ft: FileTime | None, *, now: bool = False, dry_run: bool = False
) -> tuple[UUID | None, FileTime]:
    """Make a root key; its identifier, None in a dry run, and the start of its use.

    start_ft: None for ten hours from now. now: it is to be used at once.
    """

    def work(ctx: WriteContext) -> tuple[UUID | None, FileTime]:
        start = FileTime(ctx.now + USE_AFTER_S * TICKS_PER_S) if start_ft is None else start_ft
        if now:
            start = kds_root_keys.usable_at_once_ft(ctx.now)
        return (None if dry_run else kds_new_key.create(ctx, start)), start

    return directory.write_now("gkdi.create", SYSTEM, work)
