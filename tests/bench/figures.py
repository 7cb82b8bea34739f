"""Which figures there are, what a Samba 4.22 DC of today gives for them, and the table they are shown in."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. load: the kind of tests.bench.load; None for what the run itself measures.

    reference: the same of a Samba 4.22 DC on two cores of such a machine. connections: side by side.
    """

    name: str
    label: str
    unit: str
    load: str | None = None
    reference: float | None = None
    connections: int = 1

    @property
    def less_is_better(self) -> bool:
        return self.unit in ("s", "ms", "MiB", "KiB")


FIGURES: Final = (
    Figure("provision", "provision", "s", reference=2.5),
    Figure("first_ldap", "start to first LDAP answer", "s", reference=1.5),
    Figure("first_as_rep", "start to first AS-REP", "s", reference=1.5),
    Figure("first_srv", "start to first SRV answer", "s", reference=1.5),
    Figure("memory_start", "resident memory after start", "MiB", reference=250),
    Figure("root_dse", "rootDSE reads", "/s", "root_dse"),
    Figure("base_read", "base reads", "/s", "base_read", 8800),
    Figure("indexed_search", "indexed searches", "/s", "indexed_search", 7800),
    Figure("add_1", "adds, 1 connection", "/s", "add"),
    Figure("add_8", "adds, 8 connections", "/s", "add", connections=8),
    Figure("add_password_1", "adds with password", "/s", "add_with_password", 38),
    Figure("add_password_8", "adds with password, 8 connections", "/s", "add_with_password", connections=8),
    Figure("modify", "modifies", "/s", "modify", 458),
    Figure("simple_bind", "simple binds over TLS", "/s", "simple_bind", 243),
    Figure("spnego_bind", "SPNEGO binds", "/s", "spnego_bind", 182),
    Figure("tls_connect", "TLS connects", "/s", "tls_connect", 115),
    Figure("as_req", "AS-REQ", "/s", "as_req", 180),
    Figure("as_req_groups", "AS-REQ, 200 groups", "/s", "as_req_groups"),
    Figure("tgs_req", "TGS-REQ", "/s", "tgs_req", 220),
    Figure("tgs_req_groups", "TGS-REQ, 200 groups", "/s", "tgs_req_groups"),
    Figure("s4u2self", "S4U2Self, 10 groups", "/s", "s4u2self", 246),
    Figure("s4u2self_groups", "S4U2Self, 200 groups", "/s", "s4u2self_groups", 53),
    Figure("s4u2proxy", "S4U2Proxy, 10 groups", "/s", "s4u2proxy", 118),
    Figure("s4u2proxy_groups", "S4U2Proxy, 200 groups", "/s", "s4u2proxy_groups", 28),
    Figure("dns", "DNS queries", "/s", "dns", 9500),
    Figure("cldap", "CLDAP pings", "/s", "cldap", 2300),
    Figure("memory_load", "resident memory after load", "MiB", reference=1024),
)


@dataclass(slots=True)
class Series:
    """What was measured of one figure on one server, round by round; cpu_ms is per answer.

    p99_ms: of answers of KDCs and to datagrams, a window of them in flight.
    """

    values: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def median(self) -> float | None:
        return statistics.median(self.values) if self.values else None


Results = dict[str, dict[str, Series]]
"""By figure, then by server."""


def ratio(figure: Figure, ours: float | None, theirs: float | None) -> float | None:
    """How many times better ours is."""
    if not ours or not theirs:
        return None
    return theirs / ours if figure.less_is_better else ours / theirs


def median_ratio(figure: Figure, ours: Series, theirs: Series) -> float | None:
    """The median over the rounds; what was measured side by side is compared side by side."""
    pairs = zip(ours.values, theirs.values, strict=False)
    found = [r for a, b in pairs if (r := ratio(figure, a, b)) is not None]
    return statistics.median(found) if found else None


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.{digits}g}"


def table(results: Results, servers: Sequence[str], figures: Sequence[Figure] = FIGURES) -> str:
    """Lines for people: medians, ratio to the peer (over 1: ours is better), ratio to the reference."""
    ours, peers = servers[0], servers[1:]
    head = ["", "unit", *servers, *(f"x {peer}" for peer in peers), "Samba 4.22", "x 4.22"]
    head += [f"{server} cpu ms" for server in servers]
    head += [f"{server} p99 ms" for server in servers]
    rows, faults = [head], []
    for figure in figures:
        found = results.get(figure.name)
        if found is None:
            continue
        series = {server: found.get(server, Series()) for server in servers}
        mine = series[ours].median
        rows.append(
            [
                figure.label,
                figure.unit,
                *(_number(series[server].median) for server in servers),
                *(_number(median_ratio(figure, series[ours], series[peer])) for peer in peers),
                _number(figure.reference),
                _number(ratio(figure, mine, figure.reference)),
                *(
                    _number(statistics.median(of) if of else None)
                    for of in (*(series[s].cpu_ms for s in servers), *(series[s].p99_ms for s in servers))
                ),
            ]
        )
        faults += [
            f"{figure.label} on {s}: {text}" for s in servers for text in dict.fromkeys(series[s].faults)
        ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(w) if n < 2 else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, *(f"fault: {text}" for text in faults)])
