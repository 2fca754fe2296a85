"""Graph that a model has learned, for people to look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Graph:
    """Nodes and the arcs between them.

    Args:
        title: its subject, such as the class that it belongs to.
        nodes: names.
        arcs: pairs of places in ``nodes``; from parent to child where directed.
        directed: True for arcs with a direction.
    """

    title: str
    nodes: tuple[str, ...]
    arcs: tuple[tuple[int, int], ...]
    directed: bool
