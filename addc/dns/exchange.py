"""One question to one server: what is sent, which reply counts, and what is tried when it does not.

A reply counts only with the id and the question that were sent, letter case too unless the server is known to
fold it; who sees many forgeries asks by TCP. Sockets and time are the caller's.

Spec: RFC 5452 9 (ids, ports, questions), RFC 6891 6.2.2, 7 (without EDNS), RFC 7766 5 (TCP), RFC 9715
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.dns_message import HEADER_SIZE, Edns, Message, Question, decode_message, encode_message
from addc.codec.dns_names import Name, pack_name
from addc.codes.rcode import Rcode
from addc.dns.query_0x20 import mixed
from addc.dns.recursion import Ask
from addc.dns.upstream_health import UpstreamHealth

UDP_SIZE: Final = 1232
FORGED_MAX: Final = 4
"""So many wrong replies to one query, and it is asked again by TCP."""
_STEPS_MAX: Final = 4
_CASE_BYTES: Final = 16
_RESPONSE: Final = 0x80
_RESPONSE_OPCODE: Final = 0xF8
_KIND_SIZE: Final = 4


@dataclass(frozen=True, slots=True)
class Wire:
    """What to send and how. accepts: whether a datagram or message is the reply to it."""

    payload: bytes
    tcp: bool
    timeout_s: float
    accepts: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Got:
    """data: the reply, None for none in time. forged: others that came in its place."""

    data: bytes | None
    forged: int
    took_s: float
    now_s: float


@dataclass(slots=True)
class _Manner:
    """How the next try is made."""

    edns: bool
    mix: bool
    tcp: bool = False


def exchange(
    ask: Ask, health: UpstreamHealth, rng: Rng, now_s: float, *, mix_case: bool
) -> Generator[Wire, Got, Message | None]:
    """The server's reply; None where it gives none that counts."""
    server = ask.server
    manner = _Manner(health.speaks_edns(server, now_s), mix_case and health.keeps_case(server, now_s))
    for _ in range(_STEPS_MAX):
        name = mixed(ask.name, rng.bytes(_CASE_BYTES)) if manner.mix else ask.name
        payload = _query(ask, name, int.from_bytes(rng.bytes(2), "big"), edns=manner.edns)
        got = yield Wire(payload, manner.tcp, ask.timeout_s, acceptor(payload, name))
        if got.data is None:
            if got.forged >= FORGED_MAX and not manner.tcp:
                manner.tcp = True
                continue
            health.silent(server, got.now_s)
            return None
        health.answered(server, got.took_s, got.now_s)
        kept_case = got.data.startswith(pack_name(name), HEADER_SIZE)
        reply = _decoded(got.data, ask.name)
        if reply is None:
            if manner.tcp:
                return None
            manner.tcp = True
        elif manner.edns and reply.edns is None and reply.rcode in (Rcode.FORMERR, Rcode.NOTIMP):
            health.lacks_edns(server, got.now_s)
            manner.edns = False
        elif not reply.questions:
            return None
        elif not kept_case:
            if not manner.tcp:
                manner.tcp = True
                continue
            health.loses_case(server, got.now_s)
            return reply
        elif reply.tc and not manner.tcp:
            manner.tcp = True
        else:
            return reply
    return None


def _query(ask: Ask, name: Name, message_id: int, *, edns: bool) -> bytes:
    return encode_message(
        Message(
            id=message_id,
            rd=ask.recurse,
            ad=ask.recurse and not edns,
            cd=ask.lax,
            questions=(Question(name, ask.qtype),),
            edns=Edns(UDP_SIZE, dnssec_ok=True) if edns else None,
        )
    )


def acceptor(sent: bytes, name: Name) -> Callable[[bytes], bool]:
    """Whether bytes are a reply to what was sent, by id and question; letter case is looked at later.

    A server that understands nothing may leave out the question: that much is enough to ask it more simply,
    but it answers nothing.
    """
    name_end = HEADER_SIZE + sum(len(label) + 1 for label in name) + 1
    spelled, kind = sent[HEADER_SIZE:name_end].lower(), sent[name_end : name_end + _KIND_SIZE]

    def accepts(data: bytes) -> bool:
        if len(data) < HEADER_SIZE or data[:2] != sent[:2] or data[2] & _RESPONSE_OPCODE != _RESPONSE:
            return False
        if data[4:6] == b"\0\0":
            return data[3] & 0xF in (Rcode.FORMERR, Rcode.NOTIMP) and len(data) == HEADER_SIZE
        return (
            data[4:6] == b"\0\1"
            and data[HEADER_SIZE:name_end].lower() == spelled
            and data[name_end : name_end + _KIND_SIZE] == kind
        )

    return accepts


def _decoded(data: bytes, name: Name) -> Message | None:
    """The reply, its question spelled plainly: names in the answer's data may point there."""
    if data[4:6] != b"\0\0":
        plain = pack_name(name)
        data = data[:HEADER_SIZE] + plain + data[HEADER_SIZE + len(plain) :]
    try:
        return decode_message(data)
    except DecodeError:
        return None
