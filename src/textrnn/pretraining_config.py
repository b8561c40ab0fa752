"""The settings of a base: a language model that classifiers start from."""

from typing import Annotated, Literal

from msgspec import Meta

from textrnn.config import ModelConfig, VocabularyConfig
from textrnn.settings import Config, Sections


class BaseTextConfig(Config, frozen=True, kw_only=True):
    """How a text becomes tokens. A base reads texts of any length."""

    tokenizer: Annotated[
        Literal["words", "whitespace", "characters"],
        Meta(
            description="How a text is cut: `words` (letters, digits and apostrophes; single punctuation marks), "
            "`whitespace` (the lesson's rule), `characters` (for scripts without spaces)."
        ),
    ] = "words"


class BaseModelConfig(Config, frozen=True, kw_only=True):
    """The network below: embedding and first recurrent layer."""

    cell: Annotated[
        Literal["elman", "elman_relu", "gru", "lstm", "mingru", "minlstm"], Meta(description="Recurrent cell.")
    ] = "gru"
    bidirectional: Annotated[
        bool,
        Meta(description="Two language models, one that reads from the left and one that reads from the right."),
    ] = True
    embedding_size: Annotated[int, Meta(ge=1, le=65_536, description="Features of a token's embedding.")] = 128
    hidden_size: Annotated[int, Meta(ge=1, le=65_536, description="Units of the recurrent state.")] = 256

    def network(self) -> ModelConfig:
        """The same as a classifier's settings."""
        return ModelConfig(
            cell=self.cell,
            bidirectional=self.bidirectional,
            embedding_size=self.embedding_size,
            hidden_size=self.hidden_size,
        )


class PretrainingConfig(Config, frozen=True, kw_only=True):
    """How the language model is trained."""

    epochs: Annotated[int, Meta(ge=1, le=1_000_000, description="Most passes over the texts.")] = 4
    segment_length: Annotated[
        int, Meta(ge=2, le=1_000_000, description="Longer texts are cut into segments of at most so many tokens.")
    ] = 128
    batch_tokens: Annotated[int, Meta(ge=2, le=10_000_000, description="Tokens a batch, about.")] = 2048
    round_tokens: Annotated[
        int,
        Meta(ge=1, description="Tokens between two validations; the state is kept after each."),
    ] = 2_000_000
    learning_rate: Annotated[
        float, Meta(gt=0, le=100, description="Highest learning rate; it rises for 100 steps, then falls to 0.")
    ] = 0.003
    max_gradient_norm: Annotated[float, Meta(gt=0, description="Gradients are scaled down to this global norm.")] = 1.0
    dropout: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="Probability of zeroing a feature of the embeddings and of what predicts; a step is faster "
            "without.",
        ),
    ] = 0.0
    exact_words: Annotated[
        int,
        Meta(
            ge=1,
            description="So many of the most frequent words, and all of the batch, take part in every softmax.",
        ),
    ] = 512
    sampled_words: Annotated[
        int,
        Meta(ge=1, description="Draws that stand for all other words; small vocabularies have a full softmax."),
    ] = 256
    patience: Annotated[
        int, Meta(ge=0, description="Validations without a lower perplexity before stopping; 0: never stop early.")
    ] = 3
    validation_fraction: Annotated[
        float, Meta(ge=0, lt=1, description="Part of the texts held out to measure the perplexity.")
    ] = 0.02
    validation_tokens: Annotated[
        int, Meta(ge=1, description="At most so many tokens are held out; the softmax over them is full.")
    ] = 50_000
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1, description="Seed of all randomness.")] = 42
    threads: Annotated[
        int, Meta(ge=0, le=1024, description="CPU threads of the native kernels; 0: all. No result depends on it.")
    ] = 0
    backend: Annotated[
        Literal["auto", "readable", "torch", "native"],
        Meta(description="Who computes the recurrent layer; see `textrnn train`."),
    ] = "auto"
    timings: Annotated[
        bool, Meta(description="Keep tokens per second in the history; without it equal runs write equal bytes.")
    ] = True


class PretrainingRecipe(Sections, frozen=True, kw_only=True):
    """Everything that decides, together with the texts, which base comes out."""

    text: BaseTextConfig = BaseTextConfig()
    vocabulary: VocabularyConfig = VocabularyConfig()
    model: BaseModelConfig = BaseModelConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
