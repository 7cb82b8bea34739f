"""The files that SYSVOL starts with: the two default group policies.

Spec: [MS-GPOL] 2.2.4, [MS-GPSB] 2.2
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.provision.data import IniData, SysvolData
from addc.provision.placeholders import Placeholders

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
