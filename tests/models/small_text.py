"""Small documents, tagged sentences and trees."""

import numpy as np

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Classes, Tags, Trees
from versus.data.trees import Bracket, Treebank


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


def bracketed(n=160, seed=0):
    """Sentences of a small grammar with nested phrases; words end as their tags say, and many are met once."""
    rng = np.random.default_rng(seed)
    ends = {"N": "er", "V": "ed", "J": "ly"}
    fixed = {"D": ("the", "a"), "P": ("of", "in")}

    def tag(name):
        if name in fixed:
            return Bracket(name, str(rng.choice(fixed[name])))
        return Bracket(name, "".join(rng.choice(list("bcdfgk"), 2 if rng.random() < 0.6 else 4)) + ends[name])

    def noun_phrase(depth=0):
        parts = [tag("D"), *[tag("J")] * int(rng.integers(0, 3)), tag("N")] if rng.random() < 0.7 else [tag("N")]
        if depth < 2 and rng.random() < 0.3:
            return Bracket("NP", None, (Bracket("NP", None, tuple(parts)), phrase(depth + 1)))
        return Bracket("NP", None, tuple(parts))

    def phrase(depth):
        return Bracket("PP", None, (tag("P"), noun_phrase(depth)))

    def sentence():
        verb = [
            tag("V"),
            *([noun_phrase()] if rng.random() < 0.7 else []),
            *([phrase(1)] if rng.random() < 0.3 else []),
        ]
        if rng.random() < 0.1:
            return Bracket("S", None, (Bracket("VP", None, tuple(verb)),))
        return Bracket("S", None, (noun_phrase(1), Bracket("VP", None, tuple(verb))))

    trees = [sentence() for _ in range(n)]
    names, y = Treebank([tree.nodes() for tree in trees]).coded()
    vocabulary = tuple(sorted({word for tree in trees for word in tree.words()} | {"unseen"}))
    X = Ragged.of([[vocabulary.index(word) for word in tree.words()] for tree in trees], np.int32)
    return X, y, Schema(Tokens(vocabulary), Trees(names))
