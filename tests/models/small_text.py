"""Small documents and tagged sentences."""

import numpy as np

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Classes, Tags


def documents(n=120, seed=0):
    """Documents of two classes over 30 tokens; the last token occurs in the first document alone, one never."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    shares = rng.dirichlet(np.full(28, 0.5), size=2)
    X = [rng.choice(28, size=rng.integers(1, 12), p=shares[k]) for k in y]
    X[0] = np.append(X[0], 29)
    schema = Schema(Tokens(tuple(f"w{i}" for i in range(30))), Classes(("left", "right")))
    return Ragged.of(X, np.int32), y, schema


def sentences(n=200, seed=0):
    """Verbs follow nouns; "fish" is both; new words end as the old ones do."""
    rng = np.random.default_rng(seed)
    nouns = [f"{stem}er" for stem in ("bak", "sing", "work", "play", "read", "driv")] + ["fish"]
    verbs = [f"{stem}s" for stem in ("bake", "sing", "work", "play", "read", "drive")] + ["fish"]
    unseen = ["writer", "writes", "Writer"]
    vocabulary = tuple(sorted({"the", ".", *nouns, *verbs, *unseen}))
    code = {word: i for i, word in enumerate(vocabulary)}
    X, y = [], []
    for _ in range(n):
        words, tags = [], []
        for _ in range(rng.integers(1, 4)):
            words += ["the", str(rng.choice(nouns)), str(rng.choice(verbs))]
            tags += [0, 1, 2]
        X.append([code[word] for word in [*words, "."]])
        y.append([*tags, 3])
    schema = Schema(Tokens(vocabulary), Tags(("DET", "NOUN", "VERB", "PUNCT")))
    return Ragged.of(X, np.int32), Ragged.of(y, np.int64), schema


def coded(schema, text):
    """One sentence as Ragged codes."""
    return Ragged.of([[schema.x.vocabulary.index(word) for word in text.split()]], np.int32)


def written_out(X, schema, affixes, pairs=False):
    """The features of each token and its neighbours, and of pairs with them, as a dictionary each."""
    out = []
    for x in X:
        words = schema.x.words(x)
        for i in range(len(words)):
            token = {}
            for offset in (-1, 0, 1):
                if not 0 <= i + offset < len(words):
                    token[f"{offset} outside"] = 1
                    continue
                word = words[i + offset].lower()
                token[f"{offset} form {word}"] = token[f"{offset} word {word}"] = 1
                token[f"{offset} shape {word.isalpha()}"] = 1  # all words of these sentences are of two shapes
                if offset:
                    if pairs:
                        token[f"pair {offset} {word} {words[i].lower()}"] = 1
                    continue
                token[f"pattern {len(word) * word.isalpha()}"] = 1
                for n in range(1, min(affixes + 1, len(word))):
                    token[f"{offset} prefix {word[:n]}"] = token[f"{offset} suffix {word[-n:]}"] = 1
            out.append(token)
    return out
