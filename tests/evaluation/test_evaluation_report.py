import re
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from rich.cells import cell_len

from textrnn.evaluation import Evaluation, evaluate, to_json, to_text
from textrnn.evaluation.lines import one_line, padded
from textrnn.evaluation.mistakes import most_frequent_confusions

HOSTILE = ["a\x1b[31m\nb", "ภาษาไทย", "中文标签" * 20, "<script>", "$x_1$", "very long " * 30, "\u202eright"]
SMALL = evaluate(
    np.array([0, 0, 0, 1, 1]),
    np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.95, 0.05]]),
    ["neg", "positive"],
    lengths=np.array([1, 1, 4, 4, 1000]),
    texts=["fine", "good", "not\nbad\tat\x07all", "great", "so " * 60],
    places=[
        "a.csv, line 2",
        "a.csv, line 3",
        "/far" * 40 + "/a.csv, line 4",
        "a.csv, line 5",
        "a.csv, line 6",
    ],
)


def test_whole_text() -> None:
    assert to_text(SMALL) == (
        "5 examples, 2 classes\n"
        "\n"
        "accuracy        0.6000   95 % interval 0.2307 to 0.8824\n"
        "  by majority   0.6000   always guessing the most frequent class\n"
        f"macro F1        0.5833   95 % interval {SMALL.macro_f1.low:.4f} to {SMALL.macro_f1.high:.4f}\n"
        "micro F1        0.6000\n"
        "weighted F1     0.6000\n"
        f"log loss        {SMALL.log_loss:.4f}   nats\n"
        "ROC AUC         0.3333\n"
        "calibration     0.4700   expected distance of accuracy from probability\n"
        "\n"
        "class      precision   recall       F1   support   predicted\n"
        "neg           0.6667   0.6667   0.6667         3           3\n"
        "positive      0.5000   0.5000   0.5000         2           2\n"
        "\n"
        "confusion matrix (rows: true class, columns: predicted class)\n"
        "\n"
        "          neg  positive\n"
        "neg         2         1\n"
        "positive    1         1\n"
        "\n"
        "calibration (error 0.4700, by bins of equal size 0.4700; Brier score 0.3205)\n"
        "\n"
        "probability    examples   its mean   accuracy      95 % interval\n"
        "0.53 to 0.60          1     0.6000     1.0000   0.2065 to 1.0000\n"
        "0.67 to 0.73          1     0.7000     0.0000   0.0000 to 0.7935\n"
        "0.73 to 0.80          1     0.8000     1.0000   0.2065 to 1.0000\n"
        "0.87 to 0.93          1     0.9000     1.0000   0.2065 to 1.0000\n"
        "0.93 to 1.00          1     0.9500     0.0000   0.0000 to 0.7935\n"
        "\n"
        "accuracy by length of the text\n"
        "\n"
        "tokens   examples   accuracy      95 % interval\n"
        "1               2     1.0000   0.3424 to 1.0000\n"
        "4               2     0.5000   0.0945 to 0.9055\n"
        "1,000           1     0.0000   0.0000 to 0.7935\n"
        "\n"
        "handing the least certain texts to a human (area under the risk-coverage curve 0.5467)\n"
        "\n"
        "coverage    below   handed over   errors there   errors left       accuracy of the rest\n"
        "100.0 %    0.6000             0              0             2   0.6000, 0.2307 to 0.8824\n"
        "100.0 %    0.6000             0              0             2   0.6000, 0.2307 to 0.8824\n"
        "80.0 %     0.7000             1              0             2   0.5000, 0.1500 to 0.8500\n"
        "\n"
        "most confident mistakes (true -> predicted, probability of the predicted class)\n"
        "\n"
        "positive -> neg   0.9500   a.csv, line 6\n"
        f"    {('so ' * 60)[:95]}…\n"
        "\n"
        "neg -> positive   0.7000   …" + ("/far" * 40 + "/a.csv, line 4")[-72:] + "\n"
        "    not bad at all\n"
    )


@pytest.mark.parametrize("classes", [2, 7, 13, 20, 21, 60, 150])
@pytest.mark.parametrize("examples", [30, 20_000])
def test_no_line_is_wider_than_a_hundred_columns(
    evaluation_of: Callable[..., Evaluation], classes: int, examples: int
) -> None:
    labels = [f"{HOSTILE[i % len(HOSTILE)]} {i}" for i in range(classes)]
    texts, places = [f"中文 \x1b[2J text {i} " * 40 for i in range(examples)], ["x" * 300] * examples
    text = to_text(evaluation_of(classes, examples, labels, texts=texts, places=places))
    assert max(map(cell_len, text.splitlines())) <= 100
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "most confident mistakes" in text
    if classes > 20:
        assert "confusion matrix" not in text
    if classes <= 7:
        assert "confusion matrix" in text


def test_columns_are_aligned_in_any_script(evaluation_of: Callable[..., Evaluation]) -> None:
    text = to_text(evaluation_of(3, labels=["ไม่ดี", "中文", "plain"]))
    table = text[text.index("class ") : text.index("\n\nconfusion")].splitlines()
    assert len({cell_len(line) for line in table}) == 1


def test_matrix_of_twenty_classes_is_headed_by_numbers(evaluation_of: Callable[..., Evaluation]) -> None:
    evaluation = evaluation_of(20, 2000, [f"some.longer.label.{i}" for i in range(20)])
    lines = to_text(evaluation).splitlines()
    start = lines.index("confusion matrix (rows: true class, columns: predicted class)") + 2
    assert lines[start].split() == [str(i) for i in range(1, 21)]
    assert [line.split()[0] for line in lines[start + 1 : start + 21]] == [str(i) for i in range(1, 21)]
    counts = [list(map(int, line.split()[2:])) for line in lines[start + 1 : start + 21]]
    assert counts == evaluation.confusion


def test_matrix_of_large_counts_is_too_wide(evaluation_of: Callable[..., Evaluation]) -> None:
    evaluation = msgspec.structs.replace(evaluation_of(20), confusion=[[10_000] * 20] * 20)
    text = to_text(evaluation)
    assert "confusion matrix" not in text
    assert "class 0 -> class 1  10,000\n" in text


def test_many_classes_show_their_most_frequent_confusions(evaluation_of: Callable[..., Evaluation]) -> None:
    evaluation = evaluation_of(25, 5000)
    cells = [
        (-count, i, j) for i, row in enumerate(evaluation.confusion) for j, count in enumerate(row) if i != j and count
    ]
    expected = [(f"class {i}", f"class {j}", -count) for count, i, j in sorted(cells)[:10]]
    assert most_frequent_confusions(evaluation, count=10) == expected
    lines = to_text(evaluation).splitlines()
    start = lines.index("most frequent confusions (true -> predicted)") + 2
    assert [" ".join(line.split()) for line in lines[start : start + 10]] == [
        f"{true} -> {predicted} {count}" for true, predicted, count in expected
    ]


def test_perfect_and_undefined_figures_are_said() -> None:
    text = to_text(evaluate(np.zeros(30, dtype=int), np.eye(30)[[0] * 30], range(30)))
    assert "ROC AUC              -   undefined: all examples belong to one class" in text
    assert "confusion" not in text
    assert "mistakes" not in text


@pytest.mark.parametrize("classes", [2, 150])
def test_json_reads_back(evaluation_of: Callable[..., Evaluation], classes: int) -> None:
    evaluation = evaluation_of(classes, texts=["中文 <b>\x00"] * 400)
    raw = to_json(evaluation)
    assert msgspec.json.decode(raw, type=Evaluation) == evaluation
    assert raw == to_json(evaluation_of(classes, texts=["中文 <b>\x00"] * 400))
    assert raw.startswith(b'{\n  "examples": 400,\n  "accuracy": {\n    "value": ')


def test_integer_labels_stay_integers() -> None:
    evaluation = evaluate(np.array([0, 1]), np.array([[0.4, 0.6], [0.4, 0.6]]), [1, 5])
    back = msgspec.json.decode(to_json(evaluation), type=Evaluation)
    assert [scores.label for scores in back.per_class] == [1, 5]
    assert back.mistakes[0].predicted == 5


def test_lone_surrogates_do_not_prevent_the_output() -> None:
    probabilities = np.array([[0.4, 0.6]])
    evaluation = evaluate(np.array([0]), probabilities, ["a", "b"], texts=["x\udc80"], places=["\udcff, line 2"])
    assert (evaluation.mistakes[0].text, evaluation.mistakes[0].place) == ("x?", "?, line 2")
    assert b"x?" in to_json(evaluation)


def test_one_line() -> None:
    assert one_line(" a\r\n\u2028b\x00\x1b[1m\u202ec\u00ad ") == "a b [1mc"
    assert one_line("می\u200cخواهم") == "می\u200cخواهم"
    assert one_line(7) == "7"
    assert one_line("中文标签", 8) == "中文标签"
    assert one_line("中文标签", 7) == "中文标…"
    assert one_line("中文标签", 6) == "中文…"
    assert padded("中", 4) == "中  "
    assert padded("กี", 3, right=True) == "  กี"
