"""What `addc ou` does: organizational units."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.filter import Equal
from addc.server.admin import accounts, names
from addc.server.admin.accounts import Facts
from addc.server.admin.target import EVERYTHING, ONE_LEVEL, SUBTREE, Add, Delete, Entry, Move, Target, text

_SHOWN: Final = (
    "objectClass",
    "ou",
    "description",
    "gPLink",
    "gPOptions",
    "managedBy",
    "whenCreated",
    "objectGUID",
)


def _find(target: Target, name: str, attributes: Sequence[str] = ()) -> Entry:
    dn = names.find_place(target, name).dn
    entry = target.read(dn, ("objectClass", *attributes))
    if entry is None or not entry.is_a("organizationalUnit"):
        raise UserError(f"{dn} is no organizational unit. Next step: addc ou list tells which there are")
    return entry


def add(target: Target, name: str, *, description: str, settings: Sequence[str], dry_run: bool) -> Facts:
    """Make an organizational unit: by its DN, or by names from the domain down, as Sales/Berlin."""
    dn = names.place_dn(target, name)
    if dn.startswith("<") or Dn.parse(dn).rdn.att.upper() != "OU":
        raise UserError(
            f"{name!r} names no organizational unit. Next step: write OU=Name,DC=... or Sales/Berlin"
        )
    attributes: list[tuple[str, Sequence[bytes]]] = [
        ("objectClass", text("organizationalUnit")),
        *((("description", text(description)),) if description else ()),
        *((one.attribute, one.values) for one in accounts.attribute_changes(settings)),
    ]
    target.apply([Add(dn, attributes)], dry_run=dry_run)
    return {"dn": dn}


def listed(target: Target, below: str, step: Callable[[], None]) -> Iterator[Facts]:
    """Organizational units, below a place or in the whole domain."""
    wanted = (Equal("objectCategory", b"organizationalUnit"),)
    for entry in accounts.listed(target, wanted, ("description",), below, step):
        yield {"dn": entry.dn, "path": path_of(target, entry.dn), "description": entry.text("description")}


def path_of(target: Target, dn: str) -> str:
    """Names from the domain down, as commands take them; the DN where others than OUs are in between."""
    domain, parsed = Dn.parse(target.place.domain_dn), Dn.parse(dn)
    rdns = parsed.rdns[: len(parsed) - len(domain)]
    if any(rdn.att.upper() != "OU" or "/" in rdn.value for rdn in rdns):
        return dn
    return "/".join(rdn.value for rdn in reversed(rdns))


def show(target: Target, name: str) -> Facts:
    """One unit, with what is right below it."""
    entry = _find(target, name, _SHOWN)
    below = [one.dn for one in target.search(entry.dn, ONE_LEVEL, EVERYTHING, ("1.1",))]
    return {
        "dn": entry.dn,
        "path": path_of(target, entry.dn),
        "guid": accounts.guid_text(entry.first("objectGUID")),
        "description": entry.text("description"),
        "managed_by": entry.text("managedBy"),
        "policies": entry.text("gPLink"),
        "blocks_inheritance": entry.text("gPOptions") == "1",
        "created": accounts.generalized_text(entry.text("whenCreated")),
        "holds": below,
    }


def delete(target: Target, name: str, *, tree: bool, step: Callable[[], None], dry_run: bool) -> Facts:
    """End a unit; with all that is in it only where that is asked for."""
    entry = _find(target, name)
    count = 0
    if tree:
        for _ in target.search(entry.dn, SUBTREE, EVERYTHING, ("1.1",)):
            step()
            count += 1
    target.apply([Delete(entry.dn, tree)], dry_run=dry_run)
    return {"dn": entry.dn, "objects": count or 1}


def move(target: Target, name: str, place: str, *, dry_run: bool) -> Facts:
    """Put a unit, with all that is in it, elsewhere."""
    entry = _find(target, name)
    parent = names.find_place(target, place).dn
    rdn = str(Dn.parse(entry.dn).rdn)
    target.apply([Move(entry.dn, rdn, parent)], dry_run=dry_run)
    return {"dn": f"{rdn},{parent}", "was": entry.dn}


def rename(target: Target, name: str, new: str, *, dry_run: bool) -> Facts:
    """Another name for a unit in its place."""
    entry = _find(target, name)
    rdn, dn = accounts.renamed_dn(entry.dn, new)
    target.apply([Move(entry.dn, rdn)], dry_run=dry_run)
    return {"dn": dn, "was": entry.dn}
