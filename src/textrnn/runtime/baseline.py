"""A classifier beside a tuned linear model that learned from the same texts. Never imports torch."""

import logging

import msgspec

from textrnn.config import TextConfig, TrainingConfig
from textrnn.data import LabelledTexts, split_stratified
from textrnn.errors import DataError
from textrnn.evaluation import Evaluation
from textrnn.evaluation.baseline import LinearModel, figures, fit_linear_model
from textrnn.evaluation.baseline_lines import linear_is_better, verdict
from textrnn.history import BaselineRecord
from textrnn.runtime.classifier import Classifier
from textrnn.text import TOKENIZERS

logger = logging.getLogger("textrnn")


def linear_model(
    training: LabelledTexts, validation: LabelledTexts, text: TextConfig, *, with_validation: bool = False
) -> LinearModel:
    """Learned from the training texts, tuned on the validation texts, cut into tokens by the classifier's rule.

    Raises:
        DataError: no text has a token.
        MissingDependencyError: scikit-learn is not installed.
    """
    return fit_linear_model(
        training.texts,
        training.targets,
        validation.texts,
        validation.targets,
        classes=len(training.labels),
        tokenize=TOKENIZERS[text.tokenizer],
        characters=text.tokenizer == "characters",
        with_validation=with_validation,
    )


def compare(classifier: Classifier, linear: LinearModel, dataset: LabelledTexts) -> BaselineRecord:
    """Both on the same texts, whose classes are in the order of the classifier's labels."""
    provenance = classifier.header.provenance
    probabilities = classifier.predict_proba(dataset.texts)
    return BaselineRecord(
        network=figures(dataset.targets, probabilities, classifier.task.decided(probabilities)),
        linear=figures(dataset.targets, linear.predict_proba(dataset.texts)),
        texts=len(dataset),
        learned_from=linear.learned_from,
        features=linear.features,
        c=linear.c,
        converged=linear.converged,
        seconds=linear.seconds if provenance is None or provenance.training.timings else None,
    )


def with_baseline(classifier: Classifier, training: LabelledTexts, validation: LabelledTexts) -> Classifier:
    """The freshly trained classifier with the comparison in its provenance.

    Nothing that goes wrong here, Ctrl-C included, costs the network that was trained before: then there is a note and
    no comparison.
    """
    provenance = classifier.header.provenance
    if provenance is None or provenance.interrupted:
        return classifier
    try:
        record = compare(classifier, linear_model(training, validation, classifier.header.text), validation)
    except (DataError, MemoryError) as error:
        logger.warning("no linear model beside the network: %s", error or "out of memory")
        return classifier
    except KeyboardInterrupt:
        logger.warning("no linear model beside the network: interrupted")
        return classifier
    if linear_is_better(record):
        logger.warning("on the validation texts %s", verdict(record))
    provenance = msgspec.structs.replace(provenance, baseline=record)
    return Classifier(msgspec.structs.replace(classifier.header, provenance=provenance), classifier.weights)


def evaluation_with_baseline(
    evaluation: Evaluation, classifier: Classifier, dataset: LabelledTexts, learned: LabelledTexts
) -> Evaluation:
    """The evaluation on `dataset` with the comparison on the same texts.

    learned: the file that the classifier was trained on, with its labels. A part is split off as the classifier's
        training did, and C chosen on it. Where the classifier learned from that whole file, since it was given
        validation texts, the linear model learns from all of it too, once C is chosen.

    Raises:
        DataError: `learned` is too small to split, or no text has a token.
        MissingDependencyError: scikit-learn is not installed.
    """
    provenance = classifier.header.provenance
    config = provenance.training if provenance else TrainingConfig()
    fraction = config.validation_fraction or TrainingConfig().validation_fraction
    training, validation = split_stratified(learned, fraction, config.seed)
    known = provenance.data.fingerprint if provenance else None
    with_validation = known != training.fingerprint()
    if known and with_validation and known != learned.fingerprint():
        logger.warning("the linear model learns from other texts than the model did: the comparison is not quite fair")
    linear = linear_model(training, validation, classifier.header.text, with_validation=with_validation)
    return msgspec.structs.replace(evaluation, baseline=compare(classifier, linear, dataset))
