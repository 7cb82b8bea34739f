"""SAM: accounts listed, looked up and shown. [MS-SAMR] 3.1.5.2, 3.1.5.3, 3.1.5.11.2, 3.1.5.11.3."""

from collections.abc import Callable
from typing import Any

import pytest

from addc.codec.ndr import ContextHandle, Ndr
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import RpcFault
from addc.rpc.interfaces.samr import idl
from tests.kit.sam_desk import NORMAL, WORKSTATION, SamClient, SamDesk

DENIED = NtStatus.STATUS_ACCESS_DENIED
OK = NtStatus.STATUS_SUCCESS
MORE = NtStatus.STATUS_MORE_ENTRIES
ALL = 0xFFFF_FFFF
PEOPLE = ("anna", "bert", "carl", "dora")


@pytest.fixture
def people(sam: SamDesk) -> SamDesk:
    for name in reversed(PEOPLE):
        sam.corp.user(name, "Secr3t.Word", displayName=f"{name} x", description=f"that is {name}")
    sam.corp.group("staff")
    sam.client().create("PC1$", WORKSTATION)
    return sam


def users(
    client: SamClient, domain: ContextHandle, context: int = 0, *, flags: int = 0, length: int = ALL
) -> idl.SamrEnumerateUsersInDomainResponse:
    request = idl.SamrEnumerateUsersInDomain(domain, context, flags, length)
    return client.ask(request, idl.SamrEnumerateUsersInDomainResponse, MORE)


def names(buffer: idl.EnumerationBuffer | None) -> list[str]:
    assert buffer is not None
    return [one.name or "" for one in buffer.buffer or ()]


# --- enumerations ------------------------------------------------------------------------------------------


def test_all_users_in_one_answer(people: SamDesk) -> None:
    client = people.client()
    found = users(client, client.domain())
    listed = names(found.buffer)
    assert {*PEOPLE, "Administrator", "krbtgt", "PC1$"} <= set(listed)
    assert "staff" not in listed
    assert found.count_returned == len(listed) and found.status == OK
    rids = {one.name: one.relative_id for one in (found.buffer or idl.EnumerationBuffer(())).buffer or ()}
    assert rids["anna"] == client.rid("anna")


def test_a_listing_goes_on_where_it_ended(people: SamDesk) -> None:
    """3.1.5.2.2: pages of about PreferedMaximumLength, each account once."""
    client = people.client()
    domain = client.domain()
    every = names(users(client, domain).buffer)
    seen: list[str] = []
    context, status = 0, MORE
    while status == MORE:
        page = users(client, domain, context, length=110)
        assert page.count_returned <= 2
        seen += names(page.buffer)
        context, status = page.enumeration_context, page.status
    assert seen == every


def test_users_by_their_kind(people: SamDesk) -> None:
    """3.1.5.2.5: UserAccountControl picks."""
    client = people.client()
    domain = client.domain()
    assert "PC1$" in names(users(client, domain, flags=WORKSTATION).buffer)
    assert "anna" not in names(users(client, domain, flags=WORKSTATION).buffer)
    normal = names(users(client, domain, flags=NORMAL).buffer)
    assert "anna" in normal and "PC1$" not in normal
    assert "krbtgt" in names(users(client, domain, flags=NORMAL | 0x1).buffer)
    assert "anna" not in names(users(client, domain, flags=NORMAL | 0x1).buffer)


def test_groups_and_aliases_of_each_domain(people: SamDesk) -> None:
    """3.1.5.2.3, 3.1.5.2.4."""
    client = people.client()

    def groups(domain: ContextHandle) -> list[str]:
        request = idl.SamrEnumerateGroupsInDomain(domain, 0, ALL)
        return names(client.ask(request, idl.SamrEnumerateGroupsInDomainResponse).buffer)

    def aliases(domain: ContextHandle) -> list[str]:
        request = idl.SamrEnumerateAliasesInDomain(domain, 0, ALL)
        return names(client.ask(request, idl.SamrEnumerateAliasesInDomainResponse).buffer)

    domain, builtin = client.domain(), client.builtin()
    assert {"staff", "Domain Admins"} <= set(groups(domain))
    assert "Cert Publishers" in aliases(domain) and "Administrators" not in aliases(domain)
    assert groups(builtin) == [] and "Administrators" in aliases(builtin)
    assert names(users(client, builtin).buffer) == []


@pytest.mark.parametrize(
    "request_of",
    [
        lambda domain: idl.SamrEnumerateUsersInDomain(domain, 0, 0, ALL),
        lambda domain: idl.SamrEnumerateGroupsInDomain(domain, 0, ALL),
        lambda domain: idl.SamrEnumerateAliasesInDomain(domain, 0, ALL),
        lambda domain: idl.SamrGetDisplayEnumerationIndex(domain, 1, "a"),
    ],
)
def test_listing_needs_list_accounts(people: SamDesk, request_of: Callable[[ContextHandle], Ndr]) -> None:
    client = people.client()
    assert client.status(request_of(client.domain(0x200))) == DENIED


# --- look-ups ----------------------------------------------------------------------------------------------


def looked_up(
    client: SamClient, domain: ContextHandle, *asked: str | None
) -> tuple[tuple[int, ...], tuple[int, ...], NtStatus]:
    found = client.ask(
        idl.SamrLookupNamesInDomain(domain, asked),
        idl.SamrLookupNamesInDomainResponse,
        NtStatus.STATUS_SOME_NOT_MAPPED,
        NtStatus.STATUS_NONE_MAPPED,
    )
    return tuple(found.relative_ids.element or ()), tuple(found.use.element or ()), found.status


def test_names_become_rids(people: SamDesk) -> None:
    """3.1.5.11.2: users, groups, aliases; what is unknown has the use 8."""
    client = people.client()
    domain = client.domain(0x200)
    anna, staff = client.rid("anna"), int(people.corp.sid("CN=staff,CN=Users").rid())
    found = looked_up(client, domain, "ANNA", "staff", "Cert Publishers")
    assert found == ((anna, staff, 517), (1, 2, 4), OK)
    found = looked_up(client, domain, "anna", "nobody", None, "Administrators")
    assert found == ((anna, 0, 0, 0), (1, 8, 8, 8), NtStatus.STATUS_SOME_NOT_MAPPED)
    assert looked_up(client, domain, "nobody")[2] == NtStatus.STATUS_NONE_MAPPED
    assert looked_up(client, client.builtin(), "Administrators")[:2] == ((544,), (4,))


def test_rids_become_names(people: SamDesk) -> None:
    """3.1.5.11.3."""
    client = people.client()

    def ids(*rids: int) -> tuple[list[str | None], list[int], NtStatus]:
        found = client.ask(
            idl.SamrLookupIdsInDomain(client.domain(0x200), rids),
            idl.SamrLookupIdsInDomainResponse,
            NtStatus.STATUS_SOME_NOT_MAPPED,
            NtStatus.STATUS_NONE_MAPPED,
        )
        return [one.text for one in found.names.element or ()], list(found.use.element or ()), found.status

    assert ids(500, 513, 517) == (["Administrator", "Domain Users", "Cert Publishers"], [1, 2, 4], OK)
    names_found, uses, status = ids(500, 99_999)
    assert (names_found[0], uses, status) == ("Administrator", [1, 8], NtStatus.STATUS_SOME_NOT_MAPPED)
    assert not names_found[1]
    assert ids(99_999)[2] == NtStatus.STATUS_NONE_MAPPED


def test_looking_up_needs_lookup(people: SamDesk) -> None:
    client = people.client()
    domain = client.domain(0x100)
    assert client.status(idl.SamrLookupNamesInDomain(domain, ("anna",))) == DENIED
    assert client.status(idl.SamrLookupIdsInDomain(domain, (500,))) == DENIED


# --- display -----------------------------------------------------------------------------------------------


def shown(
    client: SamClient, domain: ContextHandle, level: int, start: int = 0, count: int = 1000
) -> idl.SamrQueryDisplayInformationResponse:
    request = idl.SamrQueryDisplayInformation(domain, level, start, count, ALL)
    return client.ask(request, idl.SamrQueryDisplayInformationResponse, MORE)


def entries_of(response: idl.SamrQueryDisplayInformationResponse) -> tuple[Any, ...]:
    """The entries, whatever the level."""
    return tuple(getattr(response.buffer.value, "buffer") or ())  # noqa: B009 - a union's arms share it


def test_users_are_shown_in_the_order_of_their_names(people: SamDesk) -> None:
    """3.1.5.3.1: indexes count from one."""
    client = people.client()
    found = shown(client, client.domain(), 1)
    entries = entries_of(found)
    listed = [one.account_name for one in entries]
    assert listed == sorted(listed, key=str.lower) and set(PEOPLE) <= set(listed)
    assert [one.index for one in entries] == list(range(1, len(entries) + 1))
    anna = next(one for one in entries if one.account_name == "anna")
    assert (anna.rid, anna.full_name, anna.admin_comment) == (client.rid("anna"), "anna x", "that is anna")
    assert anna.account_control & NORMAL
    assert 0 < found.total_returned <= found.total_available


def test_a_list_goes_on_behind_an_index(people: SamDesk) -> None:
    """3.1.5.3.1: the list that the query at 0 made, though accounts came since."""
    client = people.client()
    domain = client.domain()
    first = shown(client, domain, 1, 0, 2)
    assert first.status == MORE
    people.corp.user("aaron", "Secr3t.Word")
    rest = shown(client, domain, 1, 2)
    assert rest.status == OK and entries_of(rest)[0].index == 3
    listed = [one.account_name for one in (*entries_of(first), *entries_of(rest))]
    assert "aaron" not in listed and len(set(listed)) == len(listed)
    again = [one.account_name for one in entries_of(shown(client, domain, 1))]
    assert "aaron" in again


def test_machines_and_groups_have_levels_of_their_own(people: SamDesk) -> None:
    client = people.client()
    domain = client.domain()
    machines = entries_of(shown(client, domain, 2))
    assert "PC1$" in [one.account_name for one in machines]
    assert all(one.account_control & NORMAL for one in machines)
    groups = entries_of(shown(client, domain, 3))
    assert {"staff", "Domain Users"} <= {one.account_name for one in groups}
    oem = entries_of(shown(client, domain, 4))
    assert b"anna" in [one.oem_account_name.buffer for one in oem]


def test_a_refused_display_still_has_a_buffer_of_its_level(people: SamDesk) -> None:
    client = people.client()
    request = idl.SamrQueryDisplayInformation(client.domain(0x200), 3, 0, 10, ALL)
    found = client.ask(request, idl.SamrQueryDisplayInformationResponse, DENIED)
    assert found.status == DENIED
    assert found.buffer.tag == 3 and not entries_of(found)
    with pytest.raises(RpcFault) as fault:
        client.status(idl.SamrQueryDisplayInformation(client.domain(), 9, 0, 10, ALL))
    assert fault.value.status is NcaStatus.NCA_S_FAULT_INVALID_TAG


def test_the_place_of_a_prefix(people: SamDesk) -> None:
    """3.1.5.3.4: a query that starts there shows the first account of the prefix."""
    client = people.client()
    domain = client.domain()
    request = idl.SamrGetDisplayEnumerationIndex(domain, 1, "be")
    index = client.ask(request, idl.SamrGetDisplayEnumerationIndexResponse).index
    assert entries_of(shown(client, domain, 1, index))[0].account_name == "bert"
    last = idl.SamrGetDisplayEnumerationIndex(domain, 1, "zzz")
    assert client.status(last) == NtStatus.STATUS_NO_MORE_ENTRIES
    for level in (4, 9):
        wrong = idl.SamrGetDisplayEnumerationIndex(domain, level, "a")
        assert client.status(wrong) == NtStatus.STATUS_INVALID_INFO_CLASS
