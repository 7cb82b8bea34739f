"""What `addc share` does: defining the folders of this host that are served as file shares.

Spec: [MS-SRVS] 3.1.4.7 - 3.1.4.12 (what srvsvc does for the same).
"""

from dataclasses import dataclass, replace
from pathlib import Path

from addc.base.errors import DecodeError, DsError, UserError
from addc.directory import operator_shares
from addc.directory.api import Directory
from addc.directory.operator_shares import OperatorShare
from addc.security import sddl
from addc.security.descriptor import Control, SecurityDescriptor
from addc.security.token import SYSTEM


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be set of a share; None leaves it. sddl: "" for no descriptor of its own."""

    comment: str | None = None
    sddl: str | None = None
    files_sddl: str | None = None
    encrypt: bool | None = None
    hide_unreadable: bool | None = None
    hidden: bool | None = None
    users_max: int | None = None


def _parsed(directory: Directory, text: str) -> SecurityDescriptor:
    try:
        found = sddl.parse(text, directory.forest.domain_sid)
    except (DecodeError, DsError, ValueError) as error:
        raise UserError(
            f"{text!r} is no descriptor: {error}. Next step: write it as in D:(A;;FA;;;AU)."
        ) from None
    return replace(found, control=found.control | Control.DI)  # inheritance as the Explorer would set it up


def _changed(directory: Directory, share: OperatorShare, settings: Settings) -> OperatorShare:
    if settings.users_max is not None and settings.users_max < 0:
        raise UserError("A share cannot have fewer than no users.")
    if settings.sddl is not None:
        share = share.with_security(_parsed(directory, settings.sddl) if settings.sddl else None)
    return replace(
        share,
        comment=share.comment if settings.comment is None else settings.comment,
        encrypt=share.encrypt if settings.encrypt is None else settings.encrypt,
        access_based_enumeration=(
            share.access_based_enumeration if settings.hide_unreadable is None else settings.hide_unreadable
        ),
        hidden=share.hidden if settings.hidden is None else settings.hidden,
        users_max=share.users_max if settings.users_max is None else settings.users_max,
    )


def _put(directory: Directory, share: OperatorShare, settings: Settings, dry_run: bool) -> OperatorShare:
    operator_shares.check_name(share.name)
    files = None if settings.files_sddl is None else _parsed(directory, settings.files_sddl)
    if not dry_run:
        directory.write_now("share", SYSTEM, lambda ctx: operator_shares.put(ctx, share, files))
    return share


def found(directory: Directory, name: str) -> OperatorShare:
    """The share of a name. Raises UserError."""
    share = directory.read_now("share", SYSTEM, lambda ctx: operator_shares.find(ctx, name))
    if share is None:
        raise UserError(f"There is no share {name}. Next step: addc share list tells those there are.")
    return share


def add(directory: Directory, name: str, folder: Path, settings: Settings, *, dry_run: bool) -> OperatorShare:
    """Define a share of a folder that is there."""
    folder = folder.resolve()
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder. Next step: make it, owned by the user that addc runs as.")
    if directory.read_now("share", SYSTEM, lambda ctx: operator_shares.find(ctx, name)) is not None:
        raise UserError(f"There is a share {name} already. Next step: addc share set changes it.")
    share = _changed(directory, OperatorShare(name, str(folder)), settings)
    return _put(directory, share, settings, dry_run)


def change(directory: Directory, name: str, settings: Settings, *, dry_run: bool) -> OperatorShare:
    return _put(directory, _changed(directory, found(directory, name), settings), settings, dry_run)


def all_shares(directory: Directory) -> tuple[OperatorShare, ...]:
    return directory.read_now("share", SYSTEM, operator_shares.all_shares)


def remove(directory: Directory, name: str, *, forget: bool, dry_run: bool) -> OperatorShare:
    """Take a share away. forget: what is kept of its files goes as well."""
    share = found(directory, name)
    if not dry_run:
        directory.write_now(
            "share", SYSTEM, lambda ctx: operator_shares.remove(ctx, share.name, forget=forget)
        )
    return share


def facts(share: OperatorShare) -> dict[str, object]:
    """A share for machines."""
    security = share.security
    return {
        "name": share.name,
        "folder": share.path,
        "comment": share.comment,
        "sddl": None if security is None else sddl.format(security),
        "encrypt": share.encrypt,
        "hide_unreadable": share.access_based_enumeration,
        "hidden": share.hidden,
        "users_max": share.users_max or None,
    }
