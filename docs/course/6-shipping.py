# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 6 Shipping it
#
# A trained model is one file. Whoever uses it needs neither PyTorch nor our training code, and the file can do no harm.

# %%
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import textrnn
from textrnn.lesson import order_reviews

folder = Path(tempfile.mkdtemp())
learn = order_reviews(500, gaps=(0, 5, 10), seed=1) + order_reviews(500, part="agree", gaps=(0, 5, 10), seed=2)
test = order_reviews(100, gaps=(0, 5, 10), seed=3)
texts, labels = [review.text for review in test], [review.label for review in test]
model = textrnn.train(
    [review.text for review in learn],
    [review.label for review in learn],
    **{"effort": "plain", "cell": "gru", "pooling": "last", "hidden_size": 32, "embedding_size": 16, "epochs": 12},
    **{"learning_rate": 0.003, "dropout": 0.0, "patience": 0, "on_event": lambda event: None},
)
model.save(folder / "reviews.textrnn")
print((folder / "reviews.textrnn").stat().st_size, "bytes")
print(f"{100 * model.evaluate(texts, labels).accuracy.value:.1f} % of the test reviews")
assert model.evaluate(texts, labels).accuracy.value > 0.95

# %% [markdown]
# ## What is inside
#
# A header in JSON and the weights as safetensors: no pickle, so nothing in it is ever executed.

# %%
data = (folder / "reviews.textrnn").read_bytes()
size = int.from_bytes(data[:8], "little")
header = json.loads(data[8 : 8 + size])
for name in [key for key in header if key != "__metadata__"][:6]:
    print(name, header[name]["dtype"], header[name]["shape"])
from safetensors.numpy import load

assert load(data)["head.weight"].shape == (2, 32)

# %% [markdown]
# ## Without PyTorch
#
# In a new process in which importing PyTorch fails:

# %%
program = """
import sys, time
sys.modules["torch"] = None  # whoever imports it now gets an error
begin = time.perf_counter()
import textrnn
model = textrnn.load(sys.argv[1])
prediction = model.predict(sys.argv[2])
print(prediction.label, f"{prediction.probability:.4f}", f"- {time.perf_counter() - begin:.2f} s from import to answer")
"""
answer = subprocess.run(
    [sys.executable, "-c", program, str(folder / "reviews.textrnn"), texts[0]],
    capture_output=True,
    text=True,
    check=True,
).stdout
print(answer)
assert answer.split()[0] == model.predict(texts[0]).label

# %% [markdown]
# ## As a stream
#
# A network that reads from left to right can answer after each word, and needs no more memory for a long text.

# %%
stream = model.stream()
for word in texts[0].split():
    answer = stream.push(word)
    print(f"{word:12} positive {dict(answer)['positive']:.3f}")
assert np.isclose(
    dict(answer)["positive"], model.predict_proba([texts[0]])[0, model.labels.index("positive")], atol=1e-5
)

# %% [markdown]
# ## On the command line
#
# `textrnn predict` reads lines and writes labels, as many as you like in constant memory.

# %%
lines = "\n".join(texts[:4]) + "\n"
command = [sys.executable, "-m", "textrnn", "predict", str(folder / "reviews.textrnn")]
print(subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout)

# %% [markdown]
# ## Smaller
#
# `compress` keeps the table of folded words in 16 or 8 bits in memory. What does it change?

# %%
whole = model.predict_proba(texts)
for kind in ("fp16", "int8"):
    small = textrnn.load(folder / "reviews.textrnn", compress=kind).predict_proba(texts)
    changed = (small.argmax(axis=1) != whole.argmax(axis=1)).sum()
    print(f"{kind}: largest change of a probability {np.abs(small - whole).max():.1e}, labels changed {changed}")
    assert np.abs(small - whole).max() < 0.05

# %% [markdown]
# ## Exercises
#
# **1.** A model file comes from a stranger. Change one byte of its header's length and load it. What do you get?
#
# **2.** What does the stream answer before the first word, and why?

# %% [markdown]
# ## Answers

# %%
from textrnn.errors import TextRNNError

broken = bytearray(data)
broken[3] = 255  # a header of four gigabytes
(folder / "broken.textrnn").write_bytes(broken)
try:
    textrnn.load(folder / "broken.textrnn")
except TextRNNError as error:
    print(error)
else:
    raise AssertionError("it was loaded")

# %% [markdown]
# **2.** What an empty text gets: the initial state is zero, so the bias of the head decides alone.

# %%
fresh = model.stream()
empty = model.predict_proba([""])[0]
bias = model.weights["head.bias"]
assert np.allclose(empty, np.exp(bias) / np.exp(bias).sum(), atol=1e-6)
print(dict(zip(model.labels, empty.round(3).tolist())))
