"""The parts of a classifier as readable networks with its very weights; no hooks, no copies of the mathematics."""

from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from textrnn.cells import unroll
from textrnn.inspection.reading import Reading, read_text
from textrnn.model import POOLINGS, SILENCE, TextClassifier, run_layers
from textrnn.modelfile import directions, member_prefixes
from textrnn.runtime import Classifier
from textrnn.runtime.ngram_scores import NgramScores


class Networks:
    """What a classifier is made of: networks whose scores are added, and an n-gram part or none."""

    def __init__(self, classifier: Classifier, *, precision: torch.dtype = torch.float32) -> None:
        """`precision`: of all computing; weights are stored in 32 bits, and in 64 bits the same numbers go in."""
        self.classifier = classifier
        self.header = classifier.header
        self.precision = precision
        self.outputs = self.header.task.outputs(len(self.header.labels))
        """Scores that each part gives."""
        self.directions = directions(self.header.model)
        """Names of the directions in which every layer reads."""

    @cached_property
    def members(self) -> tuple[TextClassifier, ...]:
        """The networks, their parameters frozen."""
        found = []
        for prefix in member_prefixes(self.header.model):
            network = TextClassifier(
                self.header.model, vocabulary_size=len(self.header.vocabulary), classes=self.outputs, backend="readable"
            )
            weights = self.classifier.weights
            own = {name: weights[prefix + name] for name, _ in network.named_parameters()}
            found.append(network.load_weights(own).to(self.precision).requires_grad_(False).eval())
        return tuple(found)

    @cached_property
    def ngrams(self) -> NgramScores | None:
        """The n-gram part, in NumPy."""
        return NgramScores.of(self.header, self.classifier.weights, native=False)

    def read(self, text: str | Reading) -> Reading:
        """The text as the model reads it."""
        return text if isinstance(text, Reading) else read_text(self.classifier, text)

    def answers(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities [texts, labels], or numbers [texts, 1], of scores [texts, outputs]."""
        return self.header.task.answers(logits)

    def member_logits(self, ids: Int[Tensor, "batch steps"], lengths: Int[Tensor, " batch"]) -> NDArray[np.floating]:
        """The sum of the networks' scores for a batch padded with 0. [batch, outputs]"""
        with torch.no_grad():
            return np.asarray(sum(member(ids, lengths).numpy() for member in self.members))

    def ngram_logits(self, tokens: list[str]) -> NDArray[np.float64]:
        """The n-gram part's scores of a text; zeros without such a part. [outputs]"""
        if self.ngrams is None:
            return np.zeros(self.outputs)
        stream = self.ngrams.stream()
        stream.push(tokens)
        return stream.scores().astype(np.float64)

    def logits(self, text: str | Reading) -> NDArray[np.float64]:
        """What all parts add up to. [outputs]"""
        reading = self.read(text)
        ids = torch.from_numpy(reading.ids)[None].long()
        summed = self.member_logits(ids, torch.tensor([reading.time]))[0].astype(np.float64)
        total: NDArray[np.float64] = summed + self.ngram_logits([token.text for token in reading.all_tokens])
        return total

    def probabilities(self, text: str | Reading) -> NDArray[np.float64]:
        """The answer to one text: probabilities [labels], or a number [1]."""
        found: NDArray[np.float64] = self.answers(self.logits(text)[None])[0]
        return found


def embedded(member: TextClassifier, reading: Reading) -> Float[Tensor, "steps features"]:
    """What a network reads of a text."""
    found: Tensor = member.embedding(torch.from_numpy(reading.ids).long())
    return found.detach()


def logits_of_inputs(
    member: TextClassifier, inputs: Float[Tensor, "steps batch features"]
) -> Float[Tensor, "batch outputs"]:
    """A network's scores of texts of one length, from the embeddings on; every step counts, that of the padding too.

    For derivatives by the inputs, which a network that is given ids does not have.
    """
    lengths = torch.full((inputs.shape[1],), len(inputs))
    outputs, finals = run_layers(member.stack, inputs, lengths, unroll, SILENCE)
    final = torch.cat([state.hidden for state in finals[-1]], dim=-1)
    logits: Tensor = member.head(POOLINGS[member.config.pooling](outputs, final, lengths))
    return logits


def of(model: "Classifier | Networks") -> Networks:
    """The networks of a classifier; building them takes as long as reading their weights once."""
    return model if isinstance(model, Networks) else Networks(model)


def in_double(model: "Classifier | Networks") -> Networks:
    """The same in 64 bits, so that what an attribution leaves over is the method's and not rounding."""
    networks = of(model)
    return networks if networks.precision == torch.float64 else Networks(networks.classifier, precision=torch.float64)
