"""GetKey: seed keys for those whom a descriptor lets in, public keys for those who may only encrypt for them.

Spec: [MS-GKDI] 3.1.4.1.
"""

from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.codes.hresult import HResult
from addc.directory import kds_root_keys
from addc.directory.context import ReadContext
from addc.rpc.call import PRIVACY_ONLY, Call, InterfaceServer
from addc.rpc.interfaces.gkdi.idl import ISDKEY, GetKey, GetKeyResponse
from addc.security.access_check import access_check
from addc.security.access_mask import GenericMapping
from addc.security.descriptor import SecurityDescriptor
from addc.security.gkdi import KEYS_PER_LEVEL, GkdiError, GroupKeyId, RootKey, public_envelope, seed_envelope

_SEED: Final = 0x3
_PUBLIC: Final = 0x2
_MAPPING: Final = GenericMapping(0, 0, 0, _SEED)
_LATEST: Final = (-1, -1, -1)


class _RefusedError(Exception):
    """status: what the client is told."""

    def __init__(self, status: HResult) -> None:
        super().__init__(status)
        self.status = status


async def get_key(call: Call, request: GetKey) -> GetKeyResponse:
    """Spec: [MS-GKDI] 3.1.4.1."""
    try:
        blob = await call.directory.read(
            "gkdi.get_key", call.requester, lambda ctx: _answer(ctx, request), point=True
        )
    except _RefusedError as error:
        return GetKeyResponse(status=error.status)
    except GkdiError:
        return GetKeyResponse(status=HResult.NTE_BAD_KEY)
    return GetKeyResponse(blob)


def _answer(ctx: ReadContext, request: GetKey) -> bytes:
    asked = (request.l0_key_id, request.l1_key_id, request.l2_key_id)
    try:
        descriptor = SecurityDescriptor.unpack(request.pb_target_sd)
    except DecodeError:
        raise _RefusedError(HResult.E_INVALIDARG) from None
    now = GroupKeyId.at(ctx.now)
    if asked != _LATEST and (min(asked) < 0 or max(asked[1:]) >= KEYS_PER_LEVEL):
        raise _RefusedError(HResult.E_INVALIDARG)
    if asked > now:
        raise _RefusedError(HResult.E_INVALIDARG)
    with_seed = _allows(ctx, descriptor, _SEED)
    if not with_seed and not (asked == _LATEST and _allows(ctx, descriptor, _PUBLIC)):
        raise _RefusedError(HResult.E_ACCESSDENIED)
    key_id = _identifier(request, asked, now)
    root = _root(ctx, request, asked, key_id)
    envelope = seed_envelope if with_seed else public_envelope
    forest = ctx.forest
    return envelope(root, request.pb_target_sd, key_id, forest.dns_domain, forest.dns_forest).pack()


def _allows(ctx: ReadContext, descriptor: SecurityDescriptor, desired: int) -> bool:
    try:
        access_check(descriptor, ctx.requester, desired, mapping=_MAPPING)
    except DsError:
        return False
    return True


def _identifier(request: GetKey, asked: tuple[int, int, int], now: GroupKeyId) -> GroupKeyId:
    """Which key is made: of a named root key's past span the newest, from which the others follow."""
    if request.p_root_key_id is None and asked != _LATEST:
        return GroupKeyId(*asked)
    if request.p_root_key_id is not None and 0 <= asked[0] < now.l0:
        return GroupKeyId(asked[0], KEYS_PER_LEVEL - 1, KEYS_PER_LEVEL - 1)
    return now


def _root(ctx: ReadContext, request: GetKey, asked: tuple[int, int, int], key_id: GroupKeyId) -> RootKey:
    """The root key asked for, the newest in force, or the one that was in force then."""
    keys = kds_root_keys.all_keys(ctx)
    if request.p_root_key_id is not None:
        root = keys.get(request.p_root_key_id)
    elif asked == _LATEST:
        in_force = [one for one in keys.values() if one.use_start_ft <= ctx.now]
        root = max(in_force, key=lambda one: one.use_start_ft, default=None)
    else:
        root = kds_root_keys.key_for(ctx, key_id.start_ft)
    if root is None:
        raise _RefusedError(HResult.NTE_NO_KEY)
    return root


SERVER: Final = InterfaceServer(
    ISDKEY, {0: get_key}, levels=PRIVACY_ONLY, annotation="Microsoft Key Distribution Service"
)
