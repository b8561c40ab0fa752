"""A page on which a classifier computes at each keystroke, in the browser. Never imports torch."""

from textrnn.explorer.page import write_html
from textrnn.explorer.server import serve

__all__ = ["serve", "write_html"]
