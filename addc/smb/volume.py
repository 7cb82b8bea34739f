"""One tree of files as the SMB layer needs it: SYSVOL in the database, or a folder of the host.

A volume knows names, octets, times and descriptors. It checks no access and knows no opens: sharing, locks,
leases, delete on close and every access check stand above it, once for all volumes ([MS-FSA]).
Names keep their case and compare without it. A node keeps its `node_id` through renames.

Every method raises NtError with the status a client shall see: STATUS_OBJECT_NAME_NOT_FOUND,
STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION, STATUS_NOT_A_DIRECTORY,
STATUS_FILE_IS_A_DIRECTORY, STATUS_DIRECTORY_NOT_EMPTY, STATUS_DISK_FULL, STATUS_MEDIA_WRITE_PROTECTED
and the like.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from addc.base.clock import FileTime
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Token


@dataclass(frozen=True, slots=True)
class Node:
    """A file or folder as it is now.

    node_id: 64 bits, unique in its volume. parent_id: 0 for the root. attributes: FILE_ATTRIBUTE_*.
    name: "" for the root. Sizes in octets.
    """

    node_id: int
    parent_id: int
    name: str
    attributes: int
    size: int
    allocation: int
    created_ft: FileTime
    accessed_ft: FileTime
    written_ft: FileTime
    changed_ft: FileTime

    @property
    def is_folder(self) -> bool:
        return bool(self.attributes & 0x10)


@dataclass(frozen=True, slots=True)
class BasicChange:
    """New times and attributes; None leaves one as it is."""

    attributes: int | None = None
    created_ft: FileTime | None = None
    accessed_ft: FileTime | None = None
    written_ft: FileTime | None = None
    changed_ft: FileTime | None = None


@dataclass(frozen=True, slots=True)
class NewNode:
    """What is to be created. descriptor: complete, inheritance already done."""

    name: str
    folder: bool
    attributes: int
    descriptor: SecurityDescriptor


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """Spec: [MS-FSCC] 2.5. Sizes in octets."""

    label: str
    serial: int
    created_ft: FileTime
    total: int
    free: int
    read_only: bool = False


class Volume(Protocol):
    """A tree of files. requester: in whose name a change is made and recorded; access was checked above."""

    async def facts(self) -> VolumeFacts: ...

    async def resolve(self, path: Sequence[str]) -> Node:
        """The node at a path of names from the root; () is the root itself."""
        ...

    async def node(self, node_id: int) -> Node: ...

    async def path_of(self, node_id: int) -> tuple[str, ...]: ...

    async def children(self, folder_id: int) -> Sequence[Node]:
        """What a folder holds, ordered by case-folded name."""
        ...

    async def descriptor(self, node_id: int) -> SecurityDescriptor: ...

    async def set_descriptor(
        self, node_id: int, descriptor: SecurityDescriptor, requester: Token
    ) -> None: ...

    async def create(self, parent_id: int, new: NewNode, requester: Token) -> Node: ...

    async def read(self, node_id: int, offset: int, size: int) -> bytes | memoryview:
        """At most `size` octets; fewer at the end of the file."""
        ...

    async def write(self, node_id: int, offset: int, data: bytes | memoryview, requester: Token) -> None:
        """All of `data`; what lies between the old end and `offset` reads as zeros."""
        ...

    async def set_size(self, node_id: int, size: int, requester: Token) -> None: ...

    async def set_basic(self, node_id: int, change: BasicChange, requester: Token) -> None: ...

    async def rename(self, node_id: int, place: tuple[int, str], requester: Token, *, replace: bool) -> None:
        """place: the new folder and name. replace: a file of that name there goes away."""
        ...

    async def remove(self, node_id: int, requester: Token) -> None: ...

    async def flush(self, node_id: int) -> None:
        """Everything acknowledged is on the disk."""
        ...

    def watch(self, hook: Callable[["Changed"], None]) -> Callable[[], None]:
        """Be told of changes that another process makes; the result ends that."""
        ...


@dataclass(frozen=True, slots=True)
class Changed:
    """A change by somebody else. action: FILE_ACTION_* ([MS-FSCC] 2.7.1)."""

    parent_id: int
    name: str
    action: int
