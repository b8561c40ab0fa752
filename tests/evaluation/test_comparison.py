"""McNemar's test and the paired interval against published examples, SciPy and R's printed results."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
import scipy.stats
from rich.cells import cell_len

from textrnn.evaluation import Comparison, compare_probabilities, comparison_json, comparison_text
from textrnn.evaluation.comparison import mcnemar, paired_difference


@pytest.mark.parametrize(
    ("only_first", "only_second", "statistic", "p_value"),
    [
        # printed by R's mcnemar.test, which has the continuity correction, too
        (20, 49, 11.362, 0.0007495),
        (97, 50, 14.395, 0.0001482),
        (46, 9, 23.564, 1.208499116e-06),
        # A. Agresti, Categorical data analysis, table 10.1: approval of a prime minister; (|150 - 86| - 1)^2 / 236
        (150, 86, 3969 / 236, scipy.stats.chi2.sf(3969 / 236, 1)),
        (13, 13, 0.0, 1.0),
        (13, 12, 0.0, 1.0),
    ],
)
def test_chi_squared_form(only_first: int, only_second: int, statistic: float, p_value: float) -> None:
    for one, other in ((only_first, only_second), (only_second, only_first)):
        test, found, p = mcnemar(one, other)
        assert test == "chi-squared"
        assert found == pytest.approx(statistic, abs=5e-4)
        assert p == pytest.approx(p_value, rel=2e-3)


@pytest.mark.parametrize("only_first", range(25))
def test_exact_form_is_a_binomial_test(only_first: int) -> None:
    only_second = 24 - only_first
    test, statistic, p = mcnemar(only_first, only_second)
    assert (test, statistic) == ("exact", None)
    weights = scipy.stats.binom.pmf(np.arange(25), 24, 0.5)
    tail = weights[: min(only_first, only_second) + 1].sum()
    assert p == pytest.approx(min(1.0, 2 * tail), abs=1e-12)


def test_exact_form_by_hand() -> None:
    assert mcnemar(0, 0) == ("exact", None, 1.0)
    assert mcnemar(0, 5)[2] == pytest.approx(2 / 32)
    assert mcnemar(1, 5)[2] == pytest.approx(2 * 7 / 64)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # (both, only the first, only the second, neither); the published difference is the first less the second
        # M. W. Fagerland, S. Lydersen, P. Laake (2014): airway hyper-responsiveness
        ((1, 1, 7, 12), -0.507, -0.026),
        # D. G. Altman et al., Statistics with confidence (2000), table 6.2
        ((14, 5, 0, 22), 0.011, 0.226),
        # R. G. Newcombe (1998), table II, method 10
        ((36, 12, 2, 0), 0.0569, 0.3404),
    ],
)
def test_paired_interval_is_the_published_one(table: tuple[int, int, int, int], low: float, high: float) -> None:
    both, first, second, neither = table
    found = paired_difference(both, first, second, neither, confidence=0.95)
    assert found.value == (second - first) / sum(table)
    digits = 5e-5 if low == 0.0569 else 5e-4
    assert (-found.high, -found.low) == pytest.approx((low, high), abs=digits)
    mirrored = paired_difference(both, second, first, neither, confidence=0.95)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


def test_paired_interval_is_the_bootstraps_on_many_examples() -> None:
    differences = np.repeat([0, -1, 1, 0], [3000, 150, 220, 630]).astype(float)
    interval = scipy.stats.bootstrap(
        (differences,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    found = paired_difference(3000, 150, 220, 630, confidence=0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=8e-4)


def test_paired_interval_of_equals_has_a_width() -> None:
    found = paired_difference(9, 0, 0, 0, confidence=0.95)
    assert found.low < found.value == 0 < found.high
    found = paired_difference(0, 0, 7, 0, confidence=0.95)
    assert found.value == 1 >= found.high > found.low > 0


@pytest.mark.parametrize("classes", [2, 4])
def test_whole_comparison_by_loops(drawn: Callable[..., Any], classes: int) -> None:
    targets, first = drawn(classes, 300)
    _, second = drawn(classes, 300, seed=1)
    texts, labels = [f"text {i}" for i in range(300)], [f"class {i}" for i in range(classes)]
    found = compare_probabilities(targets, first, second, labels, texts=texts, disagreements=7)
    pairs = [
        (bool(a.argmax() == target), bool(b.argmax() == target))
        for a, b, target in zip(first, second, targets, strict=True)
    ]
    table = (found.both_right, found.only_first, found.only_second, found.both_wrong)
    every = [(True, True), (True, False), (False, True), (False, False)]
    assert table == tuple(pairs.count(pair) for pair in every)
    assert [accuracy.value for accuracy in found.accuracy] == [np.mean([pair[i] for pair in pairs]) for i in (0, 1)]
    assert (found.test, found.statistic, found.p_value) == mcnemar(found.only_first, found.only_second)
    gaps = {
        i: abs(float(second[i, target]) - float(first[i, target]))
        for i, target in enumerate(targets)
        if first[i].argmax() != second[i].argmax()
    }
    expected = sorted(gaps, key=lambda i: -gaps[i])[:7]
    assert [row.text for row in found.disagreements] == [f"text {i}" for i in expected]
    for row, i in zip(found.disagreements, expected, strict=True):
        assert row.label == labels[targets[i]]
        assert row.predicted == [labels[first[i].argmax()], labels[second[i].argmax()]]
        assert row.probabilities == [first[i, targets[i]], second[i, targets[i]]]
    assert msgspec.json.decode(comparison_json(found), type=Comparison) == found
    assert max(map(cell_len, comparison_text(found).splitlines())) <= 100


def predictions(pattern: str) -> tuple[Any, Any, Any]:
    """Targets and two classifiers' probabilities from letters: b both right, f the first only, s the second, n none."""
    targets = np.zeros(len(pattern), dtype=int)
    rows = {True: [0.75, 0.25], False: [0.25, 0.75]}
    first, second = (np.array([rows[letter in of] for letter in pattern]) for of in ("bf", "bs"))
    return targets, first, second


def test_whole_text() -> None:
    found = compare_probabilities(
        *predictions("b" * 80 + "s" * 9 + "f" + "n" * 10),
        ["yes", "no"],
        names=("old.textrnn", "new.textrnn"),
        texts=["so\nit is"] * 100,
        places=["a.csv, line 2"] * 100,
        disagreements=1,
    )
    assert comparison_text(found) == (
        "100 examples\n"
        "\n"
        "    accuracy   95 % interval      model\n"
        "A   0.8100     0.7222 to 0.8749   old.textrnn\n"
        "B   0.8900     0.8137 to 0.9375   new.textrnn\n"
        "\n"
        "          B right   B wrong\n"
        "A right        80         1\n"
        "A wrong         9        10\n"
        "\n"
        "B is right on 8 texts more than A (+8.00 points; 95 % interval "
        f"{100 * found.difference.low:+.2f} to {100 * found.difference.high:+.2f}).\n"
        "Were both equally good, chance alone would part them so far in 2.1 of 100 such test sets (McNemar's\n"
        "test, exact, p = 0.0215).\n"
        "So the difference is probably real: B is the better model on such texts.\n"
        "\n"
        "where they differ most (true label; prediction of A and of B, probability of the true label)\n"
        "\n"
        "yes; A: no 0.2500, B: yes 0.7500   a.csv, line 2\n"
        "    so it is\n"
    )


@pytest.mark.parametrize(
    ("pattern", "sentences"),
    [
        ("bbbn", ["exactly as many texts", "nothing tells them apart"]),
        ("bfs", ["exactly as many texts", "no evidence"]),
        ("b" * 50 + "fff" + "ss", ["1 text fewer", "p = 1.0000", "no evidence"]),
        (
            "b" * 50 + "f" * 60,
            ["60 texts fewer", "fewer than 1 of 1,000", "p < 0.0001", "chi-squared 58.02", "A is the"],
        ),
    ],
)
def test_verdicts(pattern: str, sentences: list[str]) -> None:
    text = comparison_text(compare_probabilities(*predictions(pattern), ["yes", "no"], disagreements=0))
    for sentence in sentences:
        assert sentence in " ".join(text.split())
    assert "differ most" not in text


def test_what_does_not_fit_is_refused() -> None:
    targets, first, second = predictions("bfs")
    with pytest.raises(ValueError, match="expected 2 classes in both, got 2 and 3"):
        compare_probabilities(targets, first, np.full((3, 3), 1 / 3), ["a", "b"])
    with pytest.raises(ValueError, match="targets: expected 2"):
        compare_probabilities(targets, first, second[:2], ["a", "b"])
    with pytest.raises(ValueError, match="confidence"):
        compare_probabilities(targets, first, second, ["a", "b"], confidence=1.0)
