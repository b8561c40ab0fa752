"""Builders of hostile model files: every one of them breaks one rule of `docs/model-file.md`."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from builders import header, random_weights
from textrnn.modelfile import to_bytes

Json = dict[str, Any]


def valid(**model: Any) -> bytes:
    """A small model file without any mistake."""
    head = header(**model)
    return to_bytes(head, random_weights(head))


def taken_apart(raw: bytes) -> tuple[Json, Json, bytes]:
    """The list of tensors, textrnn's header and the data."""
    size = int.from_bytes(raw[:8], "little")
    outer = json.loads(raw[8 : 8 + size])
    inner = json.loads(outer.pop("__metadata__")["textrnn"])
    return outer, inner, raw[8 + size :]


def packed(outer: Json | bytes, data: bytes, *, announced: int | None = None) -> bytes:
    """A safetensors file, whatever stands in it."""
    raw = outer if isinstance(outer, bytes) else json.dumps(outer).encode()
    return struct.pack("<Q", len(raw) if announced is None else announced) + raw + data


def put_together(tensors: Json, inner: Json | str, data: bytes) -> bytes:
    """The inverse of `taken_apart`."""
    text = inner if isinstance(inner, str) else json.dumps(inner)
    return packed({"__metadata__": {"textrnn": text}, **tensors}, data)


def with_header(change: Callable[[Json], object]) -> Callable[[], bytes]:
    """A builder: the valid file after one change to textrnn's header."""

    def build() -> bytes:
        tensors, inner, data = taken_apart(valid())
        change(inner)
        return put_together(tensors, inner, data)

    return build


def with_field(name: str, value: object) -> Callable[[], bytes]:
    """A builder: one field of textrnn's header has another value; `model.cell` is a field of a field."""

    def change(inner: Json) -> None:
        *sections, last = name.split(".")
        for section in sections:
            inner = inner[section]
        inner[last] = value

    return with_header(change)


def without_field(name: str) -> Callable[[], bytes]:
    """A builder: textrnn's header lacks one field."""
    return with_header(lambda inner: inner.pop(name))


def with_tensors(change: Callable[[Json], object]) -> Callable[[], bytes]:
    """A builder: the valid file after one change to the list of tensors."""

    def build() -> bytes:
        tensors, inner, data = taken_apart(valid())
        change(tensors)
        return put_together(tensors, inner, data)

    return build


def with_tensor(name: str, **entry: object) -> Callable[[], bytes]:
    """A builder: one tensor's entry says something else."""
    return with_tensors(lambda tensors: tensors[name].update(entry))


def with_number(number: float) -> Callable[[], bytes]:
    """A builder: one weight is this number."""

    def build() -> bytes:
        tensors, inner, data = taken_apart(valid())
        weights = np.frombuffer(data, dtype="<f4").copy()
        weights[len(weights) // 2] = number
        return put_together(tensors, inner, weights.tobytes())

    return build


def with_text(change: Callable[[str], str]) -> Callable[[], bytes]:
    """A builder: textrnn's header after a change to its JSON text."""

    def build() -> bytes:
        tensors, inner, data = taken_apart(valid())
        return put_together(tensors, change(json.dumps(inner)), data)

    return build


def with_json(before: str, after: str) -> Callable[[], bytes]:
    """A builder: a part of the JSON text of textrnn's header is another one."""

    def change(text: str) -> str:
        assert text.count(before) == 1, before
        return text.replace(before, after)

    return with_text(change)


def with_raw(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """A builder: the safetensors header after a change to its bytes, its announced size being right."""

    def build() -> bytes:
        raw = valid()
        size = int.from_bytes(raw[:8], "little")
        return packed(change(raw[8 : 8 + size].rstrip()), raw[8 + size :])

    return build


def announcing(size: int) -> Callable[[], bytes]:
    """A builder: the first 8 bytes announce a header of another size."""
    return lambda: struct.pack("<Q", size) + valid()[8:]


def cut(size: int) -> Callable[[], bytes]:
    """A builder: only the first bytes of a valid file, or all but the last ones."""
    return lambda: valid()[:size]


def swapped_offsets(tensors: Json) -> None:
    """Two tensors of one size change places: legal, but both now begin where the other ended."""
    tensors["head.bias"]["data_offsets"], tensors["layers.0.left_to_right.from_input.bias"]["data_offsets"] = (
        tensors["layers.0.left_to_right.from_input.bias"]["data_offsets"],
        tensors["head.bias"]["data_offsets"],
    )


def overlapping(tensors: Json) -> None:
    """One tensor reads the bytes of another one."""
    begin, end = tensors["head.weight"]["data_offsets"]
    size = 7 * 4
    tensors["layers.0.left_to_right.from_input.bias"]["data_offsets"] = [begin, begin + size]
    assert end - begin >= size


def moved(tensors: Json, before: str, after: str) -> None:
    """Tensors get another name."""
    for name in list(tensors):
        tensors[name.replace(before, after)] = tensors.pop(name)


def two_layers_swapped() -> bytes:
    """Of two layers, the second one's matrix says that it has the place of the first one's."""
    tensors, inner, data = taken_apart(valid(layers=2, embedding_size=7))
    first, second = (tensors[f"layers.{layer}.left_to_right.from_hidden.weight"] for layer in (0, 1))
    second["data_offsets"] = first["data_offsets"]
    return put_together(tensors, inner, data)


def gap(tensors: Json) -> None:
    """Bytes that belong to no tensor, by one tensor the less at the end."""
    last = max(tensors, key=lambda name: int(tensors[name]["data_offsets"][1]))
    del tensors[last]


def zip_file() -> bytes:
    """What PyTorch's own model files are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weight": [1.0]}))
    return buffer.getvalue()


class Trap:
    """A pickle of it runs a command when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('a pickle was loaded')",))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # sizes
    "empty": (lambda: b"", "found 0"),
    "7 bytes": (cut(7), "found 7"),
    "8 bytes": (cut(8), "truncated"),
    "a header of 2**63 bytes": (announcing(2**63), "9223372036854775808"),
    "a header of 2**64 - 1 bytes": (announcing(2**64 - 1), "18446744073709551615"),
    "a header of 100 million and one bytes": (announcing(100_000_001), "100000001"),
    "a header larger than the file": (announcing(90_000_000), "90000000"),
    "a header of no bytes": (announcing(0), "not a model file"),
    "a header that is announced too short": (announcing(100), "not a model file"),
    "cut within the header": (cut(300), "truncated"),
    "cut after the header": (lambda: valid()[: 8 + int.from_bytes(valid()[:8], "little")], "truncated"),
    "cut within the data": (cut(-1), "truncated"),
    "a byte too many": (lambda: valid() + b"\0", "found"),
    "a second file behind the first": (lambda: valid() + valid(), "found"),
    # not what it should be
    "zeros": (lambda: bytes(5000), "not a model file"),
    "text": (lambda: b"text,label\ngood film,pos\n" * 100, "not a model file"),
    "a pickle": (lambda: pickle.dumps(Trap()), "not a model file"),
    "a zip archive": (zip_file, "not a model file"),
    "another safetensors file": (
        lambda: packed({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
        "not a model file of textrnn",
    ),
    "another library's metadata": (
        lambda: packed({"__metadata__": {"format": "pt"}}, b""),
        "not a model file of textrnn",
    ),
    # JSON
    "not JSON": (lambda: packed(b"{" * 50, b""), "not a model file"),
    "a JSON array": (lambda: packed(b"[1, 2, 3]", b""), "not a model file"),
    "deep brackets": (lambda: packed(b"[" * 100_000, b""), "not a model file"),
    "deep brackets in a field": (lambda: packed(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b""), "not a model"),
    "deep objects in a field": (lambda: packed(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b""), "not a model file"),
    "deep brackets in the metadata": (lambda: packed(b'{"__metadata__":' + b"[" * 100_000, b""), "not a model file"),
    "deep brackets in our header": (with_text(lambda text: "[" * 100_000), "header is damaged"),
    "deep brackets in a field of ours": (
        with_text(lambda text: text[:-1] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        "header is damaged",
    ),
    "not UTF-8": (with_raw(lambda raw: raw.replace(b"good", b"g\xff\xfed")), "not a model file"),
    "an overlong zero": (with_raw(lambda raw: raw.replace(b"good", b"g\xc0\x80d")), "not a model file"),
    "half a surrogate pair": (with_json('"good"', '"\\ud800"'), "header is damaged"),
    "NaN": (with_json('"max_length": 12', '"max_length": NaN'), "header is damaged"),
    "a key of ours twice": (with_text(lambda text: '{"labels": ["x", "y"], ' + text[1:]), "'labels' occurs twice"),
    "a key of a section twice": (
        with_json('"hidden_size": 7', '"hidden_size": 9, "hidden_size": 7'),
        "'hidden_size' occurs twice",
    ),
    "a tensor twice": (
        with_raw(lambda raw: raw[:-1] + b', "head.bias": ' + b'{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
        "'head.bias' occurs twice",
    ),
    "two metadata": (with_raw(lambda raw: b'{"__metadata__": {"textrnn": "{}"}, ' + raw[1:]), "occurs twice"),
    "our field twice": (
        with_raw(lambda raw: raw.replace(b'"__metadata__":{', b'"__metadata__":{"textrnn":"{}",')),
        "'textrnn' occurs twice",
    ),
    "the same key in other letters": (
        with_raw(lambda raw: raw.replace(b'"__metadata__":{', b'"__metadata__":{"\\u0074extrnn":"{}",')),
        "'textrnn' occurs twice",
    ),
    "megabytes beside the metadata": (
        with_raw(lambda raw: raw[:-1] + b', "a": [' + b"[]," * 1_000_000 + b"[]]}"),
        "beside the metadata",
    ),
    # metadata
    "empty metadata": (lambda: packed({"__metadata__": {}}, b""), "'textrnn'"),
    "metadata that are a list": (lambda: packed({"__metadata__": ["textrnn"]}, b""), "'textrnn'"),
    "metadata that are a number": (lambda: packed({"__metadata__": {"textrnn": 1}}, b""), "'textrnn'"),
    "one more field in the metadata": (
        with_raw(lambda raw: raw.replace(b'"__metadata__":{', b'"__metadata__":{"note":"",')),
        "`note`",
    ),
    "an empty header": (with_text(lambda text: ""), "header is damaged"),
    "a header that is an array": (with_text(lambda text: "[]"), "header is damaged"),
    # our header
    "no version": (without_field("format_version"), "format_version"),
    "version 0": (with_field("format_version", 0), "version 0"),
    "version -1": (with_field("format_version", -1), "version -1"),
    "version 2": (with_field("format_version", 2), "newer textrnn"),
    "version 10**30": (with_field("format_version", 10**30), ""),
    "version '1'": (with_field("format_version", "1"), "format_version"),
    "version true": (with_field("format_version", True), "format_version"),
    **{f"no {name}": (without_field(name), name) for name in ("labels", "text", "vocabulary", "model")},
    "an unknown field": (with_field("extra", 1), "extra"),
    "an unknown field of the network": (with_field("model.extra", 1), "extra"),
    "an unknown field with a long name": (with_field("x" * 100_000, 1), "xxx…"),
    "an unknown field that commands the terminal": (with_field("\x1b[2J\n\r", 1), "\\x1b[2J\\n\\r"),
    **{
        f"{name} = {value}": (with_json(f'"{name}": {old}', f'"{name}": {value}'), name)
        for name, old in (("hidden_size", 7), ("embedding_size", 5), ("max_length", 12))
        for value in ("9" * 30, "-1", "0", "1.5", "null", "true", "[]", "{}", '"7"')
    },
    "a hidden size that is too large": (with_field("model.hidden_size", 65_537), "hidden_size"),
    "another cell": (with_field("model.cell", "gated"), "model.cell"),
    "a cell that is a path": (with_field("model.cell", "../../etc/passwd"), "model.cell"),
    "another pooling": (with_field("model.pooling", "sum"), "model.pooling"),
    "another tokenizer": (with_field("text.tokenizer", "eval"), "text.tokenizer"),
    "a section that is a list": (with_field("model", []), "model"),
    "a record that is none": (with_field("provenance", {"data": 1}), "provenance"),
    # sizes that lie
    "a lying hidden size": (with_field("model.hidden_size", 65_536), "expected 17"),
    "a lying embedding size": (with_field("model.embedding_size", 65_536), "truncated or damaged"),
    "64 layers that are not there": (with_field("model.layers", 64), "truncated or damaged"),
    "64 layers of the largest size": (
        with_header(lambda inner: inner["model"].update(layers=64, hidden_size=65_536, bidirectional=True)),
        "expected 6",
    ),
    "64 layers of the largest LSTM": (
        with_header(
            lambda inner: inner["model"].update(
                layers=64, hidden_size=65_536, embedding_size=65_536, bidirectional=True, cell="lstm"
            )
        ),
        "truncated or damaged",
    ),
    "65 layers": (with_field("model.layers", 65), "layers"),
    "no layer": (with_field("model.layers", 0), "layers"),
    "layers that are true": (with_field("model.layers", True), "layers"),
    "a direction that is a number": (with_field("model.bidirectional", 1), "bidirectional"),
    "a direction that is not there": (with_field("model.bidirectional", True), "truncated or damaged"),
    "gates that are not there": (with_field("model.cell", "gru"), "truncated or damaged"),
    "tensors of other layers": (
        with_tensors(lambda tensors: moved(tensors, "layers.0.", "layers.1.")),
        "layers.0.left_to_right.from_hidden.weight is missing",
    ),
    "tensors of the other direction": (
        with_tensors(lambda tensors: moved(tensors, "left_to_right", "right_to_left")),
        "layers.0.left_to_right.from_hidden.weight is missing",
    ),
    "two layers under one name": (two_layers_swapped, "damaged"),
    "megabytes of tensors": (
        with_tensors(
            lambda tensors: tensors.update(
                {f"layers.{k}.": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for k in range(40_000)}
            )
        ),
        "beside the metadata",
    ),
    "one hidden unit more": (with_field("model.hidden_size", 8), "truncated or damaged"),
    "one token more": (with_header(lambda inner: inner["vocabulary"].append("more")), "truncated or damaged"),
    "one label more": (with_header(lambda inner: inner["labels"].append("more")), "truncated or damaged"),
    # labels and vocabulary
    "an empty list of labels": (with_field("labels", []), "labels"),
    # tasks
    "an unknown task": (with_field("task", {"task": "pickle"}), "pickle"),
    "a task without a name": (with_field("task", {"threshold": None}), "header is damaged"),
    "another task's field": (with_field("task", {"task": "single_label", "mean": 1.0}), "unknown field `mean`"),
    "a threshold above 1": (
        with_field("task", {"task": "single_label", "threshold": {"label": 0, "value": 1.5}}),
        "header is damaged",
    ),
    "a threshold for a label that there is not": (
        with_field("task", {"task": "single_label", "threshold": {"label": 2, "value": 0.5}}),
        "but there are 2",
    ),
    "a threshold for a label from behind": (
        with_field("task", {"task": "single_label", "threshold": {"label": -1, "value": 0.5}}),
        "header is damaged",
    ),
    "one threshold too many": (
        with_field("task", {"task": "multi_label", "thresholds": [0.1, 0.2, 0.3]}),
        "expected 2 thresholds",
    ),
    "a threshold that is no number": (
        with_field("task", {"task": "multi_label", "thresholds": [0.1, None]}),
        "header is damaged",
    ),
    "no separator": (with_field("task", {"task": "multi_label", "separator": ""}), "header is damaged"),
    "a separator within a label": (with_field("task", {"task": "multi_label", "separator": "e"}), "the separator"),
    "words as levels": (with_field("task", {"task": "ordinal"}), "no rising numbers"),
    "levels in another order": (
        with_field("task", {"task": "ordinal", "order": ["pos", "neg"]}),
        "order of the levels",
    ),
    "fewer outputs than levels": (
        with_field("task", {"task": "ordinal", "order": ["neg", "pos"]}),
        "truncated or damaged",
    ),
    "numbers with labels": (with_field("task", {"task": "regression"}), "expected no labels"),
    "a deviation of 0": (with_field("task", {"task": "regression", "std": 0.0}), "header is damaged"),
    "an infinite mean": (with_field("task", {"task": "regression", "mean": 1e999}), "header is damaged"),
    "a mean beyond all bounds": (with_field("task", {"task": "regression", "mean": 1e101}), "header is damaged"),
    "one label": (with_field("labels", ["neg"]), "labels"),
    "one label twice": (with_field("labels", ["neg", "neg"]), "twice"),
    "an empty label": (with_field("labels", ["neg", ""]), "label is empty"),
    "a blank label": (with_field("labels", ["neg", " \u3000"]), "label is empty"),
    "labels of two kinds": (with_field("labels", ["1", 1]), "mix"),
    "labels that are true and false": (with_field("labels", [True, False]), "labels"),
    "labels that are fractions": (with_field("labels", [0.5, 1.5]), "labels"),
    "labels that are null": (with_field("labels", [None, "neg"]), "labels"),
    "labels that are lists": (with_field("labels", [["neg"], ["pos"]]), "labels"),
    "labels that are a text": (with_field("labels", "ab"), "labels"),
    "an empty vocabulary": (with_field("vocabulary", []), "vocabulary"),
    "a vocabulary of one": (with_field("vocabulary", ["<PAD>"]), "vocabulary"),
    "no padding": (with_header(lambda inner: inner["vocabulary"].__setitem__(0, "the")), "<PAD>"),
    "unknown before padding": (with_header(lambda inner: inner["vocabulary"].reverse()), "<PAD>"),
    "a token twice": (with_header(lambda inner: inner["vocabulary"].__setitem__(3, "good")), "twice"),
    "padding twice": (with_header(lambda inner: inner["vocabulary"].__setitem__(3, "<PAD>")), "twice"),
    "a token that is a number": (with_header(lambda inner: inner["vocabulary"].__setitem__(3, 1)), "vocabulary"),
    # tensors
    "half-precision numbers": (with_tensor("head.bias", dtype="F16", shape=[4]), "head.bias"),
    "whole numbers": (with_tensor("head.bias", dtype="I32"), "head.bias"),
    "long numbers": (with_tensor("head.bias", dtype="I64", shape=[1]), "head.bias"),
    "brain floats": (with_tensor("head.bias", dtype="BF16", shape=[4]), "damaged"),
    "truth values": (with_tensor("head.bias", dtype="BOOL", shape=[8]), "head.bias"),
    "an unknown type": (with_tensor("head.bias", dtype="F33"), "damaged"),
    "a shape turned round": (with_tensor("head.weight", shape=[7, 2]), "head.weight"),
    "a shape without its dimensions": (with_tensor("head.weight", shape=[14]), "head.weight"),
    "a shape with one dimension more": (with_tensor("head.weight", shape=[1, 2, 7]), "head.weight"),
    "a huge shape": (with_tensor("head.weight", shape=[2**40, 2**40]), "damaged"),
    "a shape that overflows to the right size": (with_tensor("head.weight", shape=[2**62 + 7, 4, 1]), "damaged"),
    "a shape that overflows to nothing": (with_tensor("head.weight", shape=[2**32, 2**32]), "damaged"),
    "a negative shape": (with_tensor("head.weight", shape=[-2, -7]), "damaged"),
    "a shape of nothing": (with_tensor("head.weight", shape=[0, 7]), "damaged"),
    "offsets from the end": (with_tensor("head.weight", data_offsets=[-8, 0]), "damaged"),
    "offsets the wrong way round": (with_tensor("head.weight", data_offsets=[56, 0]), "damaged"),
    "offsets beyond the end": (with_tensor("head.weight", data_offsets=[2**40, 2**40 + 56]), "damaged"),
    "offsets that overflow": (with_tensor("head.weight", data_offsets=[2**64 - 8, 48]), "damaged"),
    "overlapping tensors": (with_tensors(overlapping), "damaged"),
    "places changed, sizes kept": (with_tensors(swapped_offsets), "damaged"),
    "bytes of no tensor": (with_tensors(gap), "damaged"),
    "a missing tensor": (with_tensors(lambda tensors: tensors.pop("head.bias")), "damaged"),
    "a tensor of another name": (
        with_tensors(lambda tensors: tensors.update({"head.b": tensors.pop("head.bias")})),
        "head.bias is missing",
    ),
    "one tensor more, of no bytes": (
        with_tensors(
            lambda tensors: tensors.update({"\x1b[2J": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}})
        ),
        "\\x1b[2J is unknown",
    ),
    # numbers
    "NaN as a weight": (with_number(float("nan")), "NaN"),
    "infinity as a weight": (with_number(float("inf")), "NaN or a number beyond 1e+15"),
    "minus infinity as a weight": (with_number(float("-inf")), "NaN or a number beyond 1e+15"),
    "a weight that would overflow": (with_number(3e38), "NaN or a number beyond 1e+15"),
}
"""Builders by the mistake they make, each with what the message must contain."""
