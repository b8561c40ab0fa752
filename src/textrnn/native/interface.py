"""The records of `kernels.h` and `network.h`, field by field, and what else both sides must agree on."""

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_double, c_float, c_int32, c_int64, c_uint64, c_void_p

CELLS = {"elman": 0, "elman_relu": 1, "gru": 2, "lstm": 3, "mingru": 4, "minlstm": 5}
POOLINGS = {None: 0, "last": 1, "mean": 2, "max": 3}
TABLE_TYPES = {"float32": 0, "float16": 1, "int8": 2}
PRECISIONS = {None: 0, "bf16": 1}
BY_STEP, BY_TEXT, BY_WORD = range(3)
"""What the factors of a mask of features belong to."""
LANES = 16
DONE, NO_MEMORY, NO_SUCH_ID, ROWS_MISSING = range(4)
"""What the functions of `network.h` return."""


def padded(hidden_size: int) -> int:
    """Units of a row inside the kernels: `hidden_size` rounded up to a multiple of LANES."""
    return -(-hidden_size // LANES) * LANES


class ItemRecord(Structure):
    """`textrnn_item`."""

    _fields_ = (
        ("rows", c_int32),
        ("time", c_int32),
        ("first_position", c_int64),
        ("alive", POINTER(c_int32)),
        ("row", POINTER(c_int32)),
        ("length", POINTER(c_int64)),
    )


class PlanRecord(Structure):
    """`textrnn_plan`."""

    _fields_ = (
        *((name, c_int64) for name in ("batch", "positions", "items", "unique")),
        ("item", POINTER(ItemRecord)),
        *((name, POINTER(c_int32)) for name in ("source_row", "source_time", "mirror", "unique_of")),
        ("unique_ids", POINTER(c_int64)),
        ("occurrence", POINTER(c_int64)),
        ("occurrences", POINTER(c_int32)),
    )


class DirectionRecord(Structure):
    """`textrnn_direction`: addresses, 0 for NULL."""

    _fields_ = tuple(
        (name, c_void_p)
        for name in (
            *("from_input", "input_bias", "from_hidden", "candidate_bias", "projected", "panels", "saved", "previous"),
            *("start_hidden", "start_memory", "final_hidden", "final_memory", "d_final_hidden", "d_final_memory"),
            *("d_start_hidden", "d_start_memory", "d_projected", "partial", "d_from_input", "d_input_bias"),
            *("d_from_hidden", "d_recurrent_bias", "turned", "recurrent_bias"),
        )
    )


class LayerRecord(Structure):
    """`textrnn_layer`."""

    _fields_ = (
        ("plan", c_void_p),
        *((name, c_int32) for name in ("cell", "hidden", "padded", "directions", "pooling", "threads", "table_type")),
        ("precision", c_int32),
        ("features", c_int64),
        ("inputs", c_int64),
        ("input", c_void_p),
        ("index", c_void_p),
        ("table", c_void_p * 2),
        ("table_scale", c_void_p * 2),
        ("outputs", c_void_p),
        ("pooled", c_void_p),
        ("argmax", c_void_p),
        ("direction", DirectionRecord * 2),
        ("d_outputs", c_void_p),
        ("d_pooled", c_void_p),
        ("d_input", c_void_p),
    )


class MaskRecord(Structure):
    """`textrnn_mask`."""

    _fields_ = (("seed", c_uint64), ("threshold", c_int32), ("scale", c_float))


class ReadingRecord(Structure):
    """`textrnn_reading`."""

    _fields_ = (
        ("plan", c_void_p),
        ("features", c_int64),
        ("table", c_void_p),
        ("word", MaskRecord),
        ("feature", MaskRecord),
        *((name, c_int32) for name in ("by", "readings", "threads")),
        ("inputs", c_void_p),
        ("d_inputs", c_void_p),
        ("silent", c_int64),
        *((name, c_void_p) for name in ("order", "begin", "d_ids", "d_rows")),
    )


class NetworkRecord(Structure):
    """`textrnn_network` of `network.h`."""

    _fields_ = (
        *((name, c_int32) for name in ("layers", "pooling", "classes", "scans")),
        ("vocabulary", c_int64),
        ("features", c_int64),
        ("layer", POINTER(LayerRecord)),
        ("written", c_void_p * 2),
        ("embedding", c_void_p),
        ("embedding_scale", c_void_p),
        ("embedding_type", c_int32),
        ("tokens_at_once", c_int32),
        ("head", c_void_p),
        ("head_bias", c_void_p),
    )


class StreamRecord(Structure):
    """`textrnn_stream` of `network.h`."""

    _fields_ = (*((name, c_void_p) for name in ("hidden", "memory", "pool")), ("steps", c_int64))


class FactorRecord(Structure):
    """`textrnn_factor`."""

    _fields_ = (
        ("a", c_void_p),
        ("b", c_void_p),
        *((name, c_int64) for name in ("a_row", "a_column", "b_row", "b_column", "k")),
    )


class ProductRecord(Structure):
    """`textrnn_product`."""

    _fields_ = (
        ("factor", POINTER(FactorRecord)),
        ("factors", c_int32),
        *((name, c_int64) for name in ("m", "n", "c_row")),
        ("c", c_void_p),
        ("bias", c_void_p),
        ("row_sums", c_void_p),
    )


class NgramsRecord(Structure):
    """`textrnn_ngrams`."""

    _fields_ = (
        *((name, c_int64) for name in ("count", "classes")),
        *((name, c_void_p) for name in ("key", "weight", "bias", "slot")),
        ("slots", c_int64),
    )


class SparseRecord(Structure):
    """`textrnn_sparse`."""

    _fields_ = (
        ("rows", c_int64),
        *((name, c_void_p) for name in ("offset", "column", "number")),
        ("squared", c_int32),
    )


SIGNATURES = {
    "textrnn_instruction_set": (c_char_p, []),
    "textrnn_use_instruction_set": (ctypes.c_int, [c_char_p]),
    "textrnn_has_bf16": (ctypes.c_int, []),
    "textrnn_cell_shape": (ctypes.c_int, [c_int32, POINTER(c_int32), POINTER(c_int32)]),
    "textrnn_plan_new": (
        POINTER(PlanRecord),
        [c_int64, c_void_p, c_int64, c_int32, c_void_p, c_int64, c_void_p, c_int64],
    ),
    "textrnn_plan_free": (None, [POINTER(PlanRecord)]),
    "textrnn_pack": (None, [POINTER(LayerRecord)]),
    "textrnn_place": (c_int64, [POINTER(LayerRecord), c_int32, c_void_p]),
    "textrnn_scores": (ctypes.c_int, [POINTER(NetworkRecord), c_int64, c_void_p, c_void_p, c_int32, c_void_p]),
    "textrnn_stream_read": (ctypes.c_int, [POINTER(NetworkRecord), POINTER(StreamRecord), c_void_p, c_int64]),
    "textrnn_stream_scores": (ctypes.c_int, [POINTER(NetworkRecord), POINTER(StreamRecord), c_int64, c_void_p]),
    "textrnn_forward": (ctypes.c_int, [POINTER(LayerRecord)]),
    "textrnn_backward": (ctypes.c_int, [POINTER(LayerRecord)]),
    "textrnn_products": (ctypes.c_int, [POINTER(ProductRecord), c_int32, c_int32]),
    "textrnn_ngrams_index": (c_int32, [POINTER(NgramsRecord)]),
    "textrnn_ngrams_scores": (
        c_int32,
        [POINTER(NgramsRecord), c_void_p, c_void_p, c_int64, c_void_p, c_int32],
    ),
    "textrnn_ngrams_of_texts": (c_int64, [c_void_p, c_void_p, *(c_int64,) * 3, c_int32, *(c_void_p,) * 4]),
    "textrnn_ngrams_of_tokens": (c_int64, [c_char_p, c_void_p, c_void_p, *(c_int64,) * 3, c_void_p, c_void_p]),
    "textrnn_ngrams_take": (None, [c_void_p, c_void_p]),
    "textrnn_sparse_product": (None, [POINTER(SparseRecord), c_void_p, c_int64, c_void_p, c_int32]),
    "textrnn_mask_rows": (None, [POINTER(MaskRecord), c_int64, c_int64, c_void_p]),
    "textrnn_read_words": (ctypes.c_int, [POINTER(ReadingRecord)]),
    "textrnn_learn_words": (c_int64, [POINTER(ReadingRecord)]),
    "textrnn_activate": (None, [c_int32, POINTER(c_float), POINTER(c_float), c_int64]),
    "textrnn_peak_operations": (c_double, [c_int32, c_int64]),
}
"""Result and arguments of every function."""
