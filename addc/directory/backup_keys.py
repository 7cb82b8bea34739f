"""The domain's keys for wrapping users' secrets: global secrets of the LSA, so that every DC has them.

Spec: [MS-BKRP] 3.1.1, 3.1.4.1.1 - 3.1.4.1.4.
"""

from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.rng import new_guid
from addc.base.secret import Secret
from addc.codec.backup_key import SERVER_KEY_SIZE, ClientWrapPair, pack_server_key, unpack_server_key
from addc.codec.ids import guid_from_wire
from addc.directory import lsa_secrets
from addc.directory.context import ReadContext, WriteContext

_PREFERRED_PAIR: Final = "G$BCKUPKEY_PREFERRED"
_PREFERRED_KEY: Final = "G$BCKUPKEY_P"


def _name(key_id: UUID) -> str:
    return f"G$BCKUPKEY_{key_id}"


def _value(ctx: ReadContext, name: str) -> bytes | None:
    found = lsa_secrets.find(ctx, name)
    return None if found is None or found.current is None else found.current.reveal()


def _preferred(ctx: ReadContext, name: str) -> UUID | None:
    value = _value(ctx, name)
    return None if value is None or len(value) != 16 else guid_from_wire(value)


def pair(ctx: ReadContext, key_id: UUID) -> ClientWrapPair | None:
    """A ClientWrap key pair; None where there is none of that name."""
    value = _value(ctx, _name(key_id))
    try:
        return None if value is None else ClientWrapPair.unpack(value)
    except DecodeError:
        return None


def preferred_pair(ctx: ReadContext) -> ClientWrapPair | None:
    """The pair that clients wrap with now; None before the first, or where it is damaged."""
    key_id = _preferred(ctx, _PREFERRED_PAIR)
    return None if key_id is None else pair(ctx, key_id)


def set_preferred_pair(ctx: WriteContext, key_id: UUID, made: ClientWrapPair) -> ClientWrapPair:
    """Keep a new pair and prefer it, unless another came first; the preferred one."""
    present = preferred_pair(ctx)
    if present is not None:
        return present
    _keep(ctx, _PREFERRED_PAIR, key_id, made.pack())
    return made


def server_key(ctx: ReadContext, key_id: UUID) -> Secret | None:
    """A ServerWrap key; None where there is none of that name."""
    value = _value(ctx, _name(key_id))
    try:
        return None if value is None else Secret(unpack_server_key(value))
    except DecodeError:
        return None


def current_server_key(ctx: WriteContext) -> tuple[UUID, Secret]:
    """The key that this server wraps with, made if there is none yet."""
    key_id = _preferred(ctx, _PREFERRED_KEY)
    key = None if key_id is None else server_key(ctx, key_id)
    if key_id is not None and key is not None:
        return key_id, key
    key_id, key = new_guid(ctx.rng), Secret(ctx.rng.bytes(SERVER_KEY_SIZE))
    _keep(ctx, _PREFERRED_KEY, key_id, pack_server_key(key.reveal()))
    return key_id, key


def _keep(ctx: WriteContext, preferred: str, key_id: UUID, value: bytes) -> None:
    for name, content in ((_name(key_id), value), (preferred, key_id.bytes_le)):
        if lsa_secrets.find(ctx, name) is None:
            lsa_secrets.create(ctx, name)
        lsa_secrets.set_values(ctx, name, Secret(content), None)
