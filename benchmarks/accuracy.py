"""How accurate are the defaults, and in what time, against tf-idf over words and word pairs with logistic regression?

Both are trained on the same texts on one thread and measured once on the official test set. The peer has scikit-learn's
own defaults except `ngram_range=(1, 2)` and `sublinear_tf=True`, and for scripts without spaces character 1- to
4-grams; neither side is tuned.
"""

import time
from typing import Any

import textrnn
from benchmarks.lengths import data_folder, read
from textrnn.evaluation import score

SETS = {
    "sst2": {},
    "mr": {},
    "trec6": {},
    "clinc150": {},
    "tweet_offensive": {},
    "sms_spam": {},
    "ag_news_15k": {},
    "20news_stripped": {},
    "th_wisesight": {"tokenizer": "characters"},
    "imdb": {},
}  # type: dict[str, dict[str, Any]]


def measure() -> list[dict[str, Any]]:
    """One row for each set: accuracy, macro-F1 and training seconds of both sides."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    folder = data_folder()
    if folder is None:
        return []
    rows = []
    for name, settings in SETS.items():
        train, test = read(folder, name, "train"), read(folder, name, "test")
        validation = folder / name / "dev.csv.gz"
        started = time.perf_counter()
        classifier = textrnn.train(
            folder / name / "train.csv.gz",
            validation=validation if validation.exists() else None,
            on_event=lambda event: None,
            **settings,
        )
        ours = time.perf_counter() - started
        if settings.get("tokenizer") == "characters":
            features = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True)
        else:
            features = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        peer = make_pipeline(features, LogisticRegression(max_iter=1000))
        started = time.perf_counter()
        peer.fit(train.texts, train.targets)
        theirs = time.perf_counter() - started
        sides = {
            "textrnn": (classifier.predict_proba(test.texts), ours),
            "tf-idf + LR": (peer.predict_proba(test.texts), theirs),
        }
        rows.append(
            {
                "set": name,
                "sides": {
                    side: {
                        "accuracy": score("accuracy", test.targets, probabilities),
                        "macro_f1": score("macro_f1", test.targets, probabilities),
                        "seconds": seconds,
                    }
                    for side, (probabilities, seconds) in sides.items()
                },
            }
        )
    return rows
