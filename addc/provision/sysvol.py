"""The files that SYSVOL starts with: the two default group policies, and folders for all others there are.

Spec: [MS-GPOL] 2.2.4, 3.3.5.1, [MS-GPSB] 2.2
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.rng import new_guid
from addc.codec.inf_file import InfFile
from addc.directory import gpo_objects, gpo_template, kerberos_policy, sysvol, sysvol_paths
from addc.directory.context import WriteContext
from addc.directory.gpo_objects import DEFAULT_DOMAIN_POLICY, TEMPLATE
from addc.directory.sysvol import NewFile
from addc.provision import data as provision_data
from addc.provision.data import IniData, SysvolData
from addc.provision.placeholders import Placeholders
from addc.security import sddl
from addc.security.access_mask import FILE_MAPPING
from addc.security.descriptor import SecurityDescriptor, map_generic

_NEWLINE: Final = "\r\n"
_BOM: Final = b"\xff\xfe"
_TIGHT_SECTIONS: Final = frozenset({"General", "Unicode", "Registry Values", "Version"})


@dataclass(frozen=True, slots=True)
class SysvolFile:
    """A file or folder below SYSVOL; `path` has "/" between its parts.

    content: None for a folder. sddl: its explicit descriptor, "" where it inherits its folder's.
    """

    path: str
    content: bytes | None
    sddl: str = ""


def plan_files(data: SysvolData, placeholders: Placeholders) -> tuple[SysvolFile, ...]:
    """Folders and files, each folder before what it holds."""
    found = [SysvolFile("", None, data["sddl"]["sysvol_root"])]
    for template in data["folders"]:
        sddl = data["sddl"]["policies"] if template.endswith("/Policies") else ""
        found.append(SysvolFile(placeholders.text(template), None, sddl))
    policies = placeholders.text("{DNSDOMAIN}/Policies")
    for policy in data["policies"]:
        top = f"{policies}/{policy['guid']}"
        made = {top, *(f"{top}/{name}" for name in policy["folders"])}
        found += [SysvolFile(path, None) for path in sorted(made)]
        for name, ini in policy["files"].items():
            for folder in _folders_of(name):
                if f"{top}/{folder}" not in made:
                    made.add(f"{top}/{folder}")
                    found.append(SysvolFile(f"{top}/{folder}", None))
            found.append(SysvolFile(f"{top}/{name}", _ini_bytes(ini)))
    return tuple(found)


def _folders_of(name: str) -> Sequence[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _ini_bytes(ini: IniData) -> bytes:
    """Sections as Windows' profile functions write them."""
    lines: list[str] = []
    for section, entries in ini["sections"]:
        lines.append(f"[{section}]")
        equals = "=" if section in _TIGHT_SECTIONS else " = "
        lines += [f"{name}{equals}{value}" for name, value in entries]
    text = _NEWLINE.join([*lines, ""])
    return _BOM + text.encode("utf-16-le") if ini["encoding"] == "utf-16" else text.encode("ascii")


def step(ctx: WriteContext) -> bool:
    """Give a forest that an earlier version made its SYSVOL; whether more is waiting, which is never so."""
    if sysvol.root(ctx) is None:
        placeholders = Placeholders({"DNSDOMAIN": ctx.forest.dns_domain}, {}, lambda: new_guid(ctx.rng))
        fill(ctx, plan_files(provision_data.sysvol(), placeholders))
    return False


def fill(ctx: WriteContext, planned: Sequence[SysvolFile]) -> None:
    """Lay the tree: what is planned, the policy of passwords and tickets as it is, every policy's folder.

    Each policy's folder has the descriptor that its object asks for; all else inherits.
    """
    depth = len(gpo_objects.policies_path(ctx))
    paths = {one: sysvol_paths.split(one.path) for one in planned}
    for one, path in paths.items():
        if len(path) <= depth:
            _put(ctx, one, path)
    for policy in list(gpo_objects.every(ctx)):
        gpo_objects.make_folder(ctx, policy)
    for one, path in paths.items():
        if len(path) > depth + 1 and sysvol.find(ctx, path[: depth + 1]) is not None:
            _put(ctx, one, path)
    for policy in list(gpo_objects.every(ctx)):
        gpo_objects.write_version(ctx, policy, policy.version)
        if policy.name.upper() == DEFAULT_DOMAIN_POLICY:
            _tell_template(ctx, (*policy.path, *TEMPLATE))


def _put(ctx: WriteContext, one: SysvolFile, path: tuple[str, ...]) -> None:
    own = _descriptor(ctx, one.sddl) if one.sddl else None
    if not path:
        assert own is not None
        sysvol.create(ctx, 0, NewFile("", True, 0, own))
    elif one.content is None:
        sysvol_paths.put_folder(ctx, path, own)
    else:
        sysvol_paths.put_file(ctx, path, one.content, own)


def _descriptor(ctx: WriteContext, text: str) -> SecurityDescriptor:
    sid = ctx.forest.domain_sid
    return map_generic(sddl.parse(text, sid, sid), FILE_MAPPING)


def _tell_template(ctx: WriteContext, path: tuple[str, ...]) -> None:
    """Have the template say what is in force."""
    domain, held = ctx.tx.get(ctx.forest.domain_nc), sysvol_paths.get_file(ctx, path)
    assert domain is not None and held is not None
    template = InfFile.unpack(held)
    access = gpo_template.of_domain(domain)
    tickets = gpo_template.of_tickets(kerberos_policy.read(ctx))
    gpo_template.put(template, access, tickets)
    sysvol_paths.put_file(ctx, path, template.pack())
