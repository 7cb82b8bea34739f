"""TSIG beside dnspython: what either signs holds for the other, whatever the message, key and time."""

import dns.message
import dns.name
import dns.rdata
import dns.tsig
from hypothesis import given
from hypothesis import strategies as st

from addc.base.secret import Secret
from addc.codec.dns_message import decode_message
from addc.codec.dns_names import parse_name
from addc.codes.rcode import Rcode
from addc.dns import tsig
from addc.dns.tsig import HmacKey, ReplyStream, Stamp, StreamSigner

_LABEL = st.text("abcXYZ019-_", min_size=1, max_size=20)
_NAMES = st.lists(_LABEL, min_size=1, max_size=5).map(".".join)
_TIMES = st.integers(min_value=0, max_value=(1 << 48) - 1)
_ALGORITHMS = st.sampled_from(tsig.HMAC_ALGORITHMS)
_SECRETS = st.binary(min_size=1, max_size=80)


def _query(name: str, number: int) -> bytes:
    return dns.message.make_query(name, "TXT", id=number).to_wire()


@given(_NAMES, _NAMES, _ALGORITHMS, _SECRETS, _TIMES, st.binary(max_size=64))
def test_dnspython_believes_us(
    asked: str, owner: str, algorithm: str, secret: bytes, now_s: int, request_mac: bytes
) -> None:
    key = HmacKey(parse_name(owner), algorithm, Secret(secret))
    signed = tsig.sign(_query(asked, 7), key, Stamp(now_s, request_mac))
    record = decode_message(signed.data).tsig
    assert record is not None
    name = dns.name.from_text(owner)
    start = record.signed_size + len(name.to_wire() or b"") + 10
    rdata = dns.rdata.from_wire("ANY", "TSIG", signed.data, start, len(signed.data) - start)
    theirs = dns.tsig.Key(name, secret, algorithm)
    dns.tsig.validate(signed.data, theirs, name, rdata, now_s, request_mac, record.signed_size)  # type: ignore[no-untyped-call]
    assert tsig.verify(signed.data, record, key, now_s, request_mac) is Rcode.NOERROR


@given(_NAMES, _NAMES, _ALGORITHMS, _SECRETS)
def test_we_believe_dnspython(asked: str, owner: str, algorithm: str, secret: bytes) -> None:
    message = dns.message.make_query(asked, "A")
    message.use_tsig(dns.tsig.Key(dns.name.from_text(owner), secret, algorithm))
    data = message.to_wire()
    record = decode_message(data).tsig
    assert record is not None
    key = HmacKey(parse_name(owner), algorithm, Secret(secret))
    assert tsig.verify(data, record, key, record.data.signed_at) is Rcode.NOERROR
    assert tsig.verify(data, record, key, record.data.signed_at + 301) is Rcode.BADTIME


@given(st.lists(st.booleans(), min_size=1, max_size=12), _ALGORITHMS, _SECRETS, _TIMES)
def test_a_stream_holds_whatever_of_it_comes_unsigned(
    signed: list[bool], algorithm: str, secret: bytes, now_s: int
) -> None:
    """RFC 8945 5.3.1: a server may leave signatures out, but for the first and the last."""
    key = HmacKey(parse_name("key"), algorithm, Secret(secret))
    signer, verifier = StreamSigner(key, b"mac of the request"), ReplyStream(key, b"mac of the request")
    for number, is_signed in enumerate([True, *signed, True]):
        data = _query("x", number)
        if is_signed:
            data = signer.sign(data, now_s)
            verifier.take(data, decode_message(data).tsig, now_s)
        else:
            verifier.take(data, None, now_s)
            signer.pass_unsigned(data)
    verifier.end()
