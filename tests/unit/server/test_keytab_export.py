"""Exported keys: under which names, of which types and versions, for whose eyes, and who is told."""

from pathlib import Path

import pytest

from addc.auth.keytab import unpack_keytab
from addc.base.errors import UserError
from addc.directory.api import Directory
from addc.directory.audit_events import AuditRecord
from addc.server.keytab_export import Listed, Wanted, etypes_of, export
from tests.kit.corp import Corp, quoted, replace_values
from tests.kit.kdc_corp import KdcCorp

PASSWORD = "Tr0ub4dor&3"
SPNS = ("http/web.corp.example.com", "http/web")


@pytest.fixture
def directory(corp_sqlite: Corp, told: list[AuditRecord]) -> Directory:
    del told
    corp_sqlite.user("joe", PASSWORD)
    corp_sqlite.user("web", PASSWORD, servicePrincipalName=SPNS)
    return KdcCorp(corp_sqlite).directory


def names(listed: list[Listed]) -> set[str]:
    return {one.principal.partition("@")[0] for one in listed}


def test_an_account_under_its_name(directory: Directory, tmp_path: Path, told: list[AuditRecord]) -> None:
    path = tmp_path / "joe.keytab"
    listed = export(directory, Wanted(principals=["joe"]), path)
    assert [(one.principal, one.kvno, one.etype[:6]) for one in listed] == [
        ("joe@CORP.EXAMPLE.COM", 1, "aes256"),
        ("joe@CORP.EXAMPLE.COM", 1, "aes128"),
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    first = unpack_keytab(path.read_bytes())[0]
    key = KdcCorp.key(None, "joe", PASSWORD)  # type: ignore[arg-type]
    assert (first.components, first.etype) == (("joe",), 18) and first.key.matches(key.value)
    (record,) = told
    assert (int(record.event), record.detail) == (4782, "keytab export")
    assert record.dn.startswith("CN=joe,") and first.key.reveal().hex() not in str(record.fields())


def test_a_service_under_all_its_names(directory: Directory, tmp_path: Path, told: list[AuditRecord]) -> None:
    """One account is one secret read, however many names it has."""
    listed = export(directory, Wanted(spns_of=["web"]), tmp_path / "k")
    assert names(listed) == {"web", *SPNS} and len(told) == 1


def test_a_service_by_a_name_that_means_it(directory: Directory, tmp_path: Path) -> None:
    listed = export(directory, Wanted(spns=["cifs/dc1.corp.example.com"]), tmp_path / "k")
    assert {one.account for one in listed} == {"DC1$"} and names(listed) == {"cifs/dc1.corp.example.com"}
    with pytest.raises(UserError, match="--duplicates"):
        export(directory, Wanted(spns=["cifs/nowhere"]), tmp_path / "k")


def test_former_passwords_go_along(corp_sqlite: Corp, directory: Directory, tmp_path: Path) -> None:
    corp_sqlite.modify("CN=web,CN=Users", replace_values("unicodePwd", quoted("An0ther.Passw0rd")))
    listed = export(directory, Wanted(principals=["web"], etypes=(18,)), tmp_path / "k")
    assert [one.kvno for one in listed] == [2, 1]
    listed = export(directory, Wanted(principals=["web"], etypes=(18,), with_old=False), tmp_path / "k")
    assert [one.kvno for one in listed] == [2]


def test_rc4_comes_only_if_it_is_asked_for(directory: Directory, tmp_path: Path) -> None:
    listed = export(directory, Wanted(principals=["joe"], etypes=etypes_of(["rc4"])), tmp_path / "k")
    assert [one.etype for one in listed] == ["rc4-hmac"]


def test_types_by_any_of_their_names() -> None:
    assert etypes_of(["aes256-cts-hmac-sha1", "17"]) == (18, 17)
    assert set(etypes_of(["aes256"])) == {18, 20}
    with pytest.raises(UserError, match="des"):
        etypes_of(["des"])


def test_everybody_is_neither_krbtgt_nor_who_has_no_password(directory: Directory, tmp_path: Path) -> None:
    listed = export(directory, Wanted(everybody=True), tmp_path / "k")
    assert {"joe", "web", "Administrator", "DC1$"} <= names(listed)
    assert not {"krbtgt", "Guest"} & names(listed)


def test_who_is_nobody_and_who_has_no_names(directory: Directory, tmp_path: Path) -> None:
    for wanted, words in (
        (Wanted(principals=["nobody"]), "No account is called nobody"),
        (Wanted(spns_of=["joe"]), "no servicePrincipalName"),
        (Wanted(principals=["Guest"]), "has no keys of the types"),
    ):
        with pytest.raises(UserError, match=words):
            export(directory, wanted, tmp_path / "k")
    assert not (tmp_path / "k").exists()


def test_a_merge_keeps_others(directory: Directory, tmp_path: Path) -> None:
    path = tmp_path / "k"
    export(directory, Wanted(principals=["joe"]), path)
    export(directory, Wanted(principals=["web"]), path, merge=True)
    export(directory, Wanted(principals=["web"]), path, merge=True)
    assert [one.components[0] for one in unpack_keytab(path.read_bytes())] == ["joe", "joe", "web", "web"]
    export(directory, Wanted(principals=["web"]), path)
    assert {one.components[0] for one in unpack_keytab(path.read_bytes())} == {"web"}
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match="is no keytab"):
        export(directory, Wanted(principals=["web"]), path, merge=True)
    assert path.read_bytes() == b"something else"


def test_a_dry_run_reads_nothing_out(directory: Directory, tmp_path: Path, told: list[AuditRecord]) -> None:
    assert export(directory, Wanted(principals=["joe"]), tmp_path / "k", dry_run=True)
    assert not (tmp_path / "k").exists() and not told
