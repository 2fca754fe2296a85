"""Trees in Penn brackets: one file or many, a folder or a zip archive of them.

Rules: what no word stands for (tag -NONE-) is removed, with constituents that hold nothing else; functions and indices
are cut off labels (NP-SBJ-1 is NP, ADVP|PRT is ADVP); a constituent whose only part is a constituent of the same label
is dropped, and so is an outer bracket without a label around one constituent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from versus.data.errors import DataError
from versus.data.file_specification import Penn
from versus.data.sources import source_files
from versus.data.spaces import Tokens
from versus.data.texts import RawTexts
from versus.data.trees import Bracket, BracketError, Treebank, brackets

ENDINGS = (".mrg", ".ptb", ".parse", ".brackets")
Place = tuple[str, int]  # file, line


def load(specification: Penn, base: Path) -> RawTexts:
    """Read the trees of all files, in the order of their names.

    Raises:
        DataError: for a fault in the brackets or a tree without words, with file and line, and where there are none.
    """
    parts = [list(_trees(path, specification, base)) for path in (specification.path, specification.test_path) if path]
    if not parts[0]:
        raise DataError(f"{specification.path}: holds no trees; wants some as in (S (NP (NN sun)) (VP (VBZ shines)))")
    found, warnings = [tree for part in parts for tree in part], []
    words = [list(tree.words()) for _, tree in found]
    kept = [row for row, sentence in enumerate(words) if len(sentence) <= (specification.longest or len(sentence))]
    if len(kept) < len(found):
        warnings.append(
            f"{len(found) - len(kept)} of {len(found)} sentences of over {specification.longest} words left out"
        )
    if not kept:
        raise DataError(f"{specification.path}: no sentence has {specification.longest} words or fewer; see `longest`")
    places = [found[row][0] for row in kept]
    treebank = Treebank([found[row][1].nodes() for row in kept])
    return RawTexts(
        specification.path,
        [words[row] for row in kept],
        treebank,
        Tokens(()),
        sum(row >= len(parts[0]) for row in kept),
        lambda row: f"{places[row][0]}, line {places[row][1]}",
        warnings,
    )


def _trees(path: str, specification: Penn, base: Path) -> Iterator[tuple[Place, Bracket]]:
    for file in files(base, path):
        try:
            for line, tree in brackets(source_files.lines(base, file, specification.encoding)):
                plain = tree.plain()
                if plain is None:
                    raise BracketError(line, "is a tree without words; wants one or more")
                whole = plain if plain.word is None else Bracket("", None, (tree,)).plain()
                assert whole is not None  # as it has a word
                yield (file, line), whole
        except BracketError as error:
            raise DataError(f"{file}, {error}") from None


def files(base: Path, path: str) -> Sequence[str]:
    """List the files of brackets in a folder or an archive, by their endings; a file is its own list."""
    found = base / path
    if found.is_dir():
        inside = [file.relative_to(base).as_posix() for file in found.rglob("*") if file.is_file()]
    elif source_files.is_zip(found):
        inside = [f"{path}/{name}" for name in source_files.members(found)]
    else:
        return [path]
    chosen = sorted(name for name in inside if has_ending(name))
    if not chosen and len(inside) != 1:
        raise DataError(
            f"{path}: holds no file {', '.join(ENDINGS)}, also with .gz; name the file if it ends otherwise"
        )
    return chosen or inside


def has_ending(name: str) -> bool:
    """Check that a file is named like one of brackets, also compressed."""
    return any(name.lower().removesuffix(packed).endswith(ENDINGS) for packed in ("", *source_files.COMPRESSED))
