"""LDAP loads over a directory full of people: searches without a short way, links, pages of everything."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from addc.base.ids import MessageId
from addc.ldap import controls as wire
from addc.ldap import messages as m
from tests.bench.load_kit import Settings, Tally
from tests.bench.load_ldap import LdapPipe, ber_span, bound, fault, part, request, search, with_ids
from tests.bench.people import BIG, OU, SAME_SURNAME, Size, group_name, user_name

_ADD: Final = 0
_DELETE: Final = 1
_ENTRY: Final = 0x64
_PAGE: Final = 1000
_WINDOW: Final = 4
_PATIENCE_S: Final = 60.0
_SIZE_LIMIT_EXCEEDED: Final = 4
_KEPT: Final = 400
"""Members that a load of deletes has to delete."""
_IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
_STRIDE: Final = 7919
"""Prime: numbers of users come in no order that a cache could follow."""


def _dn(settings: Settings, name: str) -> str:
    return f"CN={name},{OU},{settings.domain_dn}"


def _numbers(settings: Settings) -> Iterator[int]:
    for n in count(settings.start):
        yield n * _STRIDE % settings.users


def _searches(settings: Settings, text: Callable[[int], str], *attributes: str) -> Tally:
    """One search after the other over the domain, a different value each time."""
    numbers = _numbers(settings)
    ops = [search(settings.domain_dn, 2, text(next(numbers)), *attributes) for _ in range(2000)]
    return _pump(settings, with_ids(ops))


def _pump(settings: Settings, requests: Iterator[bytes]) -> Tally:
    """Keep a few requests in flight: some servers take seconds for each."""
    pipe = bound(settings)
    pipe.sock.settimeout(_PATIENCE_S)
    tally, in_flight = settings.tally(), 0
    while tally.going or in_flight:
        while tally.going and in_flight < _WINDOW:
            pipe.send(next(requests))
            in_flight += 1
        for result in pipe.answers() if in_flight else ():
            in_flight -= 1
            tally.take(fault(result, _SIZE_LIMIT_EXCEEDED))
    pipe.sock.close()
    return tally.stop()


def member_of_user(settings: Settings) -> Tally:
    """The groups that a user is a member of."""
    return _searches(settings, lambda n: f"(member={_dn(settings, user_name(n))})", "cn")


def in_chain(settings: Settings) -> Tally:
    """All that is in a group of ten, directly or through others."""
    groups = Size().groups
    return _searches(
        settings, lambda n: f"(memberOf:{_IN_CHAIN}:={_dn(settings, group_name(n % groups))})", "cn"
    )


def substring(settings: Settings) -> Tally:
    return _searches(settings, lambda n: f"(cn=*son{n:06}*)", "cn")


def display_substring(settings: Settings) -> Tally:
    return _searches(settings, lambda n: f"(displayName=*#{n:06}*)", "cn")


def unindexed(settings: Settings) -> Tally:
    return _searches(settings, lambda n: f"(description=number {n:06})", "cn")


def surname(settings: Settings) -> Tally:
    """Ten answers each."""
    wanted = ("cn", "sAMAccountName", "objectSid", "mail")
    return _searches(settings, lambda n: f"(&(objectClass=user)(sn=Surname{n // SAME_SURNAME:05}))", *wanted)


def big_group(settings: Settings) -> Tally:
    """Reads of a group with thousands of members, as many values as the server gives at once."""
    op = search(_dn(settings, BIG), 0, "(objectClass=*)", "member")
    return _pump(settings, with_ids([op]))


# --- pages ---


class _Pages:
    """Reads answers whole, to count entries and find the cookie."""

    def __init__(self, pipe: LdapPipe) -> None:
        self._sock = pipe.sock
        self._held = b""

    def page(self, op: m.SearchRequest, cookie: bytes) -> tuple[int, int, bytes]:
        """Entries, result code and next cookie of one page."""
        control = m.Control(wire.LDAP_PAGED_RESULT_OID_STRING, True, wire.PagedResults(_PAGE, cookie).pack())
        self._sock.sendall(m.LdapMessage(MessageId(2), op, (control,)).pack())
        entries = 0
        while True:
            message = self._message()
            start, _ = ber_span(message, 0) or (0, 0)
            _, operation = ber_span(message, start) or (0, 0)
            if message[operation] == _ENTRY:
                entries += 1
                continue
            last = m.LdapMessage.unpack(message)
            if not isinstance(last.protocol_op, m.SearchResultDone):
                continue
            found = [one for one in last.controls if one.control_type == wire.LDAP_PAGED_RESULT_OID_STRING]
            value = found[0].control_value if found else None
            return entries, last.protocol_op.result_code, wire.PagedResults.unpack(value or b"").cookie

    def _message(self) -> bytes:
        while (span := ber_span(self._held, 0)) is None:
            chunk = self._sock.recv(1 << 18)
            if not chunk:
                raise ConnectionError("closed by the server")
            self._held += chunk
        message, self._held = self._held[: span[1]], self._held[span[1] :]
        return message


def _paged(settings: Settings, *attributes: str) -> Tally:
    """Everything in the domain, page by page, again and again; entries are counted."""
    pipe = bound(settings)
    pipe.sock.settimeout(_PATIENCE_S)
    pages, tally = _Pages(pipe), settings.tally()
    op = search(settings.domain_dn, 2, "(objectClass=*)", *attributes)
    cookie = b""
    while tally.going:
        entries, result, cookie = pages.page(op, cookie)
        tally.count += entries
        if result:
            tally.bad(f"result {result}")
    return tally.stop()


def paged_names(settings: Settings) -> Tally:
    return _paged(settings, "cn")


def paged_people(settings: Settings) -> Tally:
    return _paged(settings, "cn", "sAMAccountName", "objectSid", "mail", "displayName", "memberOf")


def paged_all(settings: Settings) -> Tally:
    return _paged(settings)


# --- members of a large group ---


def _change(settings: Settings, operation: int, *numbers: int) -> m.ModifyRequest:
    members = [_dn(settings, user_name(n)) for n in numbers]
    return m.ModifyRequest(_dn(settings, BIG), (m.Change(operation, part("member", *members)),))


def _one_by_one(settings: Settings, pipe: LdapPipe, operation: int, numbers: range) -> tuple[Tally, int]:
    """The changes that there is time for, and how many these are."""
    tally, done = settings.tally(), 0
    for number in numbers:
        if not tally.going:
            break
        pipe.send(request(_change(settings, operation, number), 2))
        tally.take(fault(pipe.answer()))
        done += 1
    return tally.stop(), done


def _members(settings: Settings, operation: int) -> Tally:
    pipe = bound(settings)
    pipe.sock.settimeout(_PATIENCE_S)
    outside = range(settings.users - _KEPT * 4, settings.users)
    if operation == _DELETE:
        outside = outside[:_KEPT]
        pipe.send(request(_change(settings, _ADD, *outside), 2))
        pipe.answer()
    tally, done = _one_by_one(settings, pipe, operation, outside)
    left = outside[:done] if operation == _ADD else outside[done:]
    if left:
        pipe.send(request(_change(settings, _DELETE, *left), 2))
        pipe.answer()
    pipe.sock.close()
    return tally


def member_add(settings: Settings) -> Tally:
    """One member at a time into a group of thousands; they are taken out again."""
    return _members(settings, _ADD)


def member_delete(settings: Settings) -> Tally:
    return _members(settings, _DELETE)


KINDS: Final[dict[str, Callable[[Settings], Tally]]] = {
    "member_of_user": member_of_user,
    "in_chain": in_chain,
    "substring": substring,
    "display_substring": display_substring,
    "unindexed": unindexed,
    "surname": surname,
    "big_group": big_group,
    "paged_names": paged_names,
    "paged_people": paged_people,
    "paged_all": paged_all,
    "member_add": member_add,
    "member_delete": member_delete,
}
