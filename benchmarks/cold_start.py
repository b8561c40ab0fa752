"""How soon is the first prediction there, against the same network in plain PyTorch?

From the start of a fresh process to the label of one sentence: GRU with 128 units, 30,000 words of imdb. Ours reads a
model file. The peer reads its state by `torch.load` and its vocabulary from JSON, and cuts the sentence by `split`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

import textrnn
from benchmarks.lengths import data_folder
from benchmarks.peers import network
from benchmarks.random_models import write_random_model
from benchmarks.timing import best_times
from textrnn.model import TextClassifier

OURS, THEIRS, EMPTY = "textrnn runtime", "PyTorch", "an empty program"
SENTENCE = "a good film"
RUNTIME = """
import sys, textrnn
prediction = textrnn.load(sys.argv[1]).predict("a good film")
assert "torch" not in sys.modules
print(prediction.probabilities["pos"])
"""
PYTORCH = """
import json, sys, torch
from torch import nn

class Classifier(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embedding = nn.Embedding(words, 100, padding_idx=0)
        self.rnn = nn.GRU(100, 128)
        self.head = nn.Linear(128, 2)

    def forward(self, ids):
        return self.head(self.rnn(self.embedding(ids))[0].mean(dim=0))

with open(sys.argv[1] + ".json") as file:
    vocabulary = json.load(file)
model = Classifier(len(vocabulary))
model.load_state_dict(torch.load(sys.argv[1]))
with torch.inference_mode():
    ids = torch.tensor([[vocabulary.get(word, 1)] for word in "a good film".split()])
    print(model(ids).softmax(dim=-1)[0, 1].item())
"""
ROUNDS = 8


def fresh(code: str, path: Path) -> str:
    return subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True).stdout


def write_peer(ours: Path, path: Path) -> None:
    """The weights of a model file as PyTorch saves them."""
    loaded = textrnn.load(ours)
    tokens = loaded.header.vocabulary
    model = TextClassifier(loaded.header.model, vocabulary_size=len(tokens), classes=2)
    model.load_weights(loaded.weights)
    state = {"embedding.weight": model.embedding.weight.detach()}
    state |= {f"rnn.{name}": value for name, value in network(model).state_dict().items()}
    state |= {f"head.{name}": value for name, value in model.head.state_dict().items()}
    torch.save(state, path)
    Path(f"{path}.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}), encoding="utf-8")


def measure() -> list[dict[str, Any]]:
    """One row: seconds of each side."""
    if data_folder() is None:
        return []
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "m.textrnn", Path(name) / "m.pt"
        write_random_model(ours, "imdb", cell="gru")
        write_peer(ours, theirs)
        one, other = float(fresh(RUNTIME, ours)), float(fresh(PYTORCH, theirs))
        if abs(one - other) > 1e-5:
            raise SystemExit(f"the sides say {one} and {other}: that is no comparison")
        work = {
            OURS: lambda: fresh(RUNTIME, ours),
            THEIRS: lambda: fresh(PYTORCH, theirs),
            EMPTY: lambda: fresh("", ours),
        }
        times = best_times(work, rounds=ROUNDS)
    return [
        {
            "work": "start of the process to the first prediction",
            "seconds": times.wall,
            "processor seconds": times.processor,
            "times sooner": times.wall[THEIRS] / times.wall[OURS],
            "load average": [round(load, 2) for load in os.getloadavg()],
            "to reach": {"seconds": 0.3, "times sooner": 5},
        }
    ]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
