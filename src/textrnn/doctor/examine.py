"""All checks of one model on one data set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from textrnn.data import LabelledTexts, split_stratified
from textrnn.doctor import certainty, leaks, units, words
from textrnn.doctor.activity import Activity, Place, activity
from textrnn.doctor.finding import Finding, sorted_by_severity
from textrnn.errors import DataError, TextRNNError
from textrnn.inspection import Networks
from textrnn.runtime import Classifier


@dataclass(frozen=True)
class Case:
    """What the checks look at; what several of them need is computed once."""

    classifier: Classifier
    dataset: LabelledTexts
    training: LabelledTexts | None = None
    """What the model was trained on, if it is given."""

    @cached_property
    def networks(self) -> Networks:
        """The readable ones."""
        return Networks(self.classifier)

    @cached_property
    def activity(self) -> dict[Place, Activity]:
        """Of every cell."""
        return activity(self.networks, self.dataset.texts)

    @cached_property
    def tokens(self) -> list[list[str]]:
        """Of every text, whole."""
        return words.tokens_of(self.classifier, self.dataset.texts)

    @cached_property
    def held_out(self) -> tuple[LabelledTexts, str]:
        """The texts that certainty is judged on, and what they are: the part of its own data that was held out."""
        provenance = self.classifier.header.provenance
        if provenance is None:
            return self.dataset, "these texts"
        if self.dataset.fingerprint() == provenance.data.fingerprint:
            return self.dataset, "its own training texts"
        if len(self.dataset) == provenance.data.examples + provenance.data.validation_examples:
            try:
                parts = split_stratified(
                    self.dataset, provenance.training.validation_fraction, provenance.training.seed
                )
            except DataError:
                return self.dataset, "these texts"
            if parts[0].fingerprint() == provenance.data.fingerprint:
                if any(part.learned_from is not None for part in provenance.parts):  # its n-grams know all of them
                    return self.dataset, "its own training texts"
                return parts[1], "the validation texts among these"
        return self.dataset, "these texts"


def _overlap(case: Case) -> Iterator[Finding]:
    if case.training is not None:
        yield from leaks.shared_texts(case.training, case.dataset)
        return
    which = case.held_out[1]
    if which == "these texts":
        known = case.classifier.header.provenance is not None
        told = "They are not the model's training data as a whole" if known else "The model does not tell its data"
        message = f"{told}; single texts are looked for only where the training data are given, too (--train)."
    else:
        message = "These are the data that the model was trained on"
        if not case.classifier.task.one_label:
            message += "."
        elif which.startswith("the validation"):
            message += "; its certainty is judged on the part that was held out."
        else:
            message += ": what is said of its answers flatters it."
    yield Finding(check="overlap", severity="note", message=message, numbers={"judged_on": which})


CHECKS: dict[str, Callable[[Case], Iterator[Finding]]] = {
    "vocabulary": lambda case: words.coverage(case.classifier, case.tokens),
    "lengths": lambda case: words.lengths(case.classifier, case.tokens),
    "balance": lambda case: certainty.balance(case.dataset),
    "contradictions": lambda case: leaks.contradictions(case.dataset),
    "label leaks": lambda case: leaks.telling_ngrams(case.dataset, case.tokens),
    "label names": lambda case: leaks.names_of_labels(case.dataset, case.tokens, case.classifier.header.text.tokenizer),
    "overlap": _overlap,
    "certainty": lambda case: certainty.certainty(case.classifier, case.held_out[0], which=case.held_out[1]),
    "dead units": lambda case: units.dead_units(case.activity),
    "saturated gates": lambda case: units.saturated_gates(case.activity),
    "spectral radius": lambda case: units.spectral_radius(case.networks),
}
"""By name. A check that finds nothing wrong says so, or nothing where it has no meaning."""


def examine(classifier: Classifier, dataset: LabelledTexts, training: LabelledTexts | None = None) -> list[Finding]:
    """Everything that there is to say, the worst first.

    Args:
        classifier: the model.
        dataset: labelled texts, with the model's labels (`textrnn.data.collect`).
        training: what it was trained on, to look for texts that are in both.
    """
    case = Case(classifier, dataset, training)
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            findings += check(case)
        except (ArithmeticError, LookupError, RuntimeError, TextRNNError, ValueError) as error:
            # One strange model must not hide what all the other checks have to say.
            findings.append(Finding(check=name, severity="note", message=f"This could not be looked at: {error}"))
    return sorted_by_severity(findings)
