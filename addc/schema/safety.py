"""What a change may not do to others who use the schema: safety checks, and what defunct objects need.

Spec: [MS-ADTS] 3.1.1.2.5.1.2, 3.1.1.2.5.3.
"""

from typing import Final

from addc.codes.win32 import Win32
from addc.schema.catalogue import Catalogue, SchemaObject
from addc.schema.consistency import added, made_of, refuse
from addc.schema.elements import (
    FCONFIDENTIAL,
    FLAG_ATTR_IS_CONSTRUCTED,
    FLAG_ATTR_NOT_REPLICATED,
    FLAG_ATTR_REQ_PARTIAL_SET_MEMBER,
    FRODCFILTEREDATTRIBUTE,
    AttributeDef,
    ClassDef,
)

FLAG_ATTR_IS_CRITICAL: Final = 0x1
"""Of schemaFlagsEx. Spec: [MS-ADTS] 2.2.11."""

_NEVER_FILTERED: Final = frozenset(
    "currentValue dBCSPwd unicodePwd ntPwdHistory priorValue supplementalCredentials trustAuthIncoming "
    "trustAuthOutgoing lmPwdHistory initialAuthIncoming initialAuthOutgoing msDS-ExecuteScriptPassword "
    "displayName codePage creationTime lockoutDuration lockOutObservationWindow logonHours lockoutThreshold "
    "maxPwdAge minPwdAge minPwdLength nETBIOSName pwdProperties pwdHistoryLength pwdLastSet "
    "securityIdentifier trustDirection trustPartner trustPosixOffset trustType rid domainReplica "
    "accountExpires nTMixedDomain operatingSystem operatingSystemVersion operatingSystemServicePack "
    "fSMORoleOwner trustAttributes trustParent flatName sIDHistory dNSHostName lockoutTime "
    "servicePrincipalName isCriticalSystemObject msDS-TrustForestTrustInfo msDS-SPNSuffixes "
    "msDS-AdditionalDnsHostName msDS-AdditionalSamAccountName msDS-AllowedToDelegateTo msDS-KrbTgtLink "
    "msDS-AuthenticatedAtDC msDS-SupportedEncryptionTypes".split()
)
"""Spec: [MS-ADTS] 3.1.1.2.3.5."""
_PROPERTY_SET_FIXED: Final = frozenset(
    "accountExpires badPwdCount codePage countryCode description displayName domainReplica forceLogoff "
    "homeDirectory homeDrive memberOf lastLogoff lastLogon lockOutObservationWindow lockoutDuration "
    "lockoutThreshold logonCount logonHours logonWorkstation maxPwdAge member minPwdAge minPwdLength "
    "modifiedCount objectSid oEMInformation profilePath primaryGroupID pwdHistoryLength pwdProperties "
    "sAMAccountName scriptPath serverState serverRole uASCompat comment pwdLastSet userAccountControl "
    "userParameters".split()
)
"""Spec: [MS-ADTS] 3.1.1.2.5.1.2."""
_TOP: Final = "2.5.6.0"
_FIXED_CLASSES: Final = frozenset(("attributeSchema", "classSchema", "subSchema", "dMD"))


def check_attribute(old: SchemaObject, new: SchemaObject, *, critical: bool) -> None:
    """critical: FLAG_ATTR_IS_CRITICAL of schemaFlagsEx."""
    before, after = old.definition, new.definition
    assert isinstance(before, AttributeDef) and isinstance(after, AttributeDef)
    if before.system_flags & FLAG_ATTR_IS_CONSTRUCTED:
        raise refuse(Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, "the attribute is constructed")
    turned = before.search_flags ^ after.search_flags
    if turned & FRODCFILTEREDATTRIBUTE and (critical or never_filtered(before)):
        raise refuse(Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, "never in the filtered set", "searchFlags")
    if not old.is_base:
        return
    if turned & FCONFIDENTIAL:
        raise refuse(Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, "not of the base schema", "searchFlags")
    if before.name != after.name:
        raise refuse(Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, "a name of the base schema", "lDAPDisplayName")
    if before.attribute_security_guid != after.attribute_security_guid and before.name in _PROPERTY_SET_FIXED:
        raise refuse(
            Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, "its property set stays", "attributeSecurityGUID"
        )


def never_filtered(att: AttributeDef) -> bool:
    """Whether an attribute cannot be in the filtered attribute set. Spec: [MS-ADTS] 3.1.1.2.3.5."""
    flags = FLAG_ATTR_NOT_REPLICATED | FLAG_ATTR_REQ_PARTIAL_SET_MEMBER | FLAG_ATTR_IS_CONSTRUCTED
    return bool(att.system_flags & flags) or att.system_only or (att.token or att.name) in _NEVER_FILTERED


def check_class(catalogue: Catalogue, old: SchemaObject, new: SchemaObject) -> None:
    before, after = old.definition, new.definition
    assert isinstance(before, ClassDef) and isinstance(after, ClassDef)
    if old.is_base:
        if old.token in _FIXED_CLASSES:
            raise refuse(Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, f"{before.name} stays as it is")
        if before.name != after.name:
            raise refuse(Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, "of the base schema", "lDAPDisplayName")
        if old.category != new.category:
            raise refuse(
                Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, "of the base schema", "defaultObjectCategory"
            )
    if before.category != after.category:
        raise refuse(Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, "a category stays", "objectClassCategory")
    if added(after.must, before.must):
        raise refuse(Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, "objects may lack it", "mustContain")
    fresh = [one for token in added(after.aux, before.aux) for one in made_of(catalogue, token)]
    held = {token for one in made_of(catalogue, old.token) for token in one.must}
    if any(added(one.must, held) for one in fresh):
        raise refuse(
            Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, "objects may lack what it brings", "auxiliaryClass"
        )
    if before.oid == _TOP:
        _check_top(catalogue, before, after, fresh)


def _check_top(catalogue: Catalogue, before: ClassDef, after: ClassDef, fresh: list[ClassDef]) -> None:
    """top only gets back links."""
    kept = before._replace(may=after.may, aux=after.aux)
    lost = added(before.may, after.may) or added(before.aux, after.aux)
    known = {token for one in made_of(catalogue, "top") for token in (*one.must, *one.may)}
    new = added((*after.may, *[token for one in fresh for token in one.may]), known)
    if kept != after or lost or not all(_is_back_link(catalogue, token) for token in new):
        raise refuse(Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, "top only gets back links")


def _is_back_link(catalogue: Catalogue, token: str) -> bool:
    found = catalogue.attribute(token)
    return (
        found is not None
        and isinstance(found.definition, AttributeDef)
        and bool((found.definition.link_id or 0) & 1)
    )


def check_defunct(catalogue: Catalogue, old: SchemaObject) -> None:
    """Only what no class in force uses is taken out of force. Spec: [MS-ADTS] 3.1.1.2.5.3.2."""
    if old.is_base:
        raise refuse(Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, "the base schema stays in force", "isDefunct")
    uses = _attribute_uses if isinstance(old.definition, AttributeDef) else _class_uses
    for one in catalogue.classes():
        if one == old.definition:
            continue
        for tokens, code in uses(one):
            if any(_means(catalogue, token, old) for token in tokens):
                raise refuse(code, f"{one.name} uses it", "isDefunct")


def _attribute_uses(one: ClassDef) -> tuple[tuple[tuple[str, ...], Win32], ...]:
    return (
        (one.must, Win32.ERROR_DS_EXISTS_IN_MUST_HAVE),
        (one.may, Win32.ERROR_DS_EXISTS_IN_MAY_HAVE),
        ((one.rdn_att,) if one.rdn_att else (), Win32.ERROR_DS_EXISTS_IN_RDNATTID),
    )


def _class_uses(one: ClassDef) -> tuple[tuple[tuple[str, ...], Win32], ...]:
    return (
        ((one.sub_class_of,), Win32.ERROR_DS_EXISTS_IN_SUB_CLS),
        (one.aux, Win32.ERROR_DS_EXISTS_IN_AUX_CLS),
        (one.poss_superiors, Win32.ERROR_DS_EXISTS_IN_POSS_SUP),
    )


def _means(catalogue: Catalogue, token: str, one: SchemaObject) -> bool:
    if token not in (one.token, one.definition.oid):
        return False
    is_attribute = isinstance(one.definition, AttributeDef)
    found = catalogue.attribute(token) if is_attribute else catalogue.class_(token)
    return found is not None and found.dnt == one.dnt
