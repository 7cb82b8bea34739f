"""Records of every type as dnspython reads and writes them, in text and in octets."""

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_text import parse_rdata, show_rdata
from addc.codec.dns_wire import canonical_rdata, rdata_bytes, unpack_rdata
from addc.codec.dns_words import parse_type
from addc.codec.zone_file import words_of
from tests.kit.dns_samples import OURS, TEXTS

_LOWERS_NSEC = {DnsType.NSEC}
"""dnspython keeps RFC 4034's rule or RFC 6840's by version: not asked."""


@pytest.mark.parametrize(("kind", "text"), [*TEXTS, *OURS], ids=lambda value: str(value)[:12])
def test_text_and_octets_are_read_back(kind: str, text: str) -> None:
    rtype = parse_type(kind)
    data = parse_rdata(rtype, words_of(text))
    raw = rdata_bytes(rtype, data)
    assert unpack_rdata(rtype, raw) == data
    assert show_rdata(rtype, data) == text
    assert parse_rdata(rtype, words_of(f"\\# {len(raw)} {raw.hex()}")) == data


@pytest.mark.parametrize(("kind", "text"), TEXTS, ids=lambda value: str(value)[:12])
def test_dnspython_makes_the_same_octets(kind: str, text: str) -> None:
    rtype = parse_type(kind)
    theirs = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), text)
    data = parse_rdata(rtype, words_of(text))
    assert rdata_bytes(rtype, data) == theirs.to_wire()
    if rtype not in _LOWERS_NSEC:
        assert canonical_rdata(rtype, data) == theirs.to_digestable(dns.name.root)


@pytest.mark.parametrize(("kind", "text"), TEXTS, ids=lambda value: str(value)[:12])
def test_we_read_the_text_that_dnspython_writes(kind: str, text: str) -> None:
    rtype = parse_type(kind)
    theirs = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), text)
    assert rdata_bytes(rtype, parse_rdata(rtype, words_of(theirs.to_text()))) == theirs.to_wire()
    relative = theirs.to_text(origin=dns.name.from_text("example.com."))
    ours = parse_rdata(rtype, words_of(relative), parse_name("example.com"))
    assert rdata_bytes(rtype, ours).lower() == (theirs.to_wire() or b"").lower()
