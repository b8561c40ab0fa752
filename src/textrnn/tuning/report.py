"""A search as text and as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.config import Recipe
from textrnn.evaluation.style import ACCENT, GRID, MUTED, new_figure, rendered, style
from textrnn.files import replacing
from textrnn.tasks.metrics import LESS_IS_BETTER
from textrnn.tuning.budget import clock_time
from textrnn.tuning.results import TrialRecord, Tuning

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def options_of(settings: dict[str, Any]) -> list[str]:
    """The settings as options of `textrnn train`; those that are the defaults are left out."""
    defaults = Recipe().settings()
    options: list[str] = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if value == defaults[name]:
            continue
        if isinstance(value, bool):
            options.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            options += [f"--{flag}", str(value)]  # the shortest digits that give the same number
    return options


def trial_to_text(record: TrialRecord, metric: str) -> str:
    """One line for one trial."""
    value = "-" if record.value is None else f"{record.value:.4f}"
    settings = " ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in record.settings.items()
    )
    return (
        f"trial {record.number:3d}  {record.ending:8s}  {metric} {value}  {record.epochs:2d} epochs "
        f"{clock_time(record.seconds):>5s}  {settings}"
    )


def tuning_to_text(tuning: Tuning) -> str:
    """What was found, against the default recipe, and which settings mattered."""
    endings = [record.ending for record in tuning.trials]
    counts = ", ".join(f"{endings.count(ending)} {ending}" for ending in dict.fromkeys(endings))
    lines = [f"{len(endings)} trials: {counts}"]
    line = f"best: trial {tuning.best.number}, validation {tuning.metric} {tuning.best.value:.4f}"
    if tuning.first and tuning.first.value is not None:
        line += f"; the default recipe: {tuning.first.value:.4f}"
    lines.append(line)
    if tuning.whole is not None:
        lines.append(f"with all parts: {tuning.whole:.4f}")
    if tuning.importances:
        shares = [f"{name} {100 * share:.0f} %" for name, share in tuning.importances.items() if share >= 0.005]
        lines.append("what mattered: " + ", ".join(shares))
    return "\n".join(lines)


def draw_tuning(path: str | Path, tuning: Tuning) -> None:
    """The importances of the settings and the course of the search, as PNG.

    Raises:
        OutputError: the file cannot be written.
        MissingDependencyError: matplotlib is not installed.
    """
    with style():
        figure = new_figure(10, 0.8 + 0.24 * max(len(tuning.importances), 10))
        left, right = figure.subplots(1, 2)
        _draw_importances(left, tuning)
        _draw_course(right, tuning)
        picture = rendered(figure, "png")
    with replacing(path) as file:
        file.write(picture)


def _draw_importances(axes: "Axes", tuning: Tuning) -> None:
    names = list(reversed(tuning.importances))
    axes.barh(names, [tuning.importances[name] for name in names], color=ACCENT, height=0.7)
    axes.set_xlabel("share of the variance")
    axes.set_title("what mattered" if names else "too few trials to tell what mattered", loc="left")


def _draw_course(axes: "Axes", tuning: Tuning) -> None:
    from matplotlib.ticker import MaxNLocator

    judged = [(record.number, record.value) for record in tuning.trials if record.value is not None]
    best: list[float] = []
    pick = min if tuning.metric in LESS_IS_BETTER else max
    for _, value in judged:
        best.append(pick([value, *best[-1:]]))
    numbers = [number for number, _ in judged]
    axes.scatter(numbers, [value for _, value in judged], color=MUTED, s=12, label="trials")
    axes.step(numbers, best, where="post", color=ACCENT, label="the best so far")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("trial")
    axes.set_title(f"validation {tuning.metric}", loc="left")
    axes.grid(axis="y", color=GRID)
    axes.legend()
