"""What more texts would bring: the accuracy after training on growing parts of them."""

from collections.abc import Callable, Sequence
from typing import Any

from textrnn.config import Recipe
from textrnn.data import as_examples, collect, split_stratified
from textrnn.errors import ConfigError
from textrnn.evaluation import CurvePoint, DataSizeCurve
from textrnn.studies.training import check_one_label, train_on_part

FRACTIONS = (0.1, 0.25, 0.5, 1.0)
TEST_FRACTION = 0.2


def learning_curve(
    data: Any,
    labels: Any = None,
    *,
    test: Any = None,
    test_labels: Any = None,
    fractions: Sequence[float] = FRACTIONS,
    effort: str = "default",
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    on_point: Callable[[CurvePoint], None] = lambda point: None,
    **settings: Any,
) -> DataSizeCurve:
    """The accuracy on the same test texts after training on growing parts of the data.

    Each part has every class in its share, and holds all smaller parts.

    Args:
        data: a file, folder, frame or list with texts, as `textrnn.train` takes it.
        labels: the labels where `data` is a list of texts only.
        test, test_labels: as `data` and `labels`; without them a fifth of the data is held out.
        fractions: which parts, each above 0 and at most 1.
        effort: of each training, as in `textrnn.train`.
        text, label: names of the columns where they cannot be told from the header.
        format, encoding, header: how to read a file where its name and content do not tell.
        on_point: told of every classifier when it is trained and judged.
        settings: of the trainings, any setting of `textrnn.config.Recipe` by its name.

    Raises:
        DataError: the data cannot be read, or a part is too small.
        ConfigError: a fraction or a setting's value cannot be used.
        MissingDependencyError: PyTorch is not installed.
    """
    check_one_label(settings, "a learning curve")
    seed = Recipe.from_settings(**settings).training.seed
    parts = sorted(set(fractions))
    if not parts or not all(0 < part <= 1 for part in parts):
        raise ConfigError(f"fractions: expected numbers above 0 and at most 1, got {list(fractions)}")

    def read(source: Any, its_labels: Any) -> Any:
        return as_examples(source, its_labels, text=text, label=label, format=format, encoding=encoding, header=header)

    dataset = collect(read(data, labels))
    if test is None:
        dataset, held_out = split_stratified(dataset, TEST_FRACTION, seed)
    else:
        held_out = collect(read(test, test_labels), labels=dataset.labels)
    points: list[CurvePoint] = []
    confidence = 0.95
    for part in parts:
        training = dataset if part == 1 else split_stratified(dataset, 1 - part, seed)[0]
        classifier, seconds = train_on_part(training, settings, effort)
        evaluation = classifier.evaluate_on(held_out, mistakes=0)
        confidence = evaluation.confidence
        points.append(
            CurvePoint(
                fraction=part,
                examples=len(training),
                accuracy=evaluation.accuracy,
                macro_f1=evaluation.macro_f1,
                seconds=seconds,
            )
        )
        on_point(points[-1])
    return DataSizeCurve(test_examples=len(held_out), confidence=confidence, points=points)
