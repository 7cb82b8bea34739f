"""The people of a bench directory, the same on every server; plain Python, as Samba's own reads it too."""

from collections.abc import Iterator
from dataclasses import dataclass

OU = "OU=People"
SAME_SURNAME = 10
"""Users that share one sn."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything. big: members of the one large group; small: members of each other group."""

    users: int = 10_000
    groups: int = 1_000
    big: int = 5_000
    small: int = 10


def user_name(number: int) -> str:
    return f"person{number:06}"


def group_name(number: int) -> str:
    return f"team{number:04}"


BIG = "everybody"


def user_values(number: int) -> dict[str, str]:
    """What a user has besides its class; all single-valued."""
    name = user_name(number)
    return {
        "sAMAccountName": name,
        "userPrincipalName": f"{name}@corp.example.com",
        "mail": f"{name}@example.com",
        "sn": f"Surname{number // SAME_SURNAME:05}",
        "givenName": f"Given{number % 97:02}",
        "displayName": f"Given{number % 97:02} Surname{number // SAME_SURNAME:05} #{number:06}",
        "description": f"number {number:06}",
        "title": f"Title {number % 50}",
        "department": f"Department {number % 200}",
        "telephoneNumber": f"+49 30 {number:07}",
    }


def group_members(number: int, size: Size) -> range:
    """The numbers of the users in a small group."""
    first = number * size.small % max(size.users - size.small, 1)
    return range(first, min(first + size.small, size.users))


def memberships(size: Size) -> Iterator[tuple[str, range]]:
    """Each group with the numbers of its members."""
    yield BIG, range(min(size.big, size.users))
    for number in range(size.groups):
        yield group_name(number), group_members(number, size)
