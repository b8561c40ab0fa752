# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 3 Vanishing gradients, seen and cured
#
# To learn that the first word of a text matters, the loss has to tell that word's weights so, through every step between:
#
# $$\frac{\partial L}{\partial h_t} = \frac{\partial L}{\partial h_T} \prod_{s=t+1}^{T} \frac{\partial h_s}{\partial h_{s-1}}$$
#
# A product of a hundred matrices is nearly always very small or very large (Hochreiter 1991; Bengio et al. 1994).
# We measure it: no hooks, no tricks, the readable cells and `torch.autograd`.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from textrnn.config import ModelConfig
from textrnn.model import TextClassifier, initialize

STEPS, HIDDEN = 100, 64


def gradient_norms(cell_name, scheme="torch", seed=0, change=None):
    """|dL/dh_t| for t = 1 to STEPS, relative to that of the last step, mean over 16 random texts; L reads the last state."""
    config = ModelConfig(cell=cell_name, hidden_size=HIDDEN, embedding_size=32, pooling="last")
    network = TextClassifier(config, vocabulary_size=200, classes=2)
    generator = torch.Generator().manual_seed(seed)
    initialize(network, scheme, generator)
    cell = network.layers[0].left_to_right
    if change:
        change(cell)
    ids = torch.randint(2, 200, (STEPS, 16), generator=generator)
    state, states = cell.initial_state(16), []
    for step in network.embedding(ids):
        state = cell.step(step, state)
        state.hidden.retain_grad()
        states.append(state.hidden)
    loss = torch.nn.functional.cross_entropy(network.head(state.hidden), torch.arange(16) % 2)
    loss.backward()
    norms = torch.stack([hidden.grad.norm(dim=-1).mean() for hidden in states]).numpy()
    return norms / norms[-1]


flows = {
    "elman, as PyTorch begins": gradient_norms("elman"),
    "elman, orthogonal": gradient_norms("elman", "orthogonal"),
    "gru": gradient_norms("gru"),
    "lstm": gradient_norms("lstm"),
    "mingru": gradient_norms("mingru"),
}
plt.figure(figsize=(7, 4))
for name, norms in flows.items():
    plt.semilogy(range(-STEPS + 1, 1), np.maximum(norms, 1e-30), label=name)
plt.xlabel("steps before the end")
plt.ylabel("gradient, relative to the last step's")
plt.legend()
plt.show()
for name, norms in flows.items():
    print(f"{name:26} ten steps back {norms[-11]:.1e}, fifty {norms[-51]:.1e}")
assert flows["elman, as PyTorch begins"][-51] < 1e-8, "vanished"

# %% [markdown]
# The straight lines downwards are the vanishing gradient: a constant factor less at each step. Every untrained network
# forgets; they differ in how fast, and in what training can do about it. A gate that has learned to stay open makes the
# factor 1.
#
# ## What an open gate does
#
# The LSTM's memory is $c_t = f_t c_{t-1} + i_t g_t$. Along it the factor is $f_t$ alone. With the bias of the forget gate
# at 5, $f = \sigma(5) = 0.993$ (Gers et al. 2000 found that this is worth doing from the start). For the GRU it is the
# update gate $z$, with $h_t = (1 - z_t) n_t + z_t h_{t-1}$.


# %%
def open_forget_gate(cell):
    with torch.no_grad():
        place = cell.GATES.index("forget") * HIDDEN
        cell.from_input.bias[place : place + HIDDEN] = 5.0


def open_update_gate(cell):
    with torch.no_grad():
        place = cell.GATES.index("update") * HIDDEN
        cell.from_input.bias[place : place + HIDDEN] = 5.0


opened = {
    "lstm": gradient_norms("lstm"),
    "lstm, forget gate open": gradient_norms("lstm", change=open_forget_gate),
    "gru": gradient_norms("gru"),
    "gru, update gate open": gradient_norms("gru", change=open_update_gate),
}
plt.figure(figsize=(7, 4))
for name, norms in opened.items():
    plt.semilogy(range(-STEPS + 1, 1), np.maximum(norms, 1e-30), label=name)
plt.xlabel("steps before the end")
plt.legend()
plt.show()
assert opened["lstm, forget gate open"][-51] > 1e6 * opened["lstm"][-51]
assert opened["gru, update gate open"][-51] > 1e3 * opened["gru"][-51]

# %% [markdown]
# ## Exploding
#
# The factor of a vanilla network is $\mathrm{diag}(1 - h_t^2)\, W_{hh}$. Its size hangs on the *spectral radius* of $W_{hh}$,
# the largest absolute eigenvalue.


# %%
def radius(value):
    def change(cell):
        with torch.no_grad():
            weight = cell.from_hidden.weight
            weight *= value / torch.linalg.eigvals(weight).abs().max()

    return change


found = {value: gradient_norms("elman", "orthogonal", change=radius(value)) for value in (0.5, 1.0, 2.0)}
for value, norms in found.items():
    print(f"spectral radius {value}: fifty steps back {norms[-51]:.1e}")
assert found[0.5][-51] < 1e-12 and found[0.5][-51] < found[1.0][-51]

# %% [markdown]
# A radius of 2 need not explode: `tanh` saturates, $1 - h^2$ becomes small, and that holds the product down. Without
# `tanh` (a ReLU network, or states near 0) it does. Against explosions textrnn clips the norm of the whole gradient
# (`max_gradient_norm`, Pascanu et al. 2013). Against vanishing no clipping helps: the information is gone.
#
# ## Cured: from Elman to LSTM to minGRU
#
# The reviews of the next notebook need memory: a clause at the beginning decides, words that mean nothing follow.

# %%
import textrnn
from textrnn.lesson import order_reviews

GAPS = (0, 10, 20)
learn = order_reviews(600, gaps=GAPS, seed=1) + order_reviews(600, part="agree", gaps=GAPS, seed=3)
judge = [review for review in order_reviews(400, gaps=(20,), seed=2) if review.writer_first]
common = {
    **{"effort": "plain", "pooling": "last", "hidden_size": 32, "embedding_size": 16, "epochs": 12, "patience": 0},
    **{"dropout": 0.0, "learning_rate": 0.003, "initialization": "torch", "validation_fraction": 0.05},
    "on_event": lambda event: None,
}


def accuracy(texts, **settings):
    model = textrnn.train([r.text for r in learn], [r.label for r in learn], **common | settings)
    predictions = model.predict([r.text for r in texts])
    return float(np.mean([p.label == r.label for p, r in zip(predictions, texts)]))


reached = {
    "elman": accuracy(judge, cell="elman"),
    "gru": accuracy(judge, cell="gru"),
    "lstm": accuracy(judge, cell="lstm"),
    "mingru, one layer": accuracy(judge, cell="mingru"),
    "mingru, two layers": accuracy(judge, cell="mingru", layers=2, epochs=24),
}
for name, value in reached.items():
    print(f"{name:20} {100 * value:5.1f} %, the deciding clause twenty words before the end")
assert reached["gru"] > 0.95 and reached["lstm"] > 0.95 and reached["elman"] < 0.8

# %% [markdown]
# The gates of minGRU read the word and not the state. So one layer cannot keep a word *because* "I found it" stood
# before it: which words stay is settled before anything is remembered. A second layer reads what the first remembers.
#
# ## Exercises
#
# **1.** With `initialization="orthogonal"` the vanilla network can do it, too. Why?
#
# **2.** At which spectral radius would the gradient of a *linear* network, $h_t = W h_{t-1} + \dots$, neither vanish nor explode?

# %% [markdown]
# ## Answers
#
# **1.** An orthogonal matrix keeps the length of every vector, so the product shrinks by $1 - h^2$ alone, and small embeddings keep $h$ small.

# %%
orthogonal = accuracy(judge, cell="elman", initialization="orthogonal", epochs=20)
print(f"elman, orthogonal: {100 * orthogonal:.1f} %")
assert orthogonal > reached["elman"] and flows["elman, orthogonal"][-51] > flows["elman, as PyTorch begins"][-51]

# %% [markdown]
# **2.** At 1, if $W$ is normal, as an orthogonal matrix is: then $|W^n v|$ neither grows nor falls.

# %%
orthogonal_matrix = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))[0]
vector = np.ones(64)
for _ in range(1000):
    vector = orthogonal_matrix @ vector
assert np.isclose(np.linalg.norm(vector), 8.0)
