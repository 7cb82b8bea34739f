"""`addc dns`: records of zones in the directory, as a DNS server of another DC would write them."""

import json
from pathlib import Path

import pytest

from addc.base.errors import UserError
from addc.cli.main import main
from addc.codec.dns_rdata import RANK_GLUE, RANK_NS_GLUE, RANK_ZONE, DnsRecord, DnsType, TombstoneData
from addc.directory import names
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.server.admin import record_words
from addc.server.offline import open_directory
from tests.kit.corp_forest import DOMAIN_DN

ZONE = "corp.example.com"
ZONE_DN = f"DC={ZONE},CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def _records(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["dns", "record", "list", ZONE, *words, "--json", "--data-dir", str(folder)]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def _stored(folder: Path, name: str) -> tuple[list[DnsRecord], bool]:
    """The records of a node, and whether it is a tombstone."""

    def work(ctx: ReadContext) -> tuple[list[DnsRecord], bool]:
        row = names.resolve(ctx, f"DC={name},{ZONE_DN}")
        dead = row.attrs.get(attr.DNS_TOMBSTONED, (b"FALSE",))[0] == b"TRUE"
        return [DnsRecord.unpack(value) for value in row.attrs[attr.DNS_RECORD]], dead

    directory = open_directory(folder)
    found = directory.read_now("test", SYSTEM, work)
    directory.close()
    return found


def _serial(folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    (soa,) = _records(folder, capsys, "@", "--type", "SOA")
    return int(str(soa["data"]).split()[2])


def test_zones_are_told_with_where_they_are_and_who_may_update(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dns", "zone", "list", "--json", "--data-dir", str(corp_folder)]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert set(told) == {ZONE, f"_msdcs.{ZONE}"}
    assert (told[ZONE]["replicated"], told[f"_msdcs.{ZONE}"]["replicated"]) == ("domain", "forest")
    assert told[ZONE]["updates"] == "secure"


def test_records_of_every_type_are_made_and_ended(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, data, shown in (
        ("A", ("192.0.2.7",), "192.0.2.7"),
        ("AAAA", ("2001:DB8::7",), "2001:db8::7"),
        ("MX", ("10", "mail.example.com"), "10 mail.example.com."),
        ("SRV", ("0", "100", "389", "dc1.example.com"), "0 100 389 dc1.example.com."),
        ("TXT", ("v=spf1 -all", "two"), '"v=spf1 -all" "two"'),
        ("PTR", ("a.example.com",), "a.example.com."),
        ("NS", ("ns.example.com",), "ns.example.com."),
        ("CNAME", ("dc1.corp.example.com.",), "dc1.corp.example.com."),
    ):
        words = (ZONE, "new", kind, *data)
        _run(corp_folder, capsys, "record", "add", *words, "--ttl", "60")
        (told,) = _records(corp_folder, capsys, "new")
        assert (told["type"], told["data"], told["ttl_s"], told["static"]) == (kind, shown, 60, True)
        assert "already" in _run(corp_folder, capsys, "record", "add", *words, status=1)
        _run(corp_folder, capsys, "record", "delete", ZONE, f"NEW.{ZONE}.", kind, *data)
        assert _records(corp_folder, capsys, "new") == []


def test_what_is_tried_leaves_nothing(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _records(corp_folder, capsys)
    _run(corp_folder, capsys, "record", "add", ZONE, "new", "A", "192.0.2.7", "--dry-run")
    _run(corp_folder, capsys, "record", "delete", ZONE, "dc1", "A", "192.0.2.10", "--dry-run")
    assert _records(corp_folder, capsys) == before


def test_every_change_raises_the_zone_s_serial_and_carries_it(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spec: [MS-DNSP] 2.3.2.2, 3.1.4.1."""
    before = _serial(corp_folder, capsys)
    _run(corp_folder, capsys, "record", "add", ZONE, "web", "A", "192.0.2.7")
    _run(corp_folder, capsys, "record", "add", ZONE, "@", "TXT", "hello")
    assert _serial(corp_folder, capsys) == before + 2
    assert _stored(corp_folder, "web")[0][0].serial == before + 1
    (txt,) = _records(corp_folder, capsys, "@", "--type", "txt")
    assert txt["serial"] == before + 2


def test_the_last_record_leaves_a_tombstone_that_a_new_one_wakes(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spec: [MS-DNSP] 3.1.4.1, 2.2.2.2.4.23."""
    for address in ("192.0.2.7", "192.0.2.8"):
        _run(corp_folder, capsys, "record", "add", ZONE, "web", "A", address)
    _run(corp_folder, capsys, "record", "delete", ZONE, "web", "A", "192.0.2.7")
    assert [len(_stored(corp_folder, "web")[0]), _stored(corp_folder, "web")[1]] == [1, False]
    _run(corp_folder, capsys, "record", "delete", ZONE, "web", "A", "192.0.2.8")
    (record,), dead = _stored(corp_folder, "web")
    assert dead and record.type == DnsType.ZERO and isinstance(record.data, TombstoneData)
    assert "nothing" in _run(corp_folder, capsys, "record", "delete", ZONE, "web", "A", "192.0.2.8", status=1)
    _run(corp_folder, capsys, "record", "add", ZONE, "web", "A", "192.0.2.9")
    (record,), dead = _stored(corp_folder, "web")
    assert not dead and record.type == DnsType.A


def test_an_alias_is_alone(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spec: RFC 1034 3.6.2."""
    _run(corp_folder, capsys, "record", "add", ZONE, "www", "CNAME", "dc1.corp.example.com")
    told = _run(corp_folder, capsys, "record", "add", ZONE, "www", "A", "192.0.2.7", status=1)
    assert "alias of dc1.corp.example.com" in told
    assert "An alias" in _run(corp_folder, capsys, "record", "add", ZONE, "dc1", "CNAME", "x.y", status=1)
    assert "An alias" in _run(corp_folder, capsys, "record", "add", ZONE, "@", "CNAME", "x.y", status=1)


def test_a_delegation_and_what_is_below_it_have_ranks_of_their_own(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spec: [MS-DNSP] 2.3.2.2 (Rank)."""
    _run(corp_folder, capsys, "record", "add", ZONE, "sub", "NS", f"ns.sub.{ZONE}")
    _run(corp_folder, capsys, "record", "add", ZONE, "ns.sub", "A", "192.0.2.53")
    _run(corp_folder, capsys, "record", "add", ZONE, "other", "A", "192.0.2.54")
    ranks = [_stored(corp_folder, name)[0][0].rank for name in ("sub", "ns.sub", "other")]
    assert ranks == [RANK_NS_GLUE, RANK_GLUE, RANK_ZONE]


def test_what_dns_would_not_take_is_refused(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind, data, told in (
        ("A", ["192.0.2.777"], "write ADDRESS"),
        ("AAAA", ["192.0.2.7"], "write ADDRESS"),
        ("CNAME", ["192.0.2.7"], "an address, not a name"),
        ("MX", ["mail.example.com"], "write PREFERENCE NAME"),
        ("MX", ["70000", "mail.example.com"], "no number from 0 to 65535"),
        ("SRV", ["0", "1", "2", "a..b"], "write PRIORITY WEIGHT PORT NAME"),
        ("TXT", ["t" * 256], "255 octets"),
        ("LOC", ["52"], "as a master file has it"),
        ("NOSUCH", ["52"], "There is no type"),
        ("TYPE0", ["52"], "There is no type"),
    ):
        with pytest.raises(UserError, match=told):
            record_words.parse(kind, data)
    for name, told in (("y" * 64, "1 to 63 octets"), ("x.example.org.", "is not in corp.example.com")):
        assert told in _run(corp_folder, capsys, "record", "add", ZONE, name, "A", "192.0.2.7", status=1)


def test_other_zones_are_refused(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("example.org", "RootDNSServers", ""):
        assert "addc dns zone list" in _run(corp_folder, capsys, "record", "list", name, status=1)


def test_rarer_types_and_unknown_ones_are_written_as_master_files_have_them(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spec: RFC 3597 5, RFC 1035 5.1."""
    for kind, data, shown in (
        ("CAA", ("0", "issue", "ca.example.net"), '0 issue "ca.example.net"'),
        ("SSHFP", ("4", "2", "AB" * 32), "4 2 " + "AB" * 32),
        ("TYPE4711", ("\\#", "3", "0a0b0c"), "\\# 3 0A0B0C"),
        ("DNAME", ("example.net",), "example.net."),
        ("NAPTR", ("10", "20", "S", "SIP+D2U", "", "_sip._udp.example.com"), "_sip._udp.example.com."),
    ):
        words = ("--", ZONE, "rare", kind, *data)
        _run(corp_folder, capsys, "record", "add", *words[1:])
        (told,) = _records(corp_folder, capsys, "rare")
        assert told["type"] == kind and str(told["data"]).endswith(shown)
        _run(corp_folder, capsys, "record", "delete", ZONE, "rare", kind, *data)


def test_a_zone_keeps_its_soa(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (soa,) = _records(corp_folder, capsys, "@", "--type", "SOA")
    words = (ZONE, "@", "SOA", *str(soa["data"]).split())
    assert "as long as it is there" in _run(corp_folder, capsys, "record", "delete", *words, status=1)
    words = (ZONE, "@", "SOA", *str(soa["data"]).replace("900", "901").split())
    assert "one SOA record" in _run(corp_folder, capsys, "record", "add", *words, status=1)
