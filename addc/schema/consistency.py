"""What must hold of a schema object, whoever changed it: the consistency checks.

Spec: [MS-ADTS] 3.1.1.2.5.1.1, 3.1.1.2.3, 3.1.1.2.4.
"""

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.schema.catalogue import Catalogue, Key, SchemaObject
from addc.schema.elements import FANR, FTUPLEINDEX, AttributeDef, ClassDef
from addc.schema.syntax import DnKind, Syntax, SyntaxTable

CLASS_88: Final = 0
STRUCTURAL: Final = 1
ABSTRACT: Final = 2
AUXILIARY: Final = 3

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_NIL: Final = UUID(int=0)
_DYNAMIC_OBJECT: Final = "1.3.6.1.4.1.1466.101.119.2"
_ANR_SYNTAXES: Final = frozenset(
    ("String(Unicode)", "String(IA5)", "String(Printable)", "String(Teletex)", "String(Case)")
)
_SUPERCLASSES: Final = {
    CLASS_88: frozenset((CLASS_88, STRUCTURAL, ABSTRACT, AUXILIARY)),
    STRUCTURAL: frozenset((CLASS_88, STRUCTURAL, ABSTRACT)),
    ABSTRACT: frozenset((ABSTRACT,)),
    AUXILIARY: frozenset((CLASS_88, ABSTRACT, AUXILIARY)),
}
"""From which categories a class of each may inherit. Spec: [MS-ADTS] 3.1.1.2.4.2."""


def refuse(code: Win32, detail: str, attribute: str = "") -> DsError:
    """unwillingToPerform with what is wrong."""
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute=attribute)


def check(
    catalogue: Catalogue, one: SchemaObject, syntaxes: SyntaxTable, *, was: SchemaObject | None
) -> None:
    """Refuse an object that breaks a rule. was: what it was before, None for a new one.

    What a class references is judged where it changed, so that nobody has to mend what others left.
    Raises DsError: unwillingToPerform with the code that says what is wrong.
    """
    _check_unique(catalogue, one)
    if isinstance(one.definition, AttributeDef):
        _check_attribute(catalogue, one, one.definition, syntaxes)
        return
    before = None if was is None or was.is_defunct else was.definition
    assert before is None or isinstance(before, ClassDef)
    _check_class(catalogue, one.definition, before)


def _check_unique(catalogue: Catalogue, one: SchemaObject) -> None:
    definition = one.definition
    if _NAME.fullmatch(definition.name) is None:
        raise refuse(Win32.ERROR_DS_INVALID_LDAP_DISPLAY_NAME, "no name for LDAP", "lDAPDisplayName")
    if definition.schema_id_guid == _NIL:
        raise refuse(Win32.ERROR_DS_DUP_SCHEMA_ID_GUID, "the null GUID", "schemaIDGUID")
    if one.is_defunct:
        return
    for kind, value, code in (
        (Key.OID, definition.oid, Win32.ERROR_DS_DUP_OID),
        (Key.NAME, definition.name, Win32.ERROR_DS_DUP_LDAP_DISPLAY_NAME),
        (Key.GUID, definition.schema_id_guid, Win32.ERROR_DS_DUP_SCHEMA_ID_GUID),
    ):
        rival = catalogue.rival(one, kind, value)
        if rival is not None:
            raise refuse(code, f"{rival.definition.name} has this {kind.value}")


# --- attributes --------------------------------------------------------------------------------------------


def _check_attribute(
    catalogue: Catalogue, one: SchemaObject, att: AttributeDef, syntaxes: SyntaxTable
) -> None:
    if att.mapi_id is not None and not one.is_defunct:
        rival = catalogue.rival(one, Key.MAPI, att.mapi_id)
        if rival is not None:
            raise refuse(Win32.ERROR_DS_DUP_MAPI_ID, f"{rival.definition.name} has it", "mAPIID")
    syntax = syntaxes.find(att.syntax_oid, att.om_syntax, att.om_object_class)
    if syntax is None:
        raise refuse(Win32.ERROR_DS_SYNTAX_MISMATCH, "no such syntax", "attributeSyntax")
    if att.link_id:
        _check_link(catalogue, one, att.link_id, syntax)
    if att.search_flags & FANR and syntax.name not in _ANR_SYNTAXES:
        raise refuse(Win32.ERROR_DS_INVALID_SEARCH_FLAG, "no ANR in this syntax", "searchFlags")
    if att.search_flags & FTUPLEINDEX and syntax.name not in _ANR_SYNTAXES:
        raise refuse(Win32.ERROR_DS_INVALID_SEARCH_FLAG_TUPLE, "no tuples in this syntax", "searchFlags")
    if att.attribute_security_guid == _NIL:
        raise refuse(Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, "the null GUID", "attributeSecurityGUID")
    low, high = att.range_lower, att.range_upper
    # rangeUpper is an unsigned number that the schema stores in a signed one.
    if low is not None and high is not None and low > (high if high >= 0 or low < 0 else high + (1 << 32)):
        raise refuse(Win32.ERROR_DS_SEMANTIC_ATT_TEST, "rangeLower is above rangeUpper", "rangeLower")


def _check_link(catalogue: Catalogue, one: SchemaObject, link_id: int, syntax: Syntax) -> None:
    """Unique among all, defunct ones too; a back link has its forward link."""
    rivals = [other for other in catalogue.find(Key.LINK, link_id) if other.dnt != one.dnt]
    if rivals:
        raise refuse(Win32.ERROR_DS_DUP_LINK_ID, f"{rivals[0].definition.name} has it", "linkID")
    if link_id & 1 and (link_id == 1 or not catalogue.find(Key.LINK, link_id - 1)):
        raise refuse(Win32.ERROR_DS_BACKLINK_WITHOUT_LINK, "there is no such forward link", "linkID")
    if syntax.dn_kind is DnKind.NONE or (link_id & 1 and syntax.name != "Object(DS-DN)"):
        raise refuse(Win32.ERROR_DS_WRONG_LINKED_ATT_SYNTAX, "links are names of objects", "attributeSyntax")


# --- classes -----------------------------------------------------------------------------------------------


def _check_class(catalogue: Catalogue, new: ClassDef, old: ClassDef | None) -> None:
    if new.category not in _SUPERCLASSES:
        raise refuse(Win32.ERROR_DS_SEMANTIC_ATT_TEST, "no such category", "objectClassCategory")
    for lists, code in (
        ((new.must, () if old is None else old.must), Win32.ERROR_DS_NONEXISTENT_MUST_HAVE),
        ((new.may, () if old is None else old.may), Win32.ERROR_DS_NONEXISTENT_MAY_HAVE),
    ):
        for token in added(*lists):
            found = catalogue.attribute(token)
            if found is None or found.is_defunct:
                raise refuse(code, f"no attribute {token}")
    for token in added(new.aux, () if old is None else old.aux):
        helper = _active_class(catalogue, token)
        if helper is None or helper.category not in (CLASS_88, AUXILIARY):
            raise refuse(Win32.ERROR_DS_AUX_CLS_TEST_FAIL, f"{token} is no auxiliary class")
    for token in added(new.poss_superiors, () if old is None else old.poss_superiors):
        above = _active_class(catalogue, token)
        if above is None or above.category not in (CLASS_88, STRUCTURAL):
            raise refuse(Win32.ERROR_DS_NONEXISTENT_POSS_SUP, f"{token} is no structural class")
    _check_chain(catalogue, new, old)
    if new.rdn_att and (old is None or old.rdn_att != new.rdn_att):
        naming = catalogue.attribute(new.rdn_att)
        if naming is None or naming.is_defunct or not _is_unicode(naming.definition):
            raise refuse(Win32.ERROR_DS_BAD_RDN_ATT_ID_SYNTAX, "no naming attribute", "rDNAttID")


def _is_unicode(definition: AttributeDef | ClassDef) -> bool:
    return isinstance(definition, AttributeDef) and definition.syntax_oid == "2.5.5.12"


def _active_class(catalogue: Catalogue, token: str) -> ClassDef | None:
    found = catalogue.class_(token)
    if found is None or found.is_defunct:
        return None
    assert isinstance(found.definition, ClassDef)
    return found.definition


def _check_chain(catalogue: Catalogue, new: ClassDef, old: ClassDef | None) -> None:
    """Inheritance ends at top, and no class is among what it is made of. Spec: [MS-ADTS] 3.1.1.2.4.2."""
    parent = _active_class(catalogue, new.sub_class_of)
    if parent is None or parent.oid == _DYNAMIC_OBJECT:
        raise refuse(Win32.ERROR_DS_SUB_CLS_TEST_FAIL, "no such superclass", "subClassOf")
    changed = old is None or old.sub_class_of != new.sub_class_of
    if changed and parent.cn != new.cn and parent.category not in _SUPERCLASSES[new.category]:
        raise refuse(Win32.ERROR_DS_SUB_CLS_TEST_FAIL, "not from this category of class", "subClassOf")
    for token, code in [
        (new.sub_class_of, Win32.ERROR_DS_SUB_CLS_TEST_FAIL),
        *[(token, Win32.ERROR_DS_AUX_CLS_TEST_FAIL) for token in new.aux],
    ]:
        start = catalogue.class_(token)
        if start is not None and start.definition.cn == new.cn:
            if token == new.sub_class_of and new.token in ("", "top") and new.name == "top":
                continue  # top is its own superclass
            raise refuse(code, "a class is not made of itself")
        if any(one.cn == new.cn for one in made_of(catalogue, token)):
            raise refuse(code, "a class is not made of itself")


def made_of(catalogue: Catalogue, token: str) -> list[ClassDef]:
    """A class, its superclasses, and all auxiliary classes of them."""
    found: dict[str, ClassDef] = {}
    waiting = [token]
    while waiting:
        one = catalogue.class_(waiting.pop())
        if one is None or one.definition.cn in found:
            continue
        assert isinstance(one.definition, ClassDef)
        found[one.definition.cn] = one.definition
        waiting += [one.definition.sub_class_of, *one.definition.aux]
    return list(found.values())


def added(new: Iterable[str], old: Iterable[str]) -> list[str]:
    """What of a list was not in it before."""
    known = set(old)
    return [token for token in new if token not in known]
