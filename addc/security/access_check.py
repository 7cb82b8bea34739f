"""Which rights a descriptor gives a requester: for one question, and prepared for many.

Every rule of order is the same: for one right at one node, the first entry that names it decides.

Spec: [MS-DTYP] 2.5.3.2, [MS-ADTS] 5.1.3.3.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final, NamedTuple

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.security import claims, wellknown
from addc.security.access_mask import DS_ALL, DS_MAPPING, AccessMask, GenericMapping
from addc.security.descriptor import (
    ALLOW_TYPES,
    AUDIT_TYPES,
    CALLBACK_TYPES,
    DENY_TYPES,
    FAILED_ACCESS,
    INHERIT_ONLY,
    SUCCESSFUL_ACCESS,
    Acl,
    Control,
    SecurityDescriptor,
)
from addc.security.token import Privilege, Token

_SYSTEM_SECURITY: Final = int(AccessMask.ACCESS_SYSTEM_SECURITY)
_WRITE_OWNER: Final = int(AccessMask.RIGHT_WRITE_OWNER)
_MAXIMUM_ALLOWED: Final = int(AccessMask.MAXIMUM_ALLOWED)
_OWNER_IMPLICIT: Final = int(AccessMask.RIGHT_READ_CONTROL | AccessMask.RIGHT_WRITE_DAC)
"""[MS-DTYP] 2.5.3.2, [MS-ADTS] 6.1.3.4; neither has the RIGHT_WRITE_OWNER of [MS-ADTS] 5.1.3.3.2."""
_READ_PROPERTY: Final = int(AccessMask.RIGHT_DS_READ_PROPERTY)
_NEVER_OF_OWN_CLASS: Final = int(
    AccessMask.RIGHT_DS_CREATE_CHILD
    | AccessMask.RIGHT_DS_DELETE_CHILD
    | AccessMask.RIGHT_DS_CONTROL_ACCESS
    | AccessMask.RIGHT_DS_WRITE_PROPERTY_EXTENDED
)
_SE_SECURITY: Final = int(Privilege.SE_SECURITY)
_SE_TAKE_OWNERSHIP: Final = int(Privilege.SE_TAKE_OWNERSHIP)


class _Step(NamedTuple):
    """An entry of the DACL that can decide something."""

    sid: Sid
    allow: bool
    mask: int
    object_type: bytes | None
    condition: bytes | None


class Audit(NamedTuple):
    """An entry of the SACL that asks for records. flags: SUCCESSFUL_ACCESS, FAILED_ACCESS, or both."""

    flags: int
    mask: int
    object_type: bytes | None
    sid: Sid
    condition: bytes | None


class _Plan(NamedTuple):
    """A descriptor made ready for evaluation; `open` = no DACL, everything is granted."""

    open: bool
    steps: tuple[_Step, ...]
    owner: Sid | None
    owner_rights: bool
    sacl: Acl | None
    audits: tuple[Audit, ...]


def _plan(sd: SecurityDescriptor) -> _Plan:
    """What evaluation needs of `sd`; made once per descriptor."""
    plan = sd.plan
    if plan is not None:
        assert isinstance(plan, _Plan)
        return plan
    if sd.dacl is None or not sd.control & Control.DP:
        plan = _Plan(True, (), sd.owner, False, sd.sacl, _audits(sd))
    else:
        steps = tuple(
            _Step(
                ace.sid,
                ace.type in ALLOW_TYPES,
                int(ace.mask),
                ace.object_type,
                ace.data if ace.type in CALLBACK_TYPES else None,
            )
            for ace in sd.dacl.aces
            if not ace.flags & INHERIT_ONLY and (ace.type in ALLOW_TYPES or ace.type in DENY_TYPES)
        )
        owner_rights = any(step.sid == wellknown.OWNER_RIGHTS for step in steps)
        plan = _Plan(False, steps, sd.owner, owner_rights, sd.sacl, _audits(sd))
    object.__setattr__(sd, "plan", plan)
    return plan


def _audits(sd: SecurityDescriptor) -> tuple[Audit, ...]:
    """The SACL's entries that ask for records about this object."""
    if sd.sacl is None or not sd.control & Control.SP:
        return ()
    return tuple(
        Audit(
            ace.flags & (SUCCESSFUL_ACCESS | FAILED_ACCESS),
            int(ace.mask),
            ace.object_type,
            ace.sid,
            ace.data if ace.type in CALLBACK_TYPES else None,
        )
        for ace in sd.sacl.aces
        if not ace.flags & INHERIT_ONLY and ace.type in AUDIT_TYPES
    )


def _audits_of(plan: _Plan, token: Token, self_sid: Sid | None) -> tuple[Audit, ...]:
    """The audit entries about this requester; one whose condition cannot be evaluated counts."""
    sids = _subjects(plan, token, self_sid)
    return tuple(
        one
        for one in plan.audits
        if one.sid in sids
        and (one.condition is None or claims.evaluate(one.condition, token, plan.sacl) is not False)
    )


def _subjects(plan: _Plan, token: Token, self_sid: Sid | None) -> frozenset[Sid]:
    """The token's SIDs, with PRINCIPAL_SELF and OWNER RIGHTS added where they mean the requester.

    Spec: [MS-DTYP] 2.5.3.1.1 (SidInToken).
    """
    sids = token.sids
    if self_sid is not None and self_sid in sids:
        sids = sids | _SELF
    if plan.owner_rights and plan.owner is not None and plan.owner in token.sids:
        sids = sids | _OWNER
    return sids


_SELF: Final = frozenset((wellknown.PRINCIPAL_SELF,))
_OWNER: Final = frozenset((wellknown.OWNER_RIGHTS,))


def _applicable(plan: _Plan, token: Token, self_sid: Sid | None) -> list[_Step]:
    """The steps that speak about this requester.

    A condition that cannot be evaluated lets a deny entry apply and an allow entry not.
    Spec: [MS-DTYP] 2.4.4.17.3.
    """
    sids = _subjects(plan, token, self_sid)
    found = [step for step in plan.steps if step[0] in sids]
    if any(step.condition is not None for step in found):
        found = [step for step in found if _condition_holds(step, plan, token)]
    return found


def _condition_holds(step: _Step, plan: _Plan, token: Token) -> bool:
    if step.condition is None:
        return True
    result = claims.evaluate(step.condition, token, plan.sacl)
    return result is True or (result is None and not step.allow)


def _beyond_dacl(plan: _Plan, token: Token) -> int:
    """Rights from privileges, and those of the owner where no OWNER RIGHTS entry stands."""
    extra = 0
    privileges = int(token.privileges)
    if privileges & _SE_SECURITY:
        extra |= _SYSTEM_SECURITY
    if privileges & _SE_TAKE_OWNERSHIP:
        extra |= _WRITE_OWNER
    if plan.owner is not None and not plan.owner_rights and plan.owner in token.sids:
        extra |= _OWNER_IMPLICIT
    return extra


class Grants:
    """What one descriptor gives one requester; cheap to ask, meant to be cached.

    object_mask: rights on the object as a whole. uniform_read: every property may be read.
    audit_success, audit_failure: rights of which the SACL may want to hear when they are used or refused.
    Spec: [MS-ADTS] 5.1.3.3.2 - 5.1.3.3.5.
    """

    __slots__ = (
        "_audits", "_memo", "_scoped", "_steps", "_undecided", "audit_failure", "audit_success",
        "object_mask", "uniform_read",
    )  # fmt: skip

    def __init__(
        self,
        object_mask: int,
        steps: list[tuple[bytes | None, bool, int]],
        audits: tuple[Audit, ...] = (),
    ) -> None:
        """object_mask: from whole-object entries. steps: (object type, allow, mask) in order, all of them.

        audits: the entries of the SACL about the requester.
        """
        self.object_mask = object_mask
        self._steps = steps
        scoped_deny = scoped_allow = granted = denied = 0
        for object_type, allow, mask in steps:
            if object_type is None:
                if allow:
                    granted |= mask & ~denied
                else:
                    denied |= mask & ~granted
            elif allow:
                scoped_allow |= mask & ~(granted | denied)
            else:
                scoped_deny |= mask & ~(granted | denied)
        self._scoped = scoped_allow | scoped_deny
        self._undecided = scoped_allow
        self.uniform_read = bool(object_mask & _READ_PROPERTY) and not scoped_deny & _READ_PROPERTY
        self._memo: dict[tuple[int, bytes, bytes | None], bool] = {}
        self._audits = audits
        self.audit_success = self.audit_failure = 0
        for one in audits:
            self.audit_success |= one.mask if one.flags & SUCCESSFUL_ACCESS else 0
            self.audit_failure |= one.mask if one.flags & FAILED_ACCESS else 0

    def has(self, right: int) -> bool:
        """Whether every bit of `right` is granted on the object as a whole."""
        return int.__and__(self.object_mask, right) == right

    def allows(self, right: int, guid: bytes, set_guid: bytes | None = None) -> bool:
        """Whether `right` is granted on one attribute, class, extended right or validated write.

        guid: its schemaIDGUID or rightsGuid, 16 wire bytes. set_guid: the property set of an attribute.
        """
        known = self._memo.get((right, guid, set_guid))
        if known is not None:
            return known
        answer = self._decide(int(right), guid, set_guid)
        self._memo[(int(right), guid, set_guid)] = answer
        return answer

    def _decide(self, right: int, guid: bytes, set_guid: bytes | None) -> bool:
        if not right & self._scoped:
            return self.object_mask & right == right
        granted = denied = 0
        for object_type, allow, mask in self._steps:
            if object_type is None or object_type in (guid, set_guid):
                if allow:
                    granted |= mask & ~denied
                else:
                    denied |= mask & ~granted
        return granted & right == right

    def audited(self, right: int, guids: Container[bytes], *, success: bool) -> int:
        """Which bits of `right` the SACL wants a record of, when they are used on what has these GUIDs.

        success: whether the right was granted. Spec: [MS-DTYP] 2.4.4.10, 2.4.4.11.
        """
        wanted = SUCCESSFUL_ACCESS if success else FAILED_ACCESS
        found = 0
        for one in self._audits:
            if one.flags & wanted and (one.object_type is None or one.object_type in guids):
                found |= one.mask & right
        return found

    def widened(self, mask: int) -> "Grants":
        """The same with `mask` on top, on the object and on all that is in it."""
        return Grants(self.object_mask | mask, [(None, True, mask), *self._steps], self._audits)

    def any_scoped(self, right: int) -> bool:
        """Whether an entry for one property or class may grant `right` beyond the whole object's."""
        return bool(self._undecided & right)


def evaluate(
    sd: SecurityDescriptor, token: Token, self_sid: Sid | None = None, class_guid: bytes | None = None
) -> Grants:
    """All that `sd` gives `token`.

    self_sid: objectSid of the object, for PRINCIPAL_SELF. class_guid: schemaIDGUID of the object's own class:
    an entry for it is one for the whole object ([MS-ADTS] 5.1.3.3.3, the root of the tree). Not so for what a
    class means below the object, nor for rights that have GUIDs of their own (5.1.3.3.4, 5.1.3.3.5).
    """
    plan = _plan(sd)
    audits = _audits_of(plan, token, self_sid) if plan.audits else ()
    if plan.open:
        return Grants(DS_ALL | _beyond_dacl(plan, token), [], audits)
    steps: list[tuple[bytes | None, bool, int]] = []
    granted = denied = 0
    for _, allow, mask, object_type, _ in _applicable(plan, token, self_sid):
        whole = mask if object_type is None else 0
        if object_type is not None and object_type == class_guid:
            whole = mask & ~_NEVER_OF_OWN_CLASS
        if mask & ~whole:
            steps.append((object_type, allow, mask & ~whole))
        if whole:
            steps.append((None, allow, whole))
        if allow:
            granted |= whole & ~denied
        else:
            denied |= whole & ~granted
    return Grants(granted | _beyond_dacl(plan, token), steps, audits)


@dataclass(frozen=True, slots=True)
class ObjectTree:
    """OBJECT_TYPE_LIST as a tree: class over property sets over attributes.

    Spec: [MS-DTYP] 2.5.3.2, [MS-ADTS] 5.1.3.3.3.
    """

    guid: bytes
    children: tuple["ObjectTree", ...] = ()


class _Node:
    """A tree node with what is granted and denied at it."""

    __slots__ = ("children", "denied", "granted", "guid", "parent")

    def __init__(self, tree: ObjectTree, parent: "_Node | None") -> None:
        self.guid = tree.guid
        self.parent = parent
        self.granted = 0
        self.denied = 0
        self.children = [_Node(child, self) for child in tree.children]

    def walk(self) -> list["_Node"]:
        """This node and all below it."""
        found = [self]
        for child in self.children:
            found += child.walk()
        return found

    def allow(self, mask: int) -> None:
        """Grant here and below; a parent gets what all its children have."""
        for node in self.walk():
            node.granted |= mask & ~node.denied
        parent = self.parent
        while parent is not None:
            common = mask
            for child in parent.children:
                common &= child.granted
            parent.granted |= common & ~parent.denied
            parent = parent.parent

    def deny(self, mask: int) -> None:
        """Deny here, below and, since the whole is then not granted, above."""
        refused = mask & ~self.granted
        for node in self.walk():
            node.denied |= mask & ~node.granted
        above = self.parent
        while above is not None:
            above.denied |= refused & ~above.granted
            above = above.parent


def _granted(plan: _Plan, token: Token, tree: ObjectTree | None, self_sid: Sid | None) -> int:
    """Rights at the root of `tree`."""
    root = _Node(tree or ObjectTree(b""), None)
    nodes = {node.guid: node for node in root.walk()}
    for step in _applicable(plan, token, self_sid):
        node = root if step.object_type is None else nodes.get(step.object_type)
        if node is None:
            continue
        if step.allow:
            node.allow(step.mask)
        else:
            node.deny(step.mask)
    return root.granted


def access_check(
    sd: SecurityDescriptor,
    token: Token,
    desired: int,
    tree: ObjectTree | None = None,
    self_sid: Sid | None = None,
    *,
    mapping: GenericMapping = DS_MAPPING,
) -> AccessMask:
    """Grant the rights that `sd` gives `token`.

    desired: rights asked for, generic ones allowed; MAXIMUM_ALLOWED asks for all there are.
    tree: property sets over attributes; None for a plain object. The rights must hold at its root.
    mapping: what generic rights mean to this kind of object.
    Raises DsError(ERROR_ACCESS_DENIED) if a desired right is missing.
    Spec: [MS-DTYP] 2.5.3.2, [MS-ADTS] 5.1.3.3.
    """
    wanted = mapping.map(desired)
    plan = _plan(sd)
    granted = mapping.all if plan.open else _granted(plan, token, tree, self_sid)
    # privileges answer only to the right they stand for, not to MAXIMUM_ALLOWED
    extra = _beyond_dacl(plan, token) & (wanted | _OWNER_IMPLICIT)
    granted = (granted & ~_SYSTEM_SECURITY) | extra
    if wanted & _MAXIMUM_ALLOWED:
        wanted &= ~_MAXIMUM_ALLOWED
        if wanted & ~granted or not granted:
            raise DsError(Win32.ERROR_ACCESS_DENIED, "access check")
        return AccessMask(granted)
    if wanted & ~granted:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "access check")
    return AccessMask(wanted)
