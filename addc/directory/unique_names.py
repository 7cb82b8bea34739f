"""Names that no two objects may share: sAMAccountName, userPrincipalName, servicePrincipalName.

Spec: [MS-ADTS] 3.1.1.5.1.3, [MS-SAMR] 3.1.1.8.4.
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codec.text import fold_utf8
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import accounts, entry, policy, rights
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.schema import attr
from addc.schema.wellknown import ValidatedWrite
from addc.security.account_flags import GroupType
from addc.store.objects import ObjectRow

_SKIP_UPN: Final = 1
_SKIP_SPN: Final = 2
_SKIP_ALIAS: Final = 4


def _others(ctx: WriteContext, draft: Draft, att: AttId, value: str) -> list[ObjectRow]:
    own = None if draft.row is None else draft.row.dnt
    return [row for row in accounts.indexed(ctx, att, value) if row.dnt != own]


def check_sam_account_name(ctx: WriteContext, draft: Draft) -> None:
    """No other principal has the sAMAccountName, nor it as an additional or as an implicit one.

    Spec: [MS-SAMR] 3.1.1.8.4, [MS-ADTS] 5.1.1.1.1.
    """
    if not draft.changes(attr.SAM_ACCOUNT_NAME):
        return
    name = draft.text(attr.SAM_ACCOUNT_NAME)
    for row in _others(ctx, draft, attr.SAM_ACCOUNT_NAME, name):
        raise _exists(row)
    additional = ctx.schema.attribute_by_id(attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME)
    if additional is not None and additional.index_ready:
        for row in _others(ctx, draft, attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME, name):
            raise _exists(row)
    if _checks_upns(ctx) and _others(ctx, draft, attr.USER_PRINCIPAL_NAME, f"{name}@{ctx.forest.dns_domain}"):
        raise _upn_taken()


def _exists(row: ObjectRow) -> DsError:
    code = Win32.ERROR_USER_EXISTS
    if entry.is_a(row, b"group"):
        local = entry.integer(row, attr.GROUP_TYPE) & GroupType.GROUP_TYPE_RESOURCE_GROUP
        code = Win32.ERROR_ALIAS_EXISTS if local else Win32.ERROR_GROUP_EXISTS
    return DsError(
        code,
        "the sAMAccountName is taken",
        ldap_result=LdapResult.ENTRY_ALREADY_EXISTS,
        attribute="sAMAccountName",
    )


def _upn_taken() -> DsError:
    return DsError(
        Win32.ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST,
        "the userPrincipalName is taken",
        ldap_result=LdapResult.CONSTRAINT_VIOLATION,
        attribute="userPrincipalName",
    )


def _checks_upns(ctx: WriteContext) -> bool:
    return not policy.heuristics(ctx).do_not_verify_upn_spn_uniqueness & _SKIP_UPN


def check_user_principal_name(ctx: WriteContext, draft: Draft) -> None:
    """No other object of the forest has the userPrincipalName, nor goes by it without having one.

    An account whose sAMAccountName is `ann` answers to ann@domain too (CVE-2021-42282).
    Spec: [MS-ADTS] 3.1.1.5.1.3, 5.1.1.1.1.
    """
    if not draft.changes(attr.USER_PRINCIPAL_NAME) or not draft.has(attr.USER_PRINCIPAL_NAME):
        return
    if not _checks_upns(ctx):
        return
    upn = draft.text(attr.USER_PRINCIPAL_NAME)
    if _others(ctx, draft, attr.USER_PRINCIPAL_NAME, upn):
        raise _upn_taken()
    name, at, domain = _folded(upn).rpartition("@")
    if at and domain == _folded(ctx.forest.dns_domain):
        for row in _others(ctx, draft, attr.SAM_ACCOUNT_NAME, name):
            raise _exists(row)


def _folded(text: str) -> str:
    """Text as the index compares it, or wide letters would pass where plain ones do not."""
    return fold_utf8(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _is_spn(text: str) -> bool:
    """One or two slashes, and a service class, or else a host behind an empty one.

    Wider than the grammar, as Windows is wherever no validated write is at work. Spec: 3.1.1.5.3.2, 2.2.21.
    """
    parts = text.split("/")
    return len(parts) in (2, 3) and (bool(parts[0]) or (len(parts) == 3 and bool(parts[1])))


def check_service_principal_names(ctx: WriteContext, draft: Draft) -> None:
    """Every new SPN is one, and nobody else's, nor an alias of one. Spec: 3.1.1.5.1.3, 3.1.1.5.3.2.

    Deviation: the document looks for aliases where administrators write and nowhere else. Here whoever may
    write the SPNs of the account that has the other name may give one of its services away (HTTP/web to a
    service account beside HOST/web), and nobody else: cifs/dc1 belongs to the DC, which is HOST/dc1.
    """
    if not draft.changes(attr.SERVICE_PRINCIPAL_NAME):
        return
    before = set(draft.before.get(attr.SERVICE_PRINCIPAL_NAME, ()))
    skip = policy.heuristics(ctx).do_not_verify_upn_spn_uniqueness
    for value in draft.get(attr.SERVICE_PRINCIPAL_NAME):
        if value in before:
            continue
        text = value.decode("utf-8", "replace")
        if not _is_spn(text):
            raise DsError(
                Win32.ERROR_DS_NAME_REFERENCE_INVALID,
                "not a service principal name",
                ldap_result=LdapResult.CONSTRAINT_VIOLATION,
                attribute="servicePrincipalName",
            )
        if not skip & _SKIP_SPN and _others(ctx, draft, attr.SERVICE_PRINCIPAL_NAME, text):
            raise _spn_taken()
        if not skip & _SKIP_ALIAS:
            _check_aliases(ctx, draft, text)


def _check_aliases(ctx: WriteContext, draft: Draft, spn: str) -> None:
    """cifs/x goes to no one while another account is HOST/x, unless the requester rules over that too."""
    service, _, rest = _folded(spn).partition("/")
    for target in accounts.mapped_to(ctx, service):
        for row in _others(ctx, draft, attr.SERVICE_PRINCIPAL_NAME, f"{target}/{rest}"):
            if not _rules_over(ctx, row):
                raise _spn_taken()


def _rules_over(ctx: WriteContext, row: ObjectRow) -> bool:
    """Whether the requester may write the SPNs of an account, such as a computer its own."""
    attribute = ctx.schema.attribute_by_id(attr.SERVICE_PRINCIPAL_NAME)
    assert attribute is not None
    right = ValidatedWrite.VALIDATED_SPN.bytes_le
    return rights.can_write(ctx, row, attribute) or rights.holds_validated_write(ctx, row, right)


def _spn_taken() -> DsError:
    return DsError(
        Win32.ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST,
        "the servicePrincipalName is taken",
        ldap_result=LdapResult.CONSTRAINT_VIOLATION,
        attribute="servicePrincipalName",
    )
