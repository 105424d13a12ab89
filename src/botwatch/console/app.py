"""The console: the same tabs and keys as the pages, in a terminal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, RichLog, Static

from botwatch import limits
from botwatch.console.client import Client, reason
from botwatch.console.plain import STATUS
from botwatch.console.views import LOGS, OVERVIEW, VIEWS, View, fresh, table
from botwatch.console.words import block, duration, number, safe
from botwatch.errors import BotwatchError

_LEVELS: Final = {"warn": "bold yellow", "error": "bold red", "fatal": "bold red reverse"}
_BARS: Final = (("CPU", "cpu_percent"), ("MEM", "memory_percent"), ("GPU", "gpu_percent"), ("DISK", "disk_percent"))
_BAR_CHARS_MAX: Final = 30
_NARROW_CHARS: Final = 70  # below, the side bar waits to be asked for
HELP: Final = (
    *((view.key, view.name) for view in VIEWS),
    ("R", "Refresh"),
    ("F", "The view alone, and back"),
    ("S", "Show or hide the side bar"),
    ("/", "Show only what has these words"),
    ("?", "This list"),
    ("Q", "Quit"),
)


class Keys(ModalScreen[None]):
    CSS = "Keys { align: center middle; } Keys > Static { width: auto; border: round $accent; padding: 1 2; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "dismiss", show=False)]

    def compose(self) -> ComposeResult:
        yield Static("\n".join(f"{key:>3}  {what}" for key, what in HELP), markup=False)


class ConsoleApp(App[None]):
    """Asks the server again and again; where it is away it says so, and shows what it knew."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "Botwatch"
    CSS = """
    #top { height: 1; } #gone { color: $error; height: auto; }
    #side { width: 18; height: 1fr; border-right: solid $panel; }
    #status, #note { height: auto; padding: 0 1; } #note { color: $text-muted; } #find { display: none; }
    #rows, #log { height: 1fr; } .hidden { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(view.key, f"show('{view.key}')", view.name) for view in VIEWS),
        Binding("r,R", "refresh_now", "Refresh"),
        Binding("f,F", "alone", "Alone"),
        Binding("s,S", "side", "Side bar"),
        Binding("slash", "find", "Search"),
        Binding("question_mark", "keys", "Keys"),
        Binding("escape", "leave", show=False),
        Binding("q,Q", "quit", "Quit"),
    ]

    def __init__(self, client: Client, now: Callable[[], datetime], every_s: float = 2.0) -> None:
        super().__init__()
        self._client = client
        self._now = now
        self._every_s = every_s
        self._view = OVERVIEW
        self._words = ""
        self._seen: set[tuple[str, str, str]] = set()
        self._as_of: datetime | None = None
        self._busy = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield Static("", id="top", markup=False)
        yield Static("", id="gone", classes="hidden", markup=False)
        with Horizontal():
            yield Static("", id="side", markup=False)
            with Vertical():
                yield Static("", id="status", markup=False)
                yield Static("", id="note", markup=False)
                yield DataTable(id="rows", cursor_type="row", zebra_stripes=True)
                yield RichLog(id="log", max_lines=limits.CONSOLE_LOG_LINES_MAX, wrap=True, markup=False)
                yield Input(id="find", placeholder="words, then Enter")

    async def on_mount(self) -> None:
        self.query_one("#side").set_class(self.size.width < _NARROW_CHARS, "hidden")
        self._draw_frame()
        self.set_interval(self._every_s, self._ask)
        self.query_one("#rows").focus()
        self.call_later(self._ask)

    async def action_show(self, key: str) -> None:
        self._view = next(view for view in VIEWS if view.key == key)
        self.query_one("#rows", DataTable).clear(columns=True)
        self._draw_frame()
        await self._ask()

    async def action_refresh_now(self) -> None:
        await self._ask()

    def action_alone(self) -> None:
        for name in ("#top", "#side", "#status"):
            self.query_one(name).toggle_class("hidden")

    def action_side(self) -> None:
        self.query_one("#side").toggle_class("hidden")

    def action_find(self) -> None:
        field = self.query_one("#find", Input)
        field.display = True
        field.focus()

    def action_keys(self) -> None:
        self.push_screen(Keys())

    async def action_leave(self) -> None:
        await self._search("")

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        await self._search(event.value)

    async def _search(self, words: str) -> None:
        field = self.query_one("#find", Input)
        field.display = False
        field.value = words
        self._words = words
        self._seen.clear()
        self.query_one("#log", RichLog).clear()
        self.query_one("#rows").focus()
        await self._ask()

    async def _ask(self) -> None:
        """One at a time: a slow server is not asked twice at once."""
        if self._busy.locked():
            return
        async with self._busy:
            with contextlib.suppress(NoMatches):  # it is being closed
                await self._ask_now()

    async def _ask_now(self) -> None:
        view, words = self._view, self._words
        try:
            status = await asyncio.to_thread(self._client.get, STATUS)
        except BotwatchError as error:
            self._draw_gone(reason(error))
            return
        self._as_of = self._now()
        self._draw_status(status)
        try:
            body = await asyncio.to_thread(self._client.get, view.path, self._params(view, words))
        except BotwatchError as error:
            self._note(safe(reason(error)))
            return
        if view is not self._view or words != self._words:
            return
        try:
            self._draw(view, body["items"], words)
        except (KeyError, TypeError, ValueError):
            self._note(f"{view.path} answers in a form that this version of the console does not know.")

    def _params(self, view: View, words: str) -> dict[str, str | int]:
        return dict(view.params) | ({"q": words} if words and view is LOGS else {})

    def _draw(self, view: View, items: list[dict[str, Any]], words: str) -> None:
        if view is LOGS:
            log = self.query_one("#log", RichLog)
            for line in fresh(items, self._seen):
                log.write(Text(line.words(self._now()), style=_LEVELS.get(line.level, "")))
            self._note(f"with {safe(words)}" if words else "live, newest last")
            return
        headings, rows = table(view, items, self._now())
        low = words.lower()
        rows = [row for row in rows if not low or any(low in cell.lower() for cell in row)]
        shown = self.query_one("#rows", DataTable)
        at = shown.cursor_row
        shown.clear(columns=True)
        shown.add_columns(*headings)
        shown.add_rows([[Text(cell) for cell in row] for row in rows])
        if rows:
            shown.move_cursor(row=min(at, len(rows) - 1))
        self._note(view.empty if not items else f"{len(rows)} shown" if words else "")

    def _draw_frame(self) -> None:
        logs = self._view is LOGS
        self.query_one("#rows").set_class(logs, "hidden")
        self.query_one("#log").set_class(not logs, "hidden")
        tabs = (f"{'>' if view is self._view else ' '}{view.key} {view.name}" for view in VIEWS)
        self.query_one("#side", Static).update("\n".join((*tabs, "", " ? Keys")))
        self._draw_top()

    def _draw_top(self, *, live: bool = True) -> None:
        asked = f"as of {self._as_of:%H:%M:%S}" if self._as_of else "asking"
        mark = "● LIVE" if live and self._as_of else "■ NOT LIVE" if not live else "○"
        self.query_one("#top", Static).update(f"Botwatch  {self._view.name}  {mark} {asked}")

    def _draw_gone(self, why: str) -> None:
        gone = self.query_one("#gone", Static)
        gone.update(safe(why))
        gone.remove_class("hidden")
        self._draw_top(live=False)

    def _draw_status(self, status: dict[str, Any]) -> None:
        self.query_one("#gone").add_class("hidden")
        self._draw_top()
        lines = block(status, self._now())[1:]
        if self._view is OVERVIEW:
            sessions, messages = status["sessions"], status["messages"]
            answered = messages["avg_response_ms"]
            lines = [
                lines[0] + f", {duration(sessions['avg_duration_seconds'])} on average",
                lines[1],
                f"Response: {number(answered)}{'' if answered is None else ' ms'} on average today",
                *(_bar(name, status["resources"][key], self.size.width // 3) for name, key in _BARS),
                lines[3],
            ]
        self.query_one("#status", Static).update("\n".join(lines))

    def _note(self, text: str) -> None:
        self.query_one("#note", Static).update(text)


def _bar(name: str, percent: float | None, room: int) -> str:
    chars = min(_BAR_CHARS_MAX, room)
    if percent is None:
        return f"{name:4} [{'?' * chars}] unknown"
    full = round(min(100.0, max(0.0, percent)) / 100 * chars)
    return f"{name:4} [{'█' * full}{'░' * (chars - full)}] {percent}%"
