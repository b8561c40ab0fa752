"""The training page: a training to be watched in a browser while it goes on."""

from textrnn.live.server import LivePage, live_page
from textrnn.live.state import LiveState

__all__ = ["LivePage", "LiveState", "live_page"]
