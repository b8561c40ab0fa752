"""Texts of made words, of which a few tell the label most of the time: small, and not too easy."""

import random
from pathlib import Path


def pairs(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Texts of 4 to 12 words and their labels."""
    rng = random.Random(seed)
    telling = {"pos": ["good", "great", "fine"], "neg": ["bad", "poor", "dull"]}
    found = []
    for index in range(count):
        label = "pos" if index % 2 else "neg"
        words = [f"w{rng.randrange(60)}" for _ in range(rng.randint(3, 11))]
        words.insert(rng.randrange(len(words) + 1), rng.choice(telling[label if rng.random() < 0.9 else "pos"]))
        found.append((" ".join(words), label))
    return found


def write_csv(path: Path, count: int, seed: int = 1) -> Path:
    """A file of them."""
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in pairs(count, seed)))
    return path
