"""Pictures of forests with more links than anybody can read: labels that find room, and no heaps."""

from itertools import combinations

from addc.kcc.picture.arrows import PILED_UP_TO, over
from addc.kcc.picture.composition import picture
from addc.kcc.plan import plan_forest
from tests.kit.kcc_forest import ALink, forest


def test_where_links_are_many_no_label_lies_on_another() -> None:
    names = [f"s{n}" for n in range(30)]
    links = [ALink(f"{a}-{b}", (a, b), cost=100 + len(a)) for a, b in combinations(names, 2)]
    drawn = picture(plan_forest(forest(sites=names, dcs=[f"{one}/d{one}" for one in names], links=links)))
    assert len(drawn.roads) > PILED_UP_TO
    labels = over(drawn, {}).labels
    assert 30 < len(labels) < len(links)
    for a, b in combinations([one.box for one in labels], 2):
        assert abs(a.x - b.x) >= (a.w + b.w) / 2 or abs(a.y - b.y) >= (a.h + b.h) / 2
