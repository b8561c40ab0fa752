"""How figures look: matplotlib without its global figures and without the user's own style.

Equal evaluations then give equal bytes on one machine.
"""

import functools
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textrnn.files import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID, ACCENT = "#1e293b", "#64748b", "#e2e8f0", "#2563eb"
FALLBACK_FONTS = [  # for labels in scripts that DejaVu Sans lacks; the installed ones are used
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Thai", "Noto Sans Arabic", "Noto Sans Devanagari"),
    *("PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Thonburi", "Arial Unicode MS"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Leelawadee UI", "Nirmala UI", "Segoe UI"),
]


def new_figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)  # inches
    return figure


def rendered(figure: "Figure", form: str) -> bytes:
    # A date, a version or a random id in the file would make equal evaluations differ.
    metadata = {"png": {"Software": None}, "svg": dict.fromkeys(("Date", "Creator", "Format", "Type"))}[form]
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        figure.savefig(buffer, format=form, metadata=metadata, transparent=form == "svg")
    return buffer.getvalue()


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's defaults with our settings, put back afterwards."""
    matplotlib = require("matplotlib", extra="evaluate", purpose="a figure")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "savefig.dpi": 150,
                "svg.hashsalt": "textrnn",
                "svg.fonttype": "none",
                "font.family": ["DejaVu Sans", *_installed_fonts()],
                "font.size": 9,
                "text.color": INK,
                "axes.labelcolor": INK,
                "axes.edgecolor": GRID,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "xtick.color": GRID,
                "ytick.color": GRID,
                "xtick.labelcolor": INK,
                "ytick.labelcolor": INK,
                "grid.color": GRID,
                "lines.linewidth": 1.8,
                "lines.markersize": 3.5,
                "legend.frameon": False,
            }
        )
        yield


@functools.cache
def _installed_fonts() -> list[str]:
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return [name for name in FALLBACK_FONTS if name in installed]
