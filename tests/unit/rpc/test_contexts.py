"""Association groups and context handles, [C706] 5.1.6, [MS-RPCE] 3.3.1.3."""

from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from addc.codec.ndr import NULL_HANDLE
from addc.codes.nca import NcaStatus
from addc.rpc import contexts
from addc.rpc.call import RpcFault, Transport
from addc.rpc.contexts import HANDLES_MAX, HANDLES_OF_NOBODY, AssociationGroup, AssociationGroups
from tests.kit.corp_forest import CountingRng

SAMR = UUID("12345778-1234-abcd-ef00-0123456789ac")
LSA = UUID("12345778-1234-abcd-ef00-0123456789ab")


@dataclass
class Thing:
    log: list[str]
    name: str

    def rundown(self) -> None:
        self.log.append(self.name)


def group() -> AssociationGroup:
    found = AssociationGroups(CountingRng()).join(0, Transport.TCP)
    assert found is not None
    return found


def test_a_handle_stands_for_what_it_was_opened_for() -> None:
    handles = group().handles(SAMR)
    first, second = handles.open("a domain"), handles.open(7)
    assert first != second
    assert (handles.get(first, str), handles.get(second, int)) == ("a domain", 7)
    assert handles.close(first) == NULL_HANDLE


def mismatch(error: pytest.ExceptionInfo[RpcFault]) -> bool:
    return error.value.status is NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH


def test_a_handle_is_refused_by_another_interface() -> None:
    found = group()
    handle = found.handles(SAMR).open("a domain")
    with pytest.raises(RpcFault) as error:
        found.handles(LSA).get(handle, str)
    assert mismatch(error)


def test_a_handle_is_refused_in_another_group() -> None:
    handle = group().handles(SAMR).open("a domain")
    with pytest.raises(RpcFault) as error:
        group().handles(SAMR).get(replace(handle, uuid=UUID(int=5)), str)
    assert mismatch(error)


def test_a_handle_of_another_kind_the_null_handle_and_a_closed_one_are_refused() -> None:
    handles = group().handles(SAMR)
    handle = handles.open("a domain")
    for wrong in (NULL_HANDLE, replace(handle, attributes=1)):
        with pytest.raises(RpcFault) as error:
            handles.get(wrong, str)
        assert mismatch(error)
    with pytest.raises(RpcFault):
        handles.get(handle, int)
    handles.close(handle)
    for again in (lambda: handles.get(handle, str), lambda: handles.close(handle)):
        with pytest.raises(RpcFault):
            again()


def test_a_group_holds_so_many_handles_and_no_more() -> None:
    found = group()
    handles = found.handles(SAMR)
    for number in range(HANDLES_MAX):
        handles.open(number)
    with pytest.raises(RpcFault) as error:
        handles.open("one more")
    assert error.value.status is NcaStatus.NCA_S_FAULT_REMOTE_NO_MEMORY
    assert len(found) == HANDLES_MAX


def test_handles_run_down_with_the_last_connection_of_a_group() -> None:
    groups, log = AssociationGroups(CountingRng()), list[str]()
    found = groups.join(0, Transport.TCP)
    assert found is not None
    assert groups.join(found.group_id, Transport.TCP) is found
    handles = found.handles(SAMR)
    closed = handles.open(Thing(log, "closed"))
    handles.open(Thing(log, "first"))
    handles.open("nothing to undo")
    handles.open(Thing(log, "second"))
    handles.close(closed)
    assert list(groups.leave(found)) == [] and len(found) == 3
    for value in groups.leave(found):
        value.rundown()
    assert log == ["second", "first"] and not len(groups)


def test_groups_of_nobody_of_the_past_and_of_others_are_not_joined() -> None:
    groups = AssociationGroups(CountingRng())
    assert groups.join(1, Transport.TCP) is None
    found = groups.join(0, Transport.TCP)
    assert found is not None and found.group_id > 0xFFFF
    assert groups.join(found.group_id, Transport.PIPE) is None
    assert groups.join(found.group_id, Transport.TCP, "192.0.2.78") is None  # another machine
    assert found.connections == 1
    list(groups.leave(found))
    assert groups.join(found.group_id, Transport.TCP) is None


def test_nobody_holds_few_handles_until_known() -> None:
    groups = AssociationGroups(CountingRng())
    found = groups.join(0, Transport.TCP, "192.0.2.7", nobody=True)
    assert found is not None
    handles = found.handles(SAMR)
    for _ in range(HANDLES_OF_NOBODY):
        handles.open("lookup")
    with pytest.raises(RpcFault) as error:
        handles.open("one more")
    assert error.value.status is NcaStatus.NCA_S_FAULT_REMOTE_NO_MEMORY
    groups.known(found)
    handles.open("one more")


def test_nobodies_leave_groups_for_the_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "GROUPS_OF_NOBODY", 2)
    groups = AssociationGroups(CountingRng())
    first, second = (groups.join(0, Transport.TCP, nobody=True) for _ in range(2))
    assert first is not None and second is not None
    assert groups.join(0, Transport.TCP, nobody=True) is None
    assert groups.join(0, Transport.TCP) is not None
    groups.known(first)
    assert groups.join(0, Transport.TCP, nobody=True) is not None
    groups.leave(second)
    assert groups.join(0, Transport.TCP, nobody=True) is not None
