"""Association groups, and the context handles that live in them.

Connections of one transport that name the same group share its handles. A group ends with its last
connection; what its handles stand for is then run down. A handle is good for the interface that opened it
alone, as if every interface were declared with strict_context_handle.

Spec: [C706] 5.1.6, 9.3.2.1; [MS-RPCE] 3.3.1.3.1, 3.3.1.3.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from addc.base.rng import Rng, new_guid
from addc.codec.ndr import NULL_HANDLE, ContextHandle
from addc.codes.nca import NcaStatus
from addc.rpc.call import RpcFault, Transport

HANDLES_MAX: Final = 16_384
"""Of one group."""
HANDLES_OF_NOBODY: Final = 256
"""Of one group whose client has not said who it is."""
GROUPS_MAX: Final = 65_535
GROUPS_OF_NOBODY: Final = 40_960
"""Of those; what is left is for clients that are known."""

T = TypeVar("T")


@runtime_checkable
class RunsDown(Protocol):
    """What has something to undo when its client is gone."""

    def rundown(self) -> None: ...


class AssociationGroup:
    """One group. peer: the client's address. connections: how many belong to it.

    of_nobody: none of its clients has said who it is.
    """

    __slots__ = ("_handles", "_rng", "_views", "connections", "group_id", "of_nobody", "peer", "transport")

    def __init__(self, group_id: int, transport: Transport, peer: str, rng: Rng) -> None:
        self.group_id = group_id
        self.transport = transport
        self.peer = peer
        self.connections = 0
        self.of_nobody = False
        self._rng = rng
        self._handles: dict[UUID, tuple[UUID, object]] = {}
        self._views: dict[UUID, GroupHandles] = {}

    def handles(self, interface: UUID) -> "GroupHandles":
        """The handles of one interface."""
        view = self._views.get(interface)
        if view is None:
            view = self._views[interface] = GroupHandles(self, interface)
        return view

    def __len__(self) -> int:
        return len(self._handles)

    def drain(self) -> Iterator[RunsDown]:
        """Forget all handles; those whose values want to be run down, newest first."""
        held, self._handles = self._handles, {}
        return (value for _, value in reversed(held.values()) if isinstance(value, RunsDown))


@dataclass(frozen=True, slots=True)
class GroupHandles:
    """The handles that one interface opened in one group; the `Handles` of its calls."""

    group: AssociationGroup
    interface: UUID

    def open(self, value: object) -> ContextHandle:
        """A new handle. Raises RpcFault where the group holds too many."""
        group = self.group
        if len(group._handles) >= (HANDLES_OF_NOBODY if group.of_nobody else HANDLES_MAX):
            raise RpcFault(NcaStatus.NCA_S_FAULT_REMOTE_NO_MEMORY, "too many context handles")
        key = new_guid(group._rng)
        group._handles[key] = (self.interface, value)
        return ContextHandle(0, key)

    def get(self, handle: ContextHandle, kind: type[T]) -> T:
        """What the handle stands for. Raises RpcFault(NCA_S_FAULT_CONTEXT_MISMATCH) for any other."""
        interface, value = self.group._handles.get(handle.uuid, (None, None))
        if interface != self.interface or handle.attributes or not isinstance(value, kind):
            raise RpcFault(NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH, "no such context handle")
        return value

    def close(self, handle: ContextHandle) -> ContextHandle:
        """Forget the handle, without rundown; the null handle to answer with. Raises as `get`."""
        self.get(handle, object)
        del self.group._handles[handle.uuid]
        return NULL_HANDLE


class AssociationGroups:
    """All groups of one process."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._groups: dict[int, AssociationGroup] = {}
        self._of_nobody = 0

    def __len__(self) -> int:
        return len(self._groups)

    def join(
        self, group_id: int, transport: Transport, peer: str = "", *, nobody: bool = False
    ) -> AssociationGroup | None:
        """A connection's group: a new one for 0; None where this client has no such one on this transport.

        nobody: the client has not said who it is, and so gets less.
        Ids are drawn, not counted: who knows none cannot find another client's group.
        Spec: [MS-RPCE] 3.3.1.5.7.
        """
        if group_id == 0:
            group = self._begin(transport, peer, nobody=nobody)
        else:
            group = self._groups.get(group_id)
        if group is None or group.transport is not transport or group.peer != peer:
            return None
        group.connections += 1
        if not nobody:
            self.known(group)
        return group

    def known(self, group: AssociationGroup) -> None:
        """A client of the group has said who it is."""
        self._of_nobody -= group.of_nobody
        group.of_nobody = False

    def _begin(self, transport: Transport, peer: str, *, nobody: bool) -> AssociationGroup | None:
        if len(self._groups) >= GROUPS_MAX or (nobody and self._of_nobody >= GROUPS_OF_NOBODY):
            return None
        group_id = 0
        while group_id == 0 or group_id in self._groups:
            group_id = int.from_bytes(self._rng.bytes(4), "little")
        group = self._groups[group_id] = AssociationGroup(group_id, transport, peer, self._rng)
        group.of_nobody = nobody
        self._of_nobody += nobody
        return group

    def leave(self, group: AssociationGroup) -> Iterator[RunsDown]:
        """A connection of the group ended; what is to be run down if it was the last."""
        group.connections -= 1
        if group.connections:
            return iter(())
        del self._groups[group.group_id]
        self._of_nobody -= group.of_nobody
        return group.drain()
