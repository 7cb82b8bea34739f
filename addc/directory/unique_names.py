"""Names that no two objects may share: sAMAccountName, userPrincipalName, servicePrincipalName.

Spec: [MS-ADTS] 3.1.1.5.1.3, [MS-SAMR] 3.1.1.8.4.
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import accounts, entry, policy
from addc.directory.account_flags import GroupType
from addc.directory.accounts import Spn
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.schema import attr
from addc.store.objects import ObjectRow

_SKIP_UPN: Final = 1
_SKIP_SPN: Final = 2
_SKIP_ALIAS: Final = 4


def _others(ctx: WriteContext, draft: Draft, att: AttId, value: str) -> list[ObjectRow]:
    own = None if draft.row is None else draft.row.dnt
    return [row for row in accounts.indexed(ctx, att, value) if row.dnt != own]


def check_sam_account_name(ctx: WriteContext, draft: Draft) -> None:
    """No other principal has the sAMAccountName, nor it as an additional one. Spec: [MS-SAMR] 3.1.1.8.4."""
    if not draft.changes(attr.SAM_ACCOUNT_NAME):
        return
    name = draft.text(attr.SAM_ACCOUNT_NAME)
    for row in _others(ctx, draft, attr.SAM_ACCOUNT_NAME, name):
        raise _exists(row)
    additional = ctx.schema.attribute_by_id(attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME)
    if additional is not None and additional.index_ready:
        for row in _others(ctx, draft, attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME, name):
            raise _exists(row)


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


def check_user_principal_name(ctx: WriteContext, draft: Draft) -> None:
    """No other object of the forest has the userPrincipalName. Spec: [MS-ADTS] 3.1.1.5.1.3."""
    if not draft.changes(attr.USER_PRINCIPAL_NAME) or not draft.has(attr.USER_PRINCIPAL_NAME):
        return
    if policy.heuristics(ctx).do_not_verify_upn_spn_uniqueness & _SKIP_UPN:
        return
    if _others(ctx, draft, attr.USER_PRINCIPAL_NAME, draft.text(attr.USER_PRINCIPAL_NAME)):
        raise DsError(
            Win32.ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST,
            "the userPrincipalName is taken",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="userPrincipalName",
        )


def check_service_principal_names(ctx: WriteContext, draft: Draft) -> None:
    """Every new SPN is well formed and nobody else's, nor an alias of one. Spec: 3.1.1.5.1.3, 3.1.1.5.3.2.

    Deviation: the document looks for aliases only where an administrator writes. Whoever may write the SPNs
    of any account could then take the tickets for cifs/dc1 from the DC, which is known as HOST/dc1.
    """
    if not draft.changes(attr.SERVICE_PRINCIPAL_NAME):
        return
    before = set(draft.before.get(attr.SERVICE_PRINCIPAL_NAME, ()))
    added = [value for value in draft.get(attr.SERVICE_PRINCIPAL_NAME) if value not in before]
    skip = policy.heuristics(ctx).do_not_verify_upn_spn_uniqueness
    alias = not skip & _SKIP_ALIAS
    for value in added:
        text = value.decode("utf-8", "replace")
        spn = Spn.parse(text)
        if spn is None:
            raise DsError(
                Win32.ERROR_DS_NAME_REFERENCE_INVALID,
                "not a service principal name",
                ldap_result=LdapResult.CONSTRAINT_VIOLATION,
                attribute="servicePrincipalName",
            )
        if not skip & _SKIP_SPN:
            for other in (text, *(_aliases(ctx, text) if alias else ())):
                if _others(ctx, draft, attr.SERVICE_PRINCIPAL_NAME, other):
                    raise _spn_taken()


def _aliases(ctx: WriteContext, spn: str) -> list[str]:
    """The names that mean the same service: cifs/x stands for HOST/x too."""
    service, _, rest = spn.partition("/")
    return [f"{target}/{rest}" for target in accounts.mapped_to(ctx, service)]


def _spn_taken() -> DsError:
    return DsError(
        Win32.ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST,
        "the servicePrincipalName is taken",
        ldap_result=LdapResult.CONSTRAINT_VIOLATION,
        attribute="servicePrincipalName",
    )
