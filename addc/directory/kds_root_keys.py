"""Root keys of group key distribution: where they stand, and which one is for what time.

Spec: [MS-GKDI] 1.9, 3.1.1, 3.1.4.1.
"""

from typing import Final
from uuid import UUID

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.base.secret import Secret
from addc.codes.hresult import HResult
from addc.codes.ldap_result import LdapResult
from addc.directory import entry, names
from addc.directory.context import Fact, ReadContext
from addc.schema import attr, cls
from addc.security import gkdi
from addc.security.gkdi import RootKey
from addc.store.objects import ObjectRow, ObjectState

SERVICE: Final = "CN=Group Key Distribution Service,CN=Services"
_USABLE_AFTER_FT: Final = gkdi.KEY_CYCLE_FT + gkdi.MAX_CLOCK_SKEW_FT

_KEYS: Final[Fact[dict[UUID, RootKey]]] = Fact()


def container_dn(ctx: ReadContext) -> str:
    return f"CN=Master Root Keys,{SERVICE},{ctx.forest.config_dn}"


def all_keys(ctx: ReadContext) -> dict[UUID, RootKey]:
    """Every root key that can be read, by its identifier; kept until something is committed."""
    return _KEYS.get(ctx, ctx.tx.seq, lambda: _read_all(ctx))


def _read_all(ctx: ReadContext) -> dict[UUID, RootKey]:
    try:
        container = names.resolve(ctx, container_dn(ctx))
    except DsError:
        return {}
    found = {}
    for row in names.children(ctx, container.dnt):
        if row.state is ObjectState.LIVE and row.class_id == cls.MS_KDS_PROV_ROOT_KEY:
            key = _read(row)
            if key is not None:
                found[key.key_id] = key
    return found


def _read(row: ObjectRow) -> RootKey | None:
    data = entry.first(row, attr.MS_KDS_ROOT_KEY_DATA)
    try:
        key_id = UUID(row.rdn)
    except ValueError:
        return None
    if data is None:
        return None
    return RootKey(
        key_id,
        Secret(data),
        entry.integer(row, attr.MS_KDS_CREATE_TIME),
        entry.integer(row, attr.MS_KDS_USE_START_TIME),
        entry.integer(row, attr.MS_KDS_VERSION),
        entry.text(row, attr.MS_KDS_KDF_ALGORITHM_ID) or "",
        entry.first(row, attr.MS_KDS_KDF_PARAM) or b"",
        entry.text(row, attr.MS_KDS_SECRET_AGREEMENT_ALGORITHM_ID) or "",
        entry.first(row, attr.MS_KDS_SECRET_AGREEMENT_PARAM) or b"",
        entry.integer(row, attr.MS_KDS_PRIVATE_KEY_LENGTH),
        entry.integer(row, attr.MS_KDS_PUBLIC_KEY_LENGTH),
    )


def key_for(ctx: ReadContext, start_ft: int) -> RootKey | None:
    """The newest root key that may be used for a span that begins then.

    Spec: [MS-GKDI] 3.1.4.1 (4: the highest msKds-CreateTime).
    """
    fit = [one for one in all_keys(ctx).values() if 0 < one.use_start_ft <= start_ft]
    return max(fit, key=lambda one: one.create_ft, default=None)


def usable_at_once_ft(now: FileTime) -> FileTime:
    """The start of use that lets a key serve the span that now lies in."""
    return FileTime(now - _USABLE_AFTER_FT)


def no_key(ctx: ReadContext) -> DsError:
    """The refusal of what needs a root key, with what to do about it."""
    if all_keys(ctx):
        why = "no KDS root key is in force yet"
    else:
        why = "the forest has no KDS root key"
    why += "; next step: addc gkdi create-root-key --effective-now"
    return DsError(HResult.NTE_NO_KEY, why, ldap_result=LdapResult.UNWILLING_TO_PERFORM)
