"""What the objectClass values of an object mean for writing it, worked out once per combination.

Spec: [MS-ADTS] 3.1.1.2.4.3, 3.1.1.2.4.6, 3.1.1.5.2.2, 3.1.1.5.2.3, 3.1.1.5.3.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.schema import cls
from addc.schema.snapshot import ObjectClass, Schema

CLASS_88: Final = 0
STRUCTURAL: Final = 1
ABSTRACT: Final = 2
AUXILIARY: Final = 3

_LSA_CLASSES: Final = frozenset({cls.SECRET, cls.TRUSTED_DOMAIN})
_SAM_CLASSES: Final = frozenset({cls.GROUP, cls.SAM_DOMAIN, cls.SAM_SERVER, cls.USER})
_SCHEMA_CLASSES: Final = frozenset({cls.ATTRIBUTE_SCHEMA, cls.CLASS_SCHEMA})


@dataclass(frozen=True, slots=True, eq=False)
class ClassPlan:
    """One combination of objectClass values, completed.

    names: tokens as objectClass stores them, top first. chain: class ids of the chain, nearest first.
    all_ids: chain, dynamic auxiliaries and their superclasses. must/may: complete; may includes must.
    object_types: schemaIDGUIDs that inherited ACEs are matched with ([MS-ADTS] 6.1.3).
    """

    structural: ObjectClass
    auxiliary: tuple[ObjectClass, ...]
    names: tuple[bytes, ...]
    chain: tuple[AttId, ...]
    all_ids: frozenset[AttId]
    must: frozenset[AttId]
    may: frozenset[AttId]
    object_types: tuple[bytes, ...]
    is_user: bool
    is_computer: bool
    is_group: bool
    is_sam: bool
    is_lsa: bool
    is_schema: bool
    is_account: bool


def _refuse(code: Win32, result: LdapResult, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=result, attribute="objectClass")


def tokens_of(schema: Schema, names: Iterable[bytes]) -> tuple[bytes, ...]:
    """The stored form of the class names or OIDs that a requester wrote; defunct classes are unknown.

    Spec: [MS-ADTS] 3.1.1.5.2.2.
    """
    tokens = []
    for name in names:
        one = schema.class_(name.decode("utf-8", "replace"))
        if one is None:
            raise _unknown()
        tokens.append(one.token)
    return tuple(tokens)


def _unknown() -> DsError:
    return _refuse(Win32.ERROR_INVALID_PARAMETER, LdapResult.NO_SUCH_ATTRIBUTE, "unknown objectClass")


def _classes_of(schema: Schema, tokens: tuple[bytes, ...]) -> list[ObjectClass]:
    found: dict[AttId, ObjectClass] = {}
    for token in tokens:
        one = schema.stored_class(token)
        if one is None:
            raise _unknown()
        found[one.class_id] = one
    return list(found.values())


def _chain(one: ObjectClass) -> tuple[AttId, ...]:
    return (one.class_id, *(up for up in one.superclasses if up != one.class_id))


def _structural_of(concrete: list[ObjectClass]) -> ObjectClass:
    """The single most specific class whose chain holds all the others."""
    if not concrete:
        raise _refuse(
            Win32.ERROR_DS_OBJ_CLASS_NOT_SUBCLASS, LdapResult.OBJECT_CLASS_VIOLATION, "no structural class"
        )
    deepest = max(concrete, key=lambda one: len(one.superclasses))
    chain = set(_chain(deepest))
    if any(one.class_id not in chain for one in concrete):
        raise _refuse(
            Win32.ERROR_DS_OBJ_CLASS_NOT_SUBCLASS,
            LdapResult.OBJECT_CLASS_VIOLATION,
            "more than one structural class",
        )
    return deepest


@lru_cache(maxsize=1024)
def class_plan(schema: Schema, names: tuple[bytes, ...]) -> ClassPlan:
    """Complete the stored objectClass values `names`: what an object holds, or `tokens_of` made of a request.

    Raises DsError where they do not make one structural class with auxiliaries.
    Spec: [MS-ADTS] 3.1.1.5.2.2 (objectClass constraints), 3.1.1.2.4.6 (order).
    """
    if not names:
        raise _refuse(
            Win32.ERROR_DS_OBJECT_CLASS_REQUIRED, LdapResult.OBJECT_CLASS_VIOLATION, "objectClass is required"
        )
    given = _classes_of(schema, names)
    structural = _structural_of([one for one in given if one.category != AUXILIARY])
    chain = _chain(structural)
    auxiliary = tuple(one for one in given if one.category == AUXILIARY and one.class_id not in chain)
    return _complete(schema, structural, chain, auxiliary)


def _complete(
    schema: Schema, structural: ObjectClass, chain: tuple[AttId, ...], auxiliary: tuple[ObjectClass, ...]
) -> ClassPlan:
    in_chain = set(chain)
    extra: dict[AttId, None] = {}
    for one in auxiliary:
        for class_id in reversed(_chain(one)):
            if class_id not in in_chain:
                extra[class_id] = None
    up = [class_id for class_id in reversed(chain) if class_id != cls.TOP]
    ordered = [cls.TOP, *extra, *up] if structural.class_id != cls.TOP else [cls.TOP]
    names = []
    for class_id in ordered:
        one_class = schema.class_by_id(class_id)
        assert one_class is not None
        names.append(one_class.token)
    all_ids = frozenset(ordered)
    must = frozenset().union(structural.must, *(one.must for one in auxiliary))
    may = must.union(structural.may, *(one.may for one in auxiliary))
    # A class that is a superclass of another auxiliary here is not "most specific": [MS-ADTS] 6.1.3.
    shadowed = {class_id for one in auxiliary for class_id in one.superclasses}
    inheriting = [structural, *(one for one in auxiliary if one.class_id not in shadowed)]
    return ClassPlan(
        structural=structural,
        auxiliary=auxiliary,
        names=tuple(names),
        chain=chain,
        all_ids=all_ids,
        must=must,
        may=may,
        object_types=tuple(one.schema_id_guid_wire for one in inheriting),
        is_user=cls.USER in all_ids,
        is_computer=cls.COMPUTER in all_ids,
        is_group=cls.GROUP in all_ids,
        is_sam=bool(all_ids & _SAM_CLASSES),
        is_lsa=bool(all_ids & _LSA_CLASSES),
        is_schema=bool(all_ids & _SCHEMA_CLASSES),
        is_account=cls.USER in all_ids or cls.GROUP in all_ids,
    )


def check_concrete(plan: ClassPlan) -> None:
    """Refuse to make an instance of an abstract class. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    if plan.structural.category not in (CLASS_88, STRUCTURAL):
        raise _refuse(
            Win32.ERROR_DS_CLASS_MUST_BE_CONCRETE, LdapResult.UNWILLING_TO_PERFORM, "the class is abstract"
        )
