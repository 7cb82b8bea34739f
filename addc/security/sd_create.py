"""Building the descriptor of a new object, and recomputing one below a changed parent.

Spec: [MS-DTYP] 2.5.3.4, [MS-ADTS] 6.1.3.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum, IntFlag
from typing import Final, NamedTuple

from addc.codec.ids import Sid
from addc.security import wellknown
from addc.security.access_mask import DS_MAPPING, FILE_MAPPING, GENERIC_BITS, GenericMapping
from addc.security.descriptor import (
    ACCESS_ALLOWED,
    ACCESS_ALLOWED_CALLBACK,
    ACCESS_ALLOWED_CALLBACK_OBJECT,
    ACCESS_ALLOWED_OBJECT,
    ACCESS_DENIED,
    ACCESS_DENIED_CALLBACK,
    ACCESS_DENIED_CALLBACK_OBJECT,
    ACCESS_DENIED_OBJECT,
    CONTAINER_INHERIT,
    INHERIT_ONLY,
    INHERITED,
    NO_PROPAGATE_INHERIT,
    OBJECT_INHERIT,
    OBJECT_TYPES,
    SYSTEM_AUDIT,
    SYSTEM_AUDIT_CALLBACK,
    SYSTEM_AUDIT_CALLBACK_OBJECT,
    SYSTEM_AUDIT_OBJECT,
    Ace,
    Acl,
    Control,
    SecurityDescriptor,
    acl_of,
)
from addc.security.token import Token


class AutoInherit(IntFlag):
    """AutoInheritFlags, [MS-DTYP] 2.5.3.4.1."""

    DACL_AUTO_INHERIT = 0x01
    SACL_AUTO_INHERIT = 0x02
    DEFAULT_DESCRIPTOR_FOR_OBJECT = 0x04
    DEFAULT_OWNER_FROM_PARENT = 0x20
    DEFAULT_GROUP_FROM_PARENT = 0x40


DS_AUTO_INHERIT: Final = AutoInherit.DACL_AUTO_INHERIT | AutoInherit.SACL_AUTO_INHERIT
"""What the directory passes, [MS-ADTS] 6.1.3."""

SECURITY_PRIVATE_OBJECT: Final = 0x01
"""The one resource manager bit that is kept, [MS-ADTS] 6.1.3.3."""

_INHERITANCE: Final = OBJECT_INHERIT | CONTAINER_INHERIT | NO_PROPAGATE_INHERIT | INHERIT_ONLY
_CREATORS: Final = frozenset((wellknown.CREATOR_OWNER, wellknown.CREATOR_GROUP))
_PLAIN_OF_OBJECT: Final = {
    ACCESS_ALLOWED_OBJECT: ACCESS_ALLOWED,
    ACCESS_DENIED_OBJECT: ACCESS_DENIED,
    SYSTEM_AUDIT_OBJECT: SYSTEM_AUDIT,
    ACCESS_ALLOWED_CALLBACK_OBJECT: ACCESS_ALLOWED_CALLBACK,
    ACCESS_DENIED_CALLBACK_OBJECT: ACCESS_DENIED_CALLBACK,
    SYSTEM_AUDIT_CALLBACK_OBJECT: SYSTEM_AUDIT_CALLBACK,
}


class ObjectKind(NamedTuple):
    """What the rules need to know of a kind of object.

    standard_order: put lists into the order of [MS-ADTS] 6.1.3.1.
    """

    is_container: bool = True
    mapping: GenericMapping = DS_MAPPING
    standard_order: bool = True


DS_OBJECT: Final = ObjectKind()
"""Every object of the directory counts as a container."""
FILE: Final = ObjectKind(False, FILE_MAPPING, False)
FOLDER: Final = ObjectKind(True, FILE_MAPPING, False)


class _Maker:
    """The facts of one new object that every entry is worked out with."""

    __slots__ = ("group", "is_container", "mapping", "object_types", "owner")

    def __init__(
        self,
        owner: Sid | None,
        group: Sid | None,
        object_types: Iterable[bytes],
        kind: ObjectKind,
    ) -> None:
        self.owner = owner
        self.group = group
        self.object_types = frozenset(object_types)
        self.is_container = kind.is_container
        self.mapping = kind.mapping

    def _effective(self, ace: Ace, flags: int) -> Ace:
        """An inherited entry as it controls this object alone, with creators and generic rights named.

        The class it was inherited for has done its work and goes; without an object type the entry is plain.
        """
        kind = ace.type
        if kind in OBJECT_TYPES and ace.object_type is None:
            kind = _PLAIN_OF_OBJECT.get(kind, kind)
        mask = self.mapping.map(ace.mask)
        return replace(
            ace, type=kind, flags=flags, mask=mask, sid=self._holder(ace), inherited_object_type=None
        )

    def _holder(self, ace: Ace) -> Sid:
        """Whom an entry is about, the creator SIDs replaced."""
        if ace.sid == wellknown.CREATOR_OWNER and self.owner is not None:
            return self.owner
        if ace.sid == wellknown.CREATOR_GROUP and self.group is not None:
            return self.group
        return ace.sid

    def inherit(self, ace: Ace) -> list[Ace]:
        """What this object gets from one entry of its parent: none, one or two.

        Spec: [MS-DTYP] 2.5.3.4.4 and the table of inherited flags there.
        """
        flags = ace.flags
        propagates = (
            self.is_container
            and bool(flags & (CONTAINER_INHERIT | OBJECT_INHERIT))
            and not flags & NO_PROPAGATE_INHERIT
        )
        applies = bool(flags & (CONTAINER_INHERIT if self.is_container else OBJECT_INHERIT))
        if ace.inherited_object_type is not None and ace.inherited_object_type not in self.object_types:
            applies = False
        if not applies:
            return [replace(ace, flags=flags | INHERIT_ONLY | INHERITED)] if propagates else []
        alone = (flags & ~_INHERITANCE) | INHERITED
        if not propagates:
            return [self._effective(ace, alone)]
        if self._is_general(ace):
            return [
                self._effective(ace, alone),
                replace(ace, flags=flags | INHERIT_ONLY | INHERITED),
            ]
        return [replace(ace, flags=(flags & ~INHERIT_ONLY) | INHERITED)]

    def explicit(self, ace: Ace) -> list[Ace]:
        """What this object gets from one entry that its creator gave: none, one or two.

        Spec: [MS-DTYP] 2.5.3.4.5, 2.5.3.4.7.
        """
        flags = ace.flags & ~INHERITED
        ace = replace(ace, flags=flags) if flags != ace.flags else ace
        handed_down = self.is_container and bool(flags & (CONTAINER_INHERIT | OBJECT_INHERIT))
        if flags & INHERIT_ONLY:
            return [ace] if handed_down else []  # it would never be for anything
        if not self._is_general(ace):
            return [ace]
        # Nothing was inherited: the class that the entry is for stays written down, as for computers.
        effective = replace(
            ace, flags=flags & ~_INHERITANCE, mask=self.mapping.map(ace.mask), sid=self._holder(ace)
        )
        return [effective, replace(ace, flags=flags | INHERIT_ONLY)] if handed_down else [effective]

    @staticmethod
    def _is_general(ace: Ace) -> bool:
        """Whether it means something of its own on each object: by generic rights, or by who created it."""
        return bool(ace.mask & GENERIC_BITS) or ace.sid in _CREATORS

    def compute(
        self, creator: Acl | None, parent: Acl | None, is_protected: bool, default: bool
    ) -> tuple[Ace, ...] | None:
        """ComputeACL: explicit entries, then inherited ones; None where there is neither list.

        parent: None where nothing is to be inherited. default: `creator` gives way to entries of the parent
        that were inherited for this very class.
        Spec: [MS-DTYP] 2.5.3.4.2.
        """
        inherited: list[Ace] = []
        if parent is not None and not is_protected:
            for ace in parent.aces:
                inherited += self.inherit(ace)
        if default and any(
            ace.inherited_object_type in self.object_types for ace in inherited if ace.inherited_object_type
        ):
            creator = None
        if creator is None:
            return tuple(inherited) if inherited else None
        explicit: list[Ace] = []
        for ace in creator.aces:
            if is_protected or not ace.flags & INHERITED:
                explicit += self.explicit(ace)
        return (*explicit, *inherited)


def _rank(ace: Ace) -> tuple[bool, bool, bool]:
    return (bool(ace.flags & INHERITED), not ace.is_deny, ace.type in OBJECT_TYPES)


def standardize(aces: tuple[Ace, ...]) -> tuple[Ace, ...]:
    """Order the entries of a list in canonical form; another list keeps its order. Doubles go.

    Spec: [MS-ADTS] 6.1.3.1.
    """
    seen: set[Ace] = set()
    unique: list[Ace] = []
    for ace in aces:
        if ace not in seen:
            seen.add(ace)
            unique.append(ace)
    ranks = [_rank(ace)[:2] for ace in unique]
    if ranks != sorted(ranks):
        return tuple(unique)
    return tuple(sorted(unique, key=lambda ace: (*_rank(ace), ace.pack())))


def create_sd(
    parent: SecurityDescriptor | None,
    creator: SecurityDescriptor | None,
    token: Token,
    object_types: Iterable[bytes] = (),
    *,
    default_sd: SecurityDescriptor | None = None,
    default_owner: Sid | None = None,
    auto_inherit: int = DS_AUTO_INHERIT,
    kind: ObjectKind = DS_OBJECT,
) -> SecurityDescriptor:
    """The descriptor of a new object, or of one whose parent, class or own entries changed.

    parent: None for the root of a naming context. creator: what the client gave, or the current descriptor;
    its inherited entries do not count. default_sd: taken where `creator` is None. object_types: class GUIDs
    (16 wire bytes) of the structural and dynamic auxiliary classes. default_owner: the default administrators
    group, where the requester is a member; it becomes owner and group of a descriptor that names none.
    Spec: [MS-DTYP] 2.5.3.4.1, [MS-ADTS] 6.1.3.
    """
    given = creator or default_sd or SecurityDescriptor()
    owner, group = _owner_and_group(given, parent, token, auto_inherit, default_owner)
    maker = _Maker(owner, group, object_types, kind)
    default = creator is None and bool(auto_inherit & AutoInherit.DEFAULT_DESCRIPTOR_FOR_OBJECT)
    control = int(Control.SR | Control.DP) | (given.control & int(Control.PD | Control.PS | Control.RM))

    is_protected = bool(given.control & Control.PD)
    inherits = bool(auto_inherit & AutoInherit.DACL_AUTO_INHERIT) and not is_protected
    dacl = maker.compute(given.dacl, parent.dacl if parent and inherits else None, is_protected, default)
    if dacl is None:
        dacl = _token_default(owner, kind.mapping)
    if inherits or (is_protected and given.control & Control.DI):
        control |= Control.DI

    is_protected = bool(given.control & Control.PS)
    inherits = bool(auto_inherit & AutoInherit.SACL_AUTO_INHERIT) and not is_protected
    sacl = maker.compute(given.sacl, parent.sacl if parent and inherits else None, is_protected, default)
    if sacl is not None:
        control |= Control.SP
        if inherits or (is_protected and given.control & Control.SI):
            control |= Control.SI

    return SecurityDescriptor(
        int(control),
        owner,
        group,
        None if sacl is None else _list(sacl, given.sacl, kind),
        _list(dacl, given.dacl, kind),
        given.sbz1 & SECURITY_PRIVATE_OBJECT if given.control & Control.RM else 0,
    )


def _owner_and_group(
    given: SecurityDescriptor,
    parent: SecurityDescriptor | None,
    token: Token,
    auto_inherit: int,
    default_owner: Sid | None,
) -> tuple[Sid | None, Sid | None]:
    """Steps 1 and 2 of [MS-DTYP] 2.5.3.4.1 with the defaults of [MS-ADTS] 6.1.3.7."""
    owner, group = given.owner, given.group
    if owner is None:
        if auto_inherit & AutoInherit.DEFAULT_OWNER_FROM_PARENT and parent is not None:
            owner = parent.owner
        else:
            owner = default_owner or token.owner or token.user
            group = group or default_owner
    if group is None:
        from_parent = auto_inherit & AutoInherit.DEFAULT_GROUP_FROM_PARENT and parent is not None
        group = parent.group if parent is not None and from_parent else token.primary_group
    return owner, group


def _list(aces: tuple[Ace, ...], given: Acl | None, kind: ObjectKind) -> Acl:
    """A list in its final order, at least of the revision the creator used."""
    made = acl_of(standardize(aces) if kind.standard_order else aces)
    if given is not None and given.revision > made.revision:
        return Acl(given.revision, made.aces)
    return made


def _token_default(owner: Sid | None, mapping: GenericMapping) -> tuple[Ace, ...]:
    """The default DACL of a token: everything for the owner and for the system."""
    holders = (owner, wellknown.LOCAL_SYSTEM) if owner is not None else (wellknown.LOCAL_SYSTEM,)
    return tuple(Ace(ACCESS_ALLOWED, 0, mapping.all, sid) for sid in holders)


class NcKind(Enum):
    """Where an object lives, for the choice of its default administrators."""

    DOMAIN = "domain"
    CONFIGURATION = "configuration"
    SCHEMA = "schema"
    APPLICATION = "application"


def default_administrators_group(token: Token, nc: NcKind, domain_sid: Sid, root_sid: Sid) -> Sid | None:
    """The DAG: the administrators' group that owns what its members create; None where it is undefined.

    domain_sid: of the object's domain, the DC's domain, or the sdReferenceDomain of an application NC.
    root_sid: of the forest root domain.
    Spec: [MS-ADTS] 6.1.3.8.
    """
    domain_admins = domain_sid.child(wellknown.RID_DOMAIN_ADMINS)
    enterprise_admins = root_sid.child(wellknown.RID_ENTERPRISE_ADMINS)
    order: tuple[Sid, ...]
    match nc:
        case NcKind.DOMAIN | NcKind.APPLICATION:
            order = (domain_admins, enterprise_admins)
        case NcKind.CONFIGURATION:
            order = (enterprise_admins, domain_admins)
        case NcKind.SCHEMA:
            order = (root_sid.child(wellknown.RID_SCHEMA_ADMINS), enterprise_admins, domain_admins)
    return next((sid for sid in order if sid in token.sids), None)
