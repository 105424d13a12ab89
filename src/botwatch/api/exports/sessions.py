"""Sessions whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botwatch.api.exports.whole import Whole
from botwatch.api.masking import Eyes
from botwatch.api.reads import sessions
from botwatch.api.shapes_monitoring import SessionItem, SessionState
from botwatch.reports.tables import columns_of


def whole(wanted: sessions.Wanted, eyes: Eyes) -> Whole:
    from_us = wanted.active_us if wanted.state is SessionState.ACTIVE else 0
    grouped, params = sessions.grouped_by(wanted, eyes, from_us)
    width = len(sessions.EACH)

    def item(row: Sequence[Any]) -> SessionItem:
        return sessions.Totals(*row[:width]).item(wanted.active_us, eyes)

    return Whole(
        columns=columns_of(SessionItem),
        raw=(*sessions.EACH, sessions.SEEN_US, sessions.TIE),
        item=item,
        source=grouped,
        order=f"r{width} DESC, r{width + 1} DESC",
        pieces=(params,),
    )
