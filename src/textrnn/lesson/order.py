"""Made-up reviews in two parts: in one the words alone tell the label, in the other only their order does.

In the part `order_matters` every text has a twin with exactly the same words, in another order, and the other label.
Whatever counts words gives both the same answer, so it is right on exactly one of them: chance, by construction and
whatever it has learned. Between the cue and the word that it decides about lie as many words as is asked for:

    negation     it is [gap] good [gap] . it is not [gap] bad [gap] .       the quality that is not denied
    contrast     although it is [gap] bad [gap] , it is [gap] good [gap] .  the quality that is not conceded
    reference    the film and the trailer [gap] are good and bad .          the film's, "respectively"

The cue stands in the first clause as often as in the second, so neither the first nor the last quality tells the
label. An n-gram model sees cue and quality together only if its n-grams have at least gap + 2 words.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GOOD = ("good", "great", "clever", "moving", "funny", "fresh", "warm", "brilliant", "charming", "subtle")
BAD = ("bad", "dull", "silly", "boring", "stale", "cold", "clumsy", "tedious", "shallow", "awful")
FILLERS = (
    "in my view as far one can say after two hours and with all the others here this season at least to most of us who "
    "came from far on a wet evening by some measure or another over time still once again for now"
).split()
GAPS = (0, 5, 10, 20, 40)
LABELS = ("neg", "pos")


@dataclass(frozen=True)
class OrderText:
    """One made-up review."""

    text: str
    label: str
    """`neg` or `pos`."""
    kind: str
    """In `KINDS`, or `free`."""
    gap: int
    """Made-up words between the cue and the quality that it decides about; `it is`, or `are`, may come beside them."""
    pair: int
    """Texts with the same number are twins. Keep them on the same side of every split."""


def order_matters(
    pairs: int, *, seed: int, gaps: Sequence[int] = GAPS, kinds: Sequence[str] | None = None
) -> list[OrderText]:
    """So many pairs of twins, one after the other; kinds and gaps take turns, everything else is drawn.

    Raises:
        ValueError: a gap is negative, there are none, or there is no such kind.
    """
    kinds = tuple(KINDS) if kinds is None else tuple(kinds)
    if not gaps or min(gaps) < 0:
        raise ValueError(f"gaps: expected numbers of words, got {list(gaps)}")
    if not kinds or set(kinds) - set(KINDS):
        raise ValueError(f"kinds: expected some of {', '.join(KINDS)}, got {list(kinds)}")
    return list(_twins(pairs, random.Random(seed), gaps, kinds))


def order_free(count: int, *, seed: int, gaps: Sequence[int] = GAPS) -> list[OrderText]:
    """So many texts of two clauses without a cue: both qualities have the label's side, half of the texts each."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        gap, side = gaps[(number // 2) % len(gaps)], number % 2
        clauses = [["it", "is", *_gap(rng, gap), rng.choice((BAD, GOOD)[side]), *_gap(rng, gap), "."] for _ in range(2)]
        found.append(OrderText(" ".join(clauses[0] + clauses[1]), LABELS[side], "free", gap, number))
    return found


def _twins(pairs: int, rng: random.Random, gaps: Sequence[int], kinds: Sequence[str]) -> Iterator[OrderText]:
    for pair in range(pairs):
        kind, gap = kinds[pair % len(kinds)], gaps[(pair // len(kinds)) % len(gaps)]
        good, bad = rng.choice(GOOD), rng.choice(BAD)
        fillers = [_gap(rng, gap) for _ in range(4)]
        cue_first = rng.random() < 0.5
        sides = [0, 1]
        rng.shuffle(sides)  # which twin comes first
        for side in sides:
            counts, other = (good, bad) if side else (bad, good)
            words = KINDS[kind](counts, other, cue_first, fillers)
            yield OrderText(" ".join(words), LABELS[side], kind, gap, pair)


def _gap(rng: random.Random, words: int) -> list[str]:
    return [rng.choice(FILLERS) for _ in range(words)]


def _negation(counts: str, other: str, cue_first: bool, gaps: list[list[str]]) -> list[str]:
    first = (["not"], other) if cue_first else ([], counts)
    second = ([], counts) if cue_first else (["not"], other)
    words = []
    for at, (cue, quality) in enumerate((first, second)):
        words += ["it", "is", *cue, *gaps[2 * at], quality, *gaps[2 * at + 1], "."]
    return words


def _contrast(counts: str, other: str, cue_first: bool, gaps: list[list[str]]) -> list[str]:
    first = (["although"], other) if cue_first else ([], counts)
    second = ([], counts) if cue_first else (["although"], other)
    words = []
    for at, (cue, quality) in enumerate((first, second)):
        words += [*cue, "it", "is", *gaps[2 * at], quality, *gaps[2 * at + 1], "." if at else ","]
    return words


def _reference(counts: str, other: str, cue_first: bool, gaps: list[list[str]]) -> list[str]:
    names, qualities = ("film", "trailer"), (counts, other)
    if not cue_first:
        names, qualities = names[::-1], qualities[::-1]
    return ["the", names[0], "and", "the", names[1], *gaps[0], "are", qualities[0], "and", qualities[1], "."]


KINDS = {"negation": _negation, "contrast": _contrast, "reference": _reference}
"""(the quality that counts, the other one, whether the cue stands first, four gaps) -> words."""
