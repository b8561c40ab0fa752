"""The lesson "Recurrent Neural Networks for Text", run step by step through the package's own code."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from textrnn.config import Recipe
from textrnn.data import Example, LabelledTexts, collect, in_order
from textrnn.history import EpochRecord
from textrnn.model import TextClassifier, initialize
from textrnn.runtime import Classifier
from textrnn.text import TextEncoder
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import fit
from textrnn.training.randomness import dataloader_order, random_stream
from textrnn.training.recipe import assemble

RECIPE = Recipe.from_settings(
    tokenizer="whitespace",
    max_length=10,
    keep="head",
    min_count=1,
    cell="elman",
    embedding_size=32,
    hidden_size=64,
    pooling="last",
    padding="through",
    initialization="torch",
    epochs=80,
    batch_size=8,
    batching="shuffled",
    optimizer="adam",
    learning_rate=0.001,
    schedule="constant",
    weight_decay=0.0,
    max_gradient_norm=1.0,
    dropout=0.0,
    patience=0,
    validation_fraction=0.0,
    seed=42,
    backend="readable",
)
"""The notebook's settings."""

SHOWN_EPOCHS = (1, *range(5, 81, 5))


@dataclass(frozen=True)
class LessonResult:
    """Everything the lesson computed."""

    encoder: TextEncoder
    first_ids: NDArray[np.int64]
    parameters: int
    history: list[EpochRecord]
    test_loss: float
    """Mean of the batches' means, as the notebook takes it."""
    test_loss_over_texts: float
    correct: int
    classifier: Classifier


def reviews() -> tuple[LabelledTexts, LabelledTexts]:
    """The forty training and ten test reviews; label 1 is positive, 0 negative."""
    source = files("textrnn.lesson").joinpath("reviews.csv")
    rows = list(csv.DictReader(source.read_text(encoding="utf-8").splitlines()))
    parts = {"train": [], "test": []}  # type: dict[str, list[Example]]
    for line, row in enumerate(rows, start=2):
        parts[row["split"]].append(Example(row["text"], int(row["label"]), "reviews.csv", line))
    training = collect(parts["train"])
    return training, collect(parts["test"], labels=training.labels)


def lesson(echo: Callable[[str], None] = lambda line: None) -> LessonResult:
    """Run the lesson and tell each step to `echo`, a line or paragraph at a time."""
    training, test = reviews()
    batch_size, max_length = RECIPE.training.batch_size, RECIPE.text.max_length
    echo("Recurrent neural networks for text\n")
    echo("1. The reviews")
    echo(f"   {len(training.texts)} to learn from, {len(test.texts)} to test; 1 is positive, 0 negative.")
    echo(f"   {training.texts[0]!r} is {training.labels[training.targets[0]]}\n")

    encoder = TextEncoder.build(training.texts, RECIPE.text, RECIPE.vocabulary)
    echo("2. Vocabulary: every word gets a number, the frequent ones first")
    echo(f"   vocabulary of {len(encoder.vocabulary)}; the first twenty:")
    echo(f"   {' '.join(encoder.vocabulary.tokens[:20])}")
    echo("   <PAD> fills up short reviews, <UNK> stands for words never seen in training.\n")

    examples = EncodedExamples.encode(training, encoder)
    first_ids = examples.texts.batch(np.array([0]), None).padded(max_length)[0]
    echo(f"3. Encoding: words to numbers, cut or padded to {max_length}")
    echo(f"   {training.texts[0]!r} -> {first_ids}\n")

    stream = random_stream(RECIPE.training.seed)
    order = in_order(dataloader_order(len(examples), stream), batch_size)
    sample = examples.texts.batch(order[0], examples.targets).padded(max_length)
    echo("4. Batches: the network learns from several reviews at once, in a new order in every epoch")
    echo(f"   {len(order)} batches; each has the shape {list(sample.shape)}: [batch, time]\n")

    model = TextClassifier(RECIPE.model, vocabulary_size=len(encoder.vocabulary), classes=len(training.labels))
    initialize(model, RECIPE.training.initialization, stream)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    echo("5. The network reads a review word by word and keeps what it has read in a state h")
    echo("   h_t = tanh(W_ih x_t + W_hh h_{t-1} + b);  the last state decides: logits = W h + c")
    for name, parameter in model.named_parameters():
        echo(f"   {name:24} {list(parameter.shape)!s:>10} {parameter.numel():6,}")
    echo(f"   {parameters:,} parameters\n")

    config = RECIPE.training
    echo(
        f"6. Training: Adam (learning rate {config.learning_rate:g}), batches of {config.batch_size}, gradients "
        f"clipped at norm {config.max_gradient_norm:g}, {config.epochs} epochs, seed {config.seed}"
    )
    echo("   epoch    loss   accuracy")

    def show(event: object) -> None:
        if isinstance(event, EpochRecord) and event.epoch in SHOWN_EPOCHS and event.accuracy is not None:
            echo(f"   {event.epoch:5d}  {event.loss:.4f}   {100 * event.accuracy:6.2f} %")

    result = fit(RECIPE, model, examples, None, stream=stream, on_event=show)
    classifier = assemble(result, RECIPE, encoder, training, None)

    losses = -np.log(classifier.predict_proba(test.texts)[np.arange(len(test.texts)), test.targets])
    batches = [losses[start : start + batch_size].mean() for start in range(0, len(losses), batch_size)]
    predictions = classifier.predict(test.texts)
    hits = [
        prediction.label == test.labels[target] for prediction, target in zip(predictions, test.targets, strict=True)
    ]
    echo("\n7. Test on reviews it has never seen")
    for text, prediction, hit in zip(test.texts, predictions, hits, strict=True):
        echo(f"   {'right' if hit else 'WRONG'}  {prediction.label} ({100 * prediction.probability:5.1f} %)  {text}")
    echo(f"   test loss {np.mean(batches):.4f}, test accuracy {100 * np.mean(hits):.2f} % ({sum(hits)}/{len(hits)})")
    echo(
        f"   (The loss is the mean of the means of {len(batches)} batches, of {batch_size} and of "
        f"{len(losses) - batch_size} reviews; over the {len(losses)} reviews it is {losses.mean():.4f}.)\n"
    )
    echo("100 % on what it has learned by heart and less on new reviews: it overfits. With real data, see")
    echo("   textrnn train --help")
    return LessonResult(
        encoder=encoder,
        first_ids=first_ids,
        parameters=parameters,
        history=result.history,
        test_loss=float(np.mean(batches)),
        test_loss_over_texts=float(losses.mean()),
        correct=sum(hits),
        classifier=classifier,
    )
