"""Vertices that cut a graph apart, beside networkx's articulation points."""

import random

import networkx as nx

from addc.kcc.telling.cuts import Cut, cuts


def test_the_middle_of_a_star_cuts_all_leaves_apart() -> None:
    assert cuts([[1, 2, 3], [0], [0], [0]], [True] * 4) == [Cut(0, (1, 1, 1), (1, 2, 3))]


def test_unmarked_leaves_do_not_count() -> None:
    assert cuts([[1, 2], [0], [0]], [True, True, False]) == []


def test_what_another_way_leads_past_is_no_cut() -> None:
    assert cuts([[1, 2], [0, 2], [0, 1]], [True] * 3) == []


def test_a_long_chain_takes_no_recursion() -> None:
    count = 5000
    chain = [[at for at in (one - 1, one + 1) if 0 <= at < count] for one in range(count)]
    found = cuts(chain, [True] * count)
    assert len(found) == count - 2 and all(sum(cut.parts) == count - 1 for cut in found)


def test_random_graphs_have_the_cuts_and_parts_that_networkx_finds() -> None:
    rng = random.Random(7)  # noqa: S311 - the same graphs each time
    for _ in range(150):
        count = rng.randrange(2, 12)
        graph = nx.gnm_random_graph(count, rng.randrange(count * 2), seed=rng.randrange(10**6))
        marked = [rng.random() < 0.7 for _ in range(count)]
        found = {cut.vertex: cut for cut in cuts([list(graph[at]) for at in range(count)], marked)}
        for vertex in range(count):
            around = nx.node_connected_component(graph, vertex) - {vertex}
            parts = [
                [at for at in part if marked[at]] for part in nx.connected_components(graph.subgraph(around))
            ]
            sizes = sorted((len(part) for part in parts if part), reverse=True)
            assert (vertex in found) == (len(sizes) > 1)
            if vertex in found:
                cut = found[vertex]
                assert list(cut.parts) == sizes and cut.lost == sum(sizes[1:])
                told = [next(part for part in parts if at in part) for at in cut.samples if at >= 0]
                assert len({tuple(part) for part in told}) == len(told)
