"""Damaged messages by the million: each gives a value or DecodeError, the engine events, in bounded time.

Run: python -m tests.bench.fuzz_codecs [count] [seed]
"""

import sys
import time
from collections.abc import Callable

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.ber import Value
from addc.ldap.engine import LdapEngine
from tests.kit import krb5_samples, ldap_samples
from tests.kit.mutate import mutations

_NOW = FileTime(133_000_000_000_000_000)
_SLOW_S = 0.5


def _unpack(cls: type[Value]) -> Callable[[bytes], bool]:
    def once(data: bytes) -> bool:
        try:
            value = cls.unpack(data)
        except DecodeError:
            return False
        assert cls.unpack(value.pack()) == value, data.hex()
        return True

    return once


def _engine(data: bytes) -> bool:
    LdapEngine(_NOW).receive(data, _NOW)
    return True


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    samples = [*krb5_samples.SAMPLES, *ldap_samples.SAMPLES]
    targets = [(type(sample).__name__, sample.pack(), _unpack(type(sample))) for sample in samples]
    stream = b"".join(message.pack() for message in ldap_samples.MESSAGES)
    targets.append(("LdapEngine", stream, _engine))
    share = count // len(targets) + 1
    good = slowest = 0.0
    for name, data, once in targets:
        for damaged in mutations([data], share, seed):
            start = time.perf_counter()
            good += once(damaged)
            took_s = time.perf_counter() - start
            slowest = max(slowest, took_s)
            assert took_s < _SLOW_S, (name, damaged.hex())
    sys.stdout.write(
        f"{share * len(targets)} messages, {good:.0f} of them good, slowest {slowest * 1e3:.1f} ms\n"
    )


if __name__ == "__main__":
    main()
