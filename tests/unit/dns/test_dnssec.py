"""Signatures over record sets, by the examples of the RFCs."""

import base64
from dataclasses import replace

import pytest

from addc.base.secret import Secret
from addc.codec.dns_data import DnskeyData, DsData, RrsigData
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AData, DnsType, MxData, NameData, RecordData
from addc.codec.dns_wire import canonical_rdata
from addc.dns import dnssec
from addc.security.crypto.zone_signatures import Algorithm, CurveNumbers, SigningKey
from addc.security.zone_keys import DIGEST_SHA1, ZONE_FLAG, ds_matches, ds_of, key_tag

P256 = DnskeyData(
    257, 3, 13,
    base64.b64decode("GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="),
)  # fmt: skip
P256_SIGNATURE = base64.b64decode(
    "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=="
)
P256_RRSIG = RrsigData(DnsType.A, 13, 3, 3600, 1284026679, 1281607479, 55648, "example.net", P256_SIGNATURE)
WWW = parse_name("www.example.net")
WITHIN_S = 1282000000


def _canonical(rtype: DnsType, *data: RecordData) -> list[bytes]:
    return [canonical_rdata(rtype, one) for one in data]


def _a(*addresses: str) -> list[bytes]:
    return _canonical(DnsType.A, *(AData(bytes(map(int, one.split(".")))) for one in addresses))


def test_the_p256_example_of_rfc_6605() -> None:
    """RFC 6605 6.1."""
    assert key_tag(P256) == 55648
    ds = ds_of(parse_name("example.net"), P256)
    assert ds.digest.hex() == "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"
    assert dnssec.verify_rrset(P256_RRSIG, P256, WWW, _a("192.0.2.1"), now_s=WITHIN_S)
    assert dnssec.verify_rrset(
        P256_RRSIG, P256, parse_name("WWW.Example.NET"), _a("192.0.2.1"), now_s=WITHIN_S
    )


def test_the_ed25519_example_of_rfc_8080() -> None:
    """RFC 8080 6.1."""
    key = DnskeyData(257, 3, 15, base64.b64decode("l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="))
    assert key_tag(key) == 3613
    signature = base64.b64decode(
        "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg=="
    )
    rrsig = RrsigData(DnsType.MX, 15, 2, 3600, 1440021600, 1438207200, 3613, "example.com", signature)
    owner, mx = parse_name("example.com"), _canonical(DnsType.MX, MxData(10, "mail.example.com"))
    assert dnssec.verify_rrset(rrsig, key, owner, mx, now_s=1439000000)
    seed = Secret(base64.b64decode("ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI="))
    made = SigningKey.of_seed(seed)
    assert made.public_key == key.key
    assert dnssec.sign_rrset(made, replace(rrsig, signature=b""), owner, mx).signature == signature


def test_key_tags_and_digests_of_rfc_4034() -> None:
    """RFC 4034 5.4."""
    key = DnskeyData(
        256, 3, 5,
        base64.b64decode(
            "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx"
            "egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
        ),
    )  # fmt: skip
    assert key_tag(key) == 60485
    ds = ds_of(parse_name("dskey.example.com"), key, DIGEST_SHA1)
    assert ds.digest.hex() == "2bb183af5f22588179a53b0a98631fad1a292118"
    assert ds_matches(ds, parse_name("DSKEY.example.com"), key)
    assert not ds_matches(replace(ds, key_tag=1), parse_name("dskey.example.com"), key)
    assert not ds_matches(ds, parse_name("other.example.com"), key)
    assert not ds_matches(DsData(60485, 5, 99, ds.digest), parse_name("dskey.example.com"), key)


@pytest.mark.parametrize(
    ("rrsig", "owner", "addresses", "now_s"),
    [
        (P256_RRSIG, WWW, ["192.0.2.2"], WITHIN_S),
        (P256_RRSIG, WWW, ["192.0.2.1", "192.0.2.2"], WITHIN_S),
        (P256_RRSIG, parse_name("mail.example.net"), ["192.0.2.1"], WITHIN_S),
        (P256_RRSIG, WWW, ["192.0.2.1"], P256_RRSIG.inception - 1),
        (P256_RRSIG, WWW, ["192.0.2.1"], P256_RRSIG.expiration + 1),
        (replace(P256_RRSIG, labels=4), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, labels=1), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, signer="net"), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, signer="example.org"), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, key_tag=1), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, algorithm=14), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, original_ttl_s=60), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, signature=P256_SIGNATURE[:-1]), WWW, ["192.0.2.1"], WITHIN_S),
        (replace(P256_RRSIG, signature=bytes(64)), WWW, ["192.0.2.1"], WITHIN_S),
    ],
)
def test_what_was_not_signed_is_refused(
    rrsig: RrsigData, owner: tuple[bytes, ...], addresses: list[str], now_s: int
) -> None:
    """RFC 4035 5.3.1, 5.3.3."""
    assert not dnssec.verify_rrset(rrsig, P256, owner, _a(*addresses), now_s=now_s)


@pytest.mark.parametrize("flags", [0, ZONE_FLAG | 0x80, 0x8000])
def test_keys_that_sign_no_zone_are_refused(flags: int) -> None:
    """RFC 4034 2.1.1, RFC 5011 2.1: a revoked key proves nothing."""
    key = replace(P256, flags=flags)
    rrsig = replace(P256_RRSIG, key_tag=key_tag(key))
    assert not dnssec.verify_rrset(rrsig, key, WWW, _a("192.0.2.1"), now_s=WITHIN_S)
    assert not ds_matches(ds_of(parse_name("example.net"), key), parse_name("example.net"), key)


def test_damaged_keys_are_refused_quietly() -> None:
    for algorithm, size in [
        (13, 10),
        (14, 95),
        (15, 31),
        (16, 3),
        (8, 0),
        (8, 3),
        (10, 40),
        (5, 64),
        (200, 9),
    ]:
        key = DnskeyData(257, 3, algorithm, bytes(size))
        rrsig = replace(P256_RRSIG, algorithm=algorithm, key_tag=key_tag(key))
        assert not dnssec.verify_rrset(rrsig, key, WWW, _a("192.0.2.1"), now_s=WITHIN_S)


def test_a_set_from_a_wildcard_is_verified_as_the_wildcard() -> None:
    """RFC 4035 5.3.2; the names within data are signed in lower case (RFC 4034 6.2)."""
    key = SigningKey.of_seed(Secret(bytes(range(32))))
    dnskey = DnskeyData(256, 3, Algorithm.ED25519, key.public_key)
    zone, wild = parse_name("example.net"), parse_name("*.w.example.net")
    unsigned = dnssec.unsigned_rrsig(
        wild, DnsType.CNAME, 60, signer=zone, key=(15, key_tag(dnskey)), times=(1000, 2000)
    )
    data = _canonical(DnsType.CNAME, NameData("Target.Example.NET"))
    rrsig = dnssec.sign_rrset(key, unsigned, wild, data)
    lower = _canonical(DnsType.CNAME, NameData("target.example.net"))
    for owner in ("a.w.example.net", "a.b.w.example.net", "*.w.example.net"):
        assert dnssec.verify_rrset(rrsig, dnskey, parse_name(owner), lower, now_s=1500)
    assert not dnssec.verify_rrset(rrsig, dnskey, parse_name("a.x.example.net"), lower, now_s=1500)
    assert dnssec.source_of(rrsig, parse_name("a.b.w.example.net")) == wild


def test_times_wrap_around() -> None:
    """RFC 4034 3.1.5: serial arithmetic."""
    rrsig = replace(P256_RRSIG, inception=0xFFFF_FF00, expiration=0x100)
    assert dnssec.is_current(rrsig, 0x1_0000_0000)
    assert not dnssec.is_current(rrsig, 0x1_0000_0101)
    assert dnssec.is_current(rrsig, 0x1_0000_0101, skew_s=10)
    assert not dnssec.is_current(rrsig, 0xFFFF_FEFF)


def test_a_key_pair_that_does_not_belong_together_is_refused() -> None:
    with pytest.raises(Exception, match="another pair"):
        SigningKey.of_curve(Algorithm.ECDSAP256SHA256, CurveNumbers(bytes(32), bytes(32), Secret(b"\1" * 32)))
