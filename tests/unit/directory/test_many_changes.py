"""One Modify with many changes of one list does what as many requests would, and costs no more than its size.

Spec: [MS-ADTS] 3.1.1.5.3.2, RFC 4511 4.6.
"""

import random
from collections.abc import Callable

import pytest

from addc.base.errors import DsError
from addc.directory import write_values
from addc.directory.modify import Change, ModOp
from addc.schema.snapshot import Attribute
from tests.kit.corp import Corp, add_values, delete_values

ANN = "CN=ann,CN=Users"
NAME = "otherTelephone"


def model(changes: list[Change]) -> list[bytes] | None:
    """The values that the changes leave; None where one of them is refused."""
    held: list[bytes] = []
    for change in changes:
        if change.op == ModOp.REPLACE:
            held = list(change.values)
        elif change.op == ModOp.ADD:
            if any(value in held for value in change.values):
                return None
            held = held + list(change.values)
        else:
            gone = list(change.values) or list(held)
            if not gone or any(value not in held for value in gone):
                return None
            held = [value for value in held if value not in gone]
    return held


def draw(rng: random.Random, length: int) -> list[Change]:
    """Changes most of which are good."""
    changes: list[Change] = []
    while len(changes) < length:
        op = rng.choice((ModOp.ADD, ModOp.ADD, ModOp.DELETE, ModOp.DELETE, ModOp.REPLACE))
        count = rng.randrange(op == ModOp.ADD, 3)
        values = [b"%d" % number for number in rng.sample(range(6), count)]
        one = Change(op, NAME, values)
        if model([*changes, one]) is not None or rng.random() < 0.02:
            changes.append(one)
    return changes


def test_changes_of_one_list_follow_one_another(corp_sqlite: Corp) -> None:
    rng = random.Random(11)  # noqa: S311  a test's dice
    for number in range(60):
        name = f"CN=u{number},CN=Users"
        corp_sqlite.user(f"u{number}")
        changes = draw(rng, 12)
        wanted = model(changes)
        if wanted is None:
            with pytest.raises(DsError):
                corp_sqlite.modify(name, *changes)
        else:
            corp_sqlite.modify(name, *changes)
            assert sorted(corp_sqlite.values(name, NAME)) == sorted(wanted), changes


def test_a_list_is_compared_once_however_often_it_is_touched(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is everybody's: no request holds it for the square of its length."""
    corp_sqlite.user("ann")
    corp_sqlite.modify(ANN, add_values(NAME, *[f"{number}" for number in range(500)]))
    calls = 0
    plain: Callable[[Attribute, bytes], bytes] = write_values.match_key

    def counted(attribute: Attribute, stored: bytes) -> bytes:
        nonlocal calls
        calls += 1
        return plain(attribute, stored)

    monkeypatch.setattr(write_values, "match_key", counted)
    corp_sqlite.modify(ANN, *[add_values(NAME, "x"), delete_values(NAME, "x")] * 200)
    assert calls < 3_000
    assert len(corp_sqlite.values(ANN, NAME)) == 500
