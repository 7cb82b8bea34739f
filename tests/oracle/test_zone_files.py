"""Zone files as BIND and dnspython read and write them."""

import subprocess
from pathlib import Path

import dns.zone
import pytest

from addc.codec.dns_message import CLASS_IN, Record
from addc.codec.dns_names import fold, parse_name
from addc.codec.dns_rdata import AData, DnsType, NameData, SoaData
from addc.codec.dns_words import parse_type
from addc.codec.zone_file import parse_zone, show_zone
from tests.kit.dns_samples import APEX, OURS, records

_OBSOLETE = (DnsType.MD, DnsType.MF)
"""Types that BIND does not load."""


def _zone() -> list[Record]:
    """A zone with a record of every type that may be in one, and a name of odd octets."""
    soa = SoaData("dc1.example.com", "hostmaster.example.com", 7, 900, 600, 86400, 3600)
    kept = [one for one in records() if one.type not in (DnsType.SOA, *_OBSOLETE)]
    odd = (b'we ird.$"(;@\\\0\xff', *APEX)
    return [
        Record(APEX, DnsType.SOA, CLASS_IN, 3600, soa),
        Record(APEX, DnsType.NS, CLASS_IN, 3600, NameData("dc1.example.com")),
        Record((b"dc1", *APEX), DnsType.A, CLASS_IN, 60, AData(bytes((192, 0, 2, 1)))),
        Record(odd, DnsType.A, CLASS_IN, 60, AData(bytes((192, 0, 2, 2)))),
        *kept,
    ]


def _folded(zone: list[Record]) -> list[str]:
    return sorted(f"{fold(one.owner)} {one.type} {one.ttl_s} {one.data}" for one in zone)


@pytest.mark.parametrize("style", ["full", "relative"])
def test_bind_loads_ours_and_we_read_what_it_writes(style: str, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_text("\n".join(show_zone(APEX, _zone())) + "\n", encoding="ascii")
    words = ["named-compilezone", "-k", "ignore", "-i", "none", "-s", style, "-o", str(theirs)]
    done = subprocess.run([*words, "example.com", str(ours)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _folded(list(parse_zone(theirs.read_text(), ()).records)) == _folded(_zone())


def test_what_we_generate_is_what_bind_generates(tmp_path: Path) -> None:
    """$GENERATE: numbers, offsets, widths, bases, nibbles."""
    text = """$TTL 60
@ SOA a b 1 2 3 4 5
@ NS a
a A 192.0.2.1
$GENERATE 1-9/4 host-$ A 192.0.2.$
$GENERATE 10-12 h${-10,3,d} CNAME $.x${5,4,x}
$GENERATE 250-252 ${0,2,X}.${0,0,o} A 192.0.2.7
$GENERATE 16-18 ${0,5,n}.ip6 PTR "n${1,3,N}.test."
$GENERATE 300-302 ${0,3,n}.ip6 PTR ${1,8,n}test.
"""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_text(text)
    words = ["named-compilezone", "-k", "ignore", "-i", "none", "-s", "full", "-o", str(theirs)]
    done = subprocess.run([*words, "example.com", str(ours)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = parse_zone(text, parse_name("example.com")).records
    assert _folded(list(found)) == _folded(list(parse_zone(theirs.read_text(), ()).records))


def test_dnspython_reads_ours() -> None:
    strange = {parse_type(kind) for kind, _ in OURS}
    kept = [one for one in _zone() if one.type not in strange]
    zone = dns.zone.from_text("\n".join(show_zone(APEX, kept)), relativize=False)
    counted = sum(len(rdataset) for _, rdataset in zone.iterate_rdatasets())
    assert counted == len(kept)
