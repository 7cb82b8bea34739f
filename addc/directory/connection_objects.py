"""nTDSConnection objects and the ISTG role as the KCC writes them, by the directory's own recipes.

Spec: [MS-ADTS] 6.2.2.2, 6.2.2.3.4.5, 6.2.2.4.
"""

from collections.abc import Sequence

from addc.base.errors import DsError
from addc.directory import names
from addc.directory.add import add_object
from addc.directory.changes import Change, ModOp
from addc.directory.context import WriteContext
from addc.directory.delete import delete_row
from addc.directory.modify import modify_row
from addc.schema import cls
from addc.store.objects import ObjectRow, ObjectState

Values = Sequence[tuple[str, Sequence[bytes]]]


def add_connection(ctx: WriteContext, dn: str, attributes: Values) -> None:
    """Make a connection. Raises DsError where its DC or its source is gone."""
    add_object(ctx, dn, attributes)


def change_connection(ctx: WriteContext, guid: bytes, attributes: Values) -> bool:
    """Set attributes of a connection, none of the others; False where it is gone."""
    row = _connection(ctx, guid)
    if row is None:
        return False
    modify_row(ctx, row, [Change(ModOp.REPLACE, name, values) for name, values in attributes])
    return True


def remove_connection(ctx: WriteContext, guid: bytes) -> bool:
    """Delete a connection; False where it is gone."""
    row = _connection(ctx, guid)
    if row is None:
        return False
    delete_row(ctx, row)
    return True


def name_generator(ctx: WriteContext, settings_dn: str, dsa_dn: str) -> bool:
    """Write interSiteTopologyGenerator of a site's settings; False where there are none."""
    try:
        row = names.resolve(ctx, settings_dn)
    except DsError:
        return False
    modify_row(ctx, row, [Change(ModOp.REPLACE, "interSiteTopologyGenerator", (dsa_dn.encode(),))])
    return True


def _connection(ctx: WriteContext, guid: bytes) -> ObjectRow | None:
    row = ctx.tx.by_guid(guid)
    if row is None or row.state is not ObjectState.LIVE or row.class_id != cls.NTDS_CONNECTION:
        return None
    return row
