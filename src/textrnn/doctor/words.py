"""Checks of what the model can read of the texts: words that it knows, and lengths that it takes."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from textrnn.doctor.finding import Finding, Severity, percent, some
from textrnn.runtime import Classifier
from textrnn.text import UNK_ID
from textrnn.text.tokenizer import TOKENIZERS

MANY_UNKNOWN, MOST_UNKNOWN = 0.05, 0.2
MANY_CUT = 0.05
SHOWN = 20


def coverage(classifier: Classifier, tokens: list[list[str]]) -> Iterator[Finding]:
    """Which share of the tokens has an embedding of its own. tokens: of every text, whole."""
    vocabulary = classifier.encoder.vocabulary
    unknown: Counter[str] = Counter()
    total, blind = 0, 0
    for text in tokens:
        strange = [token for token, index in zip(text, vocabulary.encode(text), strict=True) if index == UNK_ID]
        unknown.update(strange)
        total += len(text)
        blind += bool(text) and len(strange) == len(text)
    share = unknown.total() / max(1, total)
    frequent = sorted(unknown.items(), key=lambda one: (-one[1], one[0]))
    numbers = {
        "tokens": total,
        "unknown": unknown.total(),
        "share": share,
        "different": len(unknown),
        "texts_without_a_known_token": blind,
        "most_frequent": dict(frequent[:SHOWN]),
    }
    spelled = classifier.header.model.character_ngrams > 0
    severity: Severity = "fine" if share < MANY_UNKNOWN else "problem" if share >= MOST_UNKNOWN else "warning"
    names = f" The most frequent: {some([token for token, _ in frequent])}." if frequent else ""
    empty = f" {blind} texts have no known token at all." if blind else ""
    yield Finding(
        check="vocabulary",
        severity="warning" if spelled and severity == "problem" else severity,
        message=f"{percent(share)} of {total:,} tokens are not in the vocabulary of {len(vocabulary):,}.{names}{empty}",
        advice="Lower min_count or raise max_size, train on texts like these, or begin with word vectors (vectors); "
        "character_ngrams read the spelling of words that are not known."
        if severity != "fine"
        else "",
        numbers=numbers,
    )


def lengths(classifier: Classifier, tokens: list[list[str]]) -> Iterator[Finding]:
    """What is cut off."""
    config = classifier.header.text
    counts = np.array([len(text) for text in tokens])
    lost = np.maximum(counts - config.max_length, 0)
    texts, share = int((lost > 0).sum()), float(lost.sum() / max(1, counts.sum()))
    empty = int((counts == 0).sum())
    enough = int(np.ceil(np.percentile(counts, 99)))
    numbers = {
        "texts": len(counts),
        "cut": texts,
        "share_of_texts": texts / len(counts),
        "share_of_tokens": share,
        "longest": int(counts.max()),
        "percentile_99": enough,
        "max_length": config.max_length,
        "empty": empty,
    }
    bad = texts / len(counts) > MANY_CUT
    both = "" if config.keep == "both" else f" or set keep to 'both' (now '{config.keep}'),"
    yield Finding(
        check="lengths",
        severity="warning" if bad else "note" if texts else "fine",
        message=f"{texts} of {len(counts)} texts are longer than max_length = {config.max_length}, and "
        f"{percent(share)} of all tokens are cut off; the longest text has {counts.max()}.",
        advice=f"Train with max_length={enough}, which holds 99 % of the texts,{both} if what decides may stand in the "
        "part that is cut off."
        if bad
        else "",
        numbers=numbers,
    )
    if empty:
        yield Finding(
            check="lengths",
            severity="warning",
            message=f"{empty} of {len(counts)} texts have no token: the answer to them is always the same.",
            advice="Remove them from the data, or look whether the right column is read (--text).",
            numbers={"empty": empty},
        )


def tokens_of(classifier: Classifier, texts: list[str]) -> list[list[str]]:
    """All tokens of every text, those beyond `max_length` included."""
    tokenize = TOKENIZERS[classifier.header.text.tokenizer]
    return [tokenize(text) for text in texts]
