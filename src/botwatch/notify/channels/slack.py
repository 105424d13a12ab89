"""Slack: an incoming webhook, or a bot's token, with which one message per incident is kept up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson
from pydantic import Field, SecretStr, model_validator

from botwatch import limits
from botwatch.detect.rule import Severity
from botwatch.notify import backoff, render
from botwatch.notify.channels.http import post
from botwatch.notify.channels.kind import Kind, Means, Options, Secret, Sent, Text, Undelivered, Url, cleaned
from botwatch.notify.channels.webhook import checked_url
from botwatch.notify.escape import cut, link, slack
from botwatch.notify.note import Note, Purpose, Told
from botwatch.notify.wire import Answer

_HEADER_CHARS_MAX: Final = 150
_FALLBACK_CHARS_MAX: Final = 3_000
_SIGN: Final = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
_OVER: Final = "🟢"
# What chat.postMessage says when trying again helps; everything else it says is for good.
_LATER: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
    | {"team_added_to_org"}
)


class SlackOptions(Options):
    webhook_url: Secret = Field(default=SecretStr(""), description="an incoming webhook")
    token: Secret = Field(default=SecretStr(""), description="a bot's token (xoxb-…) with chat:write, in its place")
    channel: Text = Field(default="", description="with a token: the id of a channel, such as C0123456789")
    api_url: Url = Field(default="https://slack.com/api", description="where Slack's API is")

    @model_validator(mode="after")
    def _one_way(self) -> SlackOptions:
        token, hook = self.token.get_secret_value(), self.webhook_url.get_secret_value()
        if bool(token) == bool(hook):
            raise ValueError("expected either webhook_url, or token and channel")
        if token and not self.channel:
            raise ValueError("channel: expected the id of a channel beside the token")
        if hook:
            checked_url(self.webhook_url)
        return self


class Slack(Kind[SlackOptions]):
    name = "slack"
    help = "posts to a channel; with a bot's token one message per incident is kept up to date"
    options: ClassVar[type[SlackOptions]] = SlackOptions
    at_once_max = 4  # Slack takes about one a second into one channel
    keeps = True

    def groups(self, options: SlackOptions) -> bool:
        return not options.token.get_secret_value()

    async def send(self, options: SlackOptions, note: Note, means: Means) -> Sent:
        message = {"text": _fallback(note), "blocks": blocks(note)}
        if not options.token.get_secret_value():
            url = options.webhook_url.get_secret_value()
            answer = await post(url, orjson.dumps(message), {"content-type": "application/json"}, options, means)
            return Sent(f"{answer.status} {cleaned(answer.text, options)}")
        if note.ref.get("ts"):
            try:
                return await self._call("chat.update", {**message, **_place(note.ref)}, options, means)
            except Undelivered as error:
                if "message_not_found" not in error.answer and "cant_update_message" not in error.answer:
                    raise
        known = {"event_type": "botwatch_delivery", "event_payload": {"id": note.id}}
        whole = {**message, "channel": options.channel, "metadata": known, "unfurl_links": False}
        return await self._call("chat.postMessage", whole, options, means)

    async def _call(self, method: str, body: Mapping[str, Any], options: SlackOptions, means: Means) -> Sent:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {options.token.get_secret_value()}",
        }
        answer = await post(f"{options.api_url.rstrip('/')}/{method}", orjson.dumps(body), headers, options, means)
        said = _said(answer)
        if said.get("ok") is True:
            return Sent(f"{method}: ok", {key: str(said[key])[:64] for key in ("channel", "ts") if key in said})
        error = said.get("error")
        if not isinstance(error, str):
            words = cleaned(answer.text[:200], options)
            raise Undelivered(f"{method}: not an answer of Slack: {words}", retryable=True)
        asked_s = backoff.retry_after_s(answer.headers.get("retry-after"), means.clock.now_ns())
        raise Undelivered(f"{method}: {error}", retryable=error in _LATER, retry_after_s=asked_s)


def _place(ref: Mapping[str, str]) -> dict[str, str]:
    return {key: ref[key] for key in ("channel", "ts") if key in ref}


def _said(answer: Answer) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _fallback(note: Note) -> str:
    """What a phone's lock screen and a screen reader say."""
    return cut(slack(render.title(note)), _FALLBACK_CHARS_MAX)


def blocks(note: Note) -> list[dict[str, Any]]:
    single = note.purpose is Purpose.INCIDENT and len(note.told) == 1
    title = cut(f"{_sign(note.told[0])} {render.title(note)}" if single else render.title(note), _HEADER_CHARS_MAX)
    found: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}]
    if said := render.preface(note):
        found.append(_section(slack(said)))
    found += [_section(_about(told, note, headed=not single)) for told in note.told]
    if note.more or len(found) > limits.SLACK_BLOCKS_MAX:
        left = found[limits.SLACK_BLOCKS_MAX - 1 :]
        found = [*found[: limits.SLACK_BLOCKS_MAX - 1], _section(f"and {note.more + len(left)} more")]
    return found


def _section(text: str) -> dict[str, Any]:
    """`verbatim`: nothing in it becomes a link or a mention by itself."""
    text = cut(text, limits.SLACK_TEXT_CHARS_MAX)
    return {"type": "section", "text": {"type": "mrkdwn", "text": text or " ", "verbatim": True}}


def _sign(told: Told) -> str:
    return _OVER if told.over else _SIGN[told.severity]


def _about(told: Told, note: Note, *, headed: bool) -> str:
    lines = [f"{_sign(told)} *{slack(render.headline(told), 300)}*"] if headed else []
    if note.purpose is Purpose.DIGEST:
        return lines[0]
    room = limits.SLACK_TEXT_CHARS_MAX - 1_200
    for name, value in render.marked(told, note.zone):
        line = f"*{name}:* {slack(value, 600, code=name in render.CODED)}"
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    ways = [*((each.name, each.url) for each in told.links), *([("Runbook", told.runbook)] if told.runbook else [])]
    links = [f"<{_url(url)}|{slack(name, 40)}>" for name, url in ways if _url(url)]
    lines.append(cut_links(links, 800))
    if told.runbook and not _url(told.runbook):
        lines.append(f"*Runbook:* {slack(told.runbook, 200)}")
    if render.advice(told, "") and links and told.links:
        lines.append("Open the incident to acknowledge it.")
    return "\n".join(line for line in lines if line) or " "


def cut_links(links: list[str], chars_max: int) -> str:
    """As many as have room, each whole."""
    kept: list[str] = []
    for each in links:
        if sum(map(len, kept)) + len(each) + 3 * len(kept) > chars_max:
            break
        kept.append(each)
    return " · ".join(kept)


def _url(url: str) -> str:
    return link(url).replace("&", "&amp;")
