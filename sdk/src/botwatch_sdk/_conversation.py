"""Sessions, turns and messages: who talks with the bot, and what became of what they said."""

from __future__ import annotations

from types import TracebackType
from typing import Literal

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import INVALID_SPAN, Span, set_span_in_context

from botwatch_sdk import _faults, _limits, _live, _names, _scope
from botwatch_sdk._counters import Kind
from botwatch_sdk._dice import new_id
from botwatch_sdk._emit import event
from botwatch_sdk._guard import contained, never_raises, nothing, warn_once
from botwatch_sdk._text import Scalar, identifier, number, text

Direction = Literal["in", "out"]
Author = Literal["user", "bot", "agent"]
Id = str | int

_AUTHOR_OF = {"in": "user", "out": "bot"}


class Session(_scope.Held["Session"]):
    """All that happens inside belongs to this conversation: spans, logs and events, also those of libraries."""

    __slots__ = ("_channel", "_user", "id")

    def __init__(self, id: str, user: str, channel: str) -> None:
        super().__init__()
        self.id = id
        self._user = user
        self._channel = channel

    def _enter(self, before: Context) -> tuple[Context, Session]:
        scope = _scope.of(before) or _scope.EMPTY
        inside = scope.inside(session=self.id, user=self._user, channel=self._channel)
        return _scope.placed(inside, before), self

    def _inert(self) -> Session:
        return self


@never_raises(lambda: Session("", "", ""))
def session(id: Id | None, *, user: Id | None = None, channel: str | None = None) -> Session:
    """`with session(chat_id, user=user_id, channel="telegram"):`, sync and async. Ids may be numbers."""
    if id is None or id == "":
        warn_once("session:id", "botwatch: session(id): expected the id of the conversation, found none")
    return Session(identifier(id), identifier(user), identifier(channel))


class Turn:
    """One message from a user, and the time in which the bot answers it. One object, one turn."""

    __slots__ = ("_before", "_failed", "_name", "_scope", "_span", "_text", "id")

    def __init__(self, said: str, id: str, name: str, scope: _scope.Scope) -> None:
        self.id = id
        self._text = said
        self._name = name
        self._scope = scope
        self._span: Span = INVALID_SPAN
        self._before: Context | None = None
        self._failed = False

    def __enter__(self) -> Turn:
        runtime = _live.runtime
        if runtime is None:
            _live.idle()
            return self
        try:
            before = get_current()
            inside = _scope.placed(self._scope, before)
            attributes = {**self._scope.attributes, _names.ACTION: self._name, _names.MESSAGE_ID: self.id}
            self._span = runtime.tracer.start_span(self._name, inside, attributes=attributes)
            attach(set_span_in_context(self._span, inside))
            self._before = before
            _say(runtime, self._text, direction="in", author="user", id=self.id, reply_to="")
        except Exception as error:
            contained("turn", error)
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        try:
            if error is not None and not isinstance(error, GeneratorExit | KeyboardInterrupt | SystemExit):
                self.fail(error)
            attach(before)
            self._span.end()
        except Exception as failed:
            contained("turn", failed)

    async def __aenter__(self) -> Turn:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    @never_raises(str)
    def reply(self, text: str | None = None, *, id: Id | None = None, author: Author = "bot") -> str:
        """The bot's answer, or one of several. Answers the new message's id."""
        return message(text, direction="out", author=author, id=id, reply_to=self.id)

    @never_raises(nothing)
    def fail(self, error: BaseException | str) -> None:
        """The bot knows that it cannot answer. An exception that leaves the turn says so by itself."""
        runtime = _live.runtime
        if runtime is None or self._failed:
            return
        self._failed = True
        if isinstance(error, BaseException):
            _faults.fail(self._span, error, runtime.counters)
            kind = _faults.type_name(error)
        else:
            kind = text(error, _limits.ID_CHARS_MAX)
            _faults.refuse(self._span, kind)
        event(runtime, _names.TURN_FAILED, {_names.MESSAGE_ID: self.id, _names.ERROR_TYPE: kind})


@never_raises(lambda: Turn("", "", "turn", _scope.EMPTY))
def turn(
    text: str | None = None,
    *,
    id: Id | None = None,
    session: Id | None = None,
    user: Id | None = None,
    channel: str | None = None,
    name: str = "turn",
) -> Turn:
    """`with turn(said, session=chat_id) as t: t.reply(answer)`, sync and async.

    `session`, `user` and `channel` are those of the session around it where they are not given. A reply may also come
    later, from another task or process: `message(answer, reply_to=t.id)` within the same session.
    """
    message_id = identifier(id) or new_id()
    scope = _scope.current().inside(
        session=identifier(session), user=identifier(user), channel=identifier(channel), message=message_id
    )
    return Turn(_words(text), message_id, identifier(name) or "turn", scope)


@never_raises(str)
def message(
    text: str | None = None,
    *,
    direction: Direction = "out",
    author: Author | None = None,
    id: Id | None = None,
    reply_to: Id | None = None,
) -> str:
    """One message outside of `turn`: a late reply, a word of a human agent, something the bot says unasked.

    Inside of a turn an outgoing one answers that turn. Answers the message's id.
    """
    runtime = _live.runtime
    message_id = identifier(id) or new_id()
    if runtime is None:
        _live.idle()
        return message_id
    if direction not in _AUTHOR_OF:
        warn_once("direction", "botwatch: message(direction=…): expected 'in' or 'out'; taking 'out'")
        direction = "out"
    answers = identifier(reply_to)
    if not answers and direction == "out":
        answers = _scope.current().message
    _say(
        runtime,
        _words(text),
        direction=direction,
        author=identifier(author) or _AUTHOR_OF[direction],
        id=message_id,
        reply_to=answers,
    )
    return message_id


def _words(said: object) -> str:
    return text(said)


def _say(runtime: _live.Runtime, said: str, *, direction: str, author: str, id: str, reply_to: str) -> None:
    attributes = {_names.MESSAGE_DIRECTION: direction, _names.MESSAGE_AUTHOR: author, _names.MESSAGE_ID: id}
    if reply_to:
        attributes[_names.MESSAGE_REPLY_TO] = reply_to
    runtime.counters.event(Kind.IN if direction == "in" else Kind.OUT)
    event(runtime, _names.MESSAGE, attributes, said)


@never_raises(nothing)
def feedback(score: float, text: str | None = None, *, message_id: Id | None = None) -> None:
    """What the user thought of it, from -1 (bad) to 1 (good); of one answer where its id is given."""
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    given = number(score, name="feedback(score)", least=-1.0)
    if given > 1.0:
        raise ValueError("feedback(score): expected a number from -1 to 1, found a larger one")
    attributes: dict[str, Scalar] = {_names.FEEDBACK_SCORE: given}
    if said := _words(text):
        attributes[_names.FEEDBACK_TEXT] = said
    if of := identifier(message_id):
        attributes[_names.MESSAGE_ID] = of
    return event(runtime, _names.FEEDBACK, attributes)


@never_raises(nothing)
def handoff(reason: str | None = None, *, to: str | None = None) -> None:
    """A human takes over this session."""
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    given = {_names.HANDOFF_REASON: text(reason, _limits.REASON_CHARS_MAX), _names.HANDOFF_TO: identifier(to)}
    return event(runtime, _names.HANDOFF, {name: value for name, value in given.items() if value})


@never_raises(nothing)
def end_session(outcome: str = "completed") -> None:
    """This session is over: `completed`, `abandoned`, or a word of your own."""
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    return event(runtime, _names.SESSION_END, {_names.SESSION_OUTCOME: identifier(outcome) or "completed"})
