"""Texts contained in every installation: docstrings of SciPy and source code of Jinja.

Files are parsed and never run. The versions pinned in constraints.txt give the same bytes on every machine; the
licences of both (BSD) allow any use.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from versus.data.columns import Words
from versus.data.sources.streams import stream, windows
from versus.data.spaces import CHARACTER, Tokens
from versus.data.texts import RawTexts

SUBPACKAGES = ("integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "sparse", "spatial")
FEWEST_WORDS = 8
WINDOW = 400
MODULES = ("compiler", "ext", "lexer", "parser", "runtime")
FEWEST_TOKENS, MOST_TOKENS = 4, 40

_SCIPY = {
    "licence": f"BSD 3-Clause; installed with SciPy {version('scipy')}",
    "citation": "Virtanen and others 2020, SciPy 1.0: fundamental algorithms for scientific computing in Python",
}
JINJA = {
    "licence": f"BSD 3-Clause; installed with Jinja {version('jinja2')}",
    "citation": "Ronacher and others, Jinja, https://jinja.palletsprojects.com",
}
_SECTION = re.compile(r"^[^\n]+\n-{3,}\s*$", re.MULTILINE)  # "Parameters" and the line below it
_STRING = '"text"'  # stands for every string
_KINDS = {tokenize.NUMBER: "number", tokenize.OP: "operator", tokenize.NEWLINE: "newline"}
_SKIPPED = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER)


def docstrings() -> RawTexts:
    """Read the summaries of SciPy's functions and classes, each with its subpackage as the class.

    A document is the part of a docstring before its first section, without parameters and examples.
    """
    pairs = ((text, k) for k, name in enumerate(SUBPACKAGES) for text in _summaries(package("scipy") / name))
    found = list(dict(pairs).items())  # each text once, so that none is in both training and test rows
    space = Tokens((), r"\w+", lowercase=True)
    tokens = [space.cut(text) for text, _ in found]
    codes = np.array([k for _, k in found], np.int64)
    kept = np.flatnonzero([len(words) >= FEWEST_WORDS for words in tokens])
    about = _SCIPY | {
        "description": f"descriptions of functions and classes in {len(SUBPACKAGES)} subpackages of SciPy"
    }
    labels = Words("subpackage", codes[kept], SUBPACKAGES)
    return RawTexts("SciPy", [tokens[row] for row in kept], labels, space, about=about)


def docstring_stream() -> RawTexts:
    """Read the same summaries one after the other as a stream of characters, in windows of 400."""
    texts = dict.fromkeys(text for name in SUBPACKAGES for text in _summaries(package("scipy") / name))
    space = Tokens((), CHARACTER)
    about = _SCIPY | {"description": "characters of descriptions of functions and classes of SciPy"}
    return stream("SciPy", windows(space.cut("\n\n".join(texts)), WINDOW), space, about=about)


def python_tokens() -> RawTexts:
    """Read the statements of Jinja's source code, and the role of each token in its statement.

    The same name can be read or called, or be an attribute, a parameter or an argument: to predict which, a model
    must look at the context.
    """
    every = [statement for name in MODULES for statement in statements(package("jinja2") / f"{name}.py")]
    kept = list(dict.fromkeys(statement for statement in every if FEWEST_TOKENS <= len(statement) <= MOST_TOKENS))
    about = JINJA | {
        "description": "different statements of Python source code; a tag says what each token is: "
        "a name that is read, written, called, …",
    }
    words, tags = ([[pair[place] for pair in statement] for statement in kept] for place in (0, 1))
    return RawTexts("Jinja", words, tags, Tokens(()), about=about)


def package(name: str) -> Path:
    """Return the folder of an installed package."""
    found = find_spec(name)
    assert found is not None, f"{name} is a dependency of this package"
    assert found.origin is not None
    return Path(found.origin).parent


def _summaries(folder: Path) -> Iterator[str]:
    """Yield docstrings of public functions and classes, cut before their first section."""
    for file in sorted(folder.rglob("*.py")):
        if "tests" in file.parts or file.name.startswith("test_"):
            continue
        for node in _public(ast.parse(file.read_bytes())):
            yield _SECTION.split(ast.get_docstring(node) or "", maxsplit=1)[0]


def _public(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.ClassDef) and not inner.name.startswith("_"):
            yield inner
            if isinstance(inner, ast.ClassDef):
                yield from _public(inner)


def statements(file: Path) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield each statement as (token, tag) pairs; a string is one token in every Python version."""
    source = file.read_text(encoding="utf-8")
    tags = _tags_of_names(ast.parse(source))
    statement: list[tuple[str, str]] = []
    for token in tokens(source):
        if token.kind == "newline":
            yield tuple(statement)
            statement = []
        elif token.kind == "name":
            statement.append((token.text, tags.get(token.start) or _declared(statement)))
        else:
            statement.append((token.text, token.kind))


@dataclass(frozen=True)
class Token:
    """Token of source code: its text, its kind, and where it begins and ends as (line, column).

    The kind is "string", "number", "operator", "keyword", "name", or "newline" at the end of a statement.
    """

    text: str
    kind: str
    start: tuple[int, int]
    end: tuple[int, int]


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of source code; a string is one, with the same text for all, in every Python version."""
    start, depth = (0, 0), 0  # of f-strings, which newer versions cut into pieces
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            start, depth = start if depth else token.start, depth + 1
        elif kind == "FSTRING_END":
            depth -= 1
            if not depth:
                yield Token(_STRING, "string", start, token.end)
        elif token.type in _SKIPPED or depth:
            continue
        elif token.type == tokenize.STRING:
            yield Token(_STRING, "string", token.start, token.end)
        elif token.type in _KINDS:
            yield Token(token.string, _KINDS[token.type], token.start, token.end)
        else:
            yield Token(token.string, "keyword" if keyword.iskeyword(token.string) else "name", token.start, token.end)


def _declared(statement: list[tuple[str, str]]) -> str:
    """Tag of a name without a position in the syntax tree: it follows def, class, import, as, global, …"""
    first, last = statement[0][0] if statement else "", statement[-1][0] if statement else ""
    if last in ("def", "class"):
        return {"def": "function", "class": "class"}[last]
    if first in ("import", "from"):
        return "module"
    return "write"


def _tags_of_names(tree: ast.AST) -> dict[tuple[int, int], str]:
    """Map (line, column) of each name in the tree to its role."""
    found: dict[tuple[int, int], str] = {}
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            read = "call" if id(node) in called else "read"
            found[node.lineno, node.col_offset] = read if isinstance(node.ctx, ast.Load) else "write"
        elif isinstance(node, ast.Attribute):
            place = (node.end_lineno or 0, (node.end_col_offset or 0) - len(node.attr))
            found[place] = "method" if id(node) in called else "attribute"
        elif isinstance(node, ast.arg):
            found[node.lineno, node.col_offset] = "parameter"
        elif isinstance(node, ast.keyword) and node.arg is not None:
            found[node.lineno, node.col_offset] = "argument"
    for node in ast.walk(tree):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            names = [part for part in ast.walk(annotation) if isinstance(part, ast.Name)] if annotation else []
            found |= {(name.lineno, name.col_offset): "type" for name in names}
    return found
