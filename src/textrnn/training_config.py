"""The settings of a training: order, optimiser, noise, losses, when it stops, and who computes."""

from typing import Annotated, Literal

from msgspec import Meta

from textrnn.settings import Config


class TrainingConfig(Config, frozen=True, kw_only=True):
    """How the network is trained."""

    epochs: Annotated[int, Meta(ge=1, le=1_000_000, description="Most passes over the training texts.")] = 20
    batch_size: Annotated[int, Meta(ge=1, le=1_000_000, description="Texts a batch.")] = 32
    training_length: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Tokens of a text that are read in training, where predictions read up to `max_length`; 0: as "
            "many as predictions do.",
        ),
    ] = 0
    batching: Annotated[
        Literal["bucketed", "shuffled"],
        Meta(
            description="`bucketed`: texts of similar length together; `shuffled`: as they come from a shuffled "
            "PyTorch DataLoader."
        ),
    ] = "bucketed"
    optimizer: Annotated[Literal["adamw", "adam"], Meta(description="Optimiser.")] = "adamw"
    learning_rate: Annotated[float, Meta(gt=0, le=100, description="Highest learning rate.")] = 0.002
    schedule: Annotated[
        Literal["constant", "linear", "cosine"],
        Meta(description="How the learning rate goes from its highest value towards 0 over all epochs."),
    ] = "constant"
    weight_decay: Annotated[float, Meta(ge=0, le=100, description="Decay of the weights a step.")] = 0.01
    max_gradient_norm: Annotated[float, Meta(gt=0, description="Gradients are scaled down to this global norm.")] = 1.0
    dropout: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="Probability of zeroing a feature of the embeddings, of what goes from layer to layer, and of "
            "the pooled vector.",
        ),
    ] = 0.5
    word_dropout: Annotated[
        float,
        Meta(ge=0, lt=1, description="Probability of zeroing the embedding of a word wherever a batch has it."),
    ] = 0.0
    variational: Annotated[
        bool, Meta(description="Dropout of embeddings and between layers zeroes the same features at every step.")
    ] = False
    dropout_by_word: Annotated[
        bool,
        Meta(
            description="Dropout zeroes the same features of a word's embedding wherever a batch has it, so that each "
            "word is computed once; variational dropout is then between layers only."
        ),
    ] = False
    recurrent_dropout: Annotated[
        float,
        Meta(ge=0, lt=1, description="Probability of zeroing an entry of the recurrent weights, drawn once a batch."),
    ] = 0.0
    adversarial: Annotated[
        float,
        Meta(
            ge=0,
            description="Also learn from texts whose embeddings are moved to where the loss grows fastest, by this "
            "distance in standard deviations of an embedding's feature, such as 5 for reviews and 1 for sentences; "
            "0: do not.",
        ),
    ] = 0.0
    virtual_adversarial: Annotated[
        float,
        Meta(
            ge=0,
            description="The same to where the prediction changes most, which needs no label and so works on "
            "unlabelled texts, too; 0: do not.",
        ),
    ] = 0.0
    base_rate: Annotated[
        float,
        Meta(ge=0, le=1, description="Learning rate of what comes from a base, as a share of that of the rest."),
    ] = 1.0
    frozen_epochs: Annotated[
        int, Meta(ge=0, description="First epochs in which what comes from a base stays as it is.")
    ] = 0
    r_drop: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Weight of the divergence between two readings of each text under different dropout "
            "(R-Drop); 0: each text is read once.",
        ),
    ] = 0.0
    self_training: Annotated[
        int,
        Meta(
            ge=0,
            le=8,
            description="Times that everything is learned anew with the model's own labels for unlabelled texts, each "
            "weighing what the model is sure of it, beside the true ones; 0: never.",
        ),
    ] = 0
    calibrate: Annotated[
        bool,
        Meta(description="Scale the scores afterwards so that they fit the validation texts best."),
    ] = False
    initialization: Annotated[
        Literal["orthogonal", "torch"],
        Meta(description="First weights: `orthogonal` recurrence and small embeddings, or what `torch` modules draw."),
    ] = "orthogonal"
    vectors_training: Annotated[
        Literal["tuned", "frozen"],
        Meta(
            description="What becomes of word vectors: `tuned` with a tenth of the learning rate, or `frozen` as they "
            "are. Without `vectors` it means nothing."
        ),
    ] = "tuned"
    class_weight: Annotated[
        Literal["none", "balanced"],
        Meta(description="`balanced`: each class weighs the same in the loss, whatever its number of texts."),
    ] = "none"
    focal: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            description="Focal loss with this exponent, such as 2: texts that are right already count less, by "
            "(1 - probability) to its power; 0: the usual loss.",
        ),
    ] = 0.0
    metric: Annotated[
        Literal[
            "loss",
            "accuracy",
            "macro_f1",
            "micro_f1",
            "weighted_f1",
            "samples_f1",
            "roc_auc",
            "hamming_loss",
            "average_precision",
            "lrap",
            "mae",
            "quadratic_kappa",
            "rmse",
            "r2",
            "pearson",
            "spearman",
        ],
        Meta(
            description="Validation metric that chooses the best epoch and stops early. Each task has its own, see "
            "docs/tasks.md; all have 'loss'."
        ),
    ] = "loss"
    patience: Annotated[
        int,
        Meta(
            ge=0,
            description="Epochs without a better validation metric before stopping; 0: never stop early.",
        ),
    ] = 3
    validation_fraction: Annotated[
        float,
        Meta(ge=0, lt=1, description="Part of the texts split off for validation where none are given."),
    ] = 0.1
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1, description="Seed of all randomness.")] = 42
    threads: Annotated[
        int,
        Meta(
            ge=0,
            le=1024,
            description="CPU threads; 0: all for the native kernels, whose results do not depend on it, and one "
            "for PyTorch, which is fastest with one on small networks.",
        ),
    ] = 0
    backend: Annotated[
        Literal["auto", "readable", "torch", "native"],
        Meta(
            description="Who computes the recurrent layers: the readable cells, PyTorch's own networks, the native "
            "kernels, or the best there is (`auto`). All give the same results up to rounding."
        ),
    ] = "auto"
    timings: Annotated[
        bool,
        Meta(description="Keep tokens per second in the history; without it equal runs write equal bytes."),
    ] = True
