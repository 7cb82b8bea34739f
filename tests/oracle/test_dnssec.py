"""Our signatures judged by BIND and dnspython, and dnspython's by us."""

import subprocess
import time
from pathlib import Path

import dns.dnssec
import dns.dnssecalgs
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from dns.dnssecalgs.base import GenericPrivateKey as AlgorithmPrivateKey
from dns.dnssectypes import Algorithm as Algorithms
from dns.dnssectypes import DSDigest
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from hypothesis import given, settings
from hypothesis import strategies as st

from addc.base.rng import SystemRng
from addc.codec.dns_data import DnskeyData, RrsigData
from addc.codec.dns_message import CLASS_IN, Record
from addc.codec.dns_names import Name, parse_name
from addc.codec.dns_rdata import DnsType, TxtData
from addc.codec.dns_wire import canonical_rdata, rdata_bytes, unpack_rdata
from addc.codec.zone_file import show_zone
from addc.dns import dnssec
from addc.dns.nsec3 import hash_label, nsec3_hash
from addc.dns.signed_zone import signed
from addc.dns.signing import Signatures
from addc.security.crypto.zone_signatures import Algorithm, SigningKey, new_curve_numbers
from addc.security.zone_keys import ds_of, key_tag
from tests.kit.signed_samples import NODES, NOW_S, sample_zone

_A = Algorithms
ALGORITHMS = (_A.RSASHA256, _A.RSASHA512, _A.ECDSAP256SHA256, _A.ECDSAP384SHA384, _A.ED25519, _A.ED448)
OWNER = "www.example.test."


def _content() -> list[Record]:
    return [
        Record(parse_name(name), int(one.type), CLASS_IN, one.ttl_s, one.data)
        for name, held in NODES.items()
        for one in held
    ]


def _verified(folder: Path, records: list[Record]) -> subprocess.CompletedProcess[str]:
    path = folder / "x.test.zone"
    path.write_text("".join(f"{line}\n" for line in show_zone(parse_name("x.test"), records)))
    return subprocess.run(
        ["dnssec-verify", "-o", "x.test", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("salt", "iterations"), [(b"", 0), (b"\xab\xcd", 5)])
def test_bind_verifies_a_zone_that_is_signed_whole(tmp_path: Path, salt: bytes, iterations: int) -> None:
    """RFC 4035 2, RFC 5155 7.1: every signature, the whole chain."""
    zone = sample_zone(salt=salt, iterations=iterations)
    assert zone.signing is not None
    now_s = int(time.time())
    records = signed(_content(), zone.signing, now_s, Signatures())
    assert records[0].type == DnsType.SOA
    done = _verified(tmp_path, records)
    assert done.returncode == 0, done.stdout + done.stderr
    without = [
        one for one in records if not (one.type == DnsType.RRSIG and one.owner == parse_name("dc1.x.test"))
    ]
    assert _verified(tmp_path, without).returncode != 0
    chain = [one for one in records if one.type == DnsType.NSEC3]
    broken = [one for one in records if one != chain[1] and not (one.owner == chain[1].owner)]
    assert _verified(tmp_path, broken).returncode != 0


def _dnspython_key(
    algorithm: Algorithms,
) -> tuple[AlgorithmPrivateKey, DNSKEY, DnskeyData]:
    kind = dns.dnssecalgs.get_algorithm_cls(algorithm)
    size = {"key_size": 2048} if algorithm.name.startswith("RSA") else {}
    private = kind.generate(**size)  # type: ignore[attr-defined]  # of every class but the base
    dnskey = private.public_key().to_dnskey(flags=256)
    key = unpack_rdata(DnsType.DNSKEY, dnskey.to_wire() or b"")
    assert isinstance(key, DnskeyData)
    return private, dnskey, key


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda one: one.name)
def test_we_verify_what_dnspython_signs(algorithm: Algorithms) -> None:
    private, dnskey, key = _dnspython_key(algorithm)
    rrset = dns.rrset.from_text(OWNER, 300, "IN", "MX", "10 Mail.Example.TEST.", "20 b.example.test.")
    made = dns.dnssec.sign(
        rrset, private, dns.name.from_text("example.test."), dnskey,
        inception=NOW_S - 10, expiration=NOW_S + 10,
    )  # fmt: skip
    rrsig = unpack_rdata(DnsType.RRSIG, made.to_wire() or b"")
    assert isinstance(rrsig, RrsigData)
    assert key_tag(key) == dns.dnssec.key_id(dnskey)
    data = [canonical_rdata(DnsType.MX, unpack_rdata(DnsType.MX, one.to_wire() or b"")) for one in rrset]
    owner = parse_name(OWNER)
    assert dnssec.verify_rrset(rrsig, key, owner, data, now_s=NOW_S)
    assert not dnssec.verify_rrset(rrsig, key, owner, data[:1], now_s=NOW_S)
    for digest in (DSDigest.SHA256, DSDigest.SHA384):
        theirs = dns.dnssec.make_ds("example.test.", dnskey, digest)
        assert rdata_bytes(DnsType.DS, ds_of(parse_name("example.test"), key, digest)) == theirs.to_wire()


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSAP256SHA256, Algorithm.ECDSAP384SHA384])
def test_dnspython_verifies_what_we_sign(algorithm: Algorithm) -> None:
    pair = SigningKey.of_curve(algorithm, new_curve_numbers(algorithm, SystemRng()))
    key = DnskeyData(256, 3, algorithm, pair.public_key)
    owner, zone = parse_name("*.W.example.test"), parse_name("example.test")
    unsigned = dnssec.unsigned_rrsig(
        owner, DnsType.TXT, 60, signer=zone, key=(algorithm, key_tag(key)), times=(NOW_S - 5, NOW_S + 5)
    )
    texts = [canonical_rdata(DnsType.TXT, TxtData((one,))) for one in (b"b", b"a", b"", b"a")]
    rrsig = dnssec.sign_rrset(pair, unsigned, owner, texts)
    name = dns.name.from_text("x.w.example.test.")
    rrset = dns.rrset.from_text(name, 60, "IN", "TXT", '"a"', '"b"', '""')
    wire = rdata_bytes(DnsType.RRSIG, rrsig)
    theirs = dns.rrset.from_rdata(name, 60, dns.rdata.from_wire("IN", "RRSIG", wire, 0, len(wire)))
    dnskey = rdata_bytes(DnsType.DNSKEY, key)
    keys = dns.rrset.from_rdata(
        "example.test.", 60, dns.rdata.from_wire("IN", "DNSKEY", dnskey, 0, len(dnskey))
    )
    dns.dnssec.validate(rrset, theirs, {keys.name: keys}, now=NOW_S)


LABEL = st.binary(min_size=1, max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.lists(LABEL, min_size=0, max_size=5).map(tuple), st.binary(max_size=8), st.integers(0, 10))
def test_hashes_as_dnspython_makes_them(name: Name, salt: bytes, iterations: int) -> None:
    """RFC 5155 5."""
    ours = hash_label(nsec3_hash(tuple(label.lower() for label in name), salt, iterations)).decode()
    assert ours.upper() == dns.dnssec.nsec3_hash(dns.name.Name([*name, b""]), salt, iterations, 1)
