# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 2 Padding, and why the last state lies
#
# In the lesson every review became ten numbers: longer ones were cut, shorter ones filled up with `<PAD>`. And the
# *last* state decided. But what has the network read last? For most reviews: padding.
#
# $$h_t = \tanh(W_{ih} x_t + W_{hh} h_{t-1} + b)$$
#
# The embedding of `<PAD>` is zero, but $W_{hh} h_{t-1} + b$ is not. Every padded step moves the state on.

# %%
import numpy as np
import torch

import textrnn
from textrnn.lesson import RECIPE, reviews

training, test = reviews()
names = [str(label) for label in training.labels]
settings = RECIPE.settings() | {"effort": "plain", "on_event": lambda event: None}
labels = [training.labels[target] for target in training.targets]
lesson = textrnn.train(training.texts, labels, **settings)
lengths = [len(text.split()) for text in training.texts]
print(
    "words in a review: from", min(lengths), "to", max(lengths), "- so", 10 - max(lengths), "steps of padding at least"
)

# %% [markdown]
# ## The same words, the same weights, more padding
#
# We take the trained network and do nothing but let it read further `<PAD>`s.

# %%
from textrnn.model import TextClassifier

network = TextClassifier(lesson.header.model, vocabulary_size=len(lesson.header.vocabulary), classes=2)
network.load_weights(lesson.weights)


def positive(text, padded_to):
    """The probability of label 1 when a text is filled up to so many steps."""
    ids = lesson.encoder.encode(text)
    row = torch.zeros(1, padded_to, dtype=torch.long)
    row[0, : len(ids)] = torch.from_numpy(ids.astype(np.int64))
    with torch.no_grad():
        return float(network(row, torch.tensor([len(ids)])).softmax(dim=-1)[0, 1])


text = test.texts[0]
moved = [positive(text, steps) for steps in (10, 12, 15, 20, 40)]
print(text)
print("padded to 10, 12, 15, 20, 40:", [round(value, 4) for value in moved])
assert max(moved) - min(moved) > 0.01, "the padding changes the answer"
assert np.isclose(moved[0], lesson.predict_proba([text])[0, 1], atol=1e-6)

# %% [markdown]
# Nobody wrote a word, and the answer changed. In training every review had ten steps. Beyond them nothing was ever asked of
# the network, and its state goes on moving as it likes.

# %%
import matplotlib.pyplot as plt

steps = range(10, 61)
plt.figure(figsize=(7, 3))
for text in test.texts[:6]:
    plt.plot(steps, [positive(text, padded_to) for padded_to in steps])
plt.xlabel("steps, the review and its padding")
plt.ylabel("probability of 1")
plt.show()
flips = sum(len({positive(text, padded_to) > 0.5 for padded_to in steps}) > 1 for text in test.texts)
print(f"the label of {flips} of {len(test.texts)} reviews depends on the padding")
assert flips > 0

# %% [markdown]
# ## Three cures
#
# * `padding="masked"`: a finished review keeps its state. The padding is never read.
# * `pooling="mean"` or `"max"`: all states decide, not the last one alone.
# * Both, which is what textrnn does unless told otherwise.

# %%
masked = textrnn.train(training.texts, labels, **settings | {"padding": "masked"})
alone = masked.predict_proba([test.texts[0]])
together = masked.predict_proba([test.texts[0], " ".join(["great movie"] * 5)])
assert np.array_equal(alone[0], together[0]), "masked: neither padding nor batch-mates change anything, to the bit"

truth = np.array([str(test.labels[target]) for target in test.targets])
for padding in ("through", "masked"):
    for pooling in ("last", "mean", "max"):
        for longest in (10, 80):
            own = settings | {"padding": padding, "pooling": pooling, "max_length": longest}
            model = textrnn.train(training.texts, labels, **own)
            found = np.array([str(prediction.label) for prediction in model.predict(test.texts)])
            print(
                f"{padding:8} {pooling:5} padded to {longest:3}: {100 * np.mean(found == truth):3.0f} % of ten reviews"
            )

# %% [markdown]
# Ten reviews are few: differences of a review or two are chance. But look at `through` with `last`, padded to 80.
#
# ## Exercises
#
# **1.** Which weights would make a vanilla network immune to padding at the end, whatever it has read before?
# Try it: set $W_{hh}$ and $b$ so that a step with $x = 0$ changes nothing. Why can `tanh` do this only for one state?
#
# **2.** `max` pooling with `padding="through"`: can padding still change the answer?

# %% [markdown]
# ## Answers
#
# **1.** $h = \tanh(W_{hh} h + b)$ would have to hold for all $h$. With $W_{hh} = I$, $b = 0$ the step is $\tanh(h)$, which
# is $h$ only at $0$: every other state shrinks.

# %%
h = torch.full((1, 4), 0.9)
for _ in range(50):
    h = torch.tanh(h)
print("0.9 after fifty steps of padding with the identity:", round(float(h[0, 0]), 3))
assert float(h[0, 0]) < 0.2

# %% [markdown]
# **2.** Yes: the states in the padding are states, and a unit may reach its largest value there.

# %%
through = textrnn.train(training.texts, labels, **settings | {"pooling": "max"})
network = TextClassifier(through.header.model, vocabulary_size=len(through.header.vocabulary), classes=2)
network.load_weights(through.weights)
lesson = through
changed = [abs(positive(text, len(text.split())) - positive(text, 40)) for text in test.texts]
print("largest change by padding to forty steps:", round(max(changed), 4))
assert max(changed) > 1e-4
