"""The language model: a bidirectional layer's two directions, each predicting the token that it reads next.

    e_t = embedding of token t
    left to right   h_t = cell(e_t, h_{t-1})    predicts token t + 1
    right to left   h_t = cell(e_t, h_{t+1})    predicts token t - 1
    logit of word j = embedding_j . (projection h_t) + bias_j

The output table is the embedding itself (Press and Wolf 2017, arXiv:1608.05859), so a projection for each direction
leads from the hidden to the embedding's size. Only the first layer is trained: every further layer of a classifier
reads both directions side by side, and so would see the very word it has to predict.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import skip_init

from textrnn.cells import UNROLLS
from textrnn.cells.native import native_layer
from textrnn.config import ModelConfig
from textrnn.data import RaggedBatch
from textrnn.model import Noise, Reader, run_layers
from textrnn.model.noise import masked
from textrnn.native import Plan
from textrnn.training.pretraining.candidates import Candidates
from textrnn.training.pretraining.segments import Targets, targets_of
from textrnn.training.pretraining.softmax import exact_losses, linear_cross_entropy


class Predictions(NamedTuple):
    """What a batch's states say about the tokens that they have not read yet, all directions one below the other."""

    features: Tensor
    """Projected states; their products with the embeddings are the logits. [predicted, embedding]"""
    targets: NDArray[np.int64]
    """[predicted]"""


class LanguageModel(Reader):
    """Parameters are uninitialised until `initialize_language_model` or `load_weights` fills them.

    Args:
        config: of one layer; `pooling` and `padding` play no part.
        vocabulary_size: words that are read and predicted.
        backend: a name in `textrnn.model.ENCODERS`.
    """

    def __init__(self, config: ModelConfig, *, vocabulary_size: int, backend: str = "readable") -> None:
        # Batches read and predict a part of the words only.
        super().__init__(config, vocabulary_size=vocabulary_size, sparse_embedding=True)
        self.backend = backend
        self.projection = nn.ModuleDict(
            {
                name: skip_init(nn.Linear, config.hidden_size, config.embedding_size, bias=False)
                for name in ("left_to_right", "right_to_left")[: 2 if config.bidirectional else 1]
            }
        )
        self.output_bias = nn.Parameter(torch.empty(vocabulary_size))

    def loss(self, batch: RaggedBatch, candidates: Candidates, noise: Noise) -> Tensor:
        """Mean cross-entropy in nats over all tokens that the batch predicts, estimated as candidates.py says."""
        features, targets = self.predict(batch, noise)
        ids = torch.from_numpy(candidates.ids)
        bias = self.output_bias.index_select(0, ids) + torch.from_numpy(candidates.log_weights).to(features.dtype)
        columns = torch.from_numpy(candidates.columns[targets].astype(np.int64))
        return linear_cross_entropy(features, self.embedding(ids), bias, columns)

    @torch.no_grad()
    def exact_losses(self, batch: RaggedBatch) -> Tensor:
        """-log probability under the full softmax of every token that the batch predicts. [predicted]"""
        features, targets = self.predict(batch, Noise(torch.Generator()))
        return exact_losses(features, self.embedding.weight, self.output_bias, torch.from_numpy(targets))

    def predict(self, batch: RaggedBatch, noise: Noise) -> Predictions:
        """The projected states of all directions, one below the other, with what they must predict."""
        padded = batch.padded()  # [batch, time]
        if self.backend == "native":
            states, rows, steps = self._native_states(padded, batch.lengths, noise)
        else:
            states, rows, steps = self._unrolled_states(padded, batch.lengths, noise)
        hidden = self.config.hidden_size
        parts: list[Tensor] = []
        targets: list[NDArray[np.int64]] = []
        directions: tuple[Targets, ...] = targets_of(padded, rows, steps, batch.lengths)
        for depth, (projection, target) in enumerate(zip(self.projection.values(), directions, strict=False)):
            of_direction = states[:, depth * hidden : (depth + 1) * hidden]
            projected: Tensor = projection(of_direction.index_select(0, torch.from_numpy(target.positions)))
            parts.append(masked(projected, noise.pooled_mask(*projected.shape)))
            targets.append(target.ids)
        return Predictions(torch.cat(parts), np.concatenate(targets))

    def _native_states(
        self, padded: NDArray[np.int64], lengths: NDArray[np.int64], noise: Noise
    ) -> tuple[Tensor, NDArray[np.int64], NDArray[np.int64]]:
        """States [positions, directions * hidden], row and step of each position."""
        layer = self.stack[0]
        plan = Plan(lengths, padded, self.embedding.num_embeddings)
        # Copies, since the plan's arrays end with it.
        inputs: Tensor = self.embedding(torch.from_numpy(plan.unique_ids.copy()))
        indexed = noise.dropout == 0
        if not indexed:
            inputs = inputs.index_select(0, torch.from_numpy(plan.unique_index.astype(np.int64)))
            inputs = masked(inputs, noise.pooled_mask(*inputs.shape))
        result = native_layer(
            self.config.cell,
            layer.directions,
            plan,
            inputs,
            indexed=indexed,
            pooling=None,
            states=layer.initial_states(len(lengths)),
            keep_outputs=True,
        )
        assert result.outputs is not None
        return result.outputs, plan.source_row.astype(np.int64), plan.source_time.astype(np.int64)

    def _unrolled_states(
        self, padded: NDArray[np.int64], lengths: NDArray[np.int64], noise: Noise
    ) -> tuple[Tensor, NDArray[np.int64], NDArray[np.int64]]:
        """The same, by a readable cell or PyTorch's network."""
        steps, rows = np.nonzero((np.arange(padded.shape[1]) < lengths[:, np.newaxis]).T)
        inputs: Tensor = self.embedding(torch.from_numpy(padded.T.copy()))  # [time, batch, features]
        mask = noise.pooled_mask(len(steps), inputs.shape[2])
        if mask is not None:
            full = torch.ones_like(inputs)
            full[torch.from_numpy(steps), torch.from_numpy(rows)] = mask.to(inputs)
            inputs = inputs * full
        outputs, _ = run_layers(
            self.stack, inputs, torch.from_numpy(lengths), UNROLLS[self.backend], Noise(noise.stream)
        )
        return outputs[torch.from_numpy(steps), torch.from_numpy(rows)], rows.astype(np.int64), steps.astype(np.int64)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """A copy of every parameter by name, as a base file stores them."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.named_parameters()}

    def load_weights(self, weights: Mapping[str, NDArray[Any]]) -> "LanguageModel":
        """Take over every parameter by name; the names and shapes must be exactly those of `weights()`."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
        return self
