"""Adding and modifying attributes and classes of the schema: what the DC completes, checks and takes note of.

Every check is made against the schema NC as it is, not against the schema in force, so that a change that is
accepted can be put in force. Work of SYSTEM, such as a new forest's, is not judged.

Spec: [MS-ADTS] 3.1.1.2.5, 3.1.1.2.3, 3.1.1.2.4.8, 3.1.1.2.1 (schemaInfo), 3.1.1.3.3.14.
"""

from collections.abc import Sequence
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt
from addc.base.rng import new_guid
from addc.codec.dn import Dn
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import fsmo, names, role_scope, schema_cache, schema_objects, write_values
from addc.directory.add_values import Given
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.draft import Draft, draft_of
from addc.directory.schema_references import display_name, resolved
from addc.directory.stamp import save
from addc.schema import attr, cls, consistency, safety
from addc.schema.catalogue import Catalogue, Key, SchemaObject
from addc.schema.consistency import refuse
from addc.schema.elements import (
    FLAG_ATTR_IS_CONSTRUCTED,
    FLAG_ATTR_IS_RDN,
    FLAG_ATTR_NOT_REPLICATED,
    FLAG_SCHEMA_BASE_OBJECT,
    AttributeDef,
    ClassDef,
)
from addc.schema.prefix_map import INT_ID_FIRST
from addc.schema.snapshot import Attribute
from addc.security import sddl
from addc.security.account_flags import SystemFlags
from addc.store.objects import ObjectRow

HARMLESS: Final = frozenset(
    (
        attr.NT_SECURITY_DESCRIPTOR,
        attr.DESCRIPTION,
        attr.ADMIN_DESCRIPTION,
        attr.ADMIN_DISPLAY_NAME,
        attr.SHOW_IN_ADVANCED_VIEW_ONLY,
    )
)
"""What may be changed of any schema object, since no rule looks at it."""

_SETTABLE: Final = int(
    SystemFlags.FLAG_CONFIG_ALLOW_RENAME
    | SystemFlags.FLAG_CONFIG_ALLOW_MOVE
    | SystemFlags.FLAG_CONFIG_ALLOW_LIMITED_MOVE
)
_INT_IDS: Final = 0x4000_0000
"""How many values msDS-IntId can have. Spec: [MS-ADTS] 3.1.1.2.6."""
_OBJECT_SYNTAX: Final = 127
_INFO_MARK: Final = b"\xff"


def relaxes(ctx: WriteContext, dn: str, options: RequestOptions) -> bool:
    """Whether an upgrade of the schema lets what is otherwise the system's be added there.

    Deviation: in the configuration and the schema alone, which is all that an upgrade needs.
    Spec: [MS-ADTS] 3.1.1.5.2.2, 3.1.1.3.3.14.
    """
    return options.schema_upgrade and dn.lower().endswith(ctx.forest.config_dn.lower())


class Addition:
    """What an Add of a schema object needs besides: before the values are stored, after, and at the end.

    Nothing at all for other objects, and for what the system adds.
    """

    __slots__ = ("_catalogue", "_dn", "_flags", "_relaxed")

    _catalogue: Catalogue | None

    def __init__(
        self, ctx: WriteContext, given: Given, dn: Dn, parent: ObjectRow | None, options: RequestOptions
    ) -> None:
        """Refuse what nobody gives, and bring names into the form that the syntaxes take."""
        if not given.plan.is_schema or parent is None or ctx.unrestricted:
            self._catalogue = None
            return
        role_scope.require(ctx, fsmo.SCHEMA_MASTER, parent)
        self._dn = dn
        self._relaxed = options.schema_upgrade
        self._catalogue = schema_objects.catalogue(ctx)
        if attr.MS_DS_INT_ID in given.plain and cls.ATTRIBUTE_SCHEMA in given.plan.all_ids:
            raise refuse(Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, "the DC draws it", "msDS-IntId")
        for att, (attribute, values) in given.plain.items():
            given.plain[att] = (attribute, resolved(self._catalogue, att, values))
        flags = given.plain.pop(attr.SYSTEM_FLAGS, None)
        self._flags = None if flags is None else write_values.stored_values(ctx, *flags)
        _check_category(ctx, given, dn)

    def complete(self, ctx: WriteContext, draft: Draft) -> None:
        """Add the values that the DC makes, then judge the whole."""
        if self._catalogue is None:
            return
        draft.put_if_absent(attr.LDAP_DISPLAY_NAME, display_name(draft.rdn).encode("utf-8"))
        draft.put_if_absent(attr.SCHEMA_IDGUID, new_guid(ctx.rng).bytes_le)
        self._put_flags(draft)
        if cls.CLASS_SCHEMA in draft.plan.all_ids:
            draft.put_if_absent(attr.SUB_CLASS_OF, b"top")
            draft.put_if_absent(attr.SHOW_IN_ADVANCED_VIEW_ONLY, b"TRUE")
            if not draft.has(attr.DEFAULT_OBJECT_CATEGORY):
                draft.put(attr.DEFAULT_OBJECT_CATEGORY, names.reference(write_values.phantom(ctx, self._dn)))
        else:
            _complete_attribute(ctx, draft, self._catalogue)
        is_class = cls.CLASS_SCHEMA in draft.plan.all_ids
        one = schema_objects.of_values(Dnt(0), draft.rdn, draft.attrs, is_class=is_class)
        if one is not None:  # else a mandatory value is missing, which is told as of any object
            _judge(ctx, self._catalogue, one, None)

    def stored(self, ctx: WriteContext) -> None:
        """The object is in the directory."""
        if self._catalogue is not None:
            changed(ctx)

    def _put_flags(self, draft: Draft) -> None:
        """The flags that a requester may set, and that of back links. Spec: 3.1.1.5.2.4, 3.1.1.2.3."""
        flags = 0 if self._flags is None else int(self._flags[0])
        is_attribute = cls.ATTRIBUTE_SCHEMA in draft.plan.all_ids
        if not self._relaxed:
            flags &= _SETTABLE | (FLAG_ATTR_IS_RDN if is_attribute else 0)
        if is_attribute and draft.integer(attr.LINK_ID) & 1:
            flags |= FLAG_ATTR_NOT_REPLICATED
        if flags or self._flags is not None:
            draft.put_integer(attr.SYSTEM_FLAGS, flags)


def _complete_attribute(ctx: WriteContext, draft: Draft, catalogue: Catalogue) -> None:
    """oMObjectClass of syntaxes that need one; msDS-IntId. Spec: 3.1.1.2.2.2, 3.1.1.2.3."""
    if draft.integer(attr.OM_SYNTAX) == _OBJECT_SYNTAX and not draft.has(attr.OM_OBJECT_CLASS):
        syntax = ctx.schema.syntaxes.find(draft.text(attr.ATTRIBUTE_SYNTAX), _OBJECT_SYNTAX)
        if syntax is not None:
            draft.put(attr.OM_OBJECT_CLASS, syntax.om_object_class)
    if not draft.integer(attr.SYSTEM_FLAGS) & FLAG_SCHEMA_BASE_OBJECT:
        draft.put_integer(attr.MS_DS_INT_ID, _new_int_id(ctx, catalogue) - (1 << 32))


def _new_int_id(ctx: WriteContext, catalogue: Catalogue) -> int:
    while True:
        drawn = INT_ID_FIRST + int.from_bytes(ctx.rng.bytes(4), "big") % _INT_IDS
        if not catalogue.find(Key.INT_ID, drawn):
            return drawn


def _check_category(ctx: WriteContext, given: Given, dn: Dn) -> None:
    """defaultObjectCategory names a class, which may be the new one."""
    found = given.plain.get(attr.DEFAULT_OBJECT_CATEGORY)
    if found is None or len(found[1]) != 1:
        return
    text = found[1][0].decode("utf-8", "replace")
    try:
        parsed = names.parse(text)
        if isinstance(parsed, Dn) and str(parsed).lower() == str(dn).lower():
            given.plain.pop(attr.DEFAULT_OBJECT_CATEGORY)
            return
        good = names.resolve(ctx, text).class_id == cls.CLASS_SCHEMA
    except DsError:
        good = False
    if not good:
        raise DsError(
            Win32.ERROR_DS_CONSTRAINT_VIOLATION,
            "the category is no class",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="defaultObjectCategory",
        )


def _judge(ctx: WriteContext, catalogue: Catalogue, one: SchemaObject, was: SchemaObject | None) -> None:
    consistency.check(catalogue, one, ctx.schema.syntaxes, was=was)
    definition = one.definition
    if isinstance(definition, ClassDef) and definition.default_sd:
        if was is not None and isinstance(was.definition, ClassDef):
            if was.definition.default_sd == definition.default_sd:
                return
        try:
            sddl.parse(definition.default_sd, ctx.forest.domain_sid, ctx.forest.domain_sid)
        except DecodeError as error:
            raise refuse(Win32.ERROR_INVALID_SECURITY_DESCR, error.why, "defaultSecurityDescriptor") from None


# --- modify ------------------------------------------------------------------------------------------------


def check_modify(
    ctx: WriteContext, row: ObjectRow, attributes: Sequence[Attribute], options: RequestOptions
) -> None:
    """Whether these attributes of a schema object may be modified at all, and together."""
    role_scope.require(ctx, fsmo.SCHEMA_MASTER, row)
    atts = {attribute.att_id for attribute in attributes}
    if attr.IS_DEFUNCT in atts and len(atts) > 1:
        raise refuse(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "isDefunct changes alone", "isDefunct")
    if options.schema_upgrade:
        return
    if attr.OBJECT_CATEGORY in atts and row.class_id == cls.CLASS_SCHEMA and _is_base(row):
        raise refuse(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "of the base schema", "objectCategory")
    constructed = _flags_of(row) & FLAG_ATTR_IS_CONSTRUCTED and row.class_id == cls.ATTRIBUTE_SCHEMA
    if constructed and not atts <= HARMLESS:
        raise refuse(Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, "the attribute is constructed")


def frees(row: ObjectRow, attribute: Attribute, options: RequestOptions) -> bool:
    """Whether a system-only attribute of this schema object may be written all the same.

    Spec: [MS-ADTS] 3.1.1.5.3.2 (systemFlags, fschemaUpgradeInProgress), 3.1.1.2.3 (mAPIID).
    """
    if attribute.att_id == attr.MS_DS_INT_ID:
        return False
    if options.schema_upgrade:
        return attribute.system_only
    if row.class_id != cls.ATTRIBUTE_SCHEMA:
        return False
    return attribute.att_id == attr.SYSTEM_FLAGS or (attribute.att_id == attr.MAPIID and not _is_base(row))


def values_to_store(ctx: WriteContext, attribute: Attribute, values: Sequence[bytes]) -> Sequence[bytes]:
    """Values of a schema object's attribute as its syntax takes them."""
    return resolved(schema_objects.catalogue(ctx), attribute.att_id, values)


def before_modify(ctx: WriteContext, draft: Draft, options: RequestOptions) -> None:
    """Judge a schema object as it will be."""
    row = draft.row
    assert row is not None
    if set(draft.changed()) <= HARMLESS:
        return
    old = schema_objects.of_row(row)
    is_class = row.class_id == cls.CLASS_SCHEMA
    new = schema_objects.of_values(row.dnt, row.rdn, draft.attrs, is_class=is_class)
    if old is None or new is None:
        return  # a mandatory value is gone, which is told as of any object
    catalogue = schema_objects.catalogue(ctx)
    if draft.changes(attr.IS_DEFUNCT) and new.is_defunct != old.is_defunct:
        if new.is_defunct:
            safety.check_defunct(catalogue, old)
            return
        _judge(ctx, catalogue, new, None)
        return
    if not options.schema_upgrade:
        _check_safe(catalogue, draft, old, new)
    _judge(ctx, catalogue, new, old)


def _check_safe(catalogue: Catalogue, draft: Draft, old: SchemaObject, new: SchemaObject) -> None:
    if isinstance(old.definition, AttributeDef):
        before, after = draft.integer_before(attr.SYSTEM_FLAGS), draft.integer(attr.SYSTEM_FLAGS)
        if before != after and after != before | FLAG_ATTR_IS_RDN:
            raise DsError(
                Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY,
                "only FLAG_ATTR_IS_RDN is set",
                ldap_result=LdapResult.CONSTRAINT_VIOLATION,
                attribute="systemFlags",
            )
        critical = draft.integer(attr.SCHEMA_FLAGS_EX) & safety.FLAG_ATTR_IS_CRITICAL
        safety.check_attribute(old, new, critical=bool(critical))
    else:
        safety.check_class(catalogue, old, new)


def _flags_of(row: ObjectRow) -> int:
    found = row.attrs.get(attr.SYSTEM_FLAGS)
    return int(found[0]) if found else 0


def _is_base(row: ObjectRow) -> bool:
    return bool(_flags_of(row) & FLAG_SCHEMA_BASE_OBJECT)


# --- rename, and what follows from each --------------------------------------------------------------------


def check_rename(ctx: WriteContext, row: ObjectRow, options: RequestOptions) -> None:
    """Spec: [MS-ADTS] 3.1.1.5.4.1."""
    role_scope.require(ctx, fsmo.SCHEMA_MASTER, row)
    if _is_base(row) and not options.schema_upgrade:
        raise refuse(Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, "names of the base schema stay")


def renamed(ctx: WriteContext) -> None:
    """After a rename, which schemaInfo does not count. Spec: 3.1.1.2.1."""
    schema_cache.note_change(ctx)


def changed(ctx: WriteContext) -> None:
    """After an Add or Modify: count it in schemaInfo, and have it put in force. Spec: 3.1.1.2.1."""
    root = ctx.tx.get(ctx.forest.schema_nc)
    assert root is not None
    draft = draft_of(ctx, root)
    held = draft.first(attr.SCHEMA_INFO)
    version = int.from_bytes(held[1:5], "big") + 1 if held is not None and len(held) == 21 else 1
    own = ctx.forest.invocation_id.bytes_le
    draft.put(attr.SCHEMA_INFO, _INFO_MARK + (version & 0xFFFF_FFFF).to_bytes(4, "big") + own)
    save(ctx, draft)
    schema_cache.note_change(ctx)
