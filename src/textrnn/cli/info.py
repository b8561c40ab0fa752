"""`textrnn info`: what a model file holds."""

import math
from pathlib import Path

import click
import msgspec

from textrnn.cli.options import FileName
from textrnn.evaluation.baseline_lines import verdict
from textrnn.evaluation.lines import one_line
from textrnn.modelfile import (
    BaseHeader,
    Header,
    TextsProvenance,
    VectorsProvenance,
    base_tensors,
    expected_tensors,
    is_base,
    read_base,
    read_model,
)
from textrnn.tasks import SINGLE_LABEL


@click.command(
    epilog="""\b
Examples:
  textrnn info reviews.textrnn
  textrnn info reviews.textrnn --json | jq .provenance.metrics
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.option("--json", "as_json", is_flag=True, help="The whole header as JSON, the vocabulary included.")
def info(model: str, as_json: bool) -> None:
    """Show what MODEL, a classifier or a base, holds.

    Labels, text rules, network, training and metrics; the whole file is checked on the way.
    """
    header: Header | BaseHeader = read_base(model)[0] if is_base(model) else read_model(model)[0]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(header)).decode())
        return
    lines = _lines(header, Path(model)) if isinstance(header, Header) else _base_lines(header, Path(model))
    for line in lines:
        click.echo(line)


def _lines(header: Header, path: Path) -> list[str]:
    parameters = sum(math.prod(shape) for shape in expected_tensors(header).values())
    tokens = " ".join(one_line(token, 40) for token in header.vocabulary[2:12])
    labels = ", ".join(one_line(label, 40) for label in header.labels[:20])
    # Levels whose order their numbers give have no list of it.
    known = {name: value for name, value in msgspec.to_builtins(header.task).items() if value != []}
    task = ", ".join(f"{name} {one_line(value, 200)}" for name, value in known.items())
    lines = [
        f"{path}: {path.stat().st_size:,} bytes, format {header.format_version}",
        *([] if header.task == SINGLE_LABEL else [one_line(task, 300)]),
        *([f"labels        {len(header.labels)}: {labels}" + ", …" * (len(header.labels) > 20)] if labels else []),
        f"text          {_settings(header.text)}",
        f"vocabulary    {len(header.vocabulary):,} tokens: {tokens} …",
        f"network       {_settings(header.model)}; {parameters:,} parameters",
    ]
    if provenance := header.provenance:
        versions = ", ".join(one_line(f"{name} {version}", 60) for name, version in provenance.versions.items())
        lines += [
            f"data          {provenance.data.examples:,} texts, {one_line(provenance.data.fingerprint, 100)}",
            *([f"unlabelled    {unlabelled:,} texts"] if (unlabelled := provenance.unlabelled_examples) else []),
            f"validation    {provenance.data.validation_examples:,} texts",
            *([_base(provenance.base)] if provenance.base else []),
            f"training      {_settings(provenance.training)}",
            *_vectors(provenance.vectors),
            f"versions      {versions}",
            f"epochs        {len(provenance.history)}, best {provenance.best_epoch}"
            + (", interrupted" if provenance.interrupted else ""),
        ]
        if provenance.baseline:
            lines.append(f"baseline      {verdict(provenance.baseline)}")
        lines += [f"validation {one_line(name, 40)} {value:.4f}" for name, value in provenance.metrics.items()]
    return lines


def _base_lines(header: BaseHeader, path: Path) -> list[str]:
    parameters = sum(math.prod(shape) for shape in base_tensors(header).values())
    tokens = " ".join(one_line(token, 40) for token in header.vocabulary[2:12])
    lines = [
        f"{path}: {path.stat().st_size:,} bytes, format {header.format_version}, base of a classifier",
        f"text          {_settings(header.text)}",
        f"vocabulary    {len(header.vocabulary):,} tokens: {tokens} …",
        f"network       {_settings(header.model)}; {parameters:,} parameters",
    ]
    if provenance := header.provenance:
        data, history = provenance.data, provenance.history
        versions = ", ".join(one_line(f"{name} {version}", 60) for name, version in provenance.versions.items())
        lines += [
            _base(data, "data"),
            f"pre-training  {_settings(provenance.pretraining)}",
            f"versions      {versions}",
            f"rounds        {len(history)}, best {provenance.best_round}"
            + (", interrupted" if provenance.interrupted else ""),
        ]
        perplexities = [record.perplexity for record in history if record.round == provenance.best_round]
        lines += [f"validation perplexity {value:.2f}" for value in perplexities if value is not None]
    return lines


def _base(data: TextsProvenance, name: str = "base") -> str:
    """The texts of a base."""
    return f"{name:13} {data.texts:,} texts, {data.tokens:,} tokens, {one_line(data.fingerprint, 100)}"


def _vectors(vectors: VectorsProvenance | None) -> list[str]:
    if vectors is None:
        return []
    return [
        f"vectors       {one_line(vectors.file, 100)}: {vectors.words:,} words, "
        f"{100 * vectors.tokens:.1f} % of the training tokens; {one_line(vectors.fingerprint, 100)}"
    ]


def _settings(config: msgspec.Struct) -> str:
    return ", ".join(f"{name} {value}" for name, value in msgspec.structs.asdict(config).items())
