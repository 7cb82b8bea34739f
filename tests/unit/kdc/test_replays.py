"""Which password requests were carried out lately."""

import pytest

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory.context import WriteContext
from addc.kdc import replays
from tests.kit.corp import Corp

KEPT = 600 * TICKS_PER_S


def first(corp: Corp, request: bytes) -> bool:
    return corp.write(lambda ctx: replays.is_first(ctx, request, KEPT))


def test_each_request_is_first_once_for_as_long_as_it_is_good(corp: Corp) -> None:
    assert first(corp, b"one") and first(corp, b"two")
    assert not first(corp, b"one")
    corp.later(600)
    assert not first(corp, b"one") and not first(corp, b"two")
    corp.later(1)
    assert first(corp, b"three")
    assert corp.read(lambda ctx: len(ctx.tx.state("kpasswd.done") or b"")) == 24


def test_what_was_not_carried_out_is_not_remembered(corp: Corp) -> None:
    def fail(ctx: WriteContext) -> None:
        assert replays.is_first(ctx, b"one", KEPT)
        raise DsError(Win32.ERROR_PASSWORD_RESTRICTION)

    with pytest.raises(DsError):
        corp.write(fail)
    assert first(corp, b"one")
