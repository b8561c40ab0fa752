"""Reviews in which the order of the words decides: what a bag of words cannot learn and a recurrent network can.

Every review has two clauses, one after the other in either order, and `gap` neutral words between them. The label is
what the writer found; what the critics found does not count:

    contrast    "i found it superb [gap] and the critics found it dull"
    negation    "the critics found it not superb [gap] and i found it not dull"

In the part `order` the two disagree, and each review has a *twin* with the two words exchanged: the same words, the
same number of times, and the other label. So whatever looks at the words alone, however it weighs them, gives both the
same score and is right on exactly one of the two: exactly half of the part, whatever it has learned. In the part
`agree` the critics are of the writer's mind; without negations, words alone are enough there.

Who learns from both parts cannot use the critics' clause: it is as often right as wrong. Where the writer speaks first,
a network has to remember over the gap what was found, and that it was the writer.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

WORDS = {
    "positive": ("superb", "great", "moving", "clever", "charming", "brilliant", "gripping", "lovely"),
    "negative": ("dull", "awful", "boring", "clumsy", "shallow", "dreadful", "tedious", "ugly"),
}
NEUTRAL = tuple(
    "we saw a late show on tuesday at nine with my old friend from school in new hall near river "
    "after some rain then two people came to sit by their table for an hour".split()
)
OPPOSITE = {"positive": "negative", "negative": "positive"}

Kind = Literal["contrast", "negation"]
Part = Literal["order", "agree"]


class OrderReview(NamedTuple):
    """A made review and what is known about it."""

    text: str
    label: str
    """`positive` or `negative`."""
    kind: Kind
    gap: int
    """Neutral words between the clauses."""
    writer_first: bool
    """Whether the clause that counts stands before the gap."""


def order_reviews(
    pairs: int,
    *,
    part: Part = "order",
    gaps: Sequence[int] = (0,),
    kinds: Sequence[Kind] = ("contrast", "negation"),
    seed: int,
) -> list[OrderReview]:
    """Make reviews in pairs of a positive and a negative one, twins next to each other.

    Args:
        pairs: half of the number of reviews.
        part: `order`: only the order tells the label; `agree`: both clauses say the same.
        gaps: how many neutral words there may be; each pair has one of these numbers.
        kinds: forms of reviews to draw from.
        seed: the same seed makes the same reviews.

    Raises:
        ValueError: there is no such part or kind, no gap to choose from, or a number is negative.
    """
    if part not in ("order", "agree"):
        raise ValueError(f"part: expected 'order' or 'agree', got {part!r}")
    if not kinds or not set(kinds) <= {"contrast", "negation"}:
        raise ValueError(f"kinds: expected some of 'contrast', 'negation', got {list(kinds)}")
    if not gaps or min(gaps) < 0 or pairs < 0:
        raise ValueError(f"expected at least one gap and no negative number, got gaps {list(gaps)} and pairs {pairs}")
    rng = np.random.default_rng(seed)
    made: list[OrderReview] = []
    for _ in range(pairs):
        kind, gap = kinds[int(rng.integers(len(kinds)))], gaps[int(rng.integers(len(gaps)))]
        found = {label: rng.choice(words, 2, replace=False).tolist() for label, words in WORDS.items()}
        filler = " ".join(rng.choice(NEUTRAL, gap))
        writer_first = bool(rng.integers(2))
        for label in WORDS:
            ours = OPPOSITE[label] if kind == "negation" else label  # of the word behind a "not"
            theirs = OPPOSITE[ours] if part == "order" else ours
            # Clauses that disagree have the first word of either kind, so that twins have the same.
            critics = found[theirs][0 if part == "order" else 1]
            negation = "not " if kind == "negation" else ""
            clauses = [f"i found it {negation}{found[ours][0]}", f"the critics found it {negation}{critics}"]
            before, after = clauses if writer_first else clauses[::-1]
            text = " ".join(filter(None, [before, filler, "and", after]))
            made.append(OrderReview(text, label, kind, gap, writer_first))
    return made
