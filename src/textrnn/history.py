"""What a training run leaves behind epoch by epoch; shown while it runs, kept in the model file."""

import msgspec


class EpochRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pass over the training texts.

    The training figures are taken while the weights move, as the notebook does: `loss` is the mean over batches,
    `accuracy` the share of texts. The validation figures, taken after the epoch, are means over texts and absent
    (None) where there is no validation set.
    """

    epoch: int
    """Counted from 1."""
    loss: float
    """Mean over the batches; of cross-entropies in nats."""
    accuracy: float | None
    """Share of training texts with the right label, or exactly the right labels, 0 to 1; None where a number is
    predicted."""
    learning_rate: float
    """Of the last step."""
    gradient_norm: float
    """Mean global norm over the steps, before clipping."""
    tokens_per_second: float | None
    """Training tokens over the wall-clock time of the epoch, validation left out; None when not recorded."""
    validation: dict[str, float] | None = None
    """`loss`, others of the task such as `accuracy`, and the metric that chooses the best epoch, by name."""
    network: int = 1
    """Which of the networks of a model, counted from 1."""


class PartRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of a model whose scores are added to those of the others."""

    part: str
    """`network` or `n-grams`."""
    scale: float
    """What its scores are multiplied by, which its weights contain already."""
    best_epoch: int | None = None
    """Of a network."""
    validation: dict[str, float] | None = None
    """Metrics of this part alone, by name, before scaling."""
    learned_from: int | None = None
    """Texts, where the part learned from those of the validation, too, once these had chosen its strength and scale."""


class PretrainingRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stretch of a pre-training between two validations."""

    round: int
    """Counted from 1."""
    epochs: float
    """Passes over the texts so far."""
    loss: float
    """Mean cross-entropy in nats over the batches of this round, with the batches' estimated softmax."""
    perplexity: float | None
    """On the held-out texts, full softmax: exp of the mean cross-entropy over both directions; None without any."""
    learning_rate: float
    """Of the last step."""
    gradient_norm: float
    """Mean global norm over the steps, before clipping."""
    tokens_per_second: float | None
    """Training tokens over wall-clock time, validation left out; None when not recorded."""


class SideFigures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one of two models does on the same texts."""

    accuracy: float
    macro_f1: float
    loss: float
    """Mean of -ln(probability of the true class), in nats."""
    calibration_error: float
    """Expected calibration error: how far the probability of the predicted class is from the share that is right."""


class BaselineRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network beside a tuned linear model that learned from the same texts."""

    network: SideFigures
    linear: SideFigures
    texts: int
    """On which both were measured."""
    learned_from: int
    """Texts that the linear model learned from; fewer than there are where those are very many."""
    features: int
    """Words and word pairs, or character n-grams, that it weighs."""
    c: float
    """Its inverse strength of regularisation, chosen by log loss on validation texts."""
    converged: bool
    seconds: float | None
    """Of its training, the choice of C included; None when not recorded."""
