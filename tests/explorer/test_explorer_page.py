"""The page in a real browser: what it shows is what Python computes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
import torch

from browsing import needs_browser, number, opened, opened_browser, serious_findings, settle, write_text
from builders import header, random_weights
from runtime_oracles import fused_layers, minimal_layers
from textrnn.cells import CELLS
from textrnn.explorer import write_html
from textrnn.modelfile import CELL_TENSORS
from textrnn.runtime import Classifier
from textrnn.tasks import AnyTask, MultiLabel, Ordinal, Regression
from textrnn.text.ngrams import NgramRule, keys_of_tokens

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_browser

TEXT = "The acting is not very good, a boring plot"
HOSTILE = '</script><script>window.hacked=1</script><img src=x onerror="window.hacked=1">{data}'


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with opened_browser() as found:
        yield found


def classifier_of(
    labels: list[Any] | None = None, *, task: AnyTask | None = None, seed: int = 0, **model: Any
) -> Classifier:
    head = header(labels, **model)
    if task is not None:
        head = msgspec.structs.replace(head, task=task, labels=[] if isinstance(task, Regression) else head.labels)
    rule = NgramRule(head.model.ngrams, head.model.character_ngrams)
    keys = np.unique(keys_of_tokens(TEXT.lower().replace(",", " ,").split(), rule)) if any(rule) else np.empty(0)
    head = msgspec.structs.replace(head, ngrams=len(keys))
    weights = random_weights(head, seed)
    if any(rule):
        weights["ngrams.key"] = keys.astype(np.int32)
    return Classifier(head, weights)


def written(classifier: Classifier, folder: Path, **options: Any) -> Path:
    write_html(classifier, folder / "page.html", **options)
    return folder / "page.html"


def probabilities(page: "Page", panel: str = ".panel") -> dict[str, float]:
    """As the bars show them, by label."""
    cells = page.locator(f"{panel} >> nth=0 >> .bars .value").all()
    return {str(cell.get_attribute("data-label")): number(cell.inner_text()) for cell in cells}


def shares_shown(page: "Page") -> list[float]:
    """As a screen reader is told them."""
    names = [str(chip.get_attribute("aria-label")) for chip in page.locator(".words [role=option]").all()]
    return [number(re.findall(r", ([+\u2212][\d.e\u2212]+)", name)[0]) for name in names]


def test_probabilities_at_every_keystroke(browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(
        ["neg", "pos", "so so"], members=2, bidirectional=True, pooling="max", cell="gru", ngrams=2
    )
    with opened(browser, written(classifier, tmp_path)) as page:
        write_text(page, "")
        page.focus("#text")
        for end in range(1, len(TEXT) + 1):
            page.keyboard.type(TEXT[end - 1])
            if end % 5 == 0 or end == len(TEXT):
                settle(page)
                expected = classifier.predict_proba([TEXT[:end]])[0]
                shown = probabilities(page)
                assert [shown[label] for label in ["neg", "pos", "so so"]] == pytest.approx(expected, abs=6e-4)
        assert page.inner_text(".headline") == classifier.predict(TEXT).label
        words = [word.lower() for word in page.locator(".words [role=option]").all_inner_texts()]
        assert words == classifier.encoder.tokens(TEXT)


def test_shares_are_those_of_the_states(browser: "Browser", tmp_path: Path) -> None:
    """Mean pooling: W h_t / T, for a label against the other, with states by torch.nn."""
    classifier = classifier_of(cell="lstm", bidirectional=True, pooling="mean")
    weights = classifier.weights
    ids = classifier.encoder.encode(TEXT)
    states = fused_layers(classifier.header.model, weights, weights["embedding.weight"][ids].astype(np.float64))
    shares = states @ weights["head.weight"].T / len(ids)
    with opened(browser, written(classifier, tmp_path, text=TEXT)) as page:
        for label, sign in (("pos", 1), ("neg", -1)):
            page.select_option("#m0-Explain", label=label)
            assert shares_shown(page) == pytest.approx(sign * (shares[:, 1] - shares[:, 0]), abs=6e-4)
        chip = page.locator(".words [role=option] >> nth=4")
        chip.hover()
        share = str(chip.get_attribute("aria-label")).split(", ")[1]
        assert f"“very” adds {share}" in page.inner_text(".readout >> nth=0")


@pytest.mark.parametrize("cell", CELL_TENSORS)
def test_stepping_shows_the_equation_with_its_numbers(cell: str, browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(cell=cell, bidirectional=True)
    model, weights = classifier.header.model, classifier.weights
    ids = classifier.encoder.encode(TEXT)
    layers_of = minimal_layers if cell.startswith("min") else fused_layers
    states = layers_of(model, weights, weights["embedding.weight"][ids].astype(np.float64))
    with opened(browser, written(classifier, tmp_path, text=TEXT)) as page:
        page.focus(".words")
        page.keyboard.press("Home")
        for step in range(len(ids)):
            assert page.get_attribute(".words", "aria-activedescendant") == f"m0-word-{step}"
            assert page.locator("[aria-selected=true]").count() == 1
            for unit in (0, step % 7):
                page.locator("#m0-Unit").fill(str(unit))
                lines = page.locator(".equations .values").all_inner_texts()
                assert number(lines[-1].split("= ")[-1]) == pytest.approx(states[step, unit], abs=6e-4)
                for line in lines:
                    check_arithmetic(line)
            page.focus(".words")
            page.keyboard.press("ArrowRight")
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        assert page.get_attribute(".words", "aria-activedescendant") == f"m0-word-{len(ids) - 2}"
        page.click("button[aria-label='Next word']")
        assert page.input_value("#m0-Word") == str(len(ids) - 1)
        page.select_option("#m0-Direction", label="right to left")
        last = page.locator(".equations .values").last.inner_text()
        unit = int(page.input_value("#m0-Unit"))
        assert number(last.split("= ")[-1]) == pytest.approx(states[-1, 7 + unit], abs=6e-4)


def check_arithmetic(line: str) -> None:
    """Both sides of every equals sign are the same number, as far as it is written."""
    for part in line.split(",  "):
        if "=" not in part:
            continue
        if "′" in part:
            continue  # a share that is named, not computed, here
        left, right = part.rsplit(" = ", 1)
        expression = left.replace("\u2212", "-").replace("·", "*").replace("σ", "sigmoid").replace("−", "-")
        names = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "relu": lambda x: max(0.0, x)}
        value = float(eval(expression, {"__builtins__": {}}, names))  # noqa: S307  # of our own page's digits
        assert value == pytest.approx(number(right), abs=4e-3)


def test_gates_under_the_pointer(browser: "Browser", tmp_path: Path) -> None:
    """Of the readable cell."""
    classifier = classifier_of(cell="gru")
    weights, ids = classifier.weights, classifier.encoder.encode(TEXT)
    cell = CELLS["gru"](5, 7)
    place = "layers.0.left_to_right."
    cell.load_state_dict(
        {name.removeprefix(place): torch.from_numpy(weights[name]) for name in weights if name.startswith(place)}
    )
    with opened(browser, written(classifier, tmp_path, text=TEXT)) as page, torch.no_grad():
        heat = page.locator(".heat-frame")
        box = heat.bounding_box()
        assert box is not None
        state = cell.initial_state(1)
        for step, one in enumerate(ids.tolist()):
            x = torch.from_numpy(weights["embedding.weight"][one])[None]
            gates, state = cell.gates(x, state), cell.step(x, state)
            unit = step % 7
            heat.hover(position={"x": box["width"] * (step + 0.5) / len(ids), "y": box["height"] * (unit + 0.5) / 7})
            told = page.inner_text(".readout >> nth=1")
            assert f"unit {unit}:" in told
            for name, values in {**gates._asdict(), "state": state.hidden}.items():
                shown = re.search(rf"{name} (\S+?)[,;]?(?: |$)", told)
                assert shown is not None and number(shown[1]) == pytest.approx(float(values[0, unit]), abs=6e-4), told
        heat.click(position={"x": box["width"] * 2.5 / len(ids), "y": box["height"] * 3.5 / 7})
        assert (page.input_value("#m0-Word"), page.input_value("#m0-Unit")) == ("2", "3")


def test_the_curve_and_reading_anew(browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(cell="gru", bidirectional=True, pooling="max", ngrams=2)
    tokens = classifier.encoder.tokens(TEXT)
    beginnings = [" ".join(tokens[: count + 1]) for count in range(len(tokens))]
    with opened(browser, written(classifier, tmp_path, text=TEXT)) as page:
        page.select_option("#m0-Explain", label="pos")
        page.click("details summary")
        page.wait_for_selector("details td")
        pooled = [number(cell) for cell in page.locator("details td").all_inner_texts()]
        assert len(pooled) == len(tokens)
        assert pooled[-1] == pytest.approx(classifier.predict_proba([TEXT])[0, 1], abs=6e-4)
        page.check("#m0-anew")
        page.wait_for_function("() => document.querySelector('.panel').innerText.includes('if the text ended')")
        anew = [number(cell) for cell in page.locator("details td").all_inner_texts()]
        assert anew == pytest.approx(classifier.predict_proba(beginnings)[:, 1], abs=6e-4)
        page.uncheck("#m0-anew")
        assert [number(cell) for cell in page.locator("details td").all_inner_texts()] == pooled


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        (MultiLabel(thresholds=[0.2, 0.9, 0.4]), ["a", "b", "c"]),
        (Ordinal(), [1, 2, 3, 4]),
        (Regression(mean=3.0, std=2.0), None),
    ],
)
def test_other_tasks(task: AnyTask, labels: list[Any] | None, browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(labels, task=task, cell="mingru", pooling="last")
    with opened(browser, written(classifier, tmp_path)) as page:
        for text in ("", "good", TEXT):
            write_text(page, text)
            prediction = classifier.predict(text)
            headline = page.inner_text(".headline")
            if prediction.value is not None:
                assert number(headline) == pytest.approx(prediction.value, abs=1e-3)
                continue
            expected = [prediction.label] if prediction.labels is None else prediction.labels
            assert sorted(headline.split(", ")) == sorted(map(str, expected)) or (
                not expected and headline == "no label"
            )
            shown = probabilities(page)
            assert shown == pytest.approx({str(k): v for k, v in prediction.probabilities.items()}, abs=6e-4)


def test_two_models_side_by_side(browser: "Browser", tmp_path: Path) -> None:
    one, other = classifier_of(cell="gru"), classifier_of(["bad", "good"], cell="lstm", layers=2, seed=1)
    path = written(one, tmp_path, second=other, names=["one.textrnn", "other.textrnn"])
    with opened(browser, path) as page:
        write_text(page, TEXT)
        assert page.locator(".panel").count() == 2
        assert [page.inner_text(f".panel h2 >> nth={k}") for k in (0, 1)] == ["one.textrnn", "other.textrnn"]
        boxes = [page.locator(".panel").nth(k).bounding_box() for k in (0, 1)]
        assert boxes[0] and boxes[1] and boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
        for k, classifier in enumerate((one, other)):
            assert page.inner_text(f".headline >> nth={k}") == classifier.predict(TEXT).label
        page.locator("#m0-word-3").click()  # in both, since both read the same words
        assert page.get_attribute("#m1-word-3", "aria-selected") == "true"
        assert page.input_value("#m1-Word") == "3"
        assert serious_findings(page) == []


def test_nothing_in_a_model_or_a_text_is_markup(browser: "Browser", tmp_path: Path) -> None:
    head = header([HOSTILE, "<b>pos</b>"], tokenizer="whitespace", cell="gru", ngrams=1)
    words = [*head.vocabulary, HOSTILE.split()[0].lower(), "\u2028", "{script}", "${1}", "<!--"]
    keys = np.unique(keys_of_tokens([word for word in words if word.strip()], NgramRule(1)))
    head = msgspec.structs.replace(head, vocabulary=words, ngrams=len(keys))
    weights = random_weights(head)
    weights["ngrams.key"] = keys.astype(np.int32)
    classifier = Classifier(head, weights)
    text = f"good {HOSTILE} <!-- <b> \u2028 </textarea> film"
    with opened(browser, written(classifier, tmp_path, text=text, names=[HOSTILE])) as page:
        assert page.input_value("#text") == text.replace("\u2028", "\u2028")
        assert page.evaluate("window.hacked") is None
        assert page.locator("img").count() == 0 and page.locator("b").count() == 0
        assert set(probabilities(page)) == {HOSTILE, "<b>pos</b>"}
        assert page.inner_text("h2") == HOSTILE
        assert [probabilities(page)[str(label)] for label in classifier.labels] == pytest.approx(
            classifier.predict_proba([text])[0], abs=6e-4
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_in_light_and_dark(scheme: str, browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(["neg", "pos", "so so"], cell="gru", bidirectional=True, members=2, layers=2, ngrams=2)
    with opened(browser, written(classifier, tmp_path, text=TEXT + " unseen"), color_scheme=scheme) as page:
        grounds = {"light": "rgb(245, 246, 248)", "dark": "rgb(14, 18, 24)"}
        ground = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(ground) == grounds[scheme]
        page.click("details summary")
        assert serious_findings(page) == []
        seen = []
        for _ in range(3):  # auto, light, dark in turns
            page.click("#theme")
            seen.append((page.inner_text("#theme"), page.evaluate(ground)))
        assert seen == [
            ("Theme: light", grounds["light"]),
            ("Theme: dark", grounds["dark"]),
            ("Theme: auto", grounds[scheme]),
        ]


def test_by_keyboard_alone(browser: "Browser", tmp_path: Path) -> None:
    """Everything that can be used is reached by the tabulator, in the order in which it is seen."""
    classifier = classifier_of(cell="gru", bidirectional=True, members=2, ngrams=1)
    with opened(browser, written(classifier, tmp_path, text=TEXT)) as page:
        page.evaluate("document.body.focus()")
        reached = []
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("() => ((one) => one.id || one.ariaLabel || one.textContent)(document.activeElement)")
            )
            if reached[-1].startswith("unit "):
                break
        order = ["theme", "text", "m0-Explain", "Words of the text", "m0-anew", "m0-Network", "m0-Direction", "m0-Show"]
        order += ["Word before", "Next word", "m0-Word", "m0-Unit", "unit "]
        places = [next(k for k, one in enumerate(reached) if one.startswith(name)) for name in order]
        assert places == sorted(places)
        page.keyboard.press("Enter")  # chooses that unit
        assert f"Unit {reached[-1].split()[1]} (" in page.inner_text("label[for=m0-Unit]")


def test_the_prediction_is_read_out_after_a_while(browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(cell="gru")
    with opened(browser, written(classifier, tmp_path)) as page:
        write_text(page, TEXT)
        prediction = classifier.predict(TEXT)
        told = f"Predicted: {prediction.label}, probability {prediction.probability:.2f}"
        page.wait_for_function("(told) => document.getElementById('spoken').textContent === told", arg=told)
        assert page.get_attribute("#spoken", "aria-live") == "polite"


def test_readable_at_400_pixels(browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(["n" * 200, "pos", "so so"], cell="lstm", bidirectional=True, members=2, ngrams=2)
    text = TEXT + " " + "x" * 300
    path = written(classifier, tmp_path, text=text, names=["a-long-name" * 20 + ".textrnn"])
    with opened(browser, path, viewport={"width": 400, "height": 800}) as page:
        page.click("details summary")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert serious_findings(page) == []


def test_texts_that_are_cut_and_empty_ones(browser: "Browser", tmp_path: Path) -> None:
    classifier = classifier_of(cell="gru", max_length=4, ngrams=1)
    with opened(browser, written(classifier, tmp_path, text=TEXT)) as page:
        assert page.locator(".word.cut").count() == len(TEXT.replace(",", " ,").split()) - 4
        assert "cut off from the networks" in page.inner_text(".panel")
        page.locator(".word.cut").first.click()
        assert "do not read this word" in page.inner_text(".step")
        write_text(page, "")
        assert "Nothing to read yet" in page.inner_text(".panel")
        assert probabilities(page)["pos"] == pytest.approx(classifier.predict_proba([""])[0, 1], abs=6e-4)
        write_text(page, "good")
        assert page.locator("[aria-selected=true]").all_inner_texts() == ["good"]


def test_states_that_overflow_are_told(browser: "Browser", tmp_path: Path) -> None:
    head = header(cell="elman_relu")
    weights = {name: tensor * np.float32(1e30) for name, tensor in random_weights(head).items()}
    with opened(browser, written(Classifier(head, weights), tmp_path, text="good bad film")) as page:
        assert "overflow" in page.inner_text("[role=alert]")
        write_text(page, "")
        assert page.inner_text(".headline") in ("neg", "pos")
