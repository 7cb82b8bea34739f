"""A seeded, bounded mutator of good messages: the same seed gives the same million of bad ones."""

import random
from collections.abc import Callable, Iterator, Sequence

LENGTH_MAX = 65_536
_EDGES = (0x00, 0x01, 0x02, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x88, 0xFE, 0xFF)


def _flip_bit(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)


def _set_byte(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] = rng.choice(_EDGES)


def _step_byte(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at] = (data[at] + rng.choice((-1, 1))) & 0xFF


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _delete(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randint(1, 8)]


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.randint(1, 8))


def _repeat(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 64)]
    at = rng.randrange(len(data) + 1)
    data[at:at] = piece * rng.randint(1, 4)


_MOVES: Sequence[Callable[[bytearray, random.Random], None]] = (
    _flip_bit, _set_byte, _step_byte, _cut, _delete, _insert, _repeat,
)  # fmt: skip


def mutations(seed_bytes: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` damaged copies of `seed_bytes`: one to four changes each, now and then a splice of two.

    seed_bytes: good messages, at least one. seed: the same seed gives the same sequence.
    """
    rng = random.Random(seed)  # noqa: S311  (repeatable on purpose)
    for _ in range(count):
        data = bytearray(rng.choice(seed_bytes))
        if rng.random() < 0.05:
            other = rng.choice(seed_bytes)
            data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
        for _ in range(rng.randint(1, 4)):
            if not data:
                break
            rng.choice(_MOVES)(data, rng)
        yield bytes(data[:LENGTH_MAX])
