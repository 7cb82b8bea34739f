"""The load of bench_dns_updates: clients that sign updates, one after another each, on one machine.

Words: server=ADDRESS fqdn=NAME zone=NAME realm=REALM seconds=S clients=N kind=add|again. Tickets are in the
environment. Prints JSON: how many updates were done and in which time, by what the replies said.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from addc.auth.gss import GssInitiator, InitiatorOptions
from addc.codec.dns_data import TkeyData
from addc.codec.dns_message import (
    CLASS_ANY,
    OPCODE_UPDATE,
    Message,
    Question,
    Record,
    decode_message,
    encode_message,
)
from addc.codec.dns_names import Name, parse_name
from addc.codec.dns_rdata import AData, DnsType, RawData
from addc.codes.rcode import Rcode
from addc.dns import tsig
from addc.dns.tsig import GssKey

_TIMEOUT_S: Final = 10.0
_UDP_MAX: Final = 4096


@dataclass
class Load:
    """What all clients share."""

    words: dict[str, str]
    said: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> tuple[str, int]:
        return self.words["server"], 53


def _exactly(sock: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = sock.recv(size - len(found))
        if not more:
            raise ConnectionError("closed")
        found += more
    return found


def _by_tcp(load: Load, data: bytes) -> bytes:
    with socket.create_connection(load.address, timeout=_TIMEOUT_S) as sock:
        sock.sendall(len(data).to_bytes(2, "big") + data)
        return _exactly(sock, int.from_bytes(_exactly(sock, 2), "big"))


def context(load: Load, number: int) -> GssKey:
    """A context of this client's own. Spec: RFC 3645 3.1"""
    name = parse_name(f"{number}-{time.time_ns()}.load")
    initiator = GssInitiator(
        f"DNS/{load.words['fqdn']}@{load.words['realm']}", {}, InitiatorOptions(sealing=False)
    )
    now_s = int(time.time())
    record = TkeyData(tsig.GSS_TSIG, now_s, now_s, 3, 0, initiator.step())
    query = Message(
        number + 1,
        questions=(Question(name, DnsType.TKEY, CLASS_ANY),),
        additional=(Record(name, DnsType.TKEY, CLASS_ANY, 0, record),),
    )
    reply = decode_message(_by_tcp(load, encode_message(query)))
    answer = reply.answers[0].data
    assert isinstance(answer, TkeyData) and not answer.error, answer
    initiator.step(answer.key)
    return GssKey(name, tsig.GSS_TSIG, initiator.sign, initiator.verify)


def update(zone: Name, owner: Name, number: int, last: int) -> bytes:
    """As a machine registers itself: its old addresses out, the new one in."""
    data = AData(bytes((10, last >> 16 & 0xFF, last >> 8 & 0xFF, last & 0xFF)))
    gone = Record(owner, DnsType.A, CLASS_ANY, 0, RawData(b""))
    new = Record(owner, DnsType.A, 1, 1200, data)
    questions = (Question(zone, DnsType.SOA),)
    return encode_message(Message(number & 0xFFFF, OPCODE_UPDATE, questions=questions, authority=(gone, new)))


def client(load: Load, number: int, key: GssKey, until: float) -> None:
    """Updates, one after another, until the time is over."""
    zone, again = parse_name(load.words["zone"]), load.words["kind"] == "again"
    run = load.words.get("run", "0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.connect(load.address)
        count = 0
        while time.monotonic() < until:
            name = f"u{run}-{number}-{0 if again else count}"
            plain = update(zone, (name.encode(), *zone), count, number + 1)
            sock.send(tsig.sign_request(plain, key, int(time.time())).data)
            reply = decode_message(sock.recv(_UDP_MAX))
            said = Rcode(reply.rcode).name + ("" if reply.tsig is not None else " unsigned")
            with load.lock:
                load.said[said] += 1
            count += 1


def main() -> None:
    load = Load(dict(word.split("=", 1) for word in sys.argv[1:]))
    keys = [context(load, number) for number in range(int(load.words["clients"]))]
    started = time.monotonic()
    until = started + float(load.words["seconds"])
    threads = [
        threading.Thread(target=client, args=(load, number, key, until)) for number, key in enumerate(keys)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"said": load.said, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main()
