"""Deciding whether the condition of a callback entry holds.

Spec: [MS-DTYP] 2.4.4.17.6, 2.4.4.17.7, 2.5.3.1.5.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.security import conditions as c
from addc.security.descriptor import INHERIT_ONLY, SYSTEM_RESOURCE_ATTRIBUTE, Acl
from addc.security.token import Claim, ClaimValue, Token


class _ExpressionError(Exception):
    """A rule returned an error: the whole expression is UNKNOWN."""


class _Result(NamedTuple):
    """What an operator gave: True, False, or None for UNKNOWN."""

    value: bool | None


class _Values(NamedTuple):
    """An operand: the values of a literal or attribute; None for an attribute that is not there."""

    values: tuple[ClaimValue, ...] | None
    is_attribute: bool
    case_sensitive: bool = False


_Operand = _Result | _Values

_INVERSES: Final = {
    c.NOT_EQUAL: c.EQUAL,
    c.NOT_CONTAINS: c.CONTAINS,
    c.NOT_ANY_OF: c.ANY_OF,
    c.NOT_MEMBER_OF: c.MEMBER_OF,
    c.NOT_DEVICE_MEMBER_OF: c.DEVICE_MEMBER_OF,
    c.NOT_MEMBER_OF_ANY: c.MEMBER_OF_ANY,
    c.NOT_DEVICE_MEMBER_OF_ANY: c.DEVICE_MEMBER_OF_ANY,
    c.NOT_EXISTS: c.EXISTS,
}


def evaluate(data: bytes, token: Token, sacl: Acl | None) -> bool | None:
    """Whether the condition in `data` holds for `token`; None where that is unknown.

    sacl: of the same descriptor, for resource attributes.
    Spec: [MS-DTYP] 2.5.3.1.5 (EvaluateAceCondition).
    """
    try:
        items = c.unpack_condition(data)
        stack: list[_Operand] = []
        for item in items:
            if item.code in c.ATTRIBUTES:
                stack.append(_attribute(item, token, sacl))
            elif item.code in c.RELATIONS:
                right, left = _pop(stack), _pop(stack)
                stack.append(_Result(_relate(item.code, left, right)))
            elif item.code in c.MEMBERSHIPS:
                stack.append(_Result(_member(item.code, _pop(stack), token)))
            elif item.code in c.UNARY_LOGIC or item.code in c.BINARY_LOGIC:
                stack.append(_Result(_logic(item.code, stack)))
            else:
                stack.append(_Values(_literals(item), False))
        if len(stack) != 1:
            return None
        return _truth(stack[0])
    except (DecodeError, _ExpressionError):
        return None


def _pop(stack: list[_Operand]) -> _Operand:
    if not stack:
        raise _ExpressionError
    return stack.pop()


def _literals(item: c.Item) -> tuple[ClaimValue, ...]:
    if item.code == c.COMPOSITE:
        return tuple([value for inner in item.items for value in _literals(inner)])
    assert item.value is not None
    return (item.value,)


def _attribute(item: c.Item, token: Token, sacl: Acl | None) -> _Values:
    """LookupAttributeInToken and LookupAttributeInSacl, [MS-DTYP] 2.5.3.1.6, 2.5.3.1.7."""
    name = str(item.value).casefold()
    found: Iterable[Claim]
    if item.code == c.USER_ATTRIBUTE:
        found = token.claims.user
    elif item.code == c.DEVICE_ATTRIBUTE:
        found = token.claims.device
    elif item.code == c.LOCAL_ATTRIBUTE:
        found = token.claims.local
    else:
        found = resource_attributes(sacl)
    for claim in found:
        if claim.name.casefold() == name:
            return _Values(claim.values or None, True, claim.case_sensitive)
    return _Values(None, True)


def resource_attributes(sacl: Acl | None) -> list[Claim]:
    """The attributes that a SACL gives its object; malformed ones do not count."""
    out = []
    for ace in sacl.aces if sacl is not None else ():
        if ace.type == SYSTEM_RESOURCE_ATTRIBUTE and not ace.flags & INHERIT_ONLY:
            try:
                out.append(c.unpack_resource_attribute(ace.data).claim())
            except DecodeError:
                continue
    return out


def _truth(operand: _Operand) -> bool | None:
    """The logical value of an operand, [MS-DTYP] 2.4.4.17.7."""
    if isinstance(operand, _Result):
        return operand.value
    if not operand.is_attribute:
        raise _ExpressionError
    if operand.values is None:
        return None
    if len(operand.values) != 1:
        raise _ExpressionError
    value = operand.values[0]
    if not isinstance(value, int | str):
        raise _ExpressionError
    return bool(value)


def _logic(code: int, stack: list[_Operand]) -> bool | None:
    if code in (c.EXISTS, c.NOT_EXISTS):
        operand = _pop(stack)
        # Deviation: user and device claims may be asked for too, as the Windows ACL editor writes it.
        if isinstance(operand, _Result) or not operand.is_attribute:
            raise _ExpressionError
        return (operand.values is not None) == (code == c.EXISTS)
    if code == c.NOT:
        value = _truth(_pop(stack))
        return None if value is None else not value
    right, left = _truth(_pop(stack)), _truth(_pop(stack))
    decisive = code == c.OR
    if decisive in (left, right):
        return decisive
    return None if left is None or right is None else not decisive


def _member(code: int, operand: _Operand, token: Token) -> bool:
    if isinstance(operand, _Result) or operand.is_attribute or operand.values is None:
        raise _ExpressionError
    wanted = [value for value in operand.values if isinstance(value, Sid)]
    if len(wanted) != len(operand.values):
        raise _ExpressionError
    plain = _INVERSES.get(code, code)
    held = token.sids if plain in (c.MEMBER_OF, c.MEMBER_OF_ANY) else token.claims.device_sids
    test = any if plain in (c.MEMBER_OF_ANY, c.DEVICE_MEMBER_OF_ANY) else all
    return test(sid in held for sid in wanted) == (plain == code)


def _kind(value: ClaimValue) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, str):
        return "text"
    return "sid" if isinstance(value, Sid) else "octets"


def _comparable(left: _Values, right: _Values, equality: bool) -> tuple[list[ClaimValue], list[ClaimValue]]:
    """Both sides' values in one type, text folded; different types are an error."""
    assert left.values is not None and right.values is not None
    kinds = {_kind(value) for value in (*left.values, *right.values)}
    if kinds == {"bool", "int"} and equality:
        ints = [value for value in (*left.values, *right.values) if _kind(value) == "int"]
        if any(value not in (0, 1) for value in ints):
            raise _ExpressionError
    elif len(kinds) > 1:
        raise _ExpressionError
    fold = not (left.case_sensitive or right.case_sensitive)

    def plain(value: ClaimValue) -> ClaimValue:
        if isinstance(value, str):
            return value.upper() if fold else value
        return int(value) if isinstance(value, bool) else value

    return [plain(value) for value in left.values], [plain(value) for value in right.values]


def _relate(code: int, left: _Operand, right: _Operand) -> bool | None:
    """Binary relational operators, [MS-DTYP] 2.4.4.17.6."""
    if isinstance(left, _Result) or isinstance(right, _Result) or not left.is_attribute:
        raise _ExpressionError
    if left.values is None or right.values is None:
        return None
    plain = _INVERSES.get(code, code)
    equality = plain == c.EQUAL
    lhs, rhs = _comparable(left, right, equality)
    if equality:
        return (set(lhs) == set(rhs)) == (plain == code)
    if plain == c.CONTAINS:
        return (set(rhs) <= set(lhs)) == (plain == code)
    if plain == c.ANY_OF:
        return (not set(rhs).isdisjoint(lhs)) == (plain == code)
    if len(lhs) != 1 or len(rhs) != 1 or isinstance(lhs[0], Sid):
        raise _ExpressionError
    return _ordered(code, lhs[0], rhs[0])


def _ordered(code: int, left: ClaimValue, right: ClaimValue) -> bool:
    """Less and greater; a prefix is less than what it begins."""
    if isinstance(left, int) and isinstance(right, int):
        order = (left > right) - (left < right)
    else:
        first = left.encode("utf-16-be", "surrogatepass") if isinstance(left, str) else left
        second = right.encode("utf-16-be", "surrogatepass") if isinstance(right, str) else right
        assert isinstance(first, bytes) and isinstance(second, bytes)
        order = (first > second) - (first < second)
    if code == c.LESS:
        return order < 0
    if code == c.LESS_EQUAL:
        return order <= 0
    if code == c.GREATER:
        return order > 0
    return order >= 0
