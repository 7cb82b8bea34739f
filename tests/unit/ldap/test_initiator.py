"""The client's end of LDAP: numbers, frames, layers, whatever a server sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.auth.gss import AuthError
from addc.base.errors import AddcError, DecodeError, LocalProtocolError
from addc.base.ids import MessageId
from addc.ldap import messages as m
from addc.ldap.engine import SecurityLayer
from addc.ldap.initiator import LdapInitiator

DONE = m.LdapMessage(MessageId(7), m.SearchResultDone(result_code=0))


def _unwrap(data: bytes) -> bytes:
    if data[:1] != b"S":
        raise AuthError("forged")
    return data[1:]


LAYER = SecurityLayer(wrap=lambda data: b"S" + data, unwrap=_unwrap, max_plain=10)


def test_requests_are_numbered_and_framed() -> None:
    one = LdapInitiator()
    assert [one.ask(m.DelRequest("CN=a")), one.ask(m.UnbindRequest())] == [1, 2]
    sent, at = one.data_to_send(), 0
    for number in (1, 2):
        message, at = m.LdapMessage.unpack_first(sent, at)
        assert message.message_id == number
    assert at == len(sent) and not one.data_to_send()


def test_answers_come_in_any_pieces() -> None:
    data = DONE.pack() * 3
    whole, pieces = LdapInitiator(), LdapInitiator()
    assert whole.receive(data) == [DONE] * 3
    assert [one for at in range(len(data)) for one in pieces.receive(data[at : at + 1])] == [DONE] * 3


def test_a_layer_wraps_both_ways_in_tokens_that_fit() -> None:
    one = LdapInitiator()
    one.secure(LAYER)
    assert one.layered
    one.ask(m.DelRequest("CN=a-name-of-more-than-ten-octets"))
    sent, plain, at = one.data_to_send(), b"", 0
    while at < len(sent):
        size = int.from_bytes(sent[at : at + 4], "big")
        assert size <= 11
        plain, at = plain + _unwrap(sent[at + 4 : at + 4 + size]), at + 4 + size
    assert isinstance(m.LdapMessage.unpack(plain).protocol_op, m.DelRequest)
    data = DONE.pack()
    tokens = b"".join(
        (len(part) + 1).to_bytes(4, "big") + b"S" + part for part in (data[:5], data[5:] + data)
    )
    assert [got for at in range(len(tokens)) for got in one.receive(tokens[at : at + 1])] == [DONE] * 2


def test_a_forged_token_is_refused() -> None:
    one = LdapInitiator()
    one.secure(LAYER)
    with pytest.raises(AuthError):
        one.receive(b"\0\0\0\x02X0")


def test_a_layer_does_not_begin_amid_messages() -> None:
    one = LdapInitiator()
    one.receive(DONE.pack()[:3])
    with pytest.raises(LocalProtocolError):
        one.secure(LAYER)


@pytest.mark.parametrize("data", [b"\x02\x01\x00", b"\x30\x89" + bytes(9), b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_message_ends_it(data: bytes) -> None:
    with pytest.raises(DecodeError):
        LdapInitiator().receive(data)


def test_a_token_without_end_is_refused() -> None:
    one = LdapInitiator()
    one.secure(LAYER)
    with pytest.raises(DecodeError):
        one.receive(b"\xff\xff\xff\xff")


@given(st.binary(max_size=200), st.booleans())
def test_any_octets_give_messages_or_an_error(data: bytes, layered: bool) -> None:
    """The same in one chunk and octet by octet."""

    def outcome(pieces: list[bytes]) -> object:
        one = LdapInitiator()
        if layered:
            one.secure(LAYER)
        found: list[m.LdapMessage] = []
        try:
            for piece in pieces:
                found += one.receive(piece)
        except AddcError as error:
            return type(error)
        return found

    whole = outcome([data])
    parted = outcome([data[at : at + 1] for at in range(len(data))])
    assert whole == parted
