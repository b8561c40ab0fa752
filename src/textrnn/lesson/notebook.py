"""The lesson as an executable notebook: the same steps through the same code, one cell each."""

from pathlib import Path

from textrnn.files import replacing, require

# Text cells and code cells alternate; each code cell runs on what those above it have defined.
CELLS = [
    """# Recurrent neural networks for text

Forty short reviews, one small network that reads them word by word, and every step in the open.""",
    """from textrnn.lesson import RECIPE, reviews

training, test = reviews()
print(len(training.texts), "reviews to learn from,", len(test.texts), "to test")
for text, target in list(zip(training.texts, training.targets))[:3]:
    print(training.labels[target], text)""",
    """## Vocabulary

Every word gets a number: `<PAD>` is 0, `<UNK>` is 1, then the words by frequency.""",
    """from textrnn.text import TextEncoder

encoder = TextEncoder.build(training.texts, RECIPE.text, RECIPE.vocabulary)
print(len(encoder.vocabulary))
print(" ".join(encoder.vocabulary.tokens[:20]))""",
    """## Encoding

A review becomes ten numbers: cut if longer, filled up with 0 if shorter.""",
    """import numpy as np

from textrnn.training.examples import EncodedExamples

examples = EncodedExamples.encode(training, encoder)
padded = examples.texts.batch(np.arange(len(examples)), examples.targets).padded(RECIPE.text.max_length)
print(training.texts[0])
print(padded[0])""",
    """## Batches

The network learns from eight reviews at once. All that is random comes from one stream with a seed, so the numbers
below are the same on every run.""",
    """from textrnn.data import in_order
from textrnn.training.randomness import dataloader_order, random_stream

stream = random_stream(RECIPE.training.seed)
order = in_order(dataloader_order(len(examples), stream), RECIPE.training.batch_size)
print(padded[order[0]])
print(examples.targets[order[0]])""",
    """## The network

$$h_t = \\tanh(W_{ih} x_t + W_{hh} h_{t-1} + b)$$

The state $h$ is what the network remembers. After the last word a linear map turns it into two scores.""",
    """import inspect

from textrnn.cells import ElmanCell
from textrnn.model import TextClassifier, initialize

print(inspect.getsource(ElmanCell))
model = TextClassifier(RECIPE.model, vocabulary_size=len(encoder.vocabulary), classes=2)
initialize(model, RECIPE.training.initialization, stream)
print(sum(parameter.numel() for parameter in model.parameters()), "parameters")""",
    """## One step by hand

The same numbers, without the package: embed a word, multiply, add, squash.""",
    """import torch

h = torch.zeros(1, RECIPE.model.hidden_size)
with torch.no_grad():
    W_ih, b, W_hh = model.layers[0].left_to_right.parameters()
    for word in padded[0]:
        x = model.embedding.weight[word]
        h = torch.tanh(W_ih @ x + b + h @ W_hh.T)
    by_hand = model.head(h)
    by_package = model(torch.from_numpy(padded[:1]), torch.tensor([6]))
print(by_hand, by_package)
assert torch.allclose(by_hand, by_package, atol=1e-6)""",
    """## Training

Adam, gradients clipped, eighty epochs.""",
    """from textrnn.history import EpochRecord
from textrnn.training import fit


def show(event):
    if isinstance(event, EpochRecord) and (event.epoch == 1 or event.epoch % 5 == 0):
        print(f"{event.epoch:3d}  loss {event.loss:.4f}  accuracy {100 * event.accuracy:6.2f} %")


result = fit(RECIPE, model, examples, None, stream=stream, on_event=show)""",
    """## How it learned""",
    """import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
left.plot([record.epoch for record in result.history], [record.loss for record in result.history])
left.set(xlabel="epoch", ylabel="loss")
right.plot([record.epoch for record in result.history], [record.accuracy for record in result.history])
right.set(xlabel="epoch", ylabel="accuracy")
plt.show()""",
    """## Test

On ten reviews that it has never seen.""",
    """from textrnn.training.recipe import assemble

classifier = assemble(result, RECIPE, encoder, training, None)
for text, target, prediction in zip(test.texts, test.targets, classifier.predict(test.texts)):
    print(test.labels[target], prediction, text)

losses = -np.log(classifier.predict_proba(test.texts)[np.arange(len(test.texts)), test.targets])
print(f"test loss {np.mean([losses[:8].mean(), losses[8:].mean()]):.4f} (mean of two batches)")
print(f"test accuracy {100 * np.mean(classifier.predict_proba(test.texts).argmax(axis=1) == test.targets):.2f} %")""",
    """## Try it

Change a word, swap two, write your own.""",
    """for text in ["great movie with wonderful acting", "boring story and bad acting", "not a great movie"]:
    print(classifier.predict(text), text)""",
    """## Exercises

**1.** How many of the 8,770 parameters belong to the embedding, to the recurrence and to the head?

**2.** Two reviews with the same words in another order: does the network answer the same? Would a bag of words?""",
    """# The answers: 76 words of 32 features; 64 units that read 32 features and 64 states, with one bias; 2 scores.
embedding, recurrence, head = 76 * 32, 64 * (32 + 64) + 64, 64 * 2 + 2
print(embedding, "+", recurrence, "+", head, "=", embedding + recurrence + head)
assert embedding + recurrence + head == sum(parameter.numel() for parameter in model.parameters())

one, other = classifier.predict_proba(["great acting and bad story", "bad acting and great story"])
assert not np.allclose(one, other), "a bag of words could not tell them apart"
print(one, other)""",
]


def write_notebook(path: str | Path) -> None:
    """Write the lesson as a Jupyter notebook whose cells run from top to bottom.

    Raises:
        OutputError: the file cannot be written.
        MissingDependencyError: nbformat is not installed.
    """
    v4 = require("nbformat.v4", extra="notebook", purpose="writing a notebook")
    cells = []
    for number, source in enumerate(CELLS):
        # A cell's id is random unless given; the same notebook should have the same bytes.
        make = v4.new_code_cell if number % 2 else v4.new_markdown_cell
        cells.append(make(source, id=f"cell-{number:02d}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    require("nbformat", extra="notebook", purpose="writing a notebook").validate(notebook)
    with replacing(path) as file:
        file.write(v4.writes(notebook).encode() + b"\n")
