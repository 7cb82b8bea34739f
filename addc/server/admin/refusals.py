"""What a directory's refusal means to a person: cause, the fact behind it, what to do next."""

import re
from typing import Final

from addc.base.errors import UserError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.server.admin.target import Add, Delete, Modify, Move, Operation

_RIGHTS: Final = "run the command as somebody who may, or have an administrator delegate that right"
_SAYS: Final[dict[int, tuple[str, str]]] = {
    Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS: ("{who} may not {what}", _RIGHTS),
    Win32.ERROR_ACCESS_DENIED: ("{who} may not {what}", _RIGHTS),
    Win32.ERROR_DS_OBJ_NOT_FOUND: (
        "There is no {dn}, or {who} may not see it",
        "look at the name; addc ou list tells which places there are",
    ),
    Win32.ERROR_DS_NO_PARENT_OBJECT: (
        "There is no place {parent} to put it",
        "addc ou list tells which places there are",
    ),
    Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS: ("{dn} is there already", "choose another name or place"),
    Win32.ERROR_USER_EXISTS: (
        "An account or group of that logon name is there already",
        "choose another name",
    ),
    Win32.ERROR_GROUP_EXISTS: ("An account or group of that name is there already", "choose another name"),
    Win32.ERROR_ALIAS_EXISTS: ("An account or group of that name is there already", "choose another name"),
    Win32.ERROR_PASSWORD_RESTRICTION: (
        "The password does not meet the rules in force for this account",
        "addc user password gives it one that does: long, of several kinds of characters, without its name",
    ),
    Win32.ERROR_ILL_FORMED_PASSWORD: ("No password can be that", "choose another one"),
    Win32.ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST: (
        "Another account of the forest has that user principal name",
        "choose another one with --upn",
    ),
    Win32.ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST: (
        "Another account of the forest has that service principal name",
        "addc spn query NAME tells which; take it from there first",
    ),
    Win32.ERROR_MEMBER_IN_GROUP: ("It is a member of the group already", "nothing is to be done"),
    Win32.ERROR_MEMBER_IN_ALIAS: ("It is a member of the group already", "nothing is to be done"),
    Win32.ERROR_MEMBER_NOT_IN_GROUP: ("It is not a member of the group", "addc group members tells who is"),
    Win32.ERROR_MEMBER_NOT_IN_ALIAS: ("It is not a member of the group", "addc group members tells who is"),
    Win32.ERROR_DS_CANT_ON_NON_LEAF: ("{dn} is not empty", "--recursive ends it with all that is in it"),
    Win32.ERROR_DS_CHILDREN_EXIST: ("{dn} is not empty", "--recursive ends it with all that is in it"),
    Win32.ERROR_DS_CANT_DELETE: ("{dn} may not be deleted: the domain needs it", "leave it in place"),
    Win32.ERROR_SPECIAL_ACCOUNT: ("{dn} is built in and stays", "disable it, if it is to be of no use"),
    Win32.ERROR_DS_MODIFYDN_DISALLOWED_BY_FLAG: ("{dn} is not to be moved or renamed", "leave it in place"),
    Win32.ERROR_DS_OUT_OF_SCOPE: ("That would lead out of this naming context", "name a place in the domain"),
    Win32.ERROR_DS_TREE_DELETE_NOT_FINISHED: (
        "The tree is too large for one go; a part is gone",
        "run the command again",
    ),
    Win32.ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED: (
        "{who} has made as many computers as one may (ms-DS-MachineAccountQuota)",
        "have an administrator make it",
    ),
    Win32.ERROR_DS_MAX_OBJ_SIZE_EXCEEDED: ("That is more than one object can hold", "hand over less"),
    Win32.ERROR_DS_COULDNT_CONTACT_FSMO: (
        "The holder of that role cannot be asked for it",
        "see to it that it answers; if it is lost for good, addc fsmo seize",
    ),
    Win32.ERROR_DS_BUSY: ("The database is busy", "try again"),
    Win32.ERROR_DS_UNAVAILABLE: ("The database does not answer", "see to the DC, then try again"),
}
_PROBLEM: Final = re.compile(r"problem \d+ \(\w+\), data \w+(?:, Att \w+ \(([^)]*)\))?(?:, (.*))?", re.DOTALL)
_NAME: Final = re.compile(r"[A-Z]+_[A-Z_]+")
"""A problem's name and nothing else, such as NO_OBJECT."""
_BY_RESULT: Final = {
    LdapResult.INSUFFICIENT_ACCESS_RIGHTS: Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS,
    LdapResult.NO_SUCH_OBJECT: Win32.ERROR_DS_OBJ_NOT_FOUND,
    LdapResult.ENTRY_ALREADY_EXISTS: Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS,
    LdapResult.NOT_ALLOWED_ON_NON_LEAF: Win32.ERROR_DS_CANT_ON_NON_LEAF,
    LdapResult.BUSY: Win32.ERROR_DS_BUSY,
    LdapResult.UNAVAILABLE: Win32.ERROR_DS_UNAVAILABLE,
}


def refused(
    code: int, detail: str, operation: Operation | None = None, *, who: str, result: int = -1
) -> UserError:
    """code: Win32; 0 where unknown. detail: the directory's own words. result: of LDAP, -1 without one."""
    if isinstance(operation, Add) and code == Win32.ERROR_DS_OBJ_NOT_FOUND:
        code = Win32.ERROR_DS_NO_PARENT_OBJECT
    said = _SAYS.get(code)
    if said is None and result >= 0:
        said = _SAYS.get(_BY_RESULT.get(LdapResult(result), -1)) if result in _BY_RESULT else None
    dn = "" if operation is None else operation.dn
    if said is None:
        return UserError(
            f"Refused: {_bare(detail) or f'error {code}'}. Next step: see to that, then try again"
        )
    cause = said[0].format(who=who, what=_what(operation), dn=dn or "such object", parent=_parent(operation))
    if cause.startswith(("this ", "the ")):
        cause = cause[0].upper() + cause[1:]
    fact = f" (the directory: {_bare(detail)})" if _bare(detail) else ""
    return UserError(f"{cause}{fact}. Next step: {said[1]}")


def _what(operation: Operation | None) -> str:
    match operation:
        case Add(dn=dn):
            return f"make {dn}"
        case Modify(dn=dn, changes=changes):
            return (
                f"change {', '.join(sorted({one.attribute for one in changes}))} of {dn or 'the DC itself'}"
            )
        case Delete(dn=dn):
            return f"delete {dn}"
        case Move(dn=dn):
            return f"move or rename {dn}"
        case None:
            return "read that"


def _parent(operation: Operation | None) -> str:
    if isinstance(operation, Move):
        return operation.new_parent or "there"
    return "there" if operation is None else operation.dn.partition(",")[2]


def _bare(detail: str) -> str:
    """The words of an errorMessage, without what only programs read."""
    words = detail.rstrip("\0").strip()
    if "comment: " in words:
        words = words.split("comment: ", 1)[1].rsplit(", data ", 1)[0]
    elif (problem := _PROBLEM.search(words)) is not None:
        attribute, note = problem[1] or "", (problem[2] or "").strip()
        note = "" if note.startswith("best match of") else note
        words = ": ".join(filter(None, (attribute, note)))
    words = " ".join(words.split()).rstrip(".")
    return "" if _NAME.fullmatch(words) else words
