"""The page's JavaScript without a page: run by node, questions and answers as JSON."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from textrnn.explorer.payload import payload
from textrnn.explorer.scripts import runtime_script
from textrnn.explorer.unicode_kinds import code_point_runs
from textrnn.runtime import Classifier

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed; it runs the page's JavaScript here")

BEGINNING = """
const input = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const kinds = codePointKinds(input.kinds);
const classifierOf = ({ header, tensors, base64 }, ...module) => {
  const bytes = new Uint8Array(Buffer.from(base64, "base64"));
  return new Classifier(header, tensorsOf(tensors, bytes.buffer), kinds, ...module);
};
const answer = (found) => process.stdout.write(JSON.stringify(found));
"""


def run_javascript(code: str, **given: Any) -> Any:
    """What `answer(…)` is called with in `code`, which finds `given` in `input`."""
    assert NODE is not None
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder) / "script.cjs", Path(folder) / "input.json"
        script.write_text('"use strict";\n' + runtime_script() + BEGINNING + code, encoding="utf-8")
        data.write_text(json.dumps({"kinds": code_point_runs(), **given}), encoding="utf-8")
        done = subprocess.run([NODE, str(script), str(data)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


READ = """
const classifier = classifierOf(input.model);
const outputs = Array.from({ length: classifier.outputs }, (_, k) => k);
const every = outputs.map((k) => outputs.map((j) => (j === k ? 1 : 0)));
answer(input.texts.map((text) => {
  const reading = classifier.read(text);
  const { tokens, known, all, places, scores, answers, decided, finite } = reading;
  const { bias, total, networks, ngrams } = reading.shares(every);
  const layers = classifier.members.map((member) => member.layers.map((directions) => directions.map((direction) =>
    Object.fromEntries(["state", ...direction.kind.gates, ...(direction.kind.memory ? ["memory"] : [])].map(
      (what) => [what, Array.from(direction.copied(what, member.steps))])))));
  return { tokens, known, all, places, scores, answers, decided, finite, bias, soFar: reading.soFar(),
    total: Array.from(total), networks: Array.from(networks), ngrams: Array.from(ngrams),
    ...(input.layers && { layers }) };
}));
"""


def readings(classifier: Classifier, texts: Sequence[str], *, layers: bool = False) -> list[dict[str, Any]]:
    """Everything that the runtime says of each text."""
    model = payload(classifier, "a model").in_page()
    found: list[dict[str, Any]] = run_javascript(READ, model=model, texts=list(texts), layers=layers)
    return found
