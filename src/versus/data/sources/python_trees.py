"""Syntax trees of simple statements of Jinja's source code: what Python's parser makes of their tokens.

A node of the syntax tree that covers several tokens is a constituent, named by its class (Call, BinOp, Attribute, …);
one that covers a single token is its tag (Name, Constant), and other tokens are tagged by their kind or, operators and
keywords, by themselves. What binds stronger, and if a name is read or an attribute, the tokens alone do not say. The
code is parsed and never run; the pinned version gives the same bytes on every machine.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

from versus.data.sources.source_code import JINJA, Token, package, tokens
from versus.data.spaces import Tokens
from versus.data.texts import RawTexts
from versus.data.trees import Bracket, Treebank

MODULES = ("lexer", "parser", "runtime")
FEWEST_TOKENS, MOST_TOKENS = 4, 10
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr, ast.Raise, ast.Assert, ast.Delete)
Place = tuple[int, int]  # line, column


def python_trees() -> RawTexts:
    """Read different statements of 4 to 10 tokens, each with its tree."""
    every = [tree for name in MODULES for tree in statement_trees(package("jinja2") / f"{name}.py")]
    found = {tuple(tree.words()): tree for tree in every}
    kept = {words: tree for words, tree in found.items() if FEWEST_TOKENS <= len(words) <= MOST_TOKENS}
    about = JINJA | {"description": "different simple statements of Python source code, each with its syntax tree"}
    treebank = Treebank([tree.nodes() for tree in kept.values()])
    return RawTexts("Jinja", [list(words) for words in kept], treebank, Tokens(()), about=about)


def statement_trees(file: Path) -> Iterator[Bracket]:
    """Yield the tree of each simple statement of a file, in their order."""
    source = file.read_text(encoding="utf-8")
    found = [token for token in tokens(source) if token.kind != "newline"]
    lines = source.splitlines()
    for node in sorted((n for n in ast.walk(ast.parse(source)) if isinstance(n, _SIMPLE)), key=lambda n: n.lineno):
        yield _bracket(node, _covered(node, found, lines), lines)


def _bracket(node: ast.AST, covered: Sequence[Token], lines: Sequence[str]) -> Bracket:
    """Return the tree of a node that covers some tokens."""
    name = type(node).__name__
    if len(covered) == 1:
        return Bracket(name, covered[0].text)
    parts, rest = list[Bracket](), list(covered)
    for inner in sorted(_inner(node), key=lambda child: _span(child, lines)):
        mine = _covered(inner, rest, lines)
        if mine:
            first = rest.index(mine[0])
            parts += [*map(_tagged, rest[:first]), _bracket(inner, mine, lines)]
            rest = rest[first + len(mine) :]
    return Bracket(name, None, (*parts, *map(_tagged, rest)))


def _tagged(token: Token) -> Bracket:
    return Bracket(token.text if token.kind in ("operator", "keyword") else token.kind, token.text)


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nearest nodes inside that have a place; a formatted string is left whole, as it is one token."""
    for child in ast.iter_child_nodes(node) if not isinstance(node, ast.JoinedStr) else ():
        if hasattr(child, "lineno"):
            yield child
        else:
            yield from _inner(child)


def _covered(node: ast.AST, among: Sequence[Token], lines: Sequence[str]) -> list[Token]:
    """Return the tokens, of ordered ones, that a node covers."""
    start, end = _span(node, lines)
    first = bisect_left(among, start, key=lambda token: token.start)
    return list(among[first : bisect_left(among, end, key=lambda token: token.start)])


def _span(node: ast.AST, lines: Sequence[str]) -> tuple[Place, Place]:
    """Place of a node's first character and of the one after its last: the parser counts bytes of a line."""
    places = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
    start, end = ((line, len(lines[line - 1].encode()[:column].decode())) for line, column in places)
    return start, end
