"""Captures: both formats, every link layer, fragments and streams out of order."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.capture import carried, frames, looks_like_capture

PORTS = frozenset((88,))
CLIENT, KDC = "192.0.2.20", "192.0.2.10"


def pcap(*packets: bytes, link: int = 101, order: str = "<") -> bytes:
    """A pcap file; packets of link layer 101 begin with their IP header."""
    head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    rows = [struct.pack(order + "4I", 1_700_000_000, 500_000, len(one), len(one)) + one for one in packets]
    return head + b"".join(rows)


def pcapng(*packets: bytes, link: int = 101) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + size + body + size

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", link, 0, 65535) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
    when = 1_700_000_000_500_000_000
    for one in packets:
        body = struct.pack("<5I", 0, when >> 32, when & 0xFFFF_FFFF, len(one), len(one)) + one
        out += block(6, body)
    return out


def ip4(protocol: int, data: bytes, *, where: int = 0, source: str = CLIENT, target: str = KDC) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 7, where, 64, protocol, 0)
    return head + ip_address(source).packed + ip_address(target).packed + data


def udp(data: bytes, source: int = 4000, target: int = 88) -> bytes:
    return struct.pack(">HHHH", source, target, 8 + len(data), 0) + data


def tcp(sequence: int, data: bytes, flags: int = 0x18) -> bytes:
    return struct.pack(">HHIIBBHHH", 4000, 88, sequence, 0, 0x50, flags, 1000, 0, 0) + data


def payloads(data: bytes) -> list[bytes]:
    return [one.data for one in carried(data, PORTS)]


@pytest.mark.parametrize("file", [pcap(ip4(17, udp(b"a"))), pcap(ip4(17, udp(b"a")), order=">"),
                                  pcapng(ip4(17, udp(b"a")))])  # fmt: skip
def test_each_format_and_byte_order(file: bytes) -> None:
    assert looks_like_capture(file)
    (one,) = carried(file, PORTS)
    assert (one.source, one.target, one.data) == ((CLIENT, 4000), (KDC, 88), b"a")
    assert one.when_ft == 116_444_736_000_000_000 + 17_000_000_005_000_000


@pytest.mark.parametrize(
    "link, head",
    [
        (1, bytes(12) + b"\x08\x00"),
        (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
        (113, bytes(14) + b"\x08\x00"),
        (276, b"\x08\x00" + bytes(18)),
        (0, b"\x02\0\0\0"),
        (228, b""),
    ],
)
def test_each_link_layer(link: int, head: bytes) -> None:
    assert payloads(pcap(head + ip4(17, udp(b"ask")), link=link)) == [b"ask"]


def test_ipv6_and_its_fragments() -> None:
    def ip6(next_header: int, data: bytes) -> bytes:
        ends = ip_address("2001:db8::20").packed + ip_address("2001:db8::10").packed
        return struct.pack(">IHBB", 6 << 28, len(data), next_header, 64) + ends + data

    whole = udp(b"0123456789abcdef")
    first = struct.pack(">BBHI", 17, 0, 0 | 1, 9) + whole[:16]
    second = struct.pack(">BBHI", 17, 0, 16, 9) + whole[16:]
    assert payloads(pcap(ip6(17, whole))) == [b"0123456789abcdef"]
    assert payloads(pcap(ip6(44, second), ip6(44, first))) == [b"0123456789abcdef"]


def test_ipv4_fragments_are_put_together() -> None:
    whole = udp(b"0123456789abcdef")
    assert payloads(pcap(ip4(17, whole[16:], where=2), ip4(17, whole[:16], where=0x2000))) == [whole[8:]]


def test_other_ports_are_left_out() -> None:
    assert payloads(pcap(ip4(17, udp(b"a", 53, 53)), ip4(17, udp(b"b")))) == [b"b"]


def test_a_stream_comes_in_order_each_byte_once() -> None:
    syn = ip4(6, tcp(99, b"", 0x02))
    first, second, third = (ip4(6, tcp(at, text)) for at, text in ((100, b"abc"), (103, b"def"), (106, b"g")))
    assert b"".join(payloads(pcap(syn, first, third, second, second, first))) == b"abcdefg"
    overlap = ip4(6, tcp(101, b"bcdef"))
    assert b"".join(payloads(pcap(syn, first, overlap, third))) == b"abcdefg"


def test_sequence_numbers_pass_zero() -> None:
    syn = ip4(6, tcp(0xFFFF_FFFD, b"", 0x02))
    last, first = ip4(6, tcp(1, b"def")), ip4(6, tcp(0xFFFF_FFFE, b"abc"))
    assert b"".join(payloads(pcap(syn, last, first))) == b"abcdef"


def test_a_file_that_was_cut_off_ends_with_its_last_whole_frame() -> None:
    file = pcap(ip4(17, udp(b"a")), ip4(17, udp(b"b")))
    assert payloads(file[:-3]) == [b"a"]


@given(st.sampled_from([pcap(), pcapng()]), st.binary(max_size=200))
def test_any_bytes_give_frames_or_a_decode_error(head: bytes, data: bytes) -> None:
    try:
        list(frames(head + data))
    except DecodeError:
        return


@given(st.sampled_from([0, 1, 101, 113, 276]), st.binary(max_size=120))
def test_any_frame_gives_payloads_or_nothing(link: int, data: bytes) -> None:
    list(carried(pcap(data, link=link), PORTS))
