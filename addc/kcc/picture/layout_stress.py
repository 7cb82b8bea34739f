"""Boxes drawn to the distances that their bonds ask for: stress lowered pair by pair, in a fixed order."""

from collections.abc import Sequence
from heapq import heappop, heappush
from math import exp, gcd, inf, log, sqrt
from typing import Final

ROUNDS: Final = 24
PIVOTS: Final = 24
EPS: Final = 0.08


def distances(near: Sequence[Sequence[tuple[int, float]]], start: int) -> list[float]:
    """The length of the shortest way from one box to each."""
    found = [inf] * len(near)
    found[start] = 0.0
    waiting = [(0.0, start)]
    while waiting:
        far, at = heappop(waiting)
        if far > found[at]:
            continue
        for other, way in near[at]:
            if far + way < found[other]:
                found[other] = far + way
                heappush(waiting, (far + way, other))
    return found


def relax(xs: list[float], ys: list[float], wanted: Sequence[Sequence[float]]) -> None:
    """Move all boxes so that each pair is as far apart as wanted; near pairs count most."""
    pairs = [(a, b, wanted[a][b]) for a in range(len(xs)) for b in range(a) if wanted[a][b] < inf]
    _relax_pairs(xs, ys, pairs)


def relax_by_pivots(xs: list[float], ys: list[float], near: Sequence[Sequence[tuple[int, float]]]) -> None:
    """The same for many boxes: only joined ones, and all to a few that lie far from one another."""
    pairs = [(at, other, way) for at, row in enumerate(near) for other, way in row if other < at]
    pivot = 0
    least = [inf] * len(near)
    for _ in range(PIVOTS):
        far = distances(near, pivot)
        pairs.extend((at, pivot, far[at]) for at in range(len(near)) if at != pivot)
        least = [min(known, new) for known, new in zip(least, far, strict=True)]
        pivot = max(range(len(near)), key=lambda at: (least[at], -at))
    _relax_pairs(xs, ys, pairs)


def _relax_pairs(xs: list[float], ys: list[float], pairs: Sequence[tuple[int, int, float]]) -> None:
    """Steps that grow smaller: the first ones put a pair right at once, the last ones hardly move it."""
    if not pairs:
        return
    longest = max(way for _, _, way in pairs)
    shortest = min(way for _, _, way in pairs)
    first, last = longest * longest, EPS * shortest * shortest
    fall = log(first / last) / (ROUNDS - 1)
    count = len(pairs)
    for turn in range(ROUNDS):
        rate = first * exp(-fall * turn)
        step = _step(count, turn)
        at = turn % count
        for _ in range(count):
            a, b, way = pairs[at]
            at += step
            if at >= count:
                at -= count
            move = min(rate / (way * way), 1.0)
            dx, dy = xs[a] - xs[b], ys[a] - ys[b]
            far = sqrt(dx * dx + dy * dy)
            if far < 1e-6:
                dx, dy, far = 1e-3 * (a - b), 1e-3, 1e-3
            shift = move * (far - way) / (2 * far)
            xs[a] -= dx * shift
            ys[a] -= dy * shift
            xs[b] += dx * shift
            ys[b] += dy * shift


def _step(count: int, turn: int) -> int:
    """A stride that meets every pair once and mixes them, another one each turn."""
    if count < 3:
        return 1
    step = int(count * 0.6180339887) + 7 * turn + 1
    step %= count
    while step < 1 or gcd(step, count) != 1:
        step = (step + 1) % count
    return step
