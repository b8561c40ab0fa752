"""Pre-training as a whole: what it learns, resume, budget, Ctrl-C, and training from a base."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textrnn
from textrnn.config import ModelConfig, TrainingConfig
from textrnn.data import EncodedTexts
from textrnn.errors import CheckpointError, ConfigError, DataError
from textrnn.history import PretrainingRecord
from textrnn.model import TextClassifier, initialize
from textrnn.modelfile import read_base
from textrnn.pretraining_config import BaseModelConfig, PretrainingConfig
from textrnn.training import Base, pretrain
from textrnn.training.effort import pretraining_epochs
from textrnn.training.optimizer import make_optimizer, set_rate
from textrnn.training.pretraining import recipe as recipes
from textrnn.training.pretraining.language_model import LanguageModel
from textrnn.training.pretraining.recipe import initialize_language_model
from textrnn.training.pretraining.run import Pretraining
from textrnn.training.randomness import random_stream

SMALL: dict[str, Any] = {
    "embedding_size": 12,
    "hidden_size": 16,
    "batch_tokens": 256,
    "round_tokens": 1500,
    "epochs": 4,
    "learning_rate": 0.02,
    "validation_fraction": 0.1,
    "min_count": 1,
    "timings": False,
}


def cycle_texts(count: int = 200, seed: int = 0) -> list[str]:
    """Texts in which each word but the first two follows from the one before."""
    rng = random.Random(seed)
    words = "alpha beta gamma delta epsilon".split()
    return [rng.choice(words) + _run(words, rng) for _ in range(count)]


def _run(words: list[str], rng: random.Random) -> str:
    start, length = rng.randrange(5), rng.randint(3, 20)
    return "".join(" " + words[(start + index) % 5] for index in range(length))


def perplexities(base: Base) -> list[float]:
    found = [record.perplexity for record in base.history]
    assert all(value is not None for value in found)
    return [value for value in found if value is not None]


def test_it_learns_what_follows_what_in_both_directions() -> None:
    """The first word says nothing of the second; all others follow: perplexity comes near 1, from 5."""
    base = pretrain(cycle_texts(400), **(SMALL | {"epochs": 12, "dropout": 0.0}))
    assert perplexities(base)[0] > 1.5 * min(perplexities(base))
    assert min(perplexities(base)) < 1.6
    assert base.header.provenance is not None
    assert base.header.provenance.best_round == 1 + int(np.argmin(perplexities(base)))


def test_the_perplexity_is_that_of_the_full_softmax_over_the_held_out_texts() -> None:
    """Computed anew with NumPy from the saved weights, for an Elman cell, while training samples its softmax."""
    rng = random.Random(1)
    texts = [" ".join(f"w{min(int(rng.expovariate(0.1)), 60)}" for _ in range(rng.randint(2, 12))) for _ in range(150)]
    settings = SMALL | {"cell": "elman", "exact_words": 5, "sampled_words": 4, "validation_fraction": 0.2}
    base = pretrain(texts, **settings)
    config = PretrainingConfig(**{k: v for k, v in settings.items() if k in PretrainingConfig.__struct_fields__})
    ids_of = {token: index for index, token in enumerate(base.header.vocabulary)}
    encoded = [np.array([ids_of.get(word, 1) for word in text.split()]) for text in texts]
    _, held_out = recipes.split_off(EncodedTexts.from_ids(encoded), config)
    assert len(held_out) == 30
    w = {name: value.astype(np.float64) for name, value in base.weights.items()}
    total, predicted = 0.0, 0
    for index in range(len(held_out)):
        for way, ids in (("left_to_right", held_out[index]), ("right_to_left", held_out[index][::-1])):
            cell, state = f"layers.0.{way}.", np.zeros(16)
            for here, following in pairwise(ids):
                read = w[cell + "from_input.weight"] @ w["embedding.weight"][here] + w[cell + "from_input.bias"]
                state = np.tanh(read + w[cell + "from_hidden.weight"] @ state)
                logits = w["embedding.weight"] @ (w[f"projection.{way}.weight"] @ state) + w["output_bias"]
                total += np.log(np.exp(logits).sum()) - logits[following]
                predicted += 1
    provenance = base.header.provenance
    assert provenance is not None
    assert provenance.history[provenance.best_round - 1].perplexity == pytest.approx(
        np.exp(total / predicted), rel=1e-4
    )


class Stop(Exception):
    pass


def test_resumed_after_any_round_it_comes_to_the_same_bytes(tmp_path: Path) -> None:
    texts = cycle_texts()
    whole, part, checkpoint = tmp_path / "whole", tmp_path / "part", tmp_path / "c"
    complete = pretrain(texts, **SMALL)
    complete.save(whole)
    rounds = len(complete.history)
    assert rounds >= 4 and complete.history[0].epochs % 1 != 0  # a checkpoint in the middle of a pass, too
    assert not (complete.weights["embedding.weight"] == 0).all()
    done = 0

    def stop(event: object) -> None:
        if isinstance(event, PretrainingRecord) and event.round > done:
            raise Stop

    for done in range(rounds):  # noqa: B007 - read by `stop`
        with pytest.raises(Stop):
            pretrain(texts, checkpoint=checkpoint, resume=True, on_event=stop, **SMALL)
    resumed = pretrain(texts, checkpoint=checkpoint, resume=True, **SMALL)
    resumed.save(part)
    assert part.read_bytes() == whole.read_bytes()


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    found = [pretrain(cycle_texts(60), threads=threads, **SMALL).weights for threads in (1, 3)]
    for name, value in found[0].items():
        assert np.array_equal(value, found[1][name]), name


@pytest.mark.parametrize(
    ("change", "part"),
    [({"learning_rate": 0.01}, "learning_rate=0.02"), ({"hidden_size": 8}, "hidden_size=16"), ({}, "other texts")],
)
def test_a_checkpoint_of_another_pretraining(tmp_path: Path, change: dict[str, Any], part: str) -> None:
    checkpoint = tmp_path / "c"
    pretrain(cycle_texts(60), checkpoint=checkpoint, **SMALL)
    with pytest.raises(CheckpointError, match=part):
        pretrain(cycle_texts(60, seed=0 if change else 1), checkpoint=checkpoint, resume=True, **(SMALL | change))


def test_damaged_checkpoints(tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    pretrain(cycle_texts(60), checkpoint=checkpoint, **SMALL)
    raw = checkpoint.read_bytes()
    rng = random.Random(0)
    places = [*(rng.randrange(len(raw)) for _ in range(20)), len(raw) - 1]
    for place in places:
        checkpoint.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(CheckpointError):
            pretrain(cycle_texts(60), checkpoint=checkpoint, resume=True, **SMALL)
    for size in (0, 7, 100, len(raw) // 2, len(raw) - 1):
        checkpoint.write_bytes(raw[:size])
        with pytest.raises(CheckpointError):
            pretrain(cycle_texts(60), checkpoint=checkpoint, resume=True, **SMALL)


def test_ctrl_c_keeps_the_best_round_and_before_the_first_there_is_nothing() -> None:
    def after(rounds: int) -> Any:
        def stop(event: object) -> None:
            if rounds == 0 or (isinstance(event, PretrainingRecord) and event.round == rounds):
                raise KeyboardInterrupt

        return stop

    base = pretrain(cycle_texts(), on_event=after(2), **SMALL)
    assert base.header.provenance is not None and base.header.provenance.interrupted and len(base.history) == 2
    with pytest.raises(KeyboardInterrupt):
        pretrain(cycle_texts(), on_event=after(0), **SMALL)


def test_the_budget_ends_it_with_the_rate_at_zero() -> None:
    """By a clock that goes on by a second at every look."""
    texts = EncodedTexts.from_ids(np.arange(1, 1 + size) % 9 + 1 for size in [12] * 400)
    counts = np.bincount(texts.ids, minlength=10)
    config = PretrainingConfig(epochs=1000, batch_tokens=64, round_tokens=1000, patience=0)
    model = LanguageModel(BaseModelConfig(embedding_size=4, hidden_size=4).network(), vocabulary_size=10)
    initialize_language_model(model, counts, random_stream(0))
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1.0
        return now

    run = Pretraining(config, model, texts, texts, counts, stream=random_stream(0), budget_seconds=400.0, clock=clock)
    events = list(run.run())
    rates = [event.learning_rate for event in events if not isinstance(event, PretrainingRecord)]
    assert isinstance(events[-1], PretrainingRecord) and 400 <= now < 420
    assert max(rates) > 20 * rates[-1] > 0 and len(rates) > 50


def test_texts_of_one_token_are_refused() -> None:
    with pytest.raises(DataError, match="nothing to predict"):
        pretrain(["word", "", "other"], **SMALL)
    with pytest.raises(DataError, match="there are no texts"):
        pretrain(**SMALL)
    with pytest.raises(ConfigError, match="budget"):
        pretrain(cycle_texts(9), budget_seconds=0.0, **SMALL)
    with pytest.raises(TypeError, match="did you mean 'batch_tokens'"):
        pretrain(cycle_texts(9), batch_token=3)


# Training from a base

LABELLED = [f"{'alpha' if i % 2 else 'delta'} beta word{i % 5} gamma" for i in range(60)]
LABELS = ["odd" if i % 2 else "even" for i in range(60)]
VECTORS = "vectors.txt"
TRAINING: dict[str, Any] = {"epochs": 3, "timings": False, "batch_size": 8, "effort": "plain"}


@pytest.fixture(scope="module")
def base_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "base.textrnn"
    pretrain(cycle_texts(80), **SMALL).save(path)
    return path


def test_a_classifier_takes_over_vocabulary_settings_and_weights(base_file: Path) -> None:
    header, weights = read_base(base_file)
    classifier = textrnn.train(LABELLED, LABELS, base=base_file, frozen_epochs=3, pooling="max", layers=2, **TRAINING)
    assert classifier.header.vocabulary == header.vocabulary
    assert classifier.header.model.hidden_size == 16 and classifier.header.model.bidirectional
    assert classifier.header.model.layers == 2 and classifier.header.model.pooling == "max"
    shared = classifier.weights.keys() & weights.keys()
    assert len(shared) == 9 and "head.weight" not in shared
    for name in shared:  # frozen to the end
        np.testing.assert_array_equal(classifier.weights[name], weights[name], err_msg=name)
    again = textrnn.train(LABELLED, LABELS, base=base_file, base_rate=0.1, pooling="max", layers=2, **TRAINING)
    moved = {name: float(np.abs(again.weights[name] - weights[name]).max()) for name in shared}
    assert all(0 < distance < 0.02 for distance in moved.values()), moved


def test_its_rate_is_a_share_of_that_of_the_rest() -> None:
    model = TextClassifier(ModelConfig(embedding_size=2, hidden_size=2), vocabulary_size=3, classes=2)
    initialize(model, "orthogonal", random_stream(0))
    names = [name for name, _ in model.named_parameters()]
    optimizer = make_optimizer(model, TrainingConfig(weight_decay=0.0), names[:3])
    set_rate(optimizer, 0.01, 0.25)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    # Adam's first step is the rate itself, whatever the size of the gradient.
    steps = [(old - new).abs().max().item() for old, new in zip(before, model.parameters(), strict=True)]
    assert steps == pytest.approx([0.0025] * 3 + [0.01] * (len(names) - 3), rel=1e-3) and len(names) > 3


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"hidden_size": 32}, "hidden_size: expected 16, as .* has it, or nothing, got 32"),
        ({"cell": "lstm"}, "cell: expected 'gru'"),
        ({"bidirectional": False}, "bidirectional: expected True"),
        ({"tokenizer": "characters"}, "tokenizer: expected 'words'"),
        ({"min_count": 1}, "min_count: expected nothing, since the vocabulary is that of"),
        ({"vectors": VECTORS}, "vectors: expected nothing, since the embeddings are those of the base"),
        ({"budget_seconds": 9.0}, "budget: a setting of the pre-training"),
        ({"pretraining": {"epochs": 2}}, "epochs: a setting of the pre-training"),
    ],
)
def test_contradictions_to_a_base(base_file: Path, tmp_path: Path, settings: dict[str, Any], part: str) -> None:
    if settings.get("vectors") == VECTORS:
        (tmp_path / VECTORS).write_text("word 1 2 3\n")
        settings = {"vectors": tmp_path / VECTORS}
    with pytest.raises(ConfigError, match=part):
        textrnn.train(LABELLED, LABELS, base=base_file, **settings)


@pytest.mark.parametrize("adversarial", [0.0, 1.0])
def test_effort_chooses_only_what_the_base_leaves_open(base_file: Path, tmp_path: Path, adversarial: float) -> None:
    """Every network starts from the base, and an interrupt between them is made good from the same one."""
    header, weights = read_base(base_file)
    arguments: dict[str, Any] = {
        "base": base_file, "effort": "default", "members": 2, "epochs": 2, "timings": False, "base_rate": 0.0,
        "adversarial": adversarial, "virtual_adversarial": adversarial, "unlabelled": cycle_texts(20),
    }  # fmt: skip
    networks: set[int] = set()

    def stop(event: Any) -> None:
        networks.add(event.network)
        if event.network == 2:
            raise KeyboardInterrupt

    whole = textrnn.train(LABELLED, LABELS, **arguments)
    model, provenance = whole.header.model, whole.header.provenance
    assert (model.cell, model.bidirectional, model.hidden_size, model.embedding_size) == ("gru", True, 16, 12)
    assert (model.members, model.ngrams, model.pooling) == (2, 3, "max") and provenance is not None
    assert whole.header.vocabulary == header.vocabulary and whole.header.text.max_length == 128
    assert provenance.training.r_drop == (0 if adversarial else 2)
    for member in range(2):
        for name in weights.keys() - {"output_bias"}:
            if not name.startswith("projection."):
                np.testing.assert_array_equal(whole.weights[f"members.{member}.{name}"], weights[name], err_msg=name)

    textrnn.train(LABELLED, LABELS, checkpoint=tmp_path / "c", on_event=stop, **arguments)
    assert networks == {1, 2}
    resumed = textrnn.train(LABELLED, LABELS, checkpoint=tmp_path / "c", resume=True, **arguments)
    for name, value in whole.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], value, err_msg=name)


def test_a_state_belongs_to_its_base_and_unlabelled_texts(base_file: Path, tmp_path: Path) -> None:
    arguments: dict[str, Any] = TRAINING | {"base": base_file, "virtual_adversarial": 1.0}
    textrnn.train(LABELLED, LABELS, checkpoint=tmp_path / "c", unlabelled=cycle_texts(20), **arguments)
    base = Base(*read_base(base_file))
    moved = Base(base.header, base.weights | {"embedding.weight": base.weights["embedding.weight"] * np.float32(1.01)})
    for changes in ({"base": moved}, {"unlabelled": cycle_texts(21)}):
        with pytest.raises(CheckpointError):
            textrnn.train(
                LABELLED, LABELS, checkpoint=tmp_path / "c", resume=True,
                **({"unlabelled": cycle_texts(20)} | arguments | changes),
            )  # fmt: skip


def test_in_one_go(tmp_path: Path) -> None:
    """The base is pre-trained on both, and what is trained on it is what two steps give."""
    common: dict[str, Any] = {"hidden_size": 16, "embedding_size": 12, "min_count": 1, "timings": False}
    pretraining: dict[str, Any] = {"epochs": 2, "batch_tokens": 256}
    unlabelled = cycle_texts(50)
    validation: dict[str, Any] = {"validation": LABELLED[:10], "validation_labels": LABELS[:10]}
    classifier = textrnn.train(
        LABELLED, LABELS, unlabelled=unlabelled, pretraining=pretraining, epochs=2, virtual_adversarial=1.0,
        effort="plain", checkpoint=tmp_path / "c", **validation, **common,
    )  # fmt: skip
    assert {"epsilon", "word3"} <= set(classifier.header.vocabulary)
    base = pretrain([*unlabelled, *LABELLED], **pretraining, **common)
    kept = read_base(tmp_path / "c.base")
    for name, value in base.weights.items():
        np.testing.assert_array_equal(kept[1][name], value)
    steps = textrnn.train(
        LABELLED, LABELS, base=base, unlabelled=unlabelled, epochs=2, virtual_adversarial=1.0, timings=False,
        effort="plain", **validation,
    )  # fmt: skip
    for name, value in steps.weights.items():
        np.testing.assert_array_equal(classifier.weights[name], value, err_msg=name)
    without = textrnn.train(LABELLED, LABELS, base=base, epochs=2, timings=False, effort="plain", **validation)
    assert any((without.weights[name] != value).any() for name, value in steps.weights.items())


def test_resumed_in_one_go(tmp_path: Path) -> None:
    """Stopped after an epoch of the classifier, it takes the base from beside its checkpoint."""
    arguments: dict[str, Any] = {
        "unlabelled": cycle_texts(30),
        "pretraining": {"epochs": 1, "batch_tokens": 256},
        "hidden_size": 8,
        "embedding_size": 6,
        "adversarial": 1.0,
        "virtual_adversarial": 1.0,
    } | TRAINING
    whole = textrnn.train(LABELLED, LABELS, **arguments)

    def stop(event: Any) -> None:
        if type(event).__name__ == "EpochRecord":
            raise Stop

    with pytest.raises(Stop):
        textrnn.train(LABELLED, LABELS, checkpoint=tmp_path / "c", on_event=stop, **arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textrnn.training.start.pretrain_on", None)
        resumed = textrnn.train(LABELLED, LABELS, checkpoint=tmp_path / "c", resume=True, **arguments)
    for name, value in whole.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], value, err_msg=name)


def test_an_effort_makes_more_passes_over_less_text_and_a_user_as_many_as_asked_for() -> None:
    assert [pretraining_epochs("default", tokens) for tokens in (0, 10, 3_000_000, 15_000_000, 10**9)] == [
        8,
        8,
        6,
        1,
        1,
    ]
    assert pretraining_epochs("quick", 2 * 10**6) == 2 and pretraining_epochs("best", 2 * 10**7) == 4
    arguments: dict[str, Any] = {
        "unlabelled": cycle_texts(30), "hidden_size": 8, "embedding_size": 6, "timings": False, "epochs": 1,
        "members": 1, "effort": "default",
    }  # fmt: skip
    found = []
    for pretraining in ({"batch_tokens": 256}, {"batch_tokens": 256, "epochs": 2}):
        rounds: list[Any] = []
        textrnn.train(LABELLED, LABELS, on_pretraining=rounds.append, pretraining=pretraining, **arguments)
        found.append(max(event.epochs for event in rounds if isinstance(event, PretrainingRecord)))
    assert found == [8, 2]
