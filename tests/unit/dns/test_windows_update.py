"""A machine registers itself as Windows does, octet by octet: SOA, an unsigned try, TKEY, a signed update.

The requests of tests/vectors/MS-GSSA/windows_update.txt are composed as W-PER-03 of the notes on Windows'
traffic and [MS-GSSA] have them; the signatures in them are of the desk's scripted context, and of its clock.
"""

import time
from pathlib import Path
from typing import Final

import pytest

from addc.base.secret import Secret
from addc.codec.dns_data import TkeyData
from addc.codec.dns_message import Message, decode_message
from addc.codec.dns_names import fold, pack_name
from addc.codec.dns_rdata import DnsType, SoaData
from addc.codes.rcode import Rcode
from addc.dns import tsig
from addc.dns.service import DnsService
from addc.dns.surroundings import DnsServices, Transport
from tests.kit.dns_desk import DnsDesk, client_key

_VECTOR: Final = Path(__file__).parents[2] / "vectors" / "MS-GSSA" / "windows_update.txt"
_KEY: Final = "1016-ms-7.1-1a2b.5e0f7c31-9d2c-11ee-0a8d-005056c00008"
_ADDRESS: Final = "192.0.2.77"


@pytest.fixture(scope="module")
def steps() -> dict[str, bytes]:
    """The requests by name: hexadecimal lines under a line that begins with "==", "#" for people."""
    found: dict[str, bytes] = {}
    name = ""
    for line in _VECTOR.read_text().splitlines():
        if line.startswith("=="):
            name = line.strip("= ")
            found[name] = b""
        else:
            found[name] = found.get(name, b"") + bytes.fromhex(line.partition("#")[0])
    return found


@pytest.fixture
def desk(dns_desk: DnsDesk) -> DnsDesk:
    corp = dns_desk.corp
    corp.add("CN=pc1,CN=Computers", "computer", sAMAccountName="pc1$", userAccountControl="4096")
    return dns_desk


def test_the_whole_conversation(desk: DnsDesk, steps: dict[str, bytes]) -> None:
    _soa(desk, steps["soa query"])
    unsigned = steps["unsigned update"]
    (refused,) = desk.send(unsigned, tcp=False)
    assert refused == unsigned[:2] + b"\xa8\x05" + unsigned[4:], "as it went, with QR and REFUSED"
    (tkey,) = desk.send(steps["tkey"], source=_ADDRESS)
    _tkey(desk, tkey)
    signed = steps["signed update"]
    (done,) = desk.send(signed, tcp=False, source=_ADDRESS)
    _done(desk, signed, done)
    node = desk.node("PC1")
    assert node is not None
    assert {one.type: one.ttl_s for one in node.records} == {DnsType.A: 1200}
    again = desk.send(signed, tcp=False, source=_ADDRESS)
    assert len(again) == 1, "a datagram that comes twice is answered twice, and changes nothing"


def _soa(desk: DnsDesk, query: bytes) -> None:
    """MNAME is a DC that takes updates, and has an SPN for them: W-PER-03 (1)."""
    service = DnsService(desk.directory, DnsServices(desk.clock, Secret(bytes(16)), time.monotonic))
    reply = service.answer_now(query, _ADDRESS, Transport.UDP)
    assert isinstance(reply, bytes)
    message = decode_message(reply)
    (soa,) = message.authority
    assert isinstance(soa.data, SoaData) and soa.data.mname == "dc1.corp.example.com"
    assert fold(soa.owner) == (b"corp", b"example", b"com")


def _tkey(desk: DnsDesk, data: bytes) -> None:
    """W-PER-03 (4): signed, and the digest begins with the message; its signature's names are whole."""
    message = decode_message(data)
    answer = message.answers[0].data
    assert isinstance(answer, TkeyData) and (answer.error, answer.mode) == (0, 3)
    assert message.tsig is not None
    key = client_key("pc1$", _KEY)
    assert tsig.verify(data, message.tsig, key, desk.now_s) is Rcode.NOERROR
    assert tsig.verify(data, message.tsig, key, desk.now_s, b"\0" * 8) is Rcode.BADSIG
    _names_are_whole(data, message)


def _done(desk: DnsDesk, request: bytes, data: bytes) -> None:
    """W-PER-03 (5): signed, and the digest begins with the request's MAC."""
    asked, message = decode_message(request), decode_message(data)
    assert asked.tsig is not None and message.tsig is not None
    assert message.rcode == Rcode.NOERROR
    key = client_key("pc1$", _KEY)
    assert tsig.verify(data, message.tsig, key, desk.now_s, asked.tsig.data.mac) is Rcode.NOERROR
    assert tsig.verify(data, message.tsig, key, desk.now_s) is Rcode.BADSIG
    _names_are_whole(data, message)


def _names_are_whole(data: bytes, message: Message) -> None:
    """[MS-GSSA] 3.1.5.4."""
    assert message.tsig is not None
    start = message.tsig.signed_size
    assert data[start:].startswith(pack_name(message.tsig.owner) + b"\x00\xfa\x00\xff\x00\x00\x00\x00")
