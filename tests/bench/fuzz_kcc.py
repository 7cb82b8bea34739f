"""Damaged forests through the planner and every report, damaged what-if files, and the KCC's own formats.

A file may be refused in words; one that is read gives a plan, and reports that are what they say they are:
JSON, XML, text without anything that acts on a terminal.
"""

import json
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from xml.etree import ElementTree

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, UserError
from addc.codec.blobs import ReplUpToDateVector
from addc.codec.schedule import pack_reps_times, pack_schedule, unpack_reps_times, unpack_schedule
from addc.kcc.plan import plan_share
from addc.kcc.reading import what_if
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_ldif
from addc.kcc.reading.ldif_writing import ldif_of
from addc.kcc.schedule_text import parse_schedule, parse_starts, show_schedule, show_starts
from addc.kcc.snapshot import DcAt, SiteOption, Snapshot
from addc.server.kcc_commands import Scope, shown, told
from addc.server.kcc_files import Source
from tests.kit.kcc_damage import check_places, damaged
from tests.kit.kcc_forest import NOW, SITES_DN, AConnection, ADc, ALink, ASite, forest, hours

_DRAWN: Final = 8
"""Of so many files one is drawn, too: that takes longer than all the rest."""
_SHARES: Final = 4
_QUOTED: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def _forests() -> list[Snapshot]:
    links = [
        ALink("ab", ("A", "B"), cost=50, window=hours(range(20, 24))),
        ALink("bc", ("B", "C"), interval_min=15),
        ALink("all", ("A", "B", "C", "D"), cost=900),
    ]
    dcs = [
        ADc("a1", "A", gc=True, apps=("Zones",)), ADc("a2", "A"), ADc("b1", "B", domain="child", gc=True),
        ADc("c1", "C", rodc=True), ADc("d1", "D", apps=("Zones",), preferred=True),
    ]  # fmt: skip
    made = [AConnection("a1", "b1"), AConnection("a1", "a2"), AConnection("gone", "d1", name="x")]
    sites: list[str | ASite] = [
        "A",
        "B",
        "C",
        ASite("D", SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED, generator="d1"),
    ]
    return [
        forest(sites=sites, dcs=dcs, links=links, bridges={"br": ["ab", "bc"]}, connections=made, local="a1"),
        forest(sites=["A"], dcs=[f"A/d{n}*" for n in range(9)], connections=[AConnection("d1", "d2")]),
    ]


def seeds() -> list[bytes]:
    """Forests as LDIF."""
    return [ldif_of(one) for one in _forests()]


def feed(data: bytes) -> None:
    """A file with a few octets changed, and the same after accidents to its lines."""
    crc = zlib.crc32(data)
    _plan(damaged(data, crc) if crc % 3 == 0 else data, crc // 3)


def _plan(data: bytes, which: int) -> None:
    try:
        entries, facts = read_ldif(data)
    except DecodeError:
        return
    snapshot = snapshot_of(entries, facts, NOW)
    check_places(snapshot)
    found = told(snapshot, Scope(), lambda _: None)
    forms = ("text", "json", "dot", "svg", "html") if which % _DRAWN == 0 else ("text", "json", "dot")
    for form in forms:
        _JUDGES[form]("".join(shown(found, form, everything=True)))
    for dc in range(min(len(snapshot.dcs), _SHARES)):
        plan_share(snapshot, [DcAt(dc)])


def _text(text: str) -> None:
    assert text.replace("\n", "").isprintable() or not any(
        (one < " " and one != "\t") or "\x7f" <= one < "\xa0" or "\u2028" <= one <= "\u202e"
        for one in text.replace("\n", "")
    )


def _json(text: str) -> None:
    assert isinstance(json.loads(text)["connections"], list)


def _dot(text: str) -> None:
    bare = _QUOTED.sub("", text)
    assert text.startswith("digraph") and bare.count("{") == bare.count("}") > 0 and "\0" not in text
    assert '"' not in bare and "\\" not in bare


def _svg(text: str) -> None:
    ElementTree.fromstring(text.encode())  # noqa: S314 - made here


def _html(text: str) -> None:
    assert text.count("</script>") == text.count("<script") == 2
    json.loads(text.partition('id="plan">')[2].partition("</script>")[0])


_JUDGES: Final[dict[str, Callable[[str], None]]] = {
    "text": _text, "json": _json, "dot": _dot, "svg": _svg, "html": _html,
}  # fmt: skip


# --- what if ---


def what_if_seeds() -> list[bytes]:
    """Changes to the first forest."""
    link = f"CN=ab,CN=IP,CN=Inter-Site Transports,{SITES_DN}"
    server = f"CN=a2,CN=Servers,CN=A,{SITES_DN}"
    return [
        f"dn: {link}\nchangetype: modify\nreplace: schedule\nschedule: Mo-Fr 20:00-06:00\n-\nreplace: cost\n"
        f"cost: 7\n-\n\ndn: CN=B,{SITES_DN}\nchangetype: delete\n".encode(),
        f"dn: {server}\nchangetype: modrdn\nnewrdn: CN=a2\ndeleteoldrdn: 1\nnewsuperior: CN=Servers,CN=B,"
        f"{SITES_DN}\n".encode(),
        f"dn: CN=E,{SITES_DN}\nchangetype: add\nobjectClass: site\n\ndn: CN=NTDS Settings,CN=e1,CN=Servers,"
        f"CN=E,{SITES_DN}\nchangetype: add\nobjectClass: nTDSDSA\noptions: 1\n".encode(),
    ]


def feed_what_if() -> Callable[[bytes], None]:
    """Change records, done to a forest; refused in words or planned."""
    entries, facts = read_ldif(seeds()[0])
    source = Source(entries, facts, FileTime(NOW))

    def feed(data: bytes) -> None:
        with suppress(UserError):
            check_places(source.snapshot(what_if.parse(data.decode("utf-8", "replace"))))

    return feed


# --- formats ---


def value_seeds() -> list[bytes]:
    """Weeks, in octets and in words; cursors."""
    week = hours(range(6, 20))
    return [
        pack_schedule(week), pack_reps_times(week), b"Mo-Fr 20:00-06:00; Sa-Su", b"every 3 h from 00:30",
        b"always", ReplUpToDateVector(()).pack(),
    ]  # fmt: skip


def feed_value(data: bytes) -> None:
    """What is read comes back the same."""
    with suppress(DecodeError):
        week = unpack_schedule(data)
        assert unpack_schedule(pack_schedule(week)) == week
    with suppress(DecodeError):
        assert pack_reps_times(unpack_reps_times(data)) == data
    text = data.decode("latin-1")
    with suppress(UserError):
        found = parse_schedule(text)
        assert parse_schedule(show_schedule(found)) == found
    with suppress(UserError):
        assert show_starts(parse_starts(text))
    with suppress(DecodeError):
        ReplUpToDateVector.unpack(data)
