"""The bidirectional LSTM that tutorials build, in plain PyTorch and independent of our training.

Embedding of 100, 128 units in each direction, packed batches of 32, the last states of both directions concatenated,
dropout of 0.5 on embeddings and on these states, Adam with a rate of 0.001; the epoch with the best metric on the
validation texts is kept, and three epochs without a better one are the last.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from benchmarks.accuracy.sets import Classes, Task
from benchmarks.accuracy.side import Fitted, Side

EMBEDDING, HIDDEN, DROPOUT, RATE, BATCH = 100, 128, 0.5, 0.001, 32
EPOCHS, PATIENCE = 20, 3
WORDS, MIN_COUNT, LONGEST = 30_000, 2, 256
PADDING, UNKNOWN = 0, 1


class BiLSTM(nn.Module):
    """Ids to scores."""

    def __init__(self, words: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, EMBEDDING, padding_idx=PADDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(2 * HIDDEN, classes)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """ids [batch, time], lengths [batch] -> [batch, classes]"""
        embedded = self.dropout(self.embedding(ids))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        hidden = self.lstm(packed)[1][0]  # [directions, batch, hidden]
        scores: Tensor = self.head(self.dropout(torch.cat([hidden[0], hidden[1]], dim=1)))
        return scores


class Reader:
    """Texts to ids; a text without tokens is one unknown word."""

    def __init__(self, task: Task) -> None:
        self.tokenize = task.row.tokenize
        counts = Counter(token for text in task.train.texts for token in self.tokenize(text))
        known = [token for token, count in counts.most_common(WORDS - 2) if count >= MIN_COUNT]
        self.ids = {token: index for index, token in enumerate(known, start=2)}

    def __call__(self, texts: list[str]) -> list[Tensor]:
        return [
            torch.tensor([self.ids.get(token, UNKNOWN) for token in self.tokenize(text)[:LONGEST]] or [UNKNOWN])
            for text in texts
        ]


def batches(texts: list[Tensor], order: list[int]) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Indices, padded ids and lengths."""
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        ids = [texts[index] for index in chosen]
        yield chosen, pad_sequence(ids, batch_first=True, padding_value=PADDING), torch.tensor([len(i) for i in ids])


def predict(network: BiLSTM, texts: list[Tensor]) -> Classes:
    """In the order of their lengths, so that little padding is made."""
    network.eval()
    predicted = np.zeros(len(texts), dtype=np.int64)
    with torch.no_grad():
        for chosen, ids, lengths in batches(texts, sorted(range(len(texts)), key=lambda index: len(texts[index]))):
            predicted[chosen] = network(ids, lengths).argmax(dim=1).numpy()
    return predicted


def fit(task: Task, seed: int) -> Fitted:
    torch.manual_seed(seed)
    reader = Reader(task)
    training, validation = reader(task.train.texts), reader(task.validation.texts)
    targets = torch.from_numpy(task.train.targets)
    network = BiLSTM(len(reader.ids) + 2, len(task.labels))
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    best, best_epoch = -1.0, 0
    weights: dict[str, Any] = {}
    for epoch in range(1, EPOCHS + 1):
        network.train()
        for chosen, ids, lengths in batches(training, torch.randperm(len(training)).tolist()):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(ids, lengths), targets[chosen]).backward()
            optimizer.step()
        value = task.value(task.validation.targets, predict(network, validation))
        if value > best:
            best, best_epoch = value, epoch
            weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        elif epoch - best_epoch >= PATIENCE:
            break
    network.load_state_dict(weights)
    size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    return Fitted(
        predict=lambda texts: predict(network, reader(texts)),
        size=lambda: size + sum(len(token.encode()) + 1 for token in reader.ids),
        validation=best,
        chosen={"epoch": best_epoch},
    )


SIDES = (
    Side(
        "bi-LSTM in PyTorch",
        fit,
        {
            "embedding": EMBEDDING,
            "hidden": HIDDEN,
            "dropout": DROPOUT,
            "rate": RATE,
            "batch": BATCH,
            "epochs": EPOCHS,
            "patience": PATIENCE,
            "words": WORDS,
            "min_count": MIN_COUNT,
            "longest": LONGEST,
        },
        (Path(__file__),),
        ("torch",),
        seeds=3,
    ),
)
