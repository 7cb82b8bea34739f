"""QUERY_DIRECTORY: what a folder holds, in every shape that clients ask for.

An entry that stays is told once; one that goes before its turn is not told, and FileIndex means nothing here,
as on NTFS.
Spec: [MS-SMB2] 3.3.5.18, [MS-FSA] 2.1.5.6.3.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from addc.base.errors import NtError
from addc.codec.file_names import key
from addc.codec.packed import chained
from addc.codes.ntstatus import NtStatus
from addc.smb import file_access, fscc
from addc.smb.fscc import FileInfo
from addc.smb.messages import OutputResponse, QueryDirectoryRequest
from addc.smb.names import PATTERN_MAX, Pattern
from addc.smb.opens import FileOpen, FileServer, Listing
from addc.smb.request import Reply, Request, SmbError
from addc.smb.volume import Node

RESTART_SCANS: Final = 0x01
RETURN_SINGLE_ENTRY: Final = 0x02
REOPEN: Final = 0x10

Maker = Callable[[Node], bytes]


def _directory(node: Node) -> bytes:
    return fscc.DirectoryEntry(
        node.created_ft,
        node.accessed_ft,
        node.written_ft,
        node.changed_ft,
        node.size,
        node.allocation,
        node.attributes,
        node.name,
    ).pack()


def _with_ea(kind: "type[fscc.FullDirectoryEntry] | type[fscc.BothDirectoryEntry]") -> Maker:
    def make(node: Node) -> bytes:
        return kind(
            node.created_ft,
            node.accessed_ft,
            node.written_ft,
            node.changed_ft,
            node.size,
            node.allocation,
            node.attributes,
            node.name,
            0,
        ).pack()

    return make


def _with_id(kind: "type[fscc.IdFullDirectoryEntry] | type[fscc.IdBothDirectoryEntry]") -> Maker:
    def make(node: Node) -> bytes:
        return kind(
            node.created_ft,
            node.accessed_ft,
            node.written_ft,
            node.changed_ft,
            node.size,
            node.allocation,
            node.attributes,
            node.name,
            0,
            node.node_id,
        ).pack()

    return make


def _extended(kind: int) -> Maker:
    def make(node: Node) -> bytes:
        name = node.name.encode("utf-16-le", "surrogatepass")
        return fscc.ExtdDirectoryEntry(
            node.created_ft,
            node.accessed_ft,
            node.written_ft,
            node.changed_ft,
            node.size,
            node.allocation,
            node.attributes,
            len(name),
            0,
            0,
            fscc.extended_ids(kind, node.node_id) + name,
        ).pack()

    return make


_MAKERS: Final[dict[int, Maker]] = {
    FileInfo.DIRECTORY: _directory,
    FileInfo.FULL_DIRECTORY: _with_ea(fscc.FullDirectoryEntry),
    FileInfo.BOTH_DIRECTORY: _with_ea(fscc.BothDirectoryEntry),
    FileInfo.NAMES: lambda node: fscc.NamesEntry(node.name).pack(),
    FileInfo.ID_BOTH_DIRECTORY: _with_id(fscc.IdBothDirectoryEntry),
    FileInfo.ID_FULL_DIRECTORY: _with_id(fscc.IdFullDirectoryEntry),
    **{
        kind: _extended(kind)
        for kind in (
            FileInfo.ID_EXTD_DIRECTORY,
            FileInfo.ID_64_EXTD_DIRECTORY,
            FileInfo.ID_64_EXTD_BOTH_DIRECTORY,
            FileInfo.ID_ALL_EXTD_DIRECTORY,
            FileInfo.ID_ALL_EXTD_BOTH_DIRECTORY,
        )
    },
}


async def query_directory(server: FileServer, request: Request) -> Reply:
    """Serve a QUERY_DIRECTORY."""
    message = request.body(QueryDirectoryRequest)
    one = request.open(message.file_id, FileOpen)
    if message.output_buffer_length > request.link.max_size or not one.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    maker = _MAKERS.get(message.information_class)
    if maker is None:
        raise SmbError(NtStatus.STATUS_INVALID_INFO_CLASS)
    if len(message.pattern) > PATTERN_MAX or "\\" in message.pattern or "/" in message.pattern:
        raise SmbError(NtStatus.STATUS_OBJECT_NAME_INVALID)
    if not one.granted & file_access.LIST_FOLDER:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    if one.listing is None or message.flags & (RESTART_SCANS | REOPEN):
        await _begin(one, message)
    listing = one.listing
    assert listing is not None
    if listing.changes != one.file.changes:
        listing = await _again(one, listing)
    single = bool(message.flags & RETURN_SINGLE_ENTRY)
    return Reply(OutputResponse(_filled(listing, maker, message.output_buffer_length, single)))


async def _begin(one: FileOpen, message: QueryDirectoryRequest) -> None:
    """Take down what the folder holds. A restart without a pattern keeps the old one; REOPEN does not.

    Spec: [MS-SMB2] 3.3.5.18.
    """
    text = message.pattern
    if not text:
        keeps = one.listing is not None and not message.flags & REOPEN
        text = one.listing.pattern if keeps and one.listing is not None else "*"
    one.listing = Listing(text, await _matching(one, text), one.file.changes)


async def _again(one: FileOpen, listing: Listing) -> Listing:
    """The folder has changed: go on behind the last name told, in what it holds now."""
    changes = one.file.changes
    entries = await _matching(one, listing.pattern)
    told = [*map(_place, listing.entries[: listing.at])]
    at = 0 if not told else sum(_place(node) <= told[-1] for node in entries)
    listing.entries, listing.at, listing.changes = entries, at, changes
    return listing


def _place(node: Node) -> tuple[int, bytes]:
    """Where an entry stands: the two dots come first."""
    dots = (".", "..").index(node.name) if node.name in (".", "..") else 2
    return dots, key(node.name)


async def _matching(one: FileOpen, text: str) -> Sequence[Node]:
    """What the folder holds of a pattern, as far as the user may see it."""
    pattern = Pattern(text)
    entries = await _one_entry(one, pattern.exact) if pattern.exact else await _entries(one, pattern)
    if one.tree.share.access_based_enumeration:
        return await _visible(one, entries)
    return entries


async def _one_entry(one: FileOpen, name: str) -> Sequence[Node]:
    """A pattern without wildcards is a look-up, however large the folder is."""
    if name in (".", ".."):
        return ()
    try:
        return (await one.volume.resolve((*one.file.path, name)),)
    except NtError as error:
        if error.status not in (
            NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
            NtStatus.STATUS_OBJECT_NAME_INVALID,
        ):
            raise
        return ()


async def _entries(one: FileOpen, pattern: Pattern) -> Sequence[Node]:
    volume = one.volume
    here = await volume.node(one.file.node_id)
    above = await volume.node(one.file.parent_id) if here.name else here
    dots = [replace(here, name="."), replace(above, name="..")]
    found = [*dots, *await volume.children(one.file.node_id)]
    return [node for node in found if pattern.matches(node.name)]


_SHOWN: Final = (
    file_access.READ_DATA | file_access.READ_EA | file_access.READ_ATTRIBUTES | file_access.READ_CONTROL
)


async def _visible(one: FileOpen, entries: Sequence[Node]) -> Sequence[Node]:
    """Access-based enumeration: only what the user may read is shown."""
    shown = []
    for node in entries:
        descriptor = await one.volume.descriptor(node.node_id)
        if file_access.allowed(descriptor, one.token) & _SHOWN == _SHOWN:
            shown.append(node)
    return shown


def _taken(listing: Listing, maker: Maker, room: int, single: bool) -> Iterator[bytes]:
    """Entries as long as there is room."""
    used = 0
    while listing.at < len(listing.entries):
        entry = maker(listing.entries[listing.at])
        used += -used % 8 + len(entry)
        if used > room:
            return
        listing.at += 1
        yield entry
        if single:
            return


def _filled(listing: Listing, maker: Maker, room: int, single: bool) -> bytes:
    if listing.at >= len(listing.entries):
        first = not listing.found_any and not listing.entries
        listing.found_any = True
        raise SmbError(NtStatus.STATUS_NO_SUCH_FILE if first else NtStatus.STATUS_NO_MORE_FILES)
    data = chained(_taken(listing, maker, room, single))
    if not data:
        raise SmbError(NtStatus.STATUS_INFO_LENGTH_MISMATCH)
    listing.found_any = True
    return data
