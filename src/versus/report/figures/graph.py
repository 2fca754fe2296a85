"""Graphs as pictures: nodes in layers from left to right, a child to the right of its parents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from versus.report.figures.figure import Figure
from versus.report.formatting import shorten

COLUMN, ROW, WIDTH, HEIGHT = 150, 26, 104, 20  # px: a layer, a node and its place, and its box
MOST_CHARACTERS = 15


@dataclass(frozen=True)
class Box:
    """A node: its place, the left upper corner of its box, and its name."""

    x: float
    y: float
    name: str
    short: str


@dataclass(frozen=True)
class Line:
    """An arc: the path of its curve, the place of its head, and its hover text."""

    path: str
    x: float
    y: float
    title: str


def graph(title: str, nodes: Sequence[str], arcs: Sequence[tuple[int, int]], directed: bool) -> Figure:
    """Draw nodes and arcs.

    Args:
        title: its title.
        nodes: names.
        arcs: pairs of places in ``nodes``, from parent to child.
        directed: True to draw arrows.
    """
    depths = layers(len(nodes), arcs) if directed else rings(len(nodes), arcs)
    places = _rows(depths, arcs)
    tallest = max(sum(d == depth for d in depths) for depth in set(depths))
    boxes = []
    for node, name in enumerate(nodes):
        room = tallest - sum(d == depths[node] for d in depths)
        y = 4 + ROW * (places[node] + room / 2)
        boxes.append(Box(4 + COLUMN * depths[node], y, name, shorten(name, MOST_CHARACTERS)))
    lines = [_line(boxes[a], boxes[b], "→" if directed else "–") for a, b in arcs]
    width, height = COLUMN * max(depths) + WIDTH + 40, ROW * tallest + 8
    words = f"{len(nodes)} nodes and {len(arcs)} {'arrows' if directed else 'lines'} between them"
    parts: Mapping[str, Any] = {"boxes": boxes, "lines": lines, "directed": directed, "w": WIDTH, "h": HEIGHT}
    return Figure("graph.svg", title, words, width, height, parts)


def layers(n: int, arcs: Sequence[tuple[int, int]]) -> list[int]:
    """Length of the longest path to each of n nodes of an acyclic graph."""
    depths = [0] * n
    for _ in range(n):
        for parent, child in arcs:
            depths[child] = max(depths[child], min(depths[parent] + 1, n - 1))
    return depths


def rings(n: int, arcs: Sequence[tuple[int, int]]) -> list[int]:
    """Distance of each of n nodes from the node of most lines, in each connected part."""
    depths = [-1] * n
    degree = [sum(node in arc for arc in arcs) for node in range(n)]
    for start in sorted(range(n), key=lambda node: (-degree[node], node)):
        front = {start} if depths[start] < 0 else set()
        depth = 0
        while front:
            for node in front:
                depths[node] = depth
            front = {b for arc in arcs for a, b in (arc, arc[::-1]) if a in front and depths[b] < 0}
            depth += 1
    return depths


def _rows(depths: Sequence[int], arcs: Sequence[tuple[int, int]]) -> list[int]:
    """Place of each node within its layer, near the mean place of its neighbours to the left."""
    places = [0] * len(depths)
    for depth in range(max(depths) + 1):
        means = []
        for node in (n for n, d in enumerate(depths) if d == depth):
            left = [places[o] for a, b in arcs for o, c in ((a, b), (b, a)) if c == node and depths[o] < depth]
            means.append((sum(left) / len(left) if left else 0.0, node))
        for place, (_, node) in enumerate(sorted(means)):
            places[node] = place
    return places


def _line(start: Box, end: Box, sign: str) -> Line:
    """A curve from the right of one box to the left of the other, or around where they are in one layer."""
    title = f"{start.name} {sign} {end.name}"
    if start.x > end.x:
        start, end = end, start
    x, y, y_end = start.x + WIDTH, start.y + HEIGHT / 2, end.y + HEIGHT / 2
    bend, x_end = (30.0, x) if start.x == end.x else ((end.x - x) / 2, end.x)
    turn = x + bend if start.x == end.x else x_end - bend
    return Line(f"M{x:g} {y:g}C{x + bend:g} {y:g} {turn:g} {y_end:g} {x_end:g} {y_end:g}", x_end, y_end, title)
