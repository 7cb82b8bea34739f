"""Connections between sites as they count and as they are written, [MS-ADTS] 6.2.2.3.4.5."""

from dataclasses import replace

import pytest

from addc.base.clock import FileTime
from addc.kcc.connection_rules import connection_options, counts, options_in_line, without_copies
from addc.kcc.snapshot import Connection, ConnectionOption, DcAt, LinkOption

ONE = Connection(bytes(16), "CN=x", DcAt(0), DcAt(1), "CN=a", transport="IP")


@pytest.mark.parametrize(
    ("link", "options"),
    [
        (LinkOption.NONE, 0x1),
        (LinkOption.USE_NOTIFY, 0xD),
        (LinkOption.TWOWAY_SYNC, 0x3),
        (LinkOption.DISABLE_COMPRESSION, 0x11),
        (LinkOption.USE_NOTIFY | LinkOption.TWOWAY_SYNC | LinkOption.DISABLE_COMPRESSION, 0x1F),
    ],
)
def test_options_of_a_new_connection(link: LinkOption, options: int) -> None:
    assert connection_options(link) == options


@pytest.mark.parametrize(
    ("existing", "wanted", "then"),
    [
        (0x5, 0x1, 0x5),  # as Windows writes it: no notification either way
        (0x1, 0x1, 0x1),
        (0xD, 0x1, 0x1),
        (0x9, 0x1, 0x9),
        (0x1, 0xD, 0xD),
        (0x5, 0xD, 0xD),
        (0x3, 0x1, 0x1),
        (0x1, 0x3, 0x3),
        (0x11, 0x1, 0x1),
        (0x1, 0x11, 0x11),
        (0x27, 0x11, 0x35),
    ],
)
def test_options_of_an_existing_connection_are_brought_in_line(existing: int, wanted: int, then: int) -> None:
    found = options_in_line(ConnectionOption(existing), ConnectionOption(wanted))
    assert found == then
    assert options_in_line(found, ConnectionOption(wanted)) == then


def test_a_generated_connection_counts_if_it_names_the_transport() -> None:
    assert counts(ONE)
    assert counts(replace(ONE, transport="ip"))
    assert not counts(replace(ONE, transport=""))
    assert not counts(replace(ONE, transport="SMTP"))


def test_an_administrators_connection_counts_whatever_transport_it_names() -> None:
    assert counts(replace(ONE, transport="", options=ConnectionOption(0)))


def test_a_connection_for_sysvol_alone_never_counts() -> None:
    assert not counts(replace(ONE, options=ConnectionOption(0x41)))
    assert not counts(replace(ONE, options=ConnectionOption(0x40)))


def test_of_copies_the_newest_generated_one_is_in_use() -> None:
    old = replace(ONE, guid=b"\x09" * 16, created=FileTime(1))
    new = replace(ONE, guid=b"\x01" * 16, created=FileTime(2))
    same_age = replace(ONE, guid=b"\x02" * 16, created=FileTime(2))
    assert without_copies([old]) == (old,)
    assert without_copies([old, new, same_age]) == (same_age,)


def test_an_administrators_copy_replaces_generated_ones_unless_it_is_off() -> None:
    made = replace(ONE, options=ConnectionOption(0))
    off = replace(made, is_enabled=False)
    assert without_copies([ONE, made]) == (made,)
    assert without_copies([ONE, off]) == (off, ONE)
