"""Tokens: who is in them and how they compare."""

from addc.codec.ids import Sid
from addc.security import wellknown
from addc.security.token import ALL_PRIVILEGES, ANONYMOUS, SYSTEM, Claim, Claims, Privilege, build_token

USER = Sid.parse("S-1-5-21-1-2-3-1105")


def test_a_logged_on_user_is_an_authenticated_one() -> None:
    token = build_token(USER, [USER.domain().child(513)], primary_group=USER.domain().child(513))
    assert {USER, wellknown.EVERYONE, wellknown.AUTHENTICATED_USERS, wellknown.NETWORK} <= token.sids
    assert wellknown.THIS_ORGANIZATION in token.sids
    assert not token.is_system and not token.is_anonymous
    assert not token.has(Privilege.SE_SECURITY)


def test_another_organization_is_not_this_one() -> None:
    token = build_token(USER, [wellknown.OTHER_ORGANIZATION])
    assert wellknown.THIS_ORGANIZATION not in token.sids


def test_anonymous_and_system() -> None:
    assert wellknown.EVERYONE not in ANONYMOUS.sids and wellknown.AUTHENTICATED_USERS not in ANONYMOUS.sids
    assert ANONYMOUS.is_anonymous and SYSTEM.is_system
    assert SYSTEM.has(Privilege.SE_RESTORE | Privilege.SE_SECURITY)
    assert Privilege.SE_CREATE_SYMBOLIC_LINK in ALL_PRIVILEGES


def test_equal_content_makes_equal_tokens() -> None:
    first, second = build_token(USER, [wellknown.BUILTIN_USERS]), build_token(USER, [wellknown.BUILTIN_USERS])
    assert first == second and hash(first) == hash(second)
    assert first != build_token(USER) and first != "token"
    assert first != build_token(USER, [wellknown.BUILTIN_USERS], Privilege.SE_BACKUP)
    with_claims = build_token(USER, [wellknown.BUILTIN_USERS], claims=Claims(user=(Claim("a", (1,)),)))
    assert first != with_claims
