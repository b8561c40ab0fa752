"""All settings: small frozen records, checked when built, written into the model file.

Each field carries its own help text and limits; the command line's options, the checks and the error messages are
all derived from here. A setting is named by one flat name everywhere (`hidden_size`, `--hidden-size`).
"""

from typing import Annotated, Literal

from msgspec import Meta

from textrnn.errors import ConfigError
from textrnn.settings import Config, Sections, sections_of
from textrnn.tasks import TaskConfig, task_of
from textrnn.training_config import TrainingConfig as TrainingConfig


class TextConfig(Config, frozen=True, kw_only=True):
    """How a text becomes ids. Travels inside the model file."""

    tokenizer: Annotated[
        Literal["words", "whitespace", "characters"],
        Meta(
            description="How a text is cut: `words` (letters, digits and apostrophes; single punctuation marks), "
            "`whitespace` (the lesson's rule), `characters` (for scripts without spaces)."
        ),
    ] = "words"
    max_length: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Tokens of a text that are read; the rest is cut off.")
    ] = 256
    keep: Annotated[Literal["head", "tail", "both"], Meta(description="Which end of a longer text is kept.")] = "both"


class VocabularyConfig(Config, frozen=True, kw_only=True):
    """Which tokens of the training texts get an id of their own; all others become `<UNK>`."""

    max_size: Annotated[
        int, Meta(ge=2, le=10_000_000, description="Largest vocabulary, `<PAD>` and `<UNK>` included.")
    ] = 30_000
    min_count: Annotated[
        int, Meta(ge=1, description="A token must occur this often. From 2 on, `<UNK>` is seen in training.")
    ] = 2


MOST_MEMBERS = 16


class ModelConfig(Config, frozen=True, kw_only=True):
    """The network: embedding, recurrent cell, pooling, linear head."""

    cell: Annotated[
        Literal["elman", "elman_relu", "gru", "lstm", "mingru", "minlstm"],
        Meta(
            description="Recurrent cell: the vanilla RNN with tanh (`elman`) or relu, `gru`, `lstm`, or their minimal "
            "forms whose gates read the input only (`mingru`, `minlstm`)."
        ),
    ] = "elman"
    layers: Annotated[int, Meta(ge=1, le=64, description="Recurrent layers, one on top of the other.")] = 1
    bidirectional: Annotated[
        bool, Meta(description="Read each text from both ends, each direction with weights of its own.")
    ] = False
    embedding_size: Annotated[int, Meta(ge=1, le=65_536, description="Features of a token's embedding.")] = 100
    hidden_size: Annotated[int, Meta(ge=1, le=65_536, description="Units of the recurrent state.")] = 128
    pooling: Annotated[
        Literal["mean", "max", "last"],
        Meta(description="How the states of a text become one vector."),
    ] = "mean"
    padding: Annotated[
        Literal["masked", "through"],
        Meta(
            description="`masked`: a finished text keeps its state, so padding changes nothing; `through`: every text "
            "is padded to the maximal length and padding is read as zero embeddings (the lesson's way)."
        ),
    ] = "masked"
    members: Annotated[
        int,
        Meta(
            ge=1,
            le=MOST_MEMBERS,
            description="Networks of this kind, trained one after the other, whose scores are added.",
        ),
    ] = 1
    ngrams: Annotated[
        int,
        Meta(
            ge=0,
            le=8,
            description="Tokens of the longest n-gram in a linear model beside the networks; 0: none.",
        ),
    ] = 0
    character_ngrams: Annotated[
        int,
        Meta(
            ge=0,
            le=8,
            description="Characters of the longest n-gram within a token in that linear model; 0: none.",
        ),
    ] = 0


CELLS_WITHOUT_RECURRENT_WEIGHT = ("mingru", "minlstm")


class Recipe(Sections, frozen=True, kw_only=True):
    """Everything that decides, together with the data, which model comes out."""

    text: TextConfig = TextConfig()
    vocabulary: VocabularyConfig = VocabularyConfig()
    task: TaskConfig = TaskConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_task()
        if self.training.recurrent_dropout and self.model.cell in CELLS_WITHOUT_RECURRENT_WEIGHT:
            raise ConfigError(
                f"recurrent_dropout: expected 0, since cell {self.model.cell!r} has no recurrent weights, "
                f"got {self.training.recurrent_dropout!r}"
            )
        if self.training.r_drop and (self.training.adversarial or self.training.virtual_adversarial):
            raise ConfigError(
                f"r_drop: expected 0 beside adversarial losses, which read each text several times, too, "
                f"got {self.training.r_drop!r}"
            )

    def _check_task(self) -> None:
        """Refuse what the task has no meaning for."""
        name, task, training = self.task.task, task_of(self.task), self.training
        if training.metric not in task.metrics:
            raise ConfigError(
                f"metric: expected one of {', '.join(task.metrics)}, as the task {name!r} has them, "
                f"got {training.metric!r}"
            )
        if training.class_weight != "none" and not task.weighable:
            raise ConfigError(f"class_weight: expected 'none', since the task {name!r} has no classes")
        if training.focal and not task.focal:
            raise ConfigError(f"focal: expected 0, since the task {name!r} has no focal loss, got {training.focal!r}")
        if training.self_training and not task.one_label:
            raise ConfigError(
                f"self_training: expected 0, since the task {name!r} has not one label a text, "
                f"got {training.self_training!r}"
            )


def setting_sections(recipe: type[Sections] = Recipe) -> dict[str, str]:
    """The section of the recipe in which each setting lies, by the setting's flat name."""
    return sections_of(recipe)
