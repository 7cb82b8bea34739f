"""addc gpo: group policies, each an object of the directory and a folder of SYSVOL."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.errors import UserError
from addc.cli.on_target import Work, add_target_work, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from addc.directory.api import Directory
    from addc.server.admin.target import Target

    Local = Callable[["Directory", argparse.Namespace], int | None]

_EPILOG: Final = """\
A policy is named by its GUID or by the name that people gave it; a place to link it to by its DN, the domain
also by its DNS name. Object and folder are made, changed and removed in one transaction. May be used beside a
running server, whose clients see at once what is changed.

With -H, list, show, link and unlink work on a DC elsewhere, by LDAP. What needs the policy's files, which
LDAP does not reach, is done on the DC, or over SMB by samba-tool gpo or Windows' editors.

Exit status: 0 done, 1 not done or something is wrong, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "gpo",
        help="group policies: show, make, link, keep and put back, check",
        description="Show, make, link, keep and put back group policies.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    _add(words.add_parser("list", help="every policy"), _list, _list_elsewhere)
    shown = words.add_parser("show", help="one policy in full")
    created = words.add_parser("create", help="make a policy that is linked nowhere")
    deleted = words.add_parser("delete", help="end a policy, with its folder and links")
    deleted.add_argument("--force", action="store_true", help="even one of the two that every domain has")
    linked = words.add_parser("link", help="link a policy, or change its link")
    linked.add_argument("--enforced", action="store_true", help="wins over what is linked further down")
    linked.add_argument("--disabled", action="store_true", help="not applied for the time being")
    unlinked = words.add_parser("unlink", help="end a policy's link")
    kept = words.add_parser("backup", help="keep a policy in a new folder below DIR")
    for one in (shown, created, deleted, linked, unlinked, kept):
        one.add_argument("policy", metavar="POLICY", help="GUID or name")
    for one in (linked, unlinked):
        one.add_argument("place", metavar="PLACE", help="domain, organizational unit or site")
    kept.add_argument("folder", type=Path, metavar="DIR")
    restored = words.add_parser("restore", help="put a policy back that was kept")
    restored.add_argument("folder", type=Path, metavar="DIR", help="the folder that backup named")
    restored.add_argument("--new-name", default="", metavar="NAME", help="make a new policy of it")
    restored.add_argument("--links", action="store_true", help="link it where it was")
    checked = words.add_parser("check", help="look for policies whose object and folder differ")
    checked.add_argument("--repair", action="store_true", help="mend what can be mended")
    for one in (created, deleted, linked, unlinked, restored):
        one.add_argument("--dry-run", action="store_true", help="try it, keep nothing")
    _add(shown, _show, _show_elsewhere)
    _add(linked, _link, _link_elsewhere)
    _add(unlinked, _unlink, _unlink_elsewhere)
    for one, work in (
        (created, _create), (deleted, _delete), (kept, _backup), (restored, _restore), (checked, _check),
    ):  # fmt: skip
        _add(one, work)


def _add(parser: argparse.ArgumentParser, here: "Local", elsewhere: Work | None = None) -> None:
    """Have a word do `here` on an open directory, and `elsewhere` on a DC by LDAP."""

    def work(target: "Target", args: argparse.Namespace) -> int | None:
        from addc.server.admin.local import LocalTarget  # noqa: PLC0415 - heavy

        if isinstance(target, LocalTarget):
            return here(target.directory, args)
        assert elsewhere is not None
        return elsewhere(target, args)

    def check(args: argparse.Namespace) -> None:
        if args.host and elsewhere is None:
            raise UserError(
                f"addc gpo {args.word} needs the policy's files in SYSVOL, which LDAP does not reach. Next"
                " step: run it on the DC, without -H, or use samba-tool gpo"
            )

    add_target_work(parser, work, check)


# --- elsewhere ---------------------------------------------------------------------------------------------


def _list_elsewhere(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import policies  # noqa: PLC0415

    found = policies.listed(target)
    tell(args, "\n".join(f"{one['guid']}  {one['name']}" for one in found), found)


def _show_elsewhere(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import policies  # noqa: PLC0415

    found = policies.show(target, args.policy)
    tell(args, _lines(found), found)


def _link_elsewhere(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import policies  # noqa: PLC0415

    found = policies.link(
        target, args.policy, args.place, enforced=args.enforced, disabled=args.disabled, dry_run=args.dry_run
    )
    tell(args, f"{_head(args, 'Linked')}\n{_lines(found)}", found)


def _unlink_elsewhere(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import policies  # noqa: PLC0415

    found = policies.unlink(target, args.policy, args.place, dry_run=args.dry_run)
    tell(args, f"{_head(args, 'Unlinked')}\n{_lines(found)}", found)


# --- here --------------------------------------------------------------------------------------------------


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands, sysvol_commands  # noqa: PLC0415 - heavy

    sysvol_commands.ready(directory)
    found = gpo_commands.listed(directory)
    tell(args, "\n".join(f"{one['guid']}  {one['name']}" for one in found), found)


def _show(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands, sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    found = gpo_commands.show(directory, args.policy)
    tell(args, _lines(found), found)


def _create(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands, sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    made = gpo_commands.create(directory, args.policy, dry_run=args.dry_run)
    tell(args, f"{_head(args, 'Made')}\n{_lines(made)}", made)


def _delete(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands, sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    gone = gpo_commands.delete(directory, args.policy, force=args.force, dry_run=args.dry_run)
    tell(args, f"{_head(args, 'Removed')}\n{_lines(gone)}", gone)


def _link(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands  # noqa: PLC0415

    found = gpo_commands.link(
        directory, args.policy, args.place, enforced=args.enforced, disabled=args.disabled,
        dry_run=args.dry_run,
    )  # fmt: skip
    tell(args, f"{_head(args, 'Linked')}\n{_lines(found)}", found)


def _unlink(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands  # noqa: PLC0415

    found = gpo_commands.unlink(directory, args.policy, args.place, dry_run=args.dry_run)
    tell(args, f"{_head(args, 'Unlinked')}\n{_lines(found)}", found)


def _backup(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands, sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    place = gpo_commands.backup(directory, args.policy, args.folder)
    tell(args, f"Kept in {place}.\nNext step: addc gpo restore {place} puts it back.", {"folder": str(place)})


def _restore(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import gpo_commands, sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    found = gpo_commands.restore(
        directory, args.folder, new_name=args.new_name, links=args.links, dry_run=args.dry_run
    )
    tell(args, f"{_head(args, 'Put back')}\n{_lines(found)}", found)


def _check(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import gpo_commands, sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    found = gpo_commands.check(directory, mend=args.repair)
    left = [one for one in found if one.outcome != "mended"]
    lines = [f"{one.rule}: {one.detail}{f' [{one.outcome}]' if one.outcome else ''}" for one in found]
    lines.append(f"{len(found)} findings, {len(left)} open.")
    if left and not args.repair and any(one.mendable for one in left):
        lines.append("Next step: addc gpo check --repair mends what can be mended.")
    tell(args, "\n".join(lines), [asdict(one) for one in found])
    return 1 if left else 0


def _head(args: argparse.Namespace, done: str) -> str:
    return "Would be done; nothing was changed:" if args.dry_run else f"{done}:"


def _lines(facts: dict[str, object]) -> str:
    return "\n".join(f"  {name.replace('_', ' '):<18} {_shown(value)}" for name, value in facts.items())


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_shown(one) for one in value) or "none"
    if isinstance(value, dict):
        flags = "".join(text for name, text in (("enforced", " (enforced)"),) if value.get(name)) + (
            "" if value.get("enabled", True) else " (disabled)"
        )
        return f"{value.get('name')}{flags}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
