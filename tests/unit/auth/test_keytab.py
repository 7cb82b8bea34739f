"""The keytab that MIT's library reads: its klist is the oracle."""

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from addc.auth.keytab import KeytabEntry, pack_keytab, unpack_keytab, write_keytab
from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.security.krb_keys import string_to_key

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


def test_what_is_written_is_read_again() -> None:
    entries = [ENTRY, KeytabEntry(("host", "dc1.x.test"), "X.TEST", 300, 17, Secret(bytes(16)))]
    assert unpack_keytab(pack_keytab(entries)) == entries
    hole = pack_keytab([]) + (-10).to_bytes(4, "big", signed=True) + bytes(10)
    assert unpack_keytab(hole + pack_keytab([ENTRY])[2:]) == [ENTRY]


def test_a_file_of_mit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "keytab"
    subprocess.run(
        ["ktutil"],
        input=f"addent -password -p joe@X.TEST -k 3 -e aes256-cts-hmac-sha1-96\nsecret\nwkt {path}\nq\n",
        capture_output=True,
        text=True,
        check=True,
    )
    (entry,) = unpack_keytab(path.read_bytes())
    assert (entry.components, entry.realm, entry.kvno, entry.etype) == (("joe",), "X.TEST", 3, 18)
    assert entry.key.matches(string_to_key(18, "secret", b"X.TESTjoe").value)


@given(st.binary(max_size=120))
def test_any_bytes_give_keys_or_a_decode_error(data: bytes) -> None:
    try:
        unpack_keytab(b"\x05\x02" + data)
    except DecodeError:
        return
