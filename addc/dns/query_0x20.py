"""Letter case as a secret: a forger has to guess how each letter of the question was spelled.

The idea is that of draft-vixie-dnsext-dns0x20.
Spec: RFC 4343 3, RFC 5452 9.3
"""

from addc.codec.dns_names import Name

_LOWER_A, _LOWER_Z, _CASE_BIT = ord("a"), ord("z"), 0x20


def mixed(name: Name, bits: bytes) -> Name:
    """`name` with the case of each letter as the bits say; bits are used again where there are too few."""
    count = len(bits) * 8
    number, at = int.from_bytes(bits, "big"), 0
    labels = []
    for label in name:
        spelled = bytearray(label.lower())
        for index, char in enumerate(spelled):
            if _LOWER_A <= char <= _LOWER_Z:
                spelled[index] = char & ~_CASE_BIT if count and number >> at % count & 1 else char
                at += 1
        labels.append(bytes(spelled))
    return tuple(labels)
