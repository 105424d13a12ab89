"""The other hundred services, through apprise: one of its URLs is one channel.

It looks up and connects by itself, so it runs in a process of its own, in which every connection is checked
against the same networks at the moment it is made.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import ClassVar, Final

import orjson
from pydantic import Field, SecretStr, field_validator

from botwatch import limits
from botwatch.notify import child, render
from botwatch.notify.channels.kind import WITHOUT_ACKNOWLEDGED, Kind, Means, Options, Secret, Sent, Undelivered, cleaned
from botwatch.notify.note import Note

# They reach no receiver but this machine's own desktop and log.
LOCAL: Final = frozenset({"dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog"})
_RUNNER: Final = Path(__file__).with_name("apprise_run.py")
_OUTPUT_BYTES_MAX: Final = 64 * limits.KIB


class AppriseOptions(Options):
    url: Secret = Field(description="one URL as apprise documents them, such as tgram://TOKEN/CHAT")

    @field_validator("url")
    @classmethod
    def _a_service(cls, value: SecretStr) -> SecretStr:
        if importlib.util.find_spec("apprise") is None:
            raise ValueError("apprise is not installed: pip install 'botwatch[apprise]'")
        schema = value.get_secret_value().strip().partition("://")
        if not schema[1] or not schema[2]:
            raise ValueError("expected a URL such as tgram://TOKEN/CHAT")
        if schema[0].lower() in LOCAL:
            raise ValueError(f"{schema[0]}:// tells only the machine that the server runs on")
        return value


class Apprise(Kind[AppriseOptions]):
    name = "apprise"
    help = "any service that apprise knows, by its URL"
    options: ClassVar[type[AppriseOptions]] = AppriseOptions
    steps = WITHOUT_ACKNOWLEDGED
    at_once_max = 2
    total_s_max = limits.APPRISE_S_MAX + 5

    async def send(self, options: AppriseOptions, note: Note, means: Means) -> Sent:
        order = {
            "url": options.url.get_secret_value().strip(),
            "title": render.title(note),
            "body": render.text(note),
            "kind": "success" if note.told and not note.firing else "info" if not note.told else note.severity.value,
            "networks": [str(network) for network in means.targets.allowed],
        }
        command: list[str | Path] = [sys.executable, "-I", _RUNNER]
        try:
            ended = await child.run(
                command, orjson.dumps(order), seconds=limits.APPRISE_S_MAX, output_bytes_max=_OUTPUT_BYTES_MAX
            )
        except OSError as error:
            raise Undelivered(f"apprise could not be started ({error.strerror})", retryable=True) from None
        if ended.code is None:
            raise Undelivered("no answer in time", retryable=True)
        last = ended.output.strip().rpartition("\n")[2]
        try:
            found = orjson.loads(last)
            outcome, words = str(found["outcome"]), cleaned(str(found["words"]), options)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise Undelivered(f"apprise ended with {ended.code}", retryable=True) from None
        if outcome != "sent":
            raise Undelivered(words or "the service did not take it", retryable=outcome == "later")
        return Sent(words or "taken")
