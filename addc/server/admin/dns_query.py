"""What `addc dns query` does: a question to any DNS server, and what it says, for people and machines."""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.codec.dns_message import (
    OPTION_COOKIE,
    OPTION_EXTENDED_ERROR,
    OPTION_NSID,
    Edns,
    Message,
    Question,
    Record,
    question_text,
)
from addc.codec.dns_names import Name, parse_name, to_ascii
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_text import show_rdata
from addc.codec.dns_words import is_type, parse_class, parse_type, show_class, show_name, show_type
from addc.codes.rcode import Rcode
from addc.dns.client import DnsClient, Reply

_UDP_SIZE: Final = 1232
_TRANSFERS: Final = frozenset((DnsType.AXFR, DnsType.IXFR))
_FLAGS: Final = ("qr", "aa", "tc", "rd", "ra", "ad", "cd")
_OPTIONS: Final = {OPTION_NSID: "NSID", OPTION_COOKIE: "COOKIE", OPTION_EXTENDED_ERROR: "EDE"}
_COOKIE_SIZE: Final = 8
Facts = dict[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked. name: text, or an address for the name its PTR record is at."""

    name: str
    kind: str = ""
    rclass: str = "IN"
    recursion: bool = True
    dnssec: bool = False
    checking_disabled: bool = False
    edns: bool = True
    cookie: bool = True
    idn: bool = True


def wanted_of(words: Sequence[str], server: str) -> tuple[str, Wanted]:
    """The server, and what is asked of it: [@SERVER] NAME [TYPE] [CLASS] [+dnssec]. Raises UserError."""
    name, kind, rclass, dnssec = "", "", "", False
    for word in words:
        if word.startswith("@"):
            server = word[1:]
        elif word.lower() in ("+dnssec", "+do"):
            dnssec = True
        elif word.startswith("+"):
            raise UserError(f"{word} is no word that is known here. Next step: +dnssec, or --help")
        elif not name:
            name = word
        elif not kind and is_type(word):
            kind = word
        elif not rclass and parse_class(word) is not None:
            rclass = word
        else:
            raise UserError(f"{word} is neither a type nor a class. Next step: @SERVER NAME TYPE")
    if not name:
        raise UserError("One name is asked for. Next step: addc dns query @SERVER NAME TYPE")
    return server, Wanted(name, kind, rclass or "IN", dnssec=dnssec)


def message_of(wanted: Wanted, client: DnsClient) -> Message:
    """The question as a message. Raises UserError."""
    try:
        question = _question(wanted)
    except DecodeError as error:
        raise UserError(
            f"{wanted.name!r} cannot be asked for: {error}. Next step: a name, then a type"
        ) from error
    options = ((OPTION_COOKIE, bytes.fromhex(client.token(_COOKIE_SIZE))),) if wanted.cookie else ()
    edns = Edns(_UDP_SIZE, 0, wanted.dnssec, options) if wanted.edns or wanted.dnssec else None
    return Message(
        rd=wanted.recursion, cd=wanted.checking_disabled, ad=True, questions=(question,), edns=edns
    )


def _question(wanted: Wanted) -> Question:
    reverse = _reverse(wanted.name)
    kind = parse_type(wanted.kind) if wanted.kind else int(DnsType.PTR if reverse is not None else DnsType.A)
    rclass = parse_class(wanted.rclass)
    if rclass is None:
        raise DecodeError(f"{wanted.rclass} is no class", -1, "text")
    name = reverse if reverse is not None and kind == DnsType.PTR else None
    if name is None:
        name = parse_name(to_ascii(wanted.name) if wanted.idn else wanted.name)
    return Question(name, kind, rclass)


def _reverse(text: str) -> Name | None:
    """The name of an address's PTR record; None where the text is no address."""
    try:
        return parse_name(ip_address(text).reverse_pointer)
    except ValueError:
        return None


async def asked(wanted: Wanted, client: DnsClient) -> Facts:
    """What the server says. Raises NoReplyError, UserError."""
    message = message_of(wanted, client)
    began = time.monotonic()
    if message.questions[0].qtype in _TRANSFERS:
        records, rcode = await _transferred(client.transfer(replace(message, edns=None, rd=False)))
        reply = Reply(replace(message, qr=True, rcode=rcode, answers=tuple(records), edns=None), b"", "TCP")
    else:
        reply = await client.ask(message)
    return _facts(reply, client, round((time.monotonic() - began) * 1000))


async def _transferred(messages: AsyncIterator[Message]) -> tuple[list[Record], int]:
    records: list[Record] = []
    rcode = 0
    async for one in messages:
        records += one.answers
        rcode = one.rcode
    return records, rcode


def _facts(reply: Reply, client: DnsClient, took_ms: int) -> Facts:
    message = reply.message
    return {
        "status": Rcode(message.rcode).name,
        "flags": [flag for flag in _FLAGS if getattr(message, flag)],
        "question": [question_text(one) for one in message.questions],
        "answer": [_record(one) for one in message.answers],
        "authority": [_record(one) for one in message.authority],
        "additional": [_record(one) for one in message.additional],
        "edns": None if message.edns is None else _edns(message.edns),
        "signed": message.tsig is not None,
        "server": str(client.server),
        "by": reply.by,
        "size": len(reply.data),
        "took_ms": took_ms,
    }


def _record(record: Record) -> Facts:
    return {
        "name": show_name(record.owner),
        "ttl_s": record.ttl_s,
        "class": show_class(record.rclass),
        "type": show_type(record.type),
        "data": show_rdata(record.type, record.data),
    }


def _edns(edns: Edns) -> Facts:
    options = [
        {"option": _OPTIONS.get(code, str(code)), "data": _option(code, data)} for code, data in edns.options
    ]
    return {
        "version": edns.version,
        "udp_size": edns.udp_size,
        "dnssec_ok": edns.dnssec_ok,
        "options": options,
    }


def _option(code: int, data: bytes) -> str:
    if code == OPTION_EXTENDED_ERROR and len(data) >= 2:
        text = data[2:].decode("utf-8", "replace").rstrip("\0")
        return f"{int.from_bytes(data[:2], 'big')} {text}".rstrip()
    return data.hex()


def shown(facts: Facts) -> str:
    """The facts as lines that a master file takes: what is no record is a comment."""
    flags = " ".join(map(str, _listed(facts["flags"])))
    lines = [f";; {facts['status']}, flags: {flags}"]
    edns = facts["edns"]
    if isinstance(edns, dict):
        wants = ", dnssec ok" if edns["dnssec_ok"] else ""
        options = "".join(f", {one['option']} {one['data']}" for one in edns["options"])
        lines.append(f";; EDNS version {edns['version']}, {edns['udp_size']} octets{wants}{options}")
    lines += [f";; question: {one}" for one in _listed(facts["question"])]
    for section in ("answer", "authority", "additional"):
        records = _listed(facts[section])
        if records:
            lines.append(f";; {section}")
            lines += [_line(one) for one in records if isinstance(one, dict)]
    signed = ", signed" if facts["signed"] else ""
    tail = f"{facts['server']} by {facts['by']}, {facts['size']} octets, {facts['took_ms']} ms"
    return "\n".join([*lines, f";; {tail}{signed}"])


def _line(record: Facts) -> str:
    return f"{record['name']}\t{record['ttl_s']}\t{record['class']}\t{record['type']}\t{record['data']}"


def brief(facts: Facts) -> str:
    """The answers' data alone."""
    return "\n".join(str(one["data"]) for one in _listed(facts["answer"]) if isinstance(one, dict))


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
