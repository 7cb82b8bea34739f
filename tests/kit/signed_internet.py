"""Signed zones for the small internet; dnspython signs them, so that what we check is not our own work."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from addc.codec.dns_data import DsData, RrsigData
from addc.codec.dns_message import CLASS_IN, Message, Record
from addc.codec.dns_names import Name, fold, parse_name
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_wire import unpack_rdata
from addc.codes.rcode import Rcode
from addc.dns.validator import Anchor
from tests.kit.small_internet import Zone

NOW_S = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
_DAY_S = 86_400


@dataclass
class SignedZone(Zone):
    """A zone whose replies carry signatures and, where they deny something, all of its NSEC records.

    signatures: by owner and type covered. ds: what its parent says of it.
    """

    ds: DsData | None = None
    signatures: dict[tuple[Name, int], list[Record]] = field(default_factory=dict)
    nsec: list[Record] = field(default_factory=list)

    def answer(self, name: Name, qtype: int) -> Message:
        plain = super().answer(name, qtype)
        answers = self._with_signatures(plain.answers, name)
        authority = self._with_signatures(plain.authority, name)
        wild = any(isinstance(r.data, RrsigData) and r.data.labels < len(r.owner) for r in answers)
        denied = plain.rcode == Rcode.NXDOMAIN or not plain.answers or wild
        if denied:
            cut = next((r.owner for r in plain.authority if r.type == DnsType.NS), None)
            signed = [r for r in self.held if r.owner == cut and r.type == DnsType.DS]
            authority += self._with_signatures(tuple(signed or self.nsec), name)
        return replace(plain, answers=tuple(answers), authority=tuple(authority))

    def _with_signatures(self, records: tuple[Record, ...], name: Name) -> list[Record]:
        found = list(records)
        for owner, rtype in dict.fromkeys((r.owner, r.type) for r in records):
            held = self.signatures.get((owner, rtype), [])
            if not held:
                for skip in range(1, len(owner) + 1):
                    held = self.signatures.get(((b"*", *owner[skip:]), rtype), [])
                    if held:
                        break
            found += [replace(r, owner=owner) for r in held]
        return found


def sign(apex: str, text: str, *, now_s: int = NOW_S, lifetime_s: int = 30 * _DAY_S) -> SignedZone:
    """Sign master file lines "owner kind value"; owners are whole names without a last dot."""
    origin = dns.name.from_text(apex)
    below = "" if apex == "." else str(origin)
    soa = f"{origin} 3600 IN SOA ns.{below} h.{below} 1 900 600 86400 300"
    lines = [soa] + [_line(one) for one in text.strip().splitlines() if one.strip()]
    zone = dns.zone.from_text("\n".join(lines), origin=origin, relativize=False, check_origin=False)
    private = ec.generate_private_key(ec.SECP256R1())
    algorithm = dns.dnssectypes.Algorithm.ECDSAP256SHA256
    key = dns.dnssec.make_dnskey(private.public_key(), algorithm, flags=257)
    with zone.writer() as change:
        dns.dnssec.sign_zone(
            zone,
            change,
            keys=[(private, key)],
            add_dnskey=True,
            dnskey_ttl=3600,
            inception=now_s - 3600,
            expiration=now_s + lifetime_s,
        )
    ds = dns.dnssec.make_ds(origin, key, dns.dnssectypes.DSDigest.SHA256)
    found = SignedZone(apex, [], DsData(ds.key_tag, int(ds.algorithm), int(ds.digest_type), ds.digest))
    for node, rdataset in zone.iterate_rdatasets():
        owner = fold(parse_name(node.to_text()))
        for rdata in rdataset:
            rtype = int(rdataset.rdtype)
            one = Record(owner, rtype, CLASS_IN, rdataset.ttl, unpack_rdata(rtype, rdata.to_wire()))
            if isinstance(one.data, RrsigData):
                found.signatures.setdefault((owner, one.data.covered), []).append(one)
            elif rtype == DnsType.NSEC:
                found.nsec.append(one)
            else:
                found.held.append(one)
    return found


def ds_line(zone: SignedZone) -> str:
    """The line for the parent's zone."""
    assert zone.ds is not None
    ds = zone.ds
    return f"{zone.apex} DS {ds.key_tag} {ds.algorithm} {ds.digest_type} {ds.digest.hex()}"


def anchor(zone: SignedZone) -> dict[Name, Anchor]:
    assert zone.ds is not None
    return {parse_name(zone.apex): Anchor((zone.ds,))}


def _line(text: str) -> str:
    owner, kind, *value = text.split()
    values = [_absolute(value[-1]) if kind in ("NS", "CNAME", "DNAME") else value[-1]]
    return f"{_absolute(owner)} 3600 IN {kind} {' '.join([*value[:-1], *values])}"


def _absolute(name: str) -> str:
    return name if name.endswith(".") else name + "."
