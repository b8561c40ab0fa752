# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 4 Order matters
#
# A bag of words counts. It is fast, and on many real sets hard to beat. Here are reviews on which it *must* fail.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import textrnn
from textrnn.lesson import order_reviews

for review in order_reviews(2, gaps=(4,), seed=8) + order_reviews(1, part="agree", gaps=(4,), seed=9):
    print(f"{review.label:9} {review.text}")

# %% [markdown]
# What the writer ("i") found is the label; what the critics found is not. In the part `order` the two disagree, and each
# review has a twin with exactly the same words and the other label. A function of the counts gives twins the same answer,
# so it is right on one of the two: 50 %, whatever it has learned. In the part `agree` both say the same.
#
# ## A bag of words

# %%
GAPS = (0, 10, 20)
learn = order_reviews(600, gaps=GAPS, seed=1) + order_reviews(600, part="agree", gaps=GAPS, seed=3)
texts, labels = [review.text for review in learn], [review.label for review in learn]


def share_right(predicted, reviews):
    return float(np.mean([label == review.label for label, review in zip(predicted, reviews)]))


order = order_reviews(300, gaps=GAPS, seed=2)
agree = order_reviews(300, part="agree", kinds=("contrast",), gaps=GAPS, seed=4)
bag = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, labels)
print(f"order: {100 * share_right(bag.predict([r.text for r in order]), order):.1f} %")
assert share_right(bag.predict([r.text for r in order]), order) == 0.5, "exactly, by construction"

easy = order_reviews(600, part="agree", kinds=("contrast",), gaps=GAPS, seed=6)
on_easy = make_pipeline(CountVectorizer(), LogisticRegression()).fit([r.text for r in easy], [r.label for r in easy])
print(f"agree, without negations: {100 * share_right(on_easy.predict([r.text for r in agree]), agree):.1f} %")
assert share_right(on_easy.predict([r.text for r in agree]), agree) > 0.99

# %% [markdown]
# ## Pairs of words
#
# Pairs see "not dull" and "it dull", but not *who* found it so.

# %%
pairs = make_pipeline(CountVectorizer(ngram_range=(1, 2)), LogisticRegression()).fit(texts, labels)
print(f"pairs on the part `order`: {100 * share_right(pairs.predict([r.text for r in order]), order):.1f} %")
assert share_right(pairs.predict([r.text for r in order]), order) < 0.6

# %% [markdown]
# ## Recurrent networks, by the length of the gap
#
# Each learns from gaps of 0, 10 and 20 words and is judged on gaps up to 160, where the deciding clause comes first: so
# the answer has to be remembered to the end. One layer of 32 units reads from left to right, and the last state decides.
# They begin as PyTorch's own modules do.

# %%
WIDE = (0, 10, 20, 40, 80, 160)
judge = [review for review in order_reviews(900, gaps=WIDE, seed=5) if review.writer_first]
common = {
    **{"effort": "plain", "pooling": "last", "hidden_size": 32, "embedding_size": 16, "epochs": 14, "patience": 0},
    **{"dropout": 0.0, "learning_rate": 0.003, "initialization": "torch", "validation_fraction": 0.05},
    **{"max_length": 250, "on_event": lambda event: None},
}
kinds = {
    "elman": {"cell": "elman"},
    "gru": {"cell": "gru"},
    "lstm": {"cell": "lstm"},
    "mingru, 2 layers": {"cell": "mingru", "layers": 2, "epochs": 24},
    "minlstm, 2 layers": {"cell": "minlstm", "layers": 2, "epochs": 24},
}
curves = {"bag of words": [0.5 for _ in WIDE]}
for name, settings in kinds.items():
    model = textrnn.train(texts, labels, **common | settings)
    right = np.array([p.label == r.label for p, r in zip(model.predict([r.text for r in judge]), judge)])
    curves[name] = [float(right[[r.gap == gap for r in judge]].mean()) for gap in WIDE]

plt.figure(figsize=(7, 4))
for name, curve in curves.items():
    plt.plot(
        WIDE, [100 * value for value in curve], marker="o", linestyle=":" if name == "bag of words" else "-", label=name
    )
plt.axvspan(0, 20, alpha=0.1)
plt.xlabel("neutral words between the clauses (shaded: met in training)")
plt.ylabel("right, %")
plt.ylim(0, 103)
plt.legend()
plt.show()
print("gap               " + "".join(f"{gap:7}" for gap in WIDE))
for name, curve in curves.items():
    print(f"{name:18}" + "".join(f"{100 * value:6.0f}%" for value in curve))
assert min(curves["gru"][:4]) > 0.95 and min(curves["lstm"][:4]) > 0.95 and curves["elman"][2] < 0.8

# %% [markdown]
# ## Exercises
#
# **1.** Bidirectional networks with `max` pooling are textrnn's default. Does the length of the gap still matter for a *vanilla* network then?
#
# **2.** Write a review with a triple of words that decides, and show that an n-gram model of length 3 solves it. How long
# would its n-grams have to be for `gap=20`?

# %% [markdown]
# ## Answers
#
# **1.** Hardly: the states right behind the clause are seen by the pooling, wherever the text ends.

# %%
model = textrnn.train(
    texts, labels, **common | {"cell": "elman", "bidirectional": True, "pooling": "max", "epochs": 20}
)
right = np.array([p.label == r.label for p, r in zip(model.predict([r.text for r in judge]), judge)])
by_gap = [float(right[[r.gap == gap for r in judge]].mean()) for gap in WIDE]
print({gap: f"{100 * value:.0f} %" for gap, value in zip(WIDE, by_gap)})
assert min(by_gap) > 0.95

# %% [markdown]
# **2.** "i found it superb" has four words, and "i found it not superb" five: n-grams of five tokens see who found what, with any gap.
# The gap lies *between* the clauses and each clause is whole, so the n-grams need not span it.

# %%
fives = make_pipeline(CountVectorizer(ngram_range=(1, 5), token_pattern=r"\S+"), LogisticRegression(C=100)).fit(
    texts, labels
)
reached = share_right(fives.predict([r.text for r in order]), order)
print(f"n-grams of up to five words: {100 * reached:.1f} %")
assert reached > 0.95
