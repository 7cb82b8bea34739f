"""addc dns server: this DC's DNS server; addc dns forwarder: whom it asks about the rest of the world."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from addc.cli.on_forest import add_change, add_part, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.server.config import SiteConfig

_HERE = "Works on the DC whose folder --data-dir is: other DCs have settings of their own."
_part = partial(add_part, about=_HERE)
_word = partial(add_word, about=_HERE)
_change = partial(add_change, about=_HERE)


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`addc dns server` and `addc dns forwarder`, with their words."""
    server = _part(words, "server", "settings of this DC's DNS server")
    _word(server, "info", "the settings, and what the server is doing", _info)
    changed = _change(server, "set", "change settings; running servers follow at once", _set)
    changed.add_argument(
        "settings", nargs="+", metavar="NAME=VALUE", help="as recursion=off; lists have commas; or =default"
    )
    _change(server, "clear-cache", "forget what other servers answered", _clear)
    asked = _part(words, "forwarder", "servers that are asked about the rest of the world")
    _word(asked, "list", "the forwarders, and the zones that others are asked about", _forwarders)
    for name, help, work in (
        ("add", "ask these servers as well, after the others", _add),
        ("remove", "ask these servers no more", _remove),
        ("set", "ask just these servers, in this order", _replace),
    ):
        one = _change(asked, name, help, work)
        least = "*" if name == "set" else "+"
        one.add_argument("servers", nargs=least, metavar="IP", help="with a port after # where it is not 53")
        if name == "set":
            one.add_argument("--none", action="store_true", help="ask nobody")
            one.add_argument("--default", action="store_true", help="ask those of config.json")
            one.add_argument("--timeout", type=int, metavar="S", help="seconds for an answer")
            one.add_argument(
                "--only",
                action=argparse.BooleanOptionalAction,
                default=None,
                help="root servers are not asked where forwarders fail",
            )


def _site(args: argparse.Namespace) -> "SiteConfig":
    from addc.server.config import default_data_dir, read_site_config  # noqa: PLC0415

    return read_site_config(args.data_dir or default_data_dir())


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(map(str, value)) or "-"
    return "-" if value is None or value == "" else str(value)


# --- server ---


def _info(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_server_settings  # noqa: PLC0415 - heavy

    found = dns_server_settings.info(directory, _site(args))
    held, changed = cast("dict[str, object]", found["settings"]), cast("list[str]", found["changed"])
    zones = cast("dict[str, int]", found["zones"])
    lines = [
        f"server     {found['server']}",
        f"zones      {', '.join(f'{count} {kind}' for kind, count in zones.items()) or 'none'}",
        f"forwarders {_shown(found['forwarders_in_force'])}",
        "",
        *(
            f"{name:<26} {_shown(value)}{'  (changed)' if name in changed else ''}"
            for name, value in held.items()
        ),
    ]
    tell(args, "\n".join(lines), found)


def _set(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_server_settings  # noqa: PLC0415

    done = dns_server_settings.change_settings(directory, args.settings, dry_run=args.dry_run)
    tell_change(args, ", ".join(f"{name}={_shown(value)}" for name, value in done.items()), done)


def _clear(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_server_settings  # noqa: PLC0415

    tell_change(args, "The cache is empty", dns_server_settings.clear_cache(directory, dry_run=args.dry_run))


# --- forwarders ---


def _forwarders(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_server_settings  # noqa: PLC0415

    found = dns_server_settings.forwarders(directory, _site(args))
    lines = [str(one) for one in cast("list[str]", found["forwarders"])] or ["No forwarders."]
    lines += [
        f"{one['name']} ({one['type']}): {_shown(one['masters'])}"
        for one in cast("list[dict[str, object]]", found["zones"])
    ]
    tell(args, "\n".join(lines), found)


def _edit(
    directory: "Directory",
    args: argparse.Namespace,
    edit: Callable[[tuple[str, ...]], tuple[str, ...] | None],
    more: dict[str, int | bool] | None = None,
) -> None:
    from addc.server import dns_server_settings  # noqa: PLC0415

    done = dns_server_settings.change_forwarders(directory, _site(args), edit, more, dry_run=args.dry_run)
    tell_change(args, f"Forwarders: {_shown(done['forwarders'])}", done)


def _add(directory: "Directory", args: argparse.Namespace) -> None:
    _edit(directory, args, lambda before: (*before, *args.servers))


def _remove(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.base.errors import UserError  # noqa: PLC0415

    def without(before: tuple[str, ...]) -> tuple[str, ...]:
        for one in args.servers:
            if one not in before:
                raise UserError(f"{one} is no forwarder. Next step: addc dns forwarder list tells which are")
        return tuple(one for one in before if one not in args.servers)

    _edit(directory, args, without)


def _replace(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.base.errors import UserError  # noqa: PLC0415

    more = {"forward_timeout_s": args.timeout, "is_slave": args.only}
    told = {name: value for name, value in more.items() if value is not None}
    if args.none + args.default + bool(args.servers) > 1:
        raise UserError("Servers, --none and --default exclude each other. Next step: choose one of them")
    if not (args.none or args.default or args.servers or told):
        raise UserError("Nothing is to be changed. Next step: name servers, or --none to ask nobody")

    def wanted(before: tuple[str, ...]) -> tuple[str, ...] | None:
        if args.default:
            return None
        return tuple(args.servers) if args.servers or args.none else before

    _edit(directory, args, wanted, told)
