"""Imports point down only, and each foreign package has its one adapter.

The tables are the whole list: what is absent is forbidden. Widening one is a decision record.
"""

from typing import Final

from tests.gate.source_tree import imports_of, name_of, product_files

LOW: Final = {"base", "codes", "codec", "schema", "security"}

PURE: Final = {
    "ldap": {"messages", "controls", "engine", "initiator"},
    "kdc": {
        "anonymous",
        "as_exchange",
        "as_grant",
        "authn_policy",
        "client_requests",
        "describe",
        "describe_fast",
        "describe_pac",
        "describe_padata",
        "describe_values",
        "dmsa",
        "explain",
        "facts",
        "fast",
        "fast_challenge",
        "fast_device",
        "kpasswd",
        "krb_errors",
        "open_ticket",
        "pac_build",
        "pac_validation",
        "padata",
        "pkinit",
        "pkinit_certificate",
        "pkinit_facts",
        "pkinit_freshness",
        "pkinit_reply",
        "pkinit_request",
        "policy",
        "preauth",
        "principal_names",
        "proof",
        "referrals",
        "rodc",
        "s4u_evidence",
        "s4u_proxy",
        "s4u_self",
        "s4u_trusts",
        "subject",
        "tgs_exchange",
        "tgs_grant",
        "ticket_pac",
        "tickets",
        "transited",
        "trust_clients",
        "trust_tickets",
    },
    "dns": {
        "answer",
        "cookies",
        "dhcp_names",
        "dnssec",
        "exchange",
        "forward",
        "journal",
        "nsec",
        "nsec3",
        "query_0x20",
        "rate_limit",
        "recursion",
        "recursion_acl",
        "replays",
        "reply",
        "reply_cache",
        "reply_reading",
        "resolver_cache",
        "signed_zone",
        "signing",
        "transfer",
        "tsig",
        "upstream_health",
        "validator",
        "zone_content",
    },
    "drs": {"idl", "idl_repl_info"},
    "kcc": {
        "apart",
        "bridgeheads",
        "colours",
        "connection_rules",
        "failures",
        "implied",
        "intersite",
        "intrasite",
        "istg",
        "picture",
        "plan",
        "reading",
        "removal",
        "ring_leaves",
        "rings",
        "schedule",
        "schedule_text",
        "serving",
        "shortcuts",
        "site_graph",
        "site_tree",
        "snapshot",
        "telling",
        "translation",
        "wanted",
        "writing",
    },
    "rpc": {"auth_layer", "engine", "initiator", "pdu", "presentation", "towers", "verification"},
    "smb": {
        "create_contexts",
        "credits",
        "dfs",
        "encryption",
        "file_access",
        "frames",
        "fscc",
        "leases",
        "locks",
        "messages",
        "names",
        "negotiate",
        "new_descriptors",
        "notify",
        "outgoing",
        "policy",
        "share_modes",
        "signing",
    },
}
PURE_INTERFACE_MODULES: Final = {
    "idl",
    "idl_kinds",
    "idl_parts",
    "idl_server",
    "idl_zones",
    "record_data",
    "rights",
    "statistics_layout",
}
"""Of every package below rpc/interfaces."""
PROTOCOLS: Final = {"ldap", "kdc", "kcc", "dns", "drs", "rpc", "smb"}

ALLOWED: Final[dict[str, set[str]]] = {
    "base": set(),
    "codes": {"base"},
    "codec": {"base", "codes"},
    "schema": {"base", "codes", "codec"},
    "security": {"base", "codes", "codec"},
    "pure": LOW,
    "kcc pure": {"base", "codec"},
    "store": {"base", "codes", "codec"},
    "directory": {*LOW, "store"},
    "auth": {*LOW, "store", "directory"},
    "service": {*LOW, "directory", "auth", "store.objects"},
    "drs": {*LOW, "directory", "auth", "store.objects", "rpc.call"},
    "provision": {*LOW, "directory", "auth", "store"},
    "server": {
        *LOW,
        "store",
        "directory",
        "auth",
        "ldap",
        "kdc",
        "kcc",
        "dns",
        "drs",
        "rpc",
        "smb",
        "provision",
    },
    "cli": {"base", "directory", "provision", "server"},
}

FOREIGN: Final[dict[str, set[str]]] = {
    "sqlalchemy": {"addc.store"},
    "alembic": {"addc.store"},
    "psycopg": {"addc.store"},
    "cryptography": {"addc.security.crypto", "addc.store.seal", "addc.server.tls"},
    "Cryptodome": {"addc.security.crypto"},
    "gssapi": {"addc.auth.gss"},
    "uvloop": {"addc.server"},
}


def group_of(module: str) -> str:
    """The row of ALLOWED that holds for this module."""
    parts = module.split(".")
    package = parts[1] if len(parts) > 1 else "base"
    if package not in PROTOCOLS:
        return package
    if parts[1:3] == ["rpc", "interfaces"]:
        return "pure" if parts[-1] in PURE_INTERFACE_MODULES else "service"
    if len(parts) > 2 and parts[2] in PURE[package]:
        return (
            "kcc pure" if package == "kcc" else "pure"
        )  # the planner knows no protocol and no rule of rights
    return "drs" if package == "drs" else "service"  # its operations are those of an RPC interface


def arrow_is_allowed(source: str, target: str) -> bool:
    source_parts, target_parts = source.split("."), target.split(".")
    if len(target_parts) < 2:
        return True
    own, other = source_parts[1], target_parts[1]
    group = group_of(source)
    if own == other:
        if own in PROTOCOLS and group.endswith("pure"):
            return len(target_parts) < 3 or group_of(target) == group
        return True
    allowed = ALLOWED[group]
    return other in allowed or ".".join(target_parts[1:3]) in allowed


def test_imports_point_down_only() -> None:
    wrong = [
        f"{name_of(path)} -> {target}"
        for path in product_files()
        for target in sorted(imports_of(path))
        if target.split(".")[0] in ("addc", "tests")
        and (
            target.startswith("tests")
            or (name_of(path) != "addc" and not arrow_is_allowed(name_of(path), target))
        )
    ]
    assert not wrong


def test_pure_modules_are_there() -> None:
    there = {name_of(path) for path in product_files()}
    listed = {f"addc.{package}.{one}" for package, modules in PURE.items() for one in modules}
    assert listed <= there


def test_foreign_packages_have_one_adapter() -> None:
    wrong = [
        f"{name_of(path)} -> {target}"
        for path in product_files()
        for target in imports_of(path)
        if (homes := FOREIGN.get(target.split(".")[0])) is not None
        and not any(name_of(path) == home or name_of(path).startswith(home + ".") for home in homes)
    ]
    assert not wrong


def test_modules_do_not_import_in_circles() -> None:
    graph = {
        name_of(path): {t for t in imports_of(path) if t.startswith("addc.")} for path in product_files()
    }
    graph = {name: {t for t in targets if t in graph and t != name} for name, targets in graph.items()}
    done: set[str] = set()
    for start in graph:
        _walk(start, graph, done, ())


def _walk(name: str, graph: dict[str, set[str]], done: set[str], trail: tuple[str, ...]) -> None:
    assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
    if name in done:
        return
    for target in sorted(graph[name]):
        _walk(target, graph, done, (*trail, name))
    done.add(name)


def test_the_gate_sees_a_forbidden_arrow() -> None:
    assert not arrow_is_allowed("addc.codec.ber", "addc.store.engine")
    assert not arrow_is_allowed("addc.kdc.as_exchange", "addc.directory.api")
    assert not arrow_is_allowed("addc.ldap.service", "addc.kdc.facts")
    assert not arrow_is_allowed("addc.ldap.service", "addc.store.engine")
    assert arrow_is_allowed("addc.ldap.service", "addc.directory.api")
