"""New root keys for group key distribution, by the forest's server configuration.

Spec: [MS-GKDI] 3.1.4.1.1.
"""

from typing import Final
from uuid import UUID

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.base.rng import new_guid
from addc.directory import entry, names
from addc.directory.add import add_object
from addc.directory.context import ReadContext, WriteContext
from addc.directory.kds_root_keys import SERVICE, container_dn
from addc.schema import attr
from addc.security import gkdi
from addc.store.objects import ObjectRow, ObjectState

CLASS_NAME: Final = b"msKds-ProvRootKey"
_CONFIGURED: Final[tuple[tuple[tuple[AttId, str], ...], ...]] = (
    ((attr.MS_KDS_VERSION, "msKds-Version"),),
    ((attr.MS_KDS_KDF_ALGORITHM_ID, "msKds-KDFAlgorithmID"), (attr.MS_KDS_KDF_PARAM, "msKds-KDFParam")),
    (
        (attr.MS_KDS_SECRET_AGREEMENT_ALGORITHM_ID, "msKds-SecretAgreementAlgorithmID"),
        (attr.MS_KDS_SECRET_AGREEMENT_PARAM, "msKds-SecretAgreementParam"),
        (attr.MS_KDS_PUBLIC_KEY_LENGTH, "msKds-PublicKeyLength"),
        (attr.MS_KDS_PRIVATE_KEY_LENGTH, "msKds-PrivateKeyLength"),
    ),
)
"""What goes together; it counts where the first is there."""


def values(data: bytes, created_ft: int, use_start_ft: int, computer_dn: str) -> dict[str, bytes]:
    """The attributes of a root key where the server configuration says nothing.

    data: 64 random bytes. computer_dn: of the DC that makes it.
    """
    return {
        "msKds-RootKeyData": data,
        "msKds-CreateTime": b"%d" % created_ft,
        "msKds-UseStartTime": b"%d" % use_start_ft,
        "msKds-DomainID": computer_dn.encode("utf-8"),
        "msKds-Version": b"1",
        "msKds-KDFAlgorithmID": gkdi.KDF_ALGORITHM.encode(),
        "msKds-KDFParam": gkdi.default_kdf_parameters(),
        "msKds-SecretAgreementAlgorithmID": gkdi.DEFAULT_AGREEMENT.encode(),
        "msKds-SecretAgreementParam": gkdi.default_secret_parameters(),
        "msKds-PublicKeyLength": b"%d" % gkdi.DEFAULT_PUBLIC_BITS,
        "msKds-PrivateKeyLength": b"%d" % gkdi.DEFAULT_PRIVATE_BITS,
    }


def create(ctx: WriteContext, use_start_ft: FileTime) -> UUID:
    """Make a root key by the server configuration; its identifier.

    use_start_ft: from when on keys may be made of it. Raises DsError where the requester may not.
    Spec: [MS-GKDI] 3.1.4.1.1.
    """
    key_id = new_guid(ctx.rng)
    computer = names.dn_of(ctx, _computer(ctx).dnt)
    made = values(ctx.rng.bytes(gkdi.KEY_SIZE), ctx.now, use_start_ft, computer) | _configured(ctx)
    attributes = [("objectClass", [CLASS_NAME]), *((name, [value]) for name, value in made.items() if value)]
    add_object(ctx, f"CN={key_id},{container_dn(ctx)}", attributes)
    return key_id


def _computer(ctx: ReadContext) -> ObjectRow:
    """The DC's own account; the domain where it has none."""
    server = ctx.tx.get(ctx.forest.server_dnt)
    for value in () if server is None else server.attrs.get(attr.SERVER_REFERENCE, ()):
        row = ctx.tx.get(names.reference_dnt(value))
        if row is not None and row.state is ObjectState.LIVE:
            return row
    domain = ctx.tx.get(ctx.forest.domain_nc)
    assert domain is not None
    return domain


def _configured(ctx: ReadContext) -> dict[str, bytes]:
    """What the server configuration says otherwise; b"" for what it leaves out of an algorithm it names."""
    dn = f"CN=Group Key Distribution Service Server Configuration,CN=Server Configuration,{SERVICE}"
    try:
        row = names.resolve(ctx, f"{dn},{ctx.forest.config_dn}")
    except DsError:
        return {}
    found: dict[str, bytes] = {}
    for group in _CONFIGURED:
        if entry.first(row, group[0][0]) is not None:
            found |= {name: entry.first(row, att) or b"" for att, name in group}
    return found
