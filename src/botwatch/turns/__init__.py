"""Turns: what became of every inbound message, and how many sessions were active at once."""

from botwatch.turns.activity import active_now, peak
from botwatch.turns.settler import Durable, Report, Settler
from botwatch.turns.window import Terms

__all__ = ["Durable", "Report", "Settler", "Terms", "active_now", "peak"]
