"""Where a classifier starts: from a base that is there, or from one that is pre-trained first."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import torch

from textrnn.config import Recipe
from textrnn.errors import ConfigError
from textrnn.model import TextClassifier
from textrnn.modelfile import read_base
from textrnn.pretraining_config import PretrainingConfig, PretrainingRecipe
from textrnn.training.effort import lengths_of, pretraining_epochs
from textrnn.training.pretraining.progress import bar_or_nothing
from textrnn.training.pretraining.recipe import Base, pretrain_on, read_texts, texts_fingerprint
from textrnn.training.pretraining.run import PretrainingEvent

FROM_BASE = ("tokenizer", "cell", "bidirectional", "embedding_size", "hidden_size")
"""Settings of a classifier that are those of its base."""

VOCABULARY = ("max_size", "min_count")
"""Settings that have done their work when a base is there."""


@dataclass(frozen=True)
class Start:
    """What a training is to start from."""

    recipe: Recipe
    """Of the classifier; with the base's settings if that is there already."""
    texts: list[str]
    """Without labels; for pre-training and for virtual adversarial training."""
    base: Base | None = None
    pretraining: PretrainingRecipe = field(default_factory=PretrainingRecipe)
    """Of the base that is to be made, if none is there."""
    budget_seconds: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the classifier by their flat names: those that were given, and the base's own."""

    @classmethod
    def asked_for(
        cls,
        base: Any,
        unlabelled: Any,
        settings: Mapping[str, Any],
        *,
        pretraining: Mapping[str, Any] | None,
        budget_seconds: float | None,
        encoding: str = "utf-8",
    ) -> "Start | None":
        """What the arguments of `textrnn.train` ask for; None where they ask for nothing of the kind.

        Raises:
            ConfigError: they contradict each other.
            ModelFileError: the base's file cannot be used.
            DataError: the texts cannot be read.
        """
        if (pretraining or budget_seconds is not None) and (base is not None or unlabelled is None):
            name = next(iter(pretraining)) if pretraining else "budget"
            raise ConfigError(
                f"{name}: a setting of the pre-training, expected texts to pre-train on (`unlabelled`) and no base"
            )
        if base is None and unlabelled is None:
            return None
        found = base if base is None or isinstance(base, Base) else Base(*read_base(base))
        name = str(base) if isinstance(base, str | Path) else "the base"
        if found is not None:
            chosen = _agreeing(settings, found, name)
            recipe = Recipe.from_settings(**chosen)
            return cls(with_base(recipe, found), _texts(unlabelled, encoding), found, settings=chosen)
        made = _pretraining_recipe(settings, pretraining or {})
        chosen = dict(settings) | {setting: made.settings()[setting] for setting in FROM_BASE}
        return cls(
            Recipe.from_settings(**chosen),
            _texts(unlabelled, encoding),
            pretraining=made,
            budget_seconds=budget_seconds,
            settings=chosen,
        )

    def with_passes(self, effort: str, labelled_tokens: int) -> "Start":
        """The same with as many passes of a pre-training that is to come as the effort has for so much text."""
        unlabelled = int(lengths_of(self.texts, self.pretraining.text.tokenizer).sum())
        epochs = pretraining_epochs(effort, unlabelled + labelled_tokens)
        config = msgspec.structs.replace(self.pretraining.pretraining, epochs=epochs)
        return replace(self, pretraining=msgspec.structs.replace(self.pretraining, pretraining=config))

    def with_base(
        self,
        training: list[str],
        *,
        checkpoint: str | Path | None,
        resume: bool,
        on_event: Callable[[PretrainingEvent], None] | None,
    ) -> "Start":
        """The same with the base that is there, or a new one, pre-trained on the unlabelled and the training texts.

        With a checkpoint the new base is kept beside it, and taken from there when the training is resumed.
        """
        if self.base is not None:
            return replace(self, recipe=with_base(self.recipe, self.base))
        if on_event is None:
            with bar_or_nothing() as show:
                return self.with_base(training, checkpoint=checkpoint, resume=resume, on_event=show)
        base = self._made(training, checkpoint, resume, on_event)
        return replace(self, base=base, recipe=with_base(self.recipe, base))

    def _made(
        self,
        training: list[str],
        checkpoint: str | Path | None,
        resume: bool,
        on_event: Callable[[PretrainingEvent], None],
    ) -> Base:
        texts = [*self.texts, *training]
        kept = Path(f"{checkpoint}.base") if checkpoint else None
        if kept and resume and kept.exists():
            base = Base(*read_base(kept))
            if _made_by(base, self.pretraining, texts):
                return base
        base = pretrain_on(
            texts,
            self.pretraining,
            budget_seconds=self.budget_seconds,
            checkpoint=f"{checkpoint}.pretraining" if checkpoint else None,
            resume=resume,
            on_event=on_event,
        )
        if base.header.provenance and base.header.provenance.interrupted:
            raise KeyboardInterrupt  # the checkpoint goes on from here
        if kept:
            base.save(kept)
            Path(f"{checkpoint}.pretraining").unlink(missing_ok=True)
        return base

    def fingerprint(self) -> str:
        """Of the texts, and of the base's vocabulary and weights."""
        of_base = hashlib.sha256()
        if self.base:
            of_base.update(msgspec.json.encode(self.base.header.vocabulary))
            for name, weight in sorted(self.base.weights.items()):
                of_base.update(name.encode() + weight.tobytes())
        return f"base sha256:{of_base.hexdigest()} unlabelled {texts_fingerprint(self.texts)}"


def with_base(recipe: Recipe, base: Base) -> Recipe:
    """The recipe with everything that the base decides."""
    model = msgspec.structs.replace(recipe.model, **msgspec.structs.asdict(base.header.model))
    text = msgspec.structs.replace(recipe.text, tokenizer=base.header.text.tokenizer)
    provenance = base.header.provenance
    vocabulary = provenance.vocabulary if provenance else recipe.vocabulary
    return msgspec.structs.replace(recipe, model=model, text=text, vocabulary=vocabulary)


def start_from(model: TextClassifier, base: Base) -> frozenset[str]:
    """Put the base's weights into a classifier of the same sizes; the names of these parameters."""
    parameters = dict(model.named_parameters())
    shared = frozenset(parameters.keys() & base.weights.keys())
    with torch.no_grad():
        for name in shared:
            parameters[name].copy_(torch.from_numpy(base.weights[name].copy()))
    return shared


def _agreeing(settings: Mapping[str, Any], base: Base, name: str) -> dict[str, Any]:
    """The settings with the base's own; refuses others."""
    own = msgspec.structs.asdict(base.header.model) | {"tokenizer": base.header.text.tokenizer}
    for setting, value in own.items():
        if setting in settings and settings[setting] != value:
            raise ConfigError(f"{setting}: expected {value!r}, as {name} has it, or nothing, got {settings[setting]!r}")
    for setting in VOCABULARY:
        if setting in settings:
            raise ConfigError(f"{setting}: expected nothing, since the vocabulary is that of {name}")
    return dict(settings) | own


def _pretraining_recipe(settings: Mapping[str, Any], pretraining: Mapping[str, Any]) -> PretrainingRecipe:
    """What is common to both comes from the classifier's settings."""
    unknown = [name for name in pretraining if name not in PretrainingConfig.__struct_fields__]
    if unknown:
        raise TypeError(
            f"unknown setting {unknown[0]!r} of the pre-training; there are "
            f"{', '.join(PretrainingConfig.__struct_fields__)}"
        )
    common = (*FROM_BASE, *VOCABULARY, "seed", "threads", "backend", "timings")
    return PretrainingRecipe.from_settings(
        **{name: settings[name] for name in common if name in settings} | dict(pretraining)
    )


def _texts(unlabelled: Any, encoding: str) -> list[str]:
    if unlabelled is None:
        return []
    if isinstance(unlabelled, list | tuple) and unlabelled and all(isinstance(some, Path) for some in unlabelled):
        return read_texts(unlabelled, encoding=encoding)
    return read_texts([unlabelled], encoding=encoding)


def _made_by(base: Base, recipe: PretrainingRecipe, texts: list[str]) -> bool:
    provenance = base.header.provenance
    return (
        provenance is not None
        and provenance.data.fingerprint == texts_fingerprint(texts)
        and provenance.pretraining == recipe.pretraining
        and base.header.model == recipe.model
        and base.header.text == recipe.text
        and provenance.vocabulary == recipe.vocabulary
    )
