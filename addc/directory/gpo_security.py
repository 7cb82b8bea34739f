"""The descriptor of a policy's folder, from that of its object: both let the same people in.

Spec: [MS-GPOL] 3.3.5.1 (owner, group and DACL of the object go to the folder).
Deviation: the document leaves out how rights map; this is what the policy consoles write and compare, as
Samba's tools know it.
"""

from dataclasses import replace
from typing import Final

from addc.security import wellknown
from addc.security.access_mask import AccessMask
from addc.security.descriptor import (
    ACCESS_ALLOWED,
    ACCESS_DENIED,
    CONTAINER_INHERIT,
    INHERIT_ONLY,
    OBJECT_INHERIT,
    Ace,
    Control,
    SecurityDescriptor,
    acl_of,
)

_STANDARD: Final = 0x001F_0000
_READ: Final = 0x0010_00A9
"""SYNCHRONIZE, READ_DATA, READ_EA, EXECUTE, READ_ATTRIBUTES."""
_WRITE: Final = 0x0010_0116
"""SYNCHRONIZE, WRITE_DATA, APPEND_DATA, WRITE_EA, WRITE_ATTRIBUTES."""
_ADD: Final = 0x06
"""ADD_FILE, ADD_SUBDIRECTORY."""
_DELETE_CHILD: Final = 0x40
_LOOKS: Final = int(AccessMask.RIGHT_DS_READ_PROPERTY | AccessMask.RIGHT_DS_LIST_CONTENTS)
_DACL_CONTROL: Final = int(Control.SR | Control.DP | Control.PD | Control.DI)


def file_rights(mask: int) -> int:
    """The rights on a folder that rights on an object of the directory stand for."""
    found = mask & _STANDARD
    if mask & _LOOKS == _LOOKS:
        found |= _READ
    if mask & AccessMask.RIGHT_DS_WRITE_PROPERTY:
        found |= _WRITE
    if mask & AccessMask.RIGHT_DS_CREATE_CHILD:
        found |= _ADD
    if mask & AccessMask.RIGHT_DS_DELETE_CHILD:
        found |= _DELETE_CHILD
    return found


def _on_files(ace: Ace) -> Ace:
    flags = ace.flags | OBJECT_INHERIT | CONTAINER_INHERIT
    if ace.sid == wellknown.CREATOR_OWNER:
        flags |= INHERIT_ONLY
    return replace(ace, flags=flags, mask=file_rights(ace.mask))


def folder_descriptor(of_object: SecurityDescriptor) -> SecurityDescriptor:
    """The descriptor that the folder of a policy has, whose object has this one.

    Entries about single properties and rights say nothing of files; neither do those for the group of
    systems before Windows 2000.
    """
    aces = of_object.dacl.aces if of_object.dacl is not None else ()
    kept = tuple(
        _on_files(ace)
        for ace in aces
        if ace.type in (ACCESS_ALLOWED, ACCESS_DENIED) and ace.sid != wellknown.ALIAS_PREW2KCOMPACC
    )
    control = of_object.control & _DACL_CONTROL | int(Control.DP)
    return SecurityDescriptor(control, of_object.owner, of_object.group, None, acl_of(kept))


def is_in_step(of_object: SecurityDescriptor, of_folder: SecurityDescriptor) -> bool:
    """Whether a folder has what its policy's object asks for; in any order.

    Entries that give nothing do not count: older tools carry those of the object's single rights over.
    """
    wanted = folder_descriptor(of_object)
    return (
        of_folder.dacl is not None
        and wanted.dacl is not None
        and (of_folder.owner, of_folder.group) == (wanted.owner, wanted.group)
        and {ace for ace in of_folder.dacl.aces if ace.mask} == {ace for ace in wanted.dacl.aces if ace.mask}
        and bool(of_folder.control & Control.PD) == bool(wanted.control & Control.PD)
    )
