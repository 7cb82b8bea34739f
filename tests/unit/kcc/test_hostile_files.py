"""Files of somebody who means ill: little time and memory, and nothing reaches a terminal or a page raw."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from addc.base.errors import UserError
from addc.base.limits import DN_LENGTH_MAX, DN_RDNS_MAX
from addc.codec.ldif import parse
from addc.kcc.reading import ldif_form
from addc.kcc.reading import values as read_values
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_ldif
from addc.kcc.reading.ldif_writing import ldif_of
from addc.kcc.snapshot import NO_TIME, Snapshot
from addc.server import kcc_commands, kcc_files
from addc.server.kcc_commands import FORMATS, Scope, shown, told
from tests.kit.kcc_forest import SITES_DN, ALink, forest

NAMES = (
    "\0", "\x1b]0;mine\x07\x1b[31m", "\u202egpj.exe", "two\nlines", "</script><script>alert(1)</script>",
    "]]>", "\u2028", "\x9b31m", '" onload="alert(1)', "{};</style>", "\\", "%s{0}", "\ufdd0", "\U0001f600",
)  # fmt: skip


def _plain() -> bytes:
    return ldif_of(forest(sites=["A", "B"], dcs=["A/a1", "B/b1"], links=[ALink("ab", ("A", "B"))]))


def _read(data: bytes) -> Snapshot:
    entries, facts = read_ldif(data)
    return snapshot_of(entries, facts, NO_TIME)


def _site(dn: bytes) -> bytes:
    return b"\ndn:: " + b64encode(dn) + b"\nobjectClass: site\n"


@pytest.mark.parametrize(
    "dn", [b"CN=" + b"x" * DN_LENGTH_MAX, b"CN=a," * (DN_RDNS_MAX + 1) + b"DC=x", b"CN=" + b"\\," * 5000]
)
def test_names_longer_than_a_directory_has_are_passed_over(dn: bytes) -> None:
    found = _read(_plain() + _site(dn + b"," + SITES_DN.encode()))
    assert len(found.sites) == 2
    assert any("longer name" in one.what and len(one.dn) < 70 for one in found.troubles)


def test_values_longer_than_a_directory_has_are_passed_over() -> None:
    link = b"\ndn: CN=x,CN=IP,CN=Inter-Site Transports," + SITES_DN.encode() + b"\nobjectClass: siteLink\n"
    found = _read(_plain() + link + b"siteList: CN=" + b"y" * 20_000 + b"\n")
    assert any("siteList has a value of 20,003 bytes" in one.what for one in found.troubles)
    assert all(len(one.what) < 500 for one in found.troubles)


def test_lines_that_cannot_be_read_are_counted_after_so_many() -> None:
    found = _read(_plain() + b"\nnonsense\n" * (ldif_form.TROUBLES_MAX + 50))
    assert any("50 more lines and records" in one.what for one in found.troubles)
    assert len(found.troubles) < ldif_form.TROUBLES_MAX + 20


def test_objects_with_something_wrong_are_counted_after_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_values, "TROUBLES_MAX", 10)
    found = _read(_plain() + b"".join(_site(b"CN=s%d,%s" % (n, SITES_DN.encode())) for n in range(30)))
    assert len(found.troubles) == 11 and "more things are wrong" in found.troubles[-1].what
    assert len(found.sites) == 32


def test_comments_and_folded_lines_take_time_by_their_number_alone() -> None:
    """A quadratic reader takes minutes for each of these."""
    data = _plain() + b"\n" + b"# c\n" * 400_000 + _site(b"CN=C,%s" % SITES_DN.encode())
    assert len(_read(data).sites) == 3
    (record,) = parse("dn: CN=x\nchangetype: add\ndescription: y" + "\n y" * 400_000)
    assert record.attributes[0][1] == (b"y" * 400_001,)


def test_a_file_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kcc_files, "FILE_MAX_MIB", 1)
    with pytest.raises(UserError, match="larger than 1 MiB"):
        kcc_files.read_file(Path("/dev/zero"))


def _renamed() -> Snapshot:
    data = _plain()
    for n, name in enumerate(NAMES):
        quoted = "".join(f"\\{byte:02X}" for byte in name.encode())
        data += _site(f"CN={n}{quoted},{SITES_DN}".encode())
    return _read(data)


@pytest.mark.parametrize("form", FORMATS)
def test_no_name_reaches_a_terminal_raw(form: str) -> None:
    text = "".join(shown(told(_renamed(), Scope(), lambda _: None), form, everything=True))
    for bad in ("\0", "\x1b", "\x07", "\x9b", "\u202e", "\ud800"):
        assert bad not in text
    if form == "text":
        assert "two\\x0alines" in text and "\nlines" not in text
    if form == "json":
        assert json.loads(text)["connections"]
    if form in ("svg", "html"):
        assert "<script>alert" not in text and '" onload="' not in text


@pytest.mark.parametrize("form", ["svg", "html"])
def test_more_sites_than_can_be_drawn_are_refused_at_once(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(_read(_plain()), Scope(), lambda _: None)
    monkeypatch.setattr(kcc_commands, "DRAWN_MAX", 1)
    with pytest.raises(UserError, match="2 sites are more"):
        shown(found, form, everything=False)
    assert "".join(shown(found, "json", everything=False))
