"""The three answers to a locator ping, byte by byte, and names as a client's decompressor reads them."""

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.codec import locator_ping as ping
from addc.codec.locator_ping import DsFlag, NameTooLong, Opcode, PingAnswer
from tests.kit.ping_reader import PingReader

ANSWER: Final = PingAnswer(
    opcode=Opcode.LOGON_SAM_LOGON_RESPONSE_EX,
    flags=DsFlag.DS_PDC_FLAG | DsFlag.DS_DS_FLAG | DsFlag.DS_KDC_FLAG,
    domain_guid=UUID("ca21b03b-6dd3-11d1-8a7d-b8dfb156871f"),
    dns_forest_name="example.com",
    dns_domain_name="corp.example.com",
    dns_host_name="dc1.corp.example.com",
    netbios_domain_name="CORP",
    netbios_computer_name="DC1",
    user="alice",
    dc_site="Site-A",
    client_site="",
    address=IPv4Address("192.0.2.10"),
)
LABELS: Final = st.lists(st.from_regex(r"[a-z]{1,63}", fullmatch=True), min_size=1, max_size=8)


def test_the_extended_answer() -> None:
    assert ping.pack_response_ex(ANSWER, with_address=True) == bytes.fromhex(
        "1700" "0000" "31000000" "3bb021cad36dd1118a7db8dfb156871f"
        "076578616d706c6503636f6d00"  # example.com at 0x18
        "04636f7270c018"  # corp, then the pointer; at 0x25
        "03646331c025"
        "04434f525000" "0344433100" "05616c69636500" "06536974652d4100" "00"
        "10" "0200" "0000" "c000020a" "0000000000000000"
        "0d000000" "ffff" "ffff"
    )  # fmt: skip


def test_without_the_address() -> None:
    whole = ping.pack_response_ex(ANSWER, with_address=True)
    bare = ping.pack_response_ex(ANSWER, with_address=False)
    assert bare == whole[: -17 - 8] + b"\5\0\0\0" + whole[-4:]


def test_without_an_ipv4_address_it_is_that_of_the_loopback() -> None:
    data = ping.pack_response_ex(replace(ANSWER, address=None), with_address=True)
    assert data[-24:-8] == bytes.fromhex("020000007f0000010000000000000000")
    assert ping.pack_response(replace(ANSWER, address=None))[-16:-12] == bytes.fromhex("0100007f")


def test_the_next_closest_site() -> None:
    data = ping.pack_response_ex(replace(ANSWER, next_closest_site="Site-B"), with_address=False)
    assert data.endswith(bytes.fromhex("06536974652d420015000000ffffffff"))


def test_the_answer_of_windows_2000() -> None:
    answer = replace(ANSWER, opcode=Opcode.LOGON_SAM_LOGON_RESPONSE)
    reader = PingReader(ping.pack_response(answer))
    assert reader.number("H") == 19
    assert [reader.unicode() for _ in range(3)] == ["\\\\DC1", "alice", "CORP"]
    assert reader.raw(32) == answer.domain_guid.bytes_le + bytes(16)
    assert [reader.name() for _ in range(3)] == ["example.com", "corp.example.com", "dc1.corp.example.com"]
    assert reader.number("I") == int(IPv4Address("192.0.2.10"))
    assert reader.number("I") == DsFlag.DS_PDC_FLAG | DsFlag.DS_DS_FLAG
    reader.end(3)


def test_the_answer_of_nt_4() -> None:
    assert ping.pack_response_nt40(replace(ANSWER, opcode=Opcode.LOGON_SAM_USER_UNKNOWN)) == (
        b"\x15\x00" + "\\\\DC1\0alice\0CORP\0".encode("utf-16-le") + bytes.fromhex("01000000ffffffff")
    )


def read_names(answer: PingAnswer) -> list[str]:
    reader = PingReader(ping.pack_response_ex(answer, with_address=False), 24)
    found = [reader.name() for _ in range(8)]
    reader.end(5)
    return found


@given(forest=LABELS, below=LABELS, host=st.from_regex(r"[a-z]{1,63}", fullmatch=True), site=LABELS)
def test_every_name_is_read_back(forest: list[str], below: list[str], host: str, site: list[str]) -> None:
    """Long names put later ones behind offset 255, where no pointer reaches."""
    root, domain = ".".join(forest), ".".join(below + forest)
    answer = replace(
        ANSWER,
        dns_forest_name=root,
        dns_domain_name=domain,
        dns_host_name=f"{host}.{domain}",
        dc_site=site[0],
        client_site=site[-1],
    )
    assert read_names(answer) == [root, domain, f"{host}.{domain}", "CORP", "DC1", "alice", site[0], site[-1]]


@pytest.mark.parametrize(
    "user", ["", "host$", "first.last", ".", "a..b", "com", "example.com", "Zoë", "x" * 63]
)
def test_single_names_keep_their_dots(user: str) -> None:
    assert read_names(replace(ANSWER, user=user))[5] == user


def test_a_long_name_with_dots_is_cut_at_them() -> None:
    user = "a" * 40 + "." + "b" * 40
    assert read_names(replace(ANSWER, user=user))[5] == user


@pytest.mark.parametrize("user", ["x" * 64, "ü" * 32, "x" * 64 + ".y", "x" * 63 + "..y"])
def test_what_no_label_can_hold_is_refused(user: str) -> None:
    with pytest.raises(NameTooLong):
        ping.pack_response_ex(replace(ANSWER, user=user), with_address=False)
