"""What a fresh interpreter loads; this one has loaded everything already."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "{'torch', 'sklearn', 'scipy', 'matplotlib', 'jinja2', 'markupsafe', 'jaxtyping', 'beartype', 'cleanlab', 'pandas'}"
)
EPOCH = (
    "import numpy as np; p = np.array([[0.2, 0.8], [0.6, 0.4]]); t = np.array([1, 0]);"
    "assert textrnn.evaluation.score('accuracy', t, p) == 1.0; textrnn.evaluation.score('loss', t, p);"
)


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("work", ["", EPOCH])
def test_import_and_the_metrics_of_each_epoch_need_only_numpy(work: str) -> None:
    run(f"import sys, textrnn.evaluation; {work} assert not {HEAVY} & set(sys.modules), set(sys.modules)")


def test_evaluation_and_figures_load_neither_torch_nor_pyplot(tmp_path: Path) -> None:
    report = (
        "e = textrnn.evaluation.evaluate(t, p, ['a', 'b']);"
        f"textrnn.evaluation.draw_png({str(tmp_path / 'x.png')!r}, e, []);"
        f"textrnn.evaluation.write_html({str(tmp_path / 'x.html')!r}, e, [], 'x');"
    )
    run(
        f"import sys, textrnn.evaluation; {EPOCH} {report}"
        "assert not {'torch', 'matplotlib.pyplot'} & set(sys.modules)"
    )
