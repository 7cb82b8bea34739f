"""What the server answers, seen by dig, kdig and drill, over UDP, TCP and TLS; each test is a rule.

The zone is a plain one that anybody may update, filled by nsupdate.
"""

import re
from collections.abc import Iterator

import pytest

from tests.kit.dns_servers import OtherServer, named
from tests.kit.forest_host import DNS_DOMAIN, ForestHost
from tests.kit.net import Host, Lan

ZONE = "answers.test"
UNSIGNED_MAX = 25
"""Lines of one message: an update that nobody signed has few records."""
RECORDS = """\
www 600 A 192.0.2.1
alias 600 CNAME www
chain 600 CNAME alias
out 600 CNAME www.nowhere.test.
loop 600 CNAME loop2
loop2 600 CNAME loop
old 600 DNAME new
host.new 600 A 192.0.2.2
*.wild 600 TXT "any"
here.wild 600 A 192.0.2.3
a.b.deep 600 A 192.0.2.4
sub 600 NS ns.sub
ns.sub 600 A 192.0.2.5
mail 600 MX 10 www
far 600 A 10.99.1.1
caa 600 CAA 0 issue "ca.test"
odd 600 TYPE65280 \\# 4 deadbeef
dr\\195\\188cker 600 A 192.0.2.6
"""
MANY = 100


def dig(machine: Host, *words: str) -> str:
    return machine.run(["dig", "+time=3", "+tries=1", *words], check=True).stdout


def kdig(machine: Host, *words: str) -> str:
    return machine.run(["kdig", "+time=3", "+retry=0", *words], check=True).stdout


def flags_of(answer: str) -> set[str]:
    found = re.search(r"flags: ([a-z ]*);", answer, re.IGNORECASE)
    assert found, answer
    return set(found.group(1).lower().split())


@pytest.fixture(scope="module", autouse=True)
def zone(machine: Host, forest: ForestHost) -> None:
    words = ["dns", "zone", "create", ZONE, "--updates", "any", "--data-dir", str(forest.data_dir)]
    done = forest.addc(*words)
    assert done.returncode == 0, done.stderr
    lines = [f"server {forest.host.address}", f"zone {ZONE}", "check-names no"]
    for line in RECORDS.splitlines():
        name, rest = line.split(" ", 1)
        if " NS " in line:  # delegations are made by operators: Windows' UpdateOptions refuse them
            kind, data = rest.split()[1:]
            more = ["--ttl", "600", ZONE, name, kind, f"{data}.{ZONE}.", "--data-dir", str(forest.data_dir)]
            done = forest.addc("dns", "record", "add", *more)
            assert done.returncode == 0, done.stderr
            continue
        lines.append(f"update add {name}.{ZONE}. {rest}")
    lines = [_whole(line) for line in lines]
    lines += [f"update add many.{ZONE}. 600 A 10.0.{n // 250}.{n % 250 + 1}" for n in range(MANY)]
    told = [f"{line}\nsend" if number % UNSIGNED_MAX == 0 else line for number, line in enumerate(lines, 1)]
    machine.run(["nsupdate"], stdin="\n".join([*told, "send", "quit"]) + "\n", check=True)


def _whole(line: str) -> str:
    """Targets of the zone's own, written out."""
    return re.sub(r" (www|alias|loop|loop2|new|ns\.sub)$", rf" \1.{ZONE}.", line)


@pytest.fixture(scope="module")
def server(forest: ForestHost) -> str:
    return f"@{forest.host.address}"


# --- names ---


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_chains_of_aliases_come_whole_rfc_1034_4_3_2(machine: Host, transport: str) -> None:
    answer = dig(machine, transport, f"chain.{ZONE}")
    assert re.search(r"CNAME\s+alias.*CNAME\s+www.*\sA\s+192\.0\.2\.1", answer, re.DOTALL)
    assert "aa" in flags_of(answer)
    ring = dig(machine, transport, f"loop.{ZONE}")
    assert "status: NOERROR" in ring and "ANSWER: 2" in ring


def test_a_dname_and_the_alias_that_follows_from_it_rfc_6672(machine: Host) -> None:
    answer = dig(machine, f"host.old.{ZONE}")
    assert re.search(rf"^old\.{ZONE}\.\s+600\s+IN\s+DNAME\s+new\.", answer, re.MULTILINE)
    assert re.search(rf"^host\.old\.{ZONE}\.\s+600\s+IN\s+CNAME\s+host\.new\.", answer, re.MULTILINE)
    assert "192.0.2.2" in answer


def test_wildcards_rfc_4592(machine: Host) -> None:
    assert dig(machine, "+short", "TXT", f"some.thing.wild.{ZONE}").strip() == '"any"'
    assert "ANSWER: 0" in dig(machine, "TXT", f"here.wild.{ZONE}")
    assert "status: NXDOMAIN" in dig(machine, "TXT", f"x.here.wild.{ZONE}")


def test_names_between_and_names_that_are_not_rfc_8020_2308(machine: Host) -> None:
    between = dig(machine, f"deep.{ZONE}")
    assert "status: NOERROR" in between and "ANSWER: 0" in between and "SOA" in between
    missing = dig(machine, f"none.{ZONE}")
    assert "status: NXDOMAIN" in missing
    soa = re.search(r"IN\s+SOA\s+(\S+) ", missing)
    assert soa and soa.group(1) == f"dc1.{DNS_DOMAIN}.", "each DC names itself"


def test_a_delegation_comes_with_its_glue_rfc_9471(machine: Host) -> None:
    answer = dig(machine, "+norecurse", f"host.sub.{ZONE}")
    assert "aa" not in flags_of(answer) and "ANSWER: 0" in answer
    assert re.search(rf"^sub\.{ZONE}\.\s+600\s+IN\s+NS\s+ns\.sub", answer, re.MULTILINE)
    assert re.search(rf"^ns\.sub\.{ZONE}\.\s+600\s+IN\s+A\s+192\.0\.2\.5", answer, re.MULTILINE)


def test_rare_and_unknown_types_rfc_3597(machine: Host) -> None:
    assert dig(machine, "+short", "CAA", f"caa.{ZONE}").strip() == '0 issue "ca.test"'
    assert dig(machine, "+short", "TYPE65280", f"odd.{ZONE}").strip().lower() == r"\# 4 deadbeef"
    assert "192.0.2.1" in dig(machine, "MX", f"mail.{ZONE}"), "with the address of the target"


def test_names_of_utf_8(machine: Host) -> None:
    for name in ("dr\\195\\188cker", "DR\\195\\156CKER"):
        assert dig(machine, "+short", f"{name}.{ZONE}").strip() == "192.0.2.6"


def test_spelling_comes_back(machine: Host) -> None:
    assert re.search(rf"^WwW\.{ZONE}\.\s", dig(machine, f"WwW.{ZONE}"), re.MULTILINE)


# --- size ---


def test_what_does_not_fit_is_told_and_comes_by_tcp(machine: Host) -> None:
    cut = dig(machine, "+noedns", "+ignore", f"many.{ZONE}")
    assert "tc" in flags_of(cut) and 0 < len(re.findall(r"\sA\s+10\.0\.", cut)) < MANY
    whole = dig(machine, f"many.{ZONE}")
    assert "(TCP)" in whole and len(re.findall(r"\sA\s+10\.0\.", whole)) == MANY


def test_addresses_take_turns(machine: Host) -> None:
    first = {dig(machine, "+tcp", "+short", f"many.{ZONE}").split()[0] for _ in range(4)}
    assert len(first) == 4


# --- EDNS ---


def test_versions_and_options_rfc_6891(machine: Host) -> None:
    assert "status: BADVERS" in dig(machine, "+edns=1", "+noednsnegotiation", f"www.{ZONE}")
    assert "192.0.2.1" in dig(machine, "+ednsopt=65001:abcd", "+nsid", "+subnet=192.0.2.0/24", f"www.{ZONE}")
    assert "udp: 1232" in dig(machine, "+bufsize=4096", f"www.{ZONE}")


def test_cookies_rfc_7873(machine: Host) -> None:
    given = re.search(r"COOKIE: ([0-9a-f]{48}) \(good\)", dig(machine, f"www.{ZONE}"))
    assert given
    again = dig(machine, f"+cookie={given.group(1)}", f"www.{ZONE}")
    assert f"COOKIE: {given.group(1)} (good)" in again and "192.0.2.1" in again
    assert "status: FORMERR" in dig(machine, "+nocookie", "+ednsopt=10:abcdef", f"www.{ZONE}")


# --- streams ---


def test_many_queries_on_one_connection_rfc_7766(machine: Host, server: str) -> None:
    asked = [word for name in ("www", "alias", "none", "many") for word in (f"{name}.{ZONE}", "A")]
    answer = kdig(machine, server, "+tcp", "+keepopen", *asked)
    assert answer.count(";; ->>HEADER<<-") == 4 and answer.count("status: NXDOMAIN") == 1


def test_keepalive_rfc_7828(machine: Host, server: str) -> None:
    answer = dig(machine, "+tcp", "+ednsopt=11", f"www.{ZONE}")
    assert re.search(r"TCP[- ]KEEPALIVE: 15\.0|OPT=11: 00 96", answer, re.IGNORECASE), answer


def test_tls_rfc_7858_and_padding_rfc_8467(machine: Host, server: str) -> None:
    answer = kdig(machine, server, "+tls", "+padding", f"www.{ZONE}")
    assert "192.0.2.1" in answer and "TLS" in answer
    size = re.search(r"Received (\d+) B", answer)
    assert size and int(size.group(1)) % 468 == 0


def test_drill_reads_it_too(machine: Host, server: str) -> None:
    for words in (("-u",), ("-t",)):
        answer = machine.run(["drill", *words, f"chain.{ZONE}", server, "A"], check=True).stdout
        assert "rcode: NOERROR" in answer and "192.0.2.1" in answer


# --- who and what is refused ---


def test_what_is_not_told(machine: Host) -> None:
    for name in ("version.bind", "hostname.bind", "id.server"):
        assert "status: REFUSED" in dig(machine, "CH", "TXT", name)
    everything = dig(machine, "+ignore", "+notcp", "ANY", ZONE)
    assert "tc" in flags_of(everything) and "ANSWER: 0" in everything
    for opcode in ("status", "iquery"):
        assert "status: NOTIMP" in dig(machine, f"+opcode={opcode}", ZONE)


def test_a_zone_for_some_networks_alone(machine: Host, forest: ForestHost, lan: Lan) -> None:
    words = ["dns", "zone", "set", ZONE, "--data-dir", str(forest.data_dir), "--queries"]
    assert forest.addc(*words, "10.99.0.0/16").returncode == 0
    try:
        for transport in ("+tcp", "+notcp"):
            refused = dig(machine, transport, f"www.{ZONE}")
            assert "status: REFUSED" in refused and "ANSWER: 0" in refused
        assert "status: NOERROR" in dig(machine, DNS_DOMAIN)
    finally:
        assert forest.addc(*words, "any").returncode == 0
    assert dig(machine, "+short", f"www.{ZONE}").strip() == "192.0.2.1"


# --- beside BIND ---


@pytest.fixture(scope="module")
def bind(lan: Lan, machine: Host, forest: ForestHost) -> Iterator[OtherServer]:
    """BIND with the same records."""
    host = lan.host("answersbind", 15)
    folder = host.folder / "named"
    folder.mkdir(parents=True)
    soa = dig(machine, "+noall", "+answer", "SOA", ZONE)
    body = "\n".join(_whole(f"{line}") for line in RECORDS.splitlines())
    (folder / "zone").write_text(f"$ORIGIN {ZONE}.\n{soa}@ 3600 NS dc1.{DNS_DOMAIN}.\n{body}\n")
    server = named(
        host, f'zone "{ZONE}" {{ type primary; file "zone"; check-names ignore; }};', minimal="no-auth"
    )
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("www", "A"), ("www", "MX"), ("alias", "A"), ("chain", "A"), ("host.old", "A"), ("old", "DNAME"),
        ("x.old", "A"), ("some.wild", "TXT"), ("some.wild", "A"), ("here.wild", "TXT"), ("deep", "A"),
        ("b.deep", "A"), ("none", "A"), ("x.none", "A"), ("host.sub", "A"), ("sub", "NS"), ("sub", "DS"),
        ("mail", "MX"), ("caa", "CAA"), ("odd", "TYPE65280"), ("odd", "A"), ("dr\\195\\188cker", "A"),
        ("*.wild", "TXT"), ("x.*.wild", "TXT"),
    ],
)  # fmt: skip
def test_the_same_as_bind(machine: Host, forest: ForestHost, bind: OtherServer, name: str, kind: str) -> None:
    """Code, AA, answers and authority; what is additional is each server's own choice."""

    def told(address: str) -> tuple[str, set[str], set[str]]:
        answer = dig(
            machine, "+norecurse", "+nocookie", "+noadditional", f"@{address}", f"{name}.{ZONE}", kind
        )
        status = re.search(r"status: (\w+)", answer)
        assert status
        records = {
            " ".join(line.split()).lower() for line in answer.splitlines() if line[:1] not in (";", "")
        }
        return status.group(1), flags_of(answer) & {"aa", "tc"}, records

    assert told(forest.host.address) == told(bind.host.address)
