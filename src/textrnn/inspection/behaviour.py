"""Made-up variations of texts as a small behavioural test suite, in the style of CheckList.

Ribeiro, Wu, Guestrin and Singh (2020), "Beyond accuracy: behavioral testing of NLP models with CheckList", ACL,
arXiv:2005.04118, has three kinds of tests, which need no labelled texts or few:

    minimum functionality    short texts made from templates, whose label everybody knows
    invariance               a change that must not change the prediction
    directional expectation  a change after which the probability of the label must not rise (or not fall)

Each test returns its cases, so that a failure can be read and inspected, and the share that passes. A test that fails
is no proof of a bug: whether a model has to pass it is for those to say who use it.
"""

import itertools
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from textrnn.errors import ConfigError
from textrnn.labels import Label
from textrnn.runtime import Classifier
from textrnn.text.tokenizer import TOKENIZERS

TOLERANCE = 0.1
"""By how much a probability may move against the expectation before that counts, as in CheckList."""

DISTRACTORS = (
    "I saw it on Monday.",
    "My brother sat beside me.",
    "It was raining outside.",
    "https://example.org/a1b2",
)
"""Sentences that say nothing of any label."""

NEGATED = frozenset("is was are were does did will can would could has have".split())
"""Verbs that a negation follows."""


@dataclass(frozen=True)
class Case:
    """One text and what was made of it."""

    original: str
    """The text that was changed; in tests of minimum functionality the template."""
    changed: str
    label: Label
    """The label that is expected, or that was predicted for the original."""
    before: float
    """Its probability for the original; nan where there is none."""
    after: float
    """Its probability for the changed text."""
    passed: bool


@dataclass(frozen=True)
class Behaviour:
    """One test."""

    name: str
    kind: str
    """`minimum functionality`, `invariance` or `directional expectation`."""
    cases: tuple[Case, ...]

    @property
    def pass_rate(self) -> float:
        """The share of the cases that pass; nan without any."""
        return float(np.mean([case.passed for case in self.cases])) if self.cases else float("nan")

    @property
    def failures(self) -> list[Case]:
        """Those that do not pass, the farthest off first."""
        failed = [case for case in self.cases if not case.passed]
        return sorted(failed, key=lambda case: abs(case.after - (0 if np.isnan(case.before) else case.before)))[::-1]


def minimum_functionality(
    classifier: Classifier, templates: Mapping[str, Label], words: Mapping[str, Sequence[str]] | None = None
) -> Behaviour:
    """Whether texts made from templates get the label that everybody would give them.

    Args:
        classifier: a model that predicts one label a text.
        templates: a text, in which {name} stands for each of the words of that name, to its label.
        words: for each name in the templates.

    Raises:
        ConfigError: a label is unknown, or a template has a name without words.
    """
    classifier.require_one_label("behaviour")
    texts, origins, labels = [], [], []
    for template, label in templates.items():
        _place(classifier, label)
        for text in filled(template, words or {}):
            texts.append(text)
            origins.append(template)
            labels.append(label)
    cases = []
    for text, origin, label, found in zip(texts, origins, labels, classifier.predict(texts), strict=True):
        probability = found.probabilities[classifier.labels[_place(classifier, label)]]
        cases.append(Case(origin, text, label, float("nan"), probability, str(found.label) == str(label)))
    return Behaviour("templates", "minimum functionality", tuple(cases))


def filled(template: str, words: Mapping[str, Sequence[str]]) -> list[str]:
    """Every text that a template stands for.

    Raises:
        ConfigError: there are no words for a name in it.
    """
    names = list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(template) if name is not None))
    for name in names:
        if name not in words:
            raise ConfigError(f"templates: expected words for {{{name}}} in {template!r}")
    choices = itertools.product(*(words[name] for name in names))
    return [template.format(**dict(zip(names, choice, strict=True))) for choice in choices]


def invariance(
    classifier: Classifier, texts: Sequence[str], name: str, change: Callable[[str], str | None]
) -> Behaviour:
    """Whether a change leaves the predicted label as it is.

    change: the changed text; None where it cannot be made of this one, which then is left out.
    """
    return _behaviour(classifier, texts, name, "invariance", change, lambda same, before, after: same)


def falls(classifier: Classifier, texts: Sequence[str], name: str, change: Callable[[str], str | None]) -> Behaviour:
    """Whether after a change the label that was predicted is not more probable than before, but for `TOLERANCE`."""
    kind = "directional expectation"
    return _behaviour(classifier, texts, name, kind, change, lambda same, before, after: after <= before + TOLERANCE)


def suite(classifier: Classifier, texts: Sequence[str], *, seed: int = 0) -> list[Behaviour]:
    """The tests that can be made of any texts without labels.

    Invariance: a distractor put behind a text or before it, its last mark left off, its letters in capitals. Direction:
    where the verb is negated, and where the words stand in another order, the label must not get more probable.

    Raises:
        ConfigError: the model does not predict one label a text.
    """
    classifier.require_one_label("behaviour")
    rng = np.random.default_rng(seed)

    def distractor() -> str:
        return DISTRACTORS[int(rng.integers(len(DISTRACTORS)))]

    tokenize = TOKENIZERS[classifier.header.text.tokenizer]
    joint = "" if classifier.header.text.tokenizer == "characters" else " "

    def swapped(text: str) -> str | None:
        tokens = tokenize(text)
        order = rng.permutation(len(tokens))
        return joint.join(tokens[at] for at in order) if len(tokens) > 1 else None

    return [
        invariance(classifier, texts, "distractor behind", lambda text: f"{text} {distractor()}" if text else None),
        invariance(classifier, texts, "distractor before", lambda text: f"{distractor()} {text}" if text else None),
        invariance(classifier, texts, "without the last mark", without_last_mark),
        invariance(classifier, texts, "in capitals", lambda text: text.upper() if text.upper() != text else None),
        falls(classifier, texts, "negated", negated),
        falls(classifier, texts, "words in another order", swapped),
    ]


def negated(text: str) -> str | None:
    """With "not" behind the first verb that takes one; None where there is none, or it is negated already."""
    words = text.split(" ")
    for at, word in enumerate(words):
        if word.lower() in NEGATED:
            if at + 1 < len(words) and words[at + 1].lower() in ("not", "never", "no"):
                return None
            return " ".join([*words[: at + 1], "not", *words[at + 1 :]])
    return None


def without_last_mark(text: str) -> str | None:
    """Without the punctuation at its end; None where there is none."""
    found = text.rstrip().rstrip(".!?…")
    return found if found != text.rstrip() and found else None


def _behaviour(
    classifier: Classifier,
    texts: Sequence[str],
    name: str,
    kind: str,
    change: Callable[[str], str | None],
    expected: Callable[[bool, float, float], bool],
) -> Behaviour:
    classifier.require_one_label("behaviour")
    pairs = [(text, made) for text in texts if (made := change(text)) is not None]
    before = classifier.predict([text for text, _ in pairs])
    after = classifier.predict([made for _, made in pairs])
    cases = []
    for (text, made), first, second in zip(pairs, before, after, strict=True):
        assert first.label is not None
        p, q = first.probabilities[first.label], second.probabilities[first.label]
        cases.append(Case(text, made, first.label, p, q, expected(first.label == second.label, p, q)))
    return Behaviour(name, kind, tuple(cases))


def _place(classifier: Classifier, label: Label) -> int:
    written = [str(known) for known in classifier.labels]
    if str(label) not in written:
        raise ConfigError(f"label: expected one of {', '.join(written[:10])}, got {str(label)!r}")
    return written.index(str(label))
