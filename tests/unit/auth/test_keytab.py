"""The keytab that MIT's library reads: its klist is the oracle."""

import subprocess
from pathlib import Path

from addc.auth.keytab import KeytabEntry, pack_keytab, write_keytab
from addc.base.secret import Secret

ENTRY = KeytabEntry(("DC1$",), "X.TEST", 2, 18, Secret(bytes(range(32))))


def test_bytes() -> None:
    assert pack_keytab([ENTRY]) == bytes.fromhex(
        "05020000004100010006582e5445535400044443312400000001000000000200120020"
    ) + bytes(range(32)) + bytes.fromhex("00000002")


def test_klist_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "keytab"
    write_keytab(path, [ENTRY, KeytabEntry(("host", "dc1.x.test"), "X.TEST", 300, 17, Secret(bytes(16)))])
    shown = subprocess.run(["klist", "-ekt", str(path)], capture_output=True, text=True, check=True).stdout
    assert "2 " in shown and "DC1$@X.TEST (aes256-cts-hmac-sha1-96)" in shown
    assert "300 " in shown and "host/dc1.x.test@X.TEST (aes128-cts-hmac-sha1-96)" in shown
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_keys_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "keytab"
    write_keytab(path, [ENTRY])
    before = path.stat().st_ino
    write_keytab(path, [ENTRY])
    assert path.stat().st_ino == before
    write_keytab(path, [])
    assert path.stat().st_ino != before and list(tmp_path.iterdir()) == [path]
