"""Texts for tests of the rule `words`: drawn ones and real ones."""

import csv
import gzip
from pathlib import Path

from hypothesis import strategies as st

# What the rules of Unicode turn on: combining marks in and out of order, Hangul letters, ligatures, both sigmas, the
# Turkish i, joiners, variation selectors, soft hyphens, signs whose lower case is ASCII or longer, half surrogates.
TRICKY = (
    "aZ0 '’-_.\n\x00\x1f\x85\xa0éÉßẞİıſKÅΣσςΑǅȺⱥﬁﬀ\u0300\u0301\u0316\u0327\u0338\u0344\u034f\u093c\u0915\u0958"
    "\u0e38\u0e48\u1100\u1161\u11a8가각\u00ad\u200b\u200c\u200d\ufe0f\ufeff=<≠≮、。你好👍❤👩🏽🇩"
    "\ud800\udfff\U0001d15e\U00011099\U000110ba\U0010ffff"
)
TEXTS = st.one_of(st.text(), st.text(st.sampled_from(TRICKY)), st.text(st.characters(codec="ascii")))


def real_texts(folder: Path, name: str, part: str) -> list[str]:
    limit = csv.field_size_limit(10_000_000)
    try:
        with gzip.open(folder / name / f"{part}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return [row["text"] for row in csv.DictReader(file)]
    finally:
        csv.field_size_limit(limit)
