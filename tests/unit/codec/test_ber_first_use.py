"""ASN.1 classes are compiled when they are first used, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from addc.codec import ber


@ber.sequence()
class Leaf(ber.Value):
    number: Annotated[int, ber.INTEGER, ber.Tag(0)]


@ber.single(context=1)
class Name(ber.Value):
    text: Annotated[str, ber.UTF8_STRING]


@ber.sequence(application=3)
class Tree(ber.Value):
    leaves: tuple[Leaf, ...]
    name: Annotated[Name, ber.Choice(Name)]


def _is_pending(cls: type[ber.Value]) -> bool:
    return cls in ber._PENDING


def test_a_class_compiles_what_it_nests_and_many_threads_may_ask_at_once() -> None:
    assert _is_pending(Leaf) and _is_pending(Name) and _is_pending(Tree)
    tree = Tree((Leaf(1), Leaf(-70_000)), Name("oak"))
    with ThreadPoolExecutor(8) as pool:
        packed = list(pool.map(lambda _: tree.pack(), range(64)))
        assert not (_is_pending(Leaf) or _is_pending(Name) or _is_pending(Tree))
        assert set(pool.map(Tree.unpack, packed)) == {tree}
