# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 5 From readable to native: the same numbers, many times faster
#
# `textrnn` computes each cell in three ways behind one signature: `readable` (the equations, step by step), `torch`
# (PyTorch's own modules on the same parameters) and `native` (C++ over whole ragged batches).

# %%
import inspect
import time

import matplotlib.pyplot as plt
import numpy as np
import torch

from textrnn.cells import GRUCell
from textrnn.config import ModelConfig
from textrnn.model import TextClassifier, initialize
from textrnn.model.encoders import ENCODERS
from textrnn.native import available_instruction_sets

torch.set_flush_denormal(True)  # without it back-propagation through long texts takes several times as long
torch.set_num_threads(1)
print(inspect.getsource(GRUCell.gates))
print(inspect.getsource(GRUCell.step))
print(
    "ways:",
    ", ".join(ENCODERS),
    "| instruction sets here:",
    ", ".join(available_instruction_sets()) or "no native library",
)

# %% [markdown]
# ## A ragged batch
#
# 32 texts of 20 to 200 tokens, as real texts are.

# %%
generator = torch.Generator().manual_seed(0)
lengths = torch.randint(20, 201, (32,), generator=generator)
ids = torch.randint(2, 5000, (32, int(lengths.max())), generator=generator)
ids[torch.arange(ids.shape[1]) >= lengths[:, None]] = 0
targets = torch.arange(32) % 2
config = ModelConfig(cell="gru", hidden_size=128, embedding_size=100, pooling="mean")
network = TextClassifier(config, vocabulary_size=5000, classes=2, sparse_embedding=True)
initialize(network, "orthogonal", generator)


def step(backend):
    """Loss and gradients of one batch: forward, and back through time."""
    network.backend = backend
    network.zero_grad()
    loss = torch.nn.functional.cross_entropy(network(ids, lengths), targets)
    loss.backward()
    gradients = {name: value.grad.to_dense().clone() for name, value in network.named_parameters()}
    return float(loss.detach()), gradients


reference_loss, reference = step("readable")
ways = [name for name in ("readable", "torch", "native") if name in ENCODERS]
for name in ways:
    loss, gradients = step(name)
    worst = max(float((gradients[key] - reference[key]).abs().max()) for key in reference)
    print(f"{name:9} loss {loss:.7f}, largest difference of any gradient {worst:.1e}")
    assert abs(loss - reference_loss) < 1e-5 and worst < 1e-4

# %% [markdown]
# The same numbers. And the time? In turns, the best of several, on one thread.

# %%
best = dict.fromkeys(ways, float("inf"))
for _ in range(4):
    for name in ways:
        for _ in range(1 if name == "readable" else 3):
            begin = time.perf_counter()
            step(name)
            best[name] = min(best[name], time.perf_counter() - begin)
tokens = int(lengths.sum())
for name in ways:
    rate = tokens / best[name]
    print(
        f"{name:9} {rate / 1000:8.0f} thousand tokens a second, {best['readable'] / best[name]:5.1f} times the readable cell"
    )
plt.figure(figsize=(5, 2.5))
plt.barh(ways, [tokens / best[name] / 1000 for name in ways])
plt.xlabel("thousand tokens a second, forward and back, one thread")
plt.show()

# %% [markdown]
# These machines differ and are never quiet, so nothing is asserted about time. What makes the native kernel fast is no
# secret (`docs/architecture.md`): it computes no step for padding, projects every different word of a batch once, keeps the
# sums of a product in registers while gates and activations follow, and leaves nobody waiting inside a step.
#
# ## Padding costs
#
# How much of a padded batch is padding? A padded network computes all of it.

# %%
padding = 1 - tokens / ids.numel()
print(f"{100 * padding:.0f} % of this batch is padding")
assert 0.3 < padding < 0.7

# %% [markdown]
# ## Threads change nothing
#
# The kernel sums every number in the same order whatever the number of threads, so results are equal to the last bit.

# %%
if "native" in ENCODERS:
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        results.append(step("native")[1])
    torch.set_num_threads(1)
    for other in results[1:]:
        assert all(torch.equal(results[0][name], other[name]) for name in other)
    print("1, 2 and 3 threads: the same bits")

# %% [markdown]
# ## Exercises
#
# **1.** Every step of the recurrence multiplies a vector of 128 with a matrix of 384 x 128. How many multiply-adds are that for
# this batch, and what share of them is done for padding if the batch is padded?
#
# **2.** Why can minGRU be computed for all steps at once in training, and GRU not?

# %% [markdown]
# ## Answers

# %%
real, padded = tokens * 384 * 128, ids.numel() * 384 * 128
print(
    f"{real / 1e6:.0f} million; padded {padded / 1e6:.0f} million, of which {100 * (1 - real / padded):.0f} % are wasted"
)
assert np.isclose(1 - real / padded, padding)

# %% [markdown]
# **2.** Its gates read the words only, so $h_t = a_t h_{t-1} + b_t$ with all $a$ and $b$ known beforehand. Such a recurrence is a *scan*:
# $(a_2, b_2) \circ (a_1, b_1) = (a_2 a_1,\; a_2 b_1 + b_2)$ is associative, so halves can be combined in any grouping.

# %%
a, b = np.random.default_rng(0).uniform(size=(2, 9))
h = 0.0
for t in range(9):
    h = a[t] * h + b[t]


def combined(low, high):
    if high - low == 1:
        return a[low], b[low]
    middle = (low + high) // 2
    (a1, b1), (a2, b2) = combined(low, middle), combined(middle, high)
    return a2 * a1, a2 * b1 + b2


assert np.isclose(combined(0, 9)[1], h)
print("in halves of halves:", combined(0, 9)[1], "step by step:", h)
