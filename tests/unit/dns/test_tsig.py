"""TSIG: signatures of requests, replies and streams, made and judged; what dnspython says is the measure."""

from dataclasses import replace

import dns.message
import dns.name
import dns.rdata
import dns.tsig
import pytest

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.codec.dns_message import decode_message, with_tsig
from addc.codec.dns_names import parse_name
from addc.codes.rcode import Rcode
from addc.dns import tsig
from addc.dns.tsig import GssKey, HmacKey, ReplyStream, Stamp, StreamSigner, TsigError, TsigKey

NOW = 1_700_000_000
SECRET = bytes(range(32))
OWNER = dns.name.from_text("key.example.com.")
NAME = parse_name("Key.Example.com")


def key(algorithm: str = "hmac-sha256", secret: bytes = SECRET) -> HmacKey:
    return HmacKey(NAME, algorithm, Secret(secret))


def theirs(algorithm: str = "hmac-sha256") -> dns.tsig.Key:
    return dns.tsig.Key(OWNER, SECRET, algorithm)


def query(text: str = "www.example.com") -> bytes:
    return dns.message.make_query(text, "A", id=4711).to_wire()


def judged(data: bytes, held: TsigKey, now_s: int = NOW, request_mac: bytes = b"") -> Rcode:
    record = decode_message(data).tsig
    assert record is not None
    return tsig.verify(data, record, held, now_s, request_mac)


def dnspython_takes(
    data: bytes, held: dns.tsig.Key, request_mac: bytes = b"", ctx: object = None, *, multi: bool = False
) -> object:
    """Raises where dnspython does not believe the signature; what it digests later messages with."""
    record = decode_message(data).tsig
    assert record is not None
    start = record.signed_size + len(OWNER.to_wire() or b"") + 10
    rdata = dns.rdata.from_wire("ANY", "TSIG", data, start, len(data) - start)
    return dns.tsig.validate(data, held, OWNER, rdata, NOW, request_mac, record.signed_size, ctx, multi)  # type: ignore[no-untyped-call]


# --- requests and replies ---


@pytest.mark.parametrize("algorithm", tsig.HMAC_ALGORITHMS)
def test_dnspython_believes_what_each_algorithm_signs(algorithm: str) -> None:
    """RFC 8945 6."""
    signed = tsig.sign_request(query(), key(algorithm), NOW)
    dnspython_takes(signed.data, theirs(algorithm))
    assert judged(signed.data, key(algorithm)) is Rcode.NOERROR


@pytest.mark.parametrize("algorithm", tsig.HMAC_ALGORITHMS)
def test_what_dnspython_signs_holds(algorithm: str) -> None:
    message = dns.message.make_query("www.example.com", "SOA")
    message.use_tsig(theirs(algorithm), fudge=300)
    data = message.to_wire()
    record = decode_message(data).tsig
    assert record is not None
    assert tsig.verify(data, record, key(algorithm), record.data.signed_at) is Rcode.NOERROR


def test_a_reply_s_digest_begins_with_the_request_s_mac() -> None:
    """RFC 8945 4.3.1, 5.3."""
    request = tsig.sign_request(query(), key(), NOW)
    reply = tsig.sign(query(), key(), Stamp(NOW, request.mac))
    dnspython_takes(reply.data, theirs(), request.mac)
    assert judged(reply.data, key(), request_mac=request.mac) is Rcode.NOERROR
    assert judged(reply.data, key()) is Rcode.BADSIG


def test_the_first_id_is_signed_and_a_forwarder_s_is_not() -> None:
    """RFC 8945 4.3.2, 5.5."""
    signed = tsig.sign_request(query(), key(), NOW)
    assert judged(b"\0\7" + signed.data[2:], key()) is Rcode.NOERROR


def test_names_are_digested_in_lower_case() -> None:
    """RFC 8945 4.3.3."""
    signed = tsig.sign_request(query(), key(), NOW)
    record = decode_message(signed.data).tsig
    assert record is not None
    plain = query()
    shouted = with_tsig(
        plain, tuple(label.upper() for label in record.owner), replace(record.data, algorithm="HMAC-SHA256")
    )
    assert judged(shouted, key()) is Rcode.NOERROR


def test_the_record_s_names_are_written_out() -> None:
    """[MS-GSSA] 3.1.5.4; RFC 8945 4.2."""
    signed = tsig.sign_request(query("key.example.com"), key(), NOW)
    assert b"\x03key\x07example\x03com\x00\x00\xfa" in signed.data
    assert b"\x0bhmac-sha256\x00" in signed.data


# --- what does not hold ---


def test_another_secret_is_badsig() -> None:
    """RFC 8945 5.2.2."""
    signed = tsig.sign_request(query(), key(), NOW)
    assert judged(signed.data, key(secret=bytes(32))) is Rcode.BADSIG


def test_every_octet_of_the_message_and_of_the_signature_counts() -> None:
    signed = tsig.sign_request(query(), key(), NOW).data
    for at in range(2, len(signed)):
        changed = signed[:at] + bytes((signed[at] ^ 0x81,)) + signed[at + 1 :]
        try:
            record = decode_message(changed).tsig
        except DecodeError:
            continue
        if record is None:
            continue
        assert tsig.verify(changed, record, key(), NOW) is not Rcode.NOERROR, at


def test_another_name_or_algorithm_is_badkey() -> None:
    """RFC 8945 5.2.1."""
    signed = tsig.sign_request(query(), key(), NOW)
    assert judged(signed.data, HmacKey(parse_name("other"), "hmac-sha256", Secret(SECRET))) is Rcode.BADKEY
    assert judged(signed.data, key("hmac-sha512")) is Rcode.BADKEY


def test_the_time_may_be_off_by_the_fudge_and_no_more() -> None:
    """RFC 8945 5.2.3."""
    signed = tsig.sign_request(query(), key(), NOW)
    assert judged(signed.data, key(), NOW + 300) is Rcode.NOERROR
    assert judged(signed.data, key(), NOW - 300) is Rcode.NOERROR
    assert judged(signed.data, key(), NOW + 301) is Rcode.BADTIME
    assert judged(signed.data, key(), NOW - 301) is Rcode.BADTIME


def test_a_wrong_mac_is_told_before_a_wrong_time() -> None:
    """RFC 8945 5.2: who cannot sign learns nothing of our clock."""
    signed = tsig.sign_request(query(), key(secret=b"x"), NOW)
    assert judged(signed.data, key(), NOW + 999) is Rcode.BADSIG


def test_a_truncated_mac_is_badtrunc_and_a_stump_is_formerr() -> None:
    """RFC 8945 5.2.2.1, 5.2.4."""
    plain, signed = query(), tsig.sign_request(query(), key(), NOW)
    record = decode_message(signed.data).tsig
    assert record is not None
    for size, expected in (
        (31, Rcode.BADTRUNC),
        (16, Rcode.BADTRUNC),
        (15, Rcode.FORMERR),
        (0, Rcode.FORMERR),
    ):
        cut = with_tsig(plain, record.owner, replace(record.data, mac=signed.mac[:size]))
        assert judged(cut, key()) is expected, size
    longer = with_tsig(plain, record.owner, replace(record.data, mac=signed.mac + b"\0"))
    assert judged(longer, key()) is Rcode.FORMERR


def test_a_signature_with_a_compressed_algorithm_is_no_message() -> None:
    """RFC 8945 4.2; RFC 3597 4."""
    signed = tsig.sign_request(query(), key(), NOW).data
    algorithm = b"\x0bhmac-sha256\x00"
    at = signed.index(algorithm)
    size = int.from_bytes(signed[at - 2 : at], "big") - len(algorithm) + 2
    bad = signed[: at - 2] + size.to_bytes(2, "big") + b"\xc0\x0c" + signed[at + len(algorithm) :]
    with pytest.raises(DecodeError):
        decode_message(bad)


# --- replies that say so ---


def test_a_reply_to_an_unknown_key_has_no_mac() -> None:
    """RFC 8945 5.2.1, 5.3.2."""
    request = decode_message(tsig.sign_request(query(), key(), NOW).data)
    assert request.tsig is not None
    reply = decode_message(tsig.without_signature(query(), request.tsig, Rcode.BADKEY)).tsig
    assert reply is not None
    assert (reply.data.error, reply.data.mac, reply.data.other) == (Rcode.BADKEY, b"", b"")
    assert (reply.owner, reply.data.algorithm) == (request.tsig.owner, "hmac-sha256")


def test_a_reply_to_a_wrong_clock_is_signed_and_tells_the_time() -> None:
    """RFC 8945 5.2.3."""
    request = tsig.sign_request(query(), key(), NOW - 9999)
    came = decode_message(request.data).tsig
    assert came is not None
    reply = tsig.bad_time(query(), came, key(), NOW)
    record = decode_message(reply.data).tsig
    assert record is not None
    assert record.data.error == Rcode.BADTIME
    assert int.from_bytes(record.data.other, "big") == NOW
    assert record.data.signed_at == NOW - 9999
    assert tsig.verify(reply.data, record, key(), NOW - 9999, request.mac) is Rcode.NOERROR


def test_the_room_for_a_record_is_what_it_takes() -> None:
    for algorithm in tsig.HMAC_ALGORITHMS:
        plain = query()
        record = decode_message(tsig.sign_request(plain, key(algorithm), NOW - 999).data).tsig
        assert record is not None
        longest = tsig.bad_time(plain, record, key(algorithm), NOW).data
        assert len(longest) - len(plain) == tsig.room_for(key(algorithm))


# --- GSS-API contexts ---


def context(algorithm: str = tsig.GSS_TSIG) -> tuple[GssKey, list[bytes]]:
    """A key that notes what it was given to sign."""
    seen: list[bytes] = []

    def sign(data: bytes) -> bytes:
        seen.append(data)
        return b"mic"

    return GssKey(NAME, algorithm, sign, lambda data, mic: (data, mic) == (seen[-1], b"mic")), seen


def test_a_reply_without_a_request_s_mac_has_no_size_of_one_in_its_digest() -> None:
    """[MS-GSSA] 3.1.5.1: not even a size of zero."""
    held, seen = context()
    tsig.sign(query(), held, Stamp(NOW))
    assert seen[0].startswith(query())


def test_later_messages_digest_the_request_s_mac_with_its_size() -> None:
    """[MS-GSSA] 3.1.5.1, RFC 8945 4.3.1."""
    held, seen = context()
    tsig.sign(query(), held, Stamp(NOW, b"abc"))
    assert seen[0].startswith(b"\0\3abc" + query())


def test_gss_microsoft_com_digests_the_mac_without_its_size() -> None:
    """As Samba's tests of Windows have it; RFC 3645 knows only gss-tsig."""
    held, seen = context(tsig.GSS_MICROSOFT)
    tsig.sign(query(), held, Stamp(NOW, b"abc"))
    assert seen[0].startswith(b"abc" + query())


def test_either_name_of_the_mechanism_goes_with_a_context_but_to_the_letter() -> None:
    held, _ = context()
    assert held.takes("gss-tsig") and held.takes("gss.microsoft.com")
    assert not held.takes("gss-TSIG") and not held.takes("hmac-sha256")


def test_a_mic_of_no_size_or_of_any_size_is_none() -> None:
    held, _ = context()
    tsig.sign(query(), held, Stamp(NOW))
    assert held.check(query(), b"") is Rcode.FORMERR
    assert held.check(query(), bytes(5000)) is Rcode.FORMERR
    assert held.check(query(), b"not") is Rcode.BADSIG


# --- replies of many messages ---


def messages(count: int) -> list[bytes]:
    return [query(f"name{number}.example.com") for number in range(count)]


def test_dnspython_believes_a_signed_stream() -> None:
    """RFC 8945 5.3.1."""
    signer = StreamSigner(key(), b"request mac")
    context_of_stream: object = None
    for data in messages(4):
        signed = signer.sign(data, NOW)
        context_of_stream = dnspython_takes(signed, theirs(), b"request mac", context_of_stream, multi=True)


def test_a_stream_s_verifier_takes_what_the_signer_made_and_unsigned_ones_between() -> None:
    """RFC 8945 5.3.1: what comes unsigned is under the next signature."""
    signer, verifier = StreamSigner(key(), b"m"), ReplyStream(key(), b"m")
    first, second, third = messages(3)
    verifier.take(signed := signer.sign(first, NOW), decode_message(signed).tsig, NOW)
    verifier.take(signed := signer.sign(second, NOW), decode_message(signed).tsig, NOW)
    verifier.end()
    verifier.take(third, None, NOW)
    with pytest.raises(TsigError):
        verifier.end()


def test_an_unsigned_message_that_was_slipped_in_breaks_the_next_signature() -> None:
    signer, verifier = StreamSigner(key(), b"m"), ReplyStream(key(), b"m")
    first, second, forged = messages(3)
    verifier.take(signed := signer.sign(first, NOW), decode_message(signed).tsig, NOW)
    verifier.take(forged, None, NOW)
    later = signer.sign(second, NOW)
    with pytest.raises(TsigError) as refused:
        verifier.take(later, decode_message(later).tsig, NOW)
    assert refused.value.error is Rcode.BADSIG


def test_messages_of_a_stream_cannot_change_places() -> None:
    signer, verifier = StreamSigner(key(), b"m"), ReplyStream(key(), b"m")
    made = [signer.sign(data, NOW) for data in messages(3)]
    verifier.take(made[0], decode_message(made[0]).tsig, NOW)
    with pytest.raises(TsigError):
        verifier.take(made[2], decode_message(made[2]).tsig, NOW)


def test_a_stream_begins_with_a_signature_and_has_99_unsigned_at_most() -> None:
    """RFC 8945 5.3.1."""
    with pytest.raises(TsigError):
        ReplyStream(key(), b"m").take(query(), None, NOW)
    signer, verifier = StreamSigner(key(), b"m"), ReplyStream(key(), b"m")
    verifier.take(signed := signer.sign(query(), NOW), decode_message(signed).tsig, NOW)
    for _ in range(99):
        verifier.take(query(), None, NOW)
    with pytest.raises(TsigError):
        verifier.take(query(), None, NOW)


def test_an_error_of_the_server_is_told_as_such() -> None:
    """RFC 8945 5.4."""
    request = decode_message(tsig.sign_request(query(), key(), NOW).data).tsig
    assert request is not None
    reply = tsig.without_signature(query(), request, Rcode.BADKEY)
    with pytest.raises(TsigError) as refused:
        ReplyStream(key(), b"m").take(reply, decode_message(reply).tsig, NOW)
    assert refused.value.error is Rcode.BADKEY
