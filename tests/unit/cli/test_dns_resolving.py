"""`addc dns hint` and `addc dns anchor`."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.directory.context import WriteContext
from addc.directory.dns_settings import DnsSettings, keep_settings, settings
from addc.dns.forward import Forwarder
from addc.dns.resolver_zones import Own, Plan, read_plan
from addc.security.token import SYSTEM
from addc.server.offline import open_directory

_DS = ("12345", "13", "2", "AB" * 32)


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def plan(folder: Path, **wanted: object) -> Plan:
    """What the resolver makes of the folder's directory, with more settings."""
    directory = open_directory(folder)

    def work(ctx: WriteContext) -> None:
        more = {"trust_anchors": settings(ctx).trust_anchors, **wanted}
        keep_settings(ctx, DnsSettings(**more))  # type: ignore[arg-type]

    directory.write_now("test", SYSTEM, work)
    found = directory.read_now("test", SYSTEM, lambda ctx: read_plan(ctx, Own(frozenset(), 53, ())))
    directory.close()
    return found


def test_root_hints_are_replaced_as_a_whole(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a.root-servers.net" in run(corp_folder, capsys, "hint", "list")
    words = ("hint", "set", "one.test=192.0.2.1,2001:db8::1", "Two.Test.=192.0.2.2")
    run(corp_folder, capsys, *words, "--dry-run")
    assert len(json.loads(run(corp_folder, capsys, "hint", "list", "--json"))) == 13
    run(corp_folder, capsys, *words)
    found = json.loads(run(corp_folder, capsys, "hint", "list", "--json"))
    assert found == [
        {"name": "one.test", "addresses": ["192.0.2.1", "2001:db8::1"]},
        {"name": "two.test", "addresses": ["192.0.2.2"]},
    ]
    hints = plan(corp_folder, use_root_hints=True).world.hints
    wanted = {Forwarder(address, 53) for address in ("192.0.2.1", "2001:db8::1", "192.0.2.2")}
    assert hints is not None and set(hints.fixed) == wanted


@pytest.mark.parametrize(
    ("word", "told"),
    [("one.test", "needs an address"), ("one.test=x", "no address"), (".=192.0.2.1", "no server"),
     ("a..b=192.0.2.1", "no name")],
)  # fmt: skip
def test_what_is_no_root_server_is_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], word: str, told: str
) -> None:
    assert told in run(corp_folder, capsys, "hint", "set", word, status=1)


def test_anchors_come_and_go(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no anchors" in run(corp_folder, capsys, "anchor", "list")
    run(corp_folder, capsys, "anchor", "add", "Safe.Test.", "ds", *_DS, "--dry-run")
    assert "no anchors" in run(corp_folder, capsys, "anchor", "list")
    assert "validate=on" in run(corp_folder, capsys, "anchor", "add", "Safe.Test.", "ds", *_DS)
    run(corp_folder, capsys, "anchor", "add", ".", "DNSKEY", "257", "3", "13", "A" * 86 + "==")
    assert "already" in run(corp_folder, capsys, "anchor", "add", "safe.test", "DS", *_DS, status=1)
    (root, safe) = sorted(
        json.loads(run(corp_folder, capsys, "anchor", "list", "--json")), key=lambda one: one["zone"]
    )
    assert (root["zone"], root["type"]) == (".", "DNSKEY")
    assert (safe["zone"], safe["type"], safe["data"][:5]) == ("safe.test", "DS", "12345")
    found = plan(corp_folder, validate=True).anchors
    assert set(found) == {(b"safe", b"test"), ()}
    assert found[b"safe", b"test"].digests[0].key_tag == 12345 and found[()].keys[0].flags == 257
    assert not plan(corp_folder, validate=False).anchors
    run(corp_folder, capsys, "anchor", "remove", "safe.test")
    assert "safe" not in run(corp_folder, capsys, "anchor", "list")
    assert "no anchor" in run(corp_folder, capsys, "anchor", "remove", "safe.test", status=1)


@pytest.mark.parametrize(
    ("words", "told"),
    [(("x", "A", "192.0.2.1"), "is no A"), (("x", "DS", "1"), "no data"), (("a..b", "DS", *_DS), "no zone")],
)
def test_what_is_no_anchor_is_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert told in run(corp_folder, capsys, "anchor", "add", *words, status=1)
