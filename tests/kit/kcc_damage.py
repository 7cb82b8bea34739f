"""LDIF as bad luck leaves it: lines lost, doubled, swapped, and values changed; a seed makes it again."""

import random
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Final

from addc.kcc.snapshot import Snapshot

_ODD: Final = (
    b"", b" ", b"0", b"-1", b"4294967296", b"99999999999999999999", b"TRUE", b"maybe", b"CN=x", b"CN=", b",",
    b"\\", b"CN=x\\", b'CN="x', b"<GUID=>", b"<GUID=zz>;CN=x", b"<GUID=00>", b"B:8:0000000D", b"B:9:00:CN=x",
    b"\xff\xfe", b"\0", b"%s" % (b"CN=x," * 300), b"20260230000000.0Z", b"@ROOTDSE", b": !!!", b"< file:///x",
)  # fmt: skip
Lines = list[bytes]


def damaged(data: bytes, seed: int, most: int = 12) -> bytes:
    """The file after one to `most` accidents."""
    rng = random.Random(seed)  # noqa: S311 - accidents, not secrets
    lines = data.split(b"\n")
    for _ in range(rng.randint(1, most)):
        rng.choice(_ACCIDENTS)(lines, rng)
    return b"\n".join(lines)


def _some(lines: Lines, rng: random.Random) -> int:
    return rng.randrange(len(lines))


def _lose(lines: Lines, rng: random.Random) -> None:
    at = _some(lines, rng)
    del lines[at : at + rng.choice((1, 1, 1, 5, 40))]
    lines.append(b"")


def _double(lines: Lines, rng: random.Random) -> None:
    at = _some(lines, rng)
    piece = lines[at : at + rng.choice((1, 1, 10, 40))]
    to = _some(lines, rng)
    lines[to:to] = piece


def _swap(lines: Lines, rng: random.Random) -> None:
    one, other = _some(lines, rng), _some(lines, rng)
    lines[one], lines[other] = lines[other], lines[one]


def _replace_value(lines: Lines, rng: random.Random) -> None:
    at = _some(lines, rng)
    name = lines[at].partition(b":")[0]
    value = rng.choice(_ODD)
    lines[at] = name + b":: " + b64encode(value) if rng.random() < 0.5 else name + b": " + value


def _take_value(lines: Lines, rng: random.Random) -> None:
    """Another line's value: names of the wrong kind of object, numbers for names."""
    at = _some(lines, rng)
    lines[at] = lines[at].partition(b":")[0] + b":" + lines[_some(lines, rng)].partition(b":")[2]


def _change_byte(lines: Lines, rng: random.Random) -> None:
    at = _some(lines, rng)
    line = bytearray(lines[at])
    if line:
        line[rng.randrange(len(line))] = rng.randrange(256)
    lines[at] = bytes(line)


_ACCIDENTS: Final[Sequence[Callable[[Lines, random.Random], None]]] = (
    _lose, _double, _swap, _replace_value, _replace_value, _take_value, _take_value, _change_byte,
)  # fmt: skip


def check_places(snapshot: Snapshot) -> None:
    """Every place in a snapshot is one that there is, and everything stands in order of its GUIDs."""
    for found in (snapshot.sites, snapshot.dcs, snapshot.links, snapshot.bridges):
        guids = [one.guid for one in found]
        assert guids == sorted(set(guids)) and all(len(one) == 16 and any(one) for one in guids)
    counts = len(snapshot.sites), len(snapshot.dcs), len(snapshot.links), len(snapshot.ncs)
    sites, dcs, links, ncs = map(range, counts)
    for at, dc in enumerate(snapshot.dcs):
        assert dc.site in sites and all(nc in ncs for nc in (*dc.held, *dc.due))
        assert dc.domain is None or dc.domain in ncs
        for one in dc.connections:
            assert one.target == at and (one.source is None or (one.source in dcs and one.source != at))
    for link in snapshot.links:
        assert len(link.sites) > 1 and list(link.sites) == sorted(set(link.sites))
        assert all(site in sites for site in link.sites)
        assert link.cost >= 1 and 15 <= link.interval_min <= 10_080
    for bridge in snapshot.bridges:
        assert len(bridge.links) > 1 and all(link in links for link in bridge.links)
    assert all(nc in ncs and owners <= set(dcs) for nc, owners in snapshot.role_owners.items())
    assert snapshot.local is None or snapshot.local in dcs
    assert all(one.what and one.then for one in snapshot.troubles)
