"""The SPNs of a computer follow its names: a host that is called otherwise serves under its new name.

Windows does so at every write of dNSHostName and sAMAccountName; no document says it.
"""

from addc.directory.draft import Draft
from addc.schema import attr


def follow(draft: Draft) -> None:
    """Put the computer's new names into the SPNs that hold its old ones."""
    renamed = {}
    for att in (attr.DNS_HOST_NAME, attr.SAM_ACCOUNT_NAME):
        old, new = (_host(values.get(att, ())) for values in (draft.before, draft.attrs))
        if old and new and old.lower() != new.lower():
            renamed[old.lower()] = new
    held = draft.get(attr.SERVICE_PRINCIPAL_NAME)
    if not renamed or not held:
        return
    followed = dict.fromkeys(_followed(spn, renamed) for spn in held)
    if tuple(followed) != held:
        draft.put(attr.SERVICE_PRINCIPAL_NAME, *followed)


def _host(values: tuple[bytes, ...]) -> str:
    return values[0].decode("utf-8", "replace").removesuffix("$") if values else ""


def _followed(spn: bytes, renamed: dict[str, str]) -> bytes:
    parts = spn.decode("utf-8", "replace").split("/")
    if len(parts) > 1:
        parts[1] = renamed.get(parts[1].lower(), parts[1])
    return "/".join(parts).encode()
