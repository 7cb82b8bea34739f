"""DNS messages: bounded where they come in, fitting where they go out."""

from dataclasses import replace

import pytest

from addc.base.errors import DecodeError
from addc.codec.dns_data import TkeyData, TsigData
from addc.codec.dns_message import (
    CLASS_ANY,
    CLASS_IN,
    OPTION_COOKIE,
    Edns,
    Message,
    Question,
    Record,
    TsigRecord,
    decode_message,
    encode_message,
    error_reply,
    peek,
    question_of,
    question_text,
    reply_to,
    with_record,
    with_tsig,
    without_tsig,
)
from addc.codec.dns_names import pack_name, parse_name
from addc.codec.dns_rdata import AData, DnsType, NameData, RawData
from addc.codec.dns_wire import rdata_bytes
from tests.kit.dns_samples import APEX, messages

_NAME = parse_name("www.example.com")
_QUERY = Message(7, rd=True, questions=(Question(_NAME, 1),))
_TSIG = TsigData("hmac-sha256", 1_700_000_000, 300, bytes(32), 99)


def _addresses(owner: bytes, count: int) -> tuple[Record, ...]:
    return tuple(Record((owner, *APEX), 1, CLASS_IN, 60, AData(bytes((10, 0, 0, at)))) for at in range(count))


def _header(*counts: int) -> bytes:
    return bytes(4) + b"".join(count.to_bytes(2, "big") for count in counts)


def test_a_query_byte_for_byte() -> None:
    """RFC 1035 4.1"""
    data = encode_message(_QUERY)
    assert data == bytes.fromhex("0007 0100 0001 0000 0000 0000") + b"\x03www\x07example\x03com\0\0\x01\0\x01"
    assert decode_message(data) == _QUERY and question_of(data) == _QUERY.questions[0]


@pytest.mark.parametrize("message", messages(), ids=lambda message: str(message.id))
def test_messages_come_back(message: Message) -> None:
    data = encode_message(message)
    found = decode_message(data)
    assert encode_message(found) == data
    if message.tsig is not None:
        assert found.tsig is not None
        assert (found.tsig.owner, found.tsig.data) == (message.tsig.owner, message.tsig.data)
        found = replace(found, tsig=message.tsig)
    if message.id == 7 and message.answers and message.additional == ():
        return  # names take the case of those they point to
    assert found == message


@pytest.mark.parametrize("message", messages(), ids=lambda message: str(message.id))
def test_every_cut_is_refused(message: Message) -> None:
    data = encode_message(message)
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            decode_message(data[:size])
    with pytest.raises(DecodeError):
        decode_message(data + b"\0")


def test_more_records_than_there_is_room_for() -> None:
    with pytest.raises(DecodeError, match="room"):
        decode_message(_header(0, 65535, 65535, 65535) + bytes(100))


def test_response_codes_above_15_go_with_edns() -> None:
    """RFC 6891 6.1.3"""
    data = encode_message(
        Message(1, rcode=23, qr=True, edns=Edns(512, 0, True, ((OPTION_COOKIE, bytes(8)),)))
    )
    found = decode_message(data)
    assert found.rcode == 23 and found.edns is not None
    assert (
        found.edns.dnssec_ok and found.edns.option(OPTION_COOKIE) == bytes(8) and found.edns.option(1) is None
    )


def test_two_opt_records_are_refused() -> None:
    """RFC 6891 6.1.1"""
    one = encode_message(Message(1, edns=Edns()))
    with pytest.raises(DecodeError, match="OPT"):
        decode_message(with_record(one, Record((), DnsType.OPT, 512, 0, RawData(b""))))
    with pytest.raises(DecodeError, match="root"):
        decode_message(with_record(encode_message(_QUERY), Record(APEX, DnsType.OPT, 512, 0, RawData(b""))))


@pytest.mark.parametrize("section", ["answers", "authority"])
def test_opt_and_tsig_have_no_place_elsewhere(section: str) -> None:
    opt = Record((), DnsType.OPT, 512, 0, RawData(b""))
    for record in (opt, Record(APEX, DnsType.TSIG, CLASS_ANY, 0, _TSIG)):
        data = encode_message(replace(_QUERY, **{section: (record,)}))  # type: ignore[arg-type]
        with pytest.raises(DecodeError):
            decode_message(data)


def test_a_signature_is_the_last_record() -> None:
    """RFC 8945 5.2"""
    signed = with_tsig(encode_message(_QUERY), APEX, _TSIG)
    found = decode_message(signed).tsig
    assert found == TsigRecord(APEX, _TSIG, len(encode_message(_QUERY)))
    with pytest.raises(DecodeError, match="after the signature"):
        decode_message(with_record(signed, _addresses(b"a", 1)[0]))
    with pytest.raises(DecodeError, match="after the signature"):
        decode_message(with_tsig(signed, APEX, _TSIG))


@pytest.mark.parametrize(("rclass", "ttl_s"), [(CLASS_IN, 0), (CLASS_ANY, 1)])
def test_a_signature_has_class_any_and_no_ttl(rclass: int, ttl_s: int) -> None:
    """RFC 8945 4.2"""
    data = with_record(encode_message(_QUERY), Record(APEX, DnsType.TSIG, rclass, ttl_s, _TSIG))
    with pytest.raises(DecodeError, match="class ANY"):
        decode_message(data)


def test_a_signature_without_data_is_refused() -> None:
    data = with_record(encode_message(_QUERY), Record(APEX, DnsType.TSIG, CLASS_ANY, 0, RawData(b"")))
    with pytest.raises(DecodeError):
        decode_message(data)


def test_the_algorithm_of_a_signature_is_not_compressed() -> None:
    """RFC 8945 4.2: an octet more or less there would be another signed text."""
    fixed = rdata_bytes(DnsType.TSIG, _TSIG)[len(b"\x0bhmac-sha256\0") :]
    for algorithm, whole in ((b"\xc0\x0c", False), (b"\x0bhmac-sha256\0", True)):
        head = b"\0\0\xfa\0\xff\0\0\0\0" + (len(algorithm) + len(fixed)).to_bytes(2, "big")
        query = encode_message(_QUERY)
        data = query[:10] + b"\0\x01" + query[12:] + head + algorithm + fixed
        if whole:
            assert decode_message(data).tsig is not None
            continue
        with pytest.raises(DecodeError, match="neither a label nor a pointer"):
            decode_message(data)


def test_the_names_of_keys_are_written_out() -> None:
    """RFC 8945 4.2: clients find the end of what is signed by the length of the name."""
    key = TkeyData("gss-tsig", 1, 2, 3, 0, b"token", b"")
    asked = Message(7, qr=True, questions=(Question(_NAME, DnsType.TKEY),))
    data = encode_message(replace(asked, answers=(Record(_NAME, DnsType.TKEY, CLASS_ANY, 0, key),)))
    name = pack_name(_NAME)
    assert data.count(name) == 2 and data.endswith(name + data[-len(rdata_bytes(DnsType.TKEY, key)) - 10 :])
    assert decode_message(data).answers[0].data == key


def test_what_a_signature_signs() -> None:
    """RFC 8945 4.3.2: the message before the record came, with its first id."""
    plain = encode_message(replace(_QUERY, edns=Edns()))
    signed = with_tsig(plain, APEX, replace(_TSIG, original_id=7))
    changed = b"\xff\xff" + signed[2:]
    found = decode_message(changed).tsig
    assert found is not None and without_tsig(changed, found) == plain


def test_records_without_data_are_of_updates() -> None:
    """RFC 2136 2.4, 2.5: class ANY and NONE have none; class IN has."""
    for rclass in (254, 255):
        message = replace(_QUERY, answers=(Record(_NAME, 1, rclass, 0, RawData(b"")),))
        assert decode_message(encode_message(message)) == message
    with pytest.raises(DecodeError):
        decode_message(encode_message(replace(_QUERY, answers=(Record(_NAME, 1, 1, 0, RawData(b"")),))))


def test_another_classs_addresses_are_octets() -> None:
    chaos = replace(_QUERY, answers=(Record(_NAME, 1, 3, 0, RawData(b"\x03abc\0\0\x07")),))
    assert decode_message(encode_message(chaos)) == chaos


def test_peek_tells_the_question_and_the_signature() -> None:
    plain = encode_message(replace(_QUERY, additional=_addresses(b"a", 3), edns=Edns()))
    found = peek(plain)
    assert (found.id, found.opcode, found.qtype, found.qclass) == (7, 0, 1, 1)
    assert not found.signed and not found.response and found.question_end == 12 + 17 + 4
    assert peek(with_tsig(plain, APEX, _TSIG)).signed
    assert peek(_header(0, 0, 0, 0)).qtype == -1
    assert question_of(_header(2, 0, 0, 0) + plain[12:]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(11),
        _header(1, 0, 0, 0),
        _header(1, 0, 0, 0) + b"\x01a\0\0\x01\0",
        _header(1, 0, 0, 1) + b"\0\0\x01\0\x01",
        _header(1, 0, 0, 65535) + b"\0\0\x01\0\x01" + bytes(60_000),
    ],
)
def test_peek_refuses_what_it_cannot_read(data: bytes) -> None:
    with pytest.raises(DecodeError):
        peek(data)


def test_additional_records_are_left_out_by_whole_sets() -> None:
    """RFC 2181 9: without TC, for nobody asked for them."""
    reply = reply_to(
        _QUERY, answers=_addresses(b"www", 1), additional=(*_addresses(b"a", 2), *_addresses(b"b", 4))
    )
    whole = encode_message(reply)
    found = decode_message(encode_message(reply, len(whole) - 1))
    assert found.additional == _addresses(b"a", 2) and not found.tc and found.answers == reply.answers


def test_answers_that_do_not_fit_set_tc() -> None:
    reply = reply_to(_QUERY, answers=_addresses(b"www", 60), edns=Edns())
    data = encode_message(reply, 512)
    found = decode_message(data)
    assert found.tc and not found.answers and found.edns == Edns() and found.questions == _QUERY.questions
    assert encode_message(reply, 0) == data


def test_a_referrals_glue_is_needed() -> None:
    """RFC 9471 3.1: where the glue does not fit, TC is set."""
    glue = _addresses(b"ns", 8)
    servers = (Record(APEX, 2, 1, 60, NameData("ns.example.com")),)
    reply = reply_to(_QUERY, authority=servers, additional=glue)
    assert decode_message(encode_message(reply, 120, needed=8)).tc
    assert not decode_message(encode_message(reply, 120)).tc
    assert decode_message(encode_message(reply, 512, needed=8)).additional == glue


def test_room_is_kept_for_the_signature() -> None:
    reply = reply_to(_QUERY, answers=_addresses(b"www", 20), edns=Edns(), tsig=TsigRecord(APEX, _TSIG))
    whole = encode_message(reply)
    assert not decode_message(encode_message(reply, len(whole))).tc
    short = encode_message(reply, len(whole) - 1)
    assert decode_message(short).tc and decode_message(short).tsig is not None


def test_errors_are_bare_headers() -> None:
    data = encode_message(_QUERY)
    assert error_reply(data, 1) == bytes.fromhex("0007 8101 0000 0000 0000 0000")
    assert error_reply(data[:11], 1) is None
    assert error_reply(encode_message(replace(_QUERY, qr=True)), 1) is None


def test_questions_for_people() -> None:
    assert question_text(Question(_NAME, 33)) == "www.example.com SRV"
    assert question_text(Question((), 4711)) == ". TYPE4711"
