"""From the best network of a search to the whole model: several such networks, n-grams, scales."""

import time
from dataclasses import replace
from typing import Any

from textrnn.config import Recipe
from textrnn.training import Event
from textrnn.training.recipe import train_on
from textrnn.tuning.results import Tuning
from textrnn.tuning.trials import Halt, Search

ALONE: dict[str, Any] = {"members": 1, "ngrams": 0, "character_ngrams": 0, "calibrate": False}
"""Settings of a trial, whatever the effort says: the parts gain by the same, so one network tells which is best."""
SEARCHING = 0.5
"""Share of the budget in which is searched, where the whole model has to be trained then."""


def with_all_parts(tuning: Tuning, search: Search, given: dict[str, Any], *, deadline: float) -> Tuning:
    """The result with the whole model in place of the best network, if it is the better one on the validation texts.

    Args:
        tuning: what the search has found.
        given: the settings of the whole model that were not searched.
        deadline: by `time.monotonic`; there are fewer networks, or none, when it comes too soon.
    """

    def watch(event: Event) -> None:
        if time.monotonic() >= deadline:
            raise Halt

    recipe = Recipe.from_settings(**given | tuning.best.settings)
    try:
        classifier = train_on(
            search.dataset,
            search.held_out,
            recipe,
            vectors=search.vectors,
            on_event=watch,
            refit=search.refit,
        )
    except KeyboardInterrupt:  # before the first epoch was over
        return tuning
    provenance = classifier.header.provenance
    value = provenance.metrics[search.metric] if provenance else float("nan")
    best = tuning.best.value
    if best is None or not search.sign * value < search.sign * best:
        return tuning
    return replace(tuning, classifier=classifier, whole=value)
