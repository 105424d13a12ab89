"""What people say to the bots, and what the bots answer.

`talks.txt` has one talk after the other: a heading with its bot, its name and how often it happens, then
in turn a line of the user, and `> ` the bot's answer with ` | ` what it does for it. A word in brackets
stands for something that often comes. `{slots}` are filled once a conversation, from `SLOTS`. There are
no names of people: users are numbers and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

from botwatch.demo.world import Part, Script, Step

SLOTS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": tuple(f"A-{10_417 + 137 * n}" for n in range(60)),
    "booking": tuple(f"B{2_203 + 71 * n}" for n in range(40)),
    "ticket": tuple(f"T-{n:05d}" for n in range(30_011, 99_000, 131)),
    "product": (
        "desk lamp",
        "rain jacket",
        "espresso maker",
        "bike helmet",
        "standing desk",
        "wool blanket",
        "headphones",
    ),
    "size": ("S", "M", "L", "XL"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "time": ("08:30", "09:15", "10:00", "11:30", "14:00", "15:45", "17:15"),
    "city": ("Lisbon", "Lyon", "Leeds", "Linz", "Lund", "Lausanne"),
    "amount": ("18.90", "24.00", "39.50", "64.00", "89.90", "129.00", "249.00"),
    "region": ("north", "south", "online", "partners"),
    "number": ("3", "7", "12", "18", "26", "41"),
    "plan": ("basic", "plus", "business"),
    "priority": ("1", "2", "2", "3", "3", "3", "4"),
}


_HEADING: Final = re.compile(r"# (?P<bot>\w+): (?P<name>[^;]+)(?P<options>(?:; \w+ [\w.-]+)+)")
_UNDERSTAND: Final = ("understand",)
_OFTEN: Final[Mapping[str, tuple[Step, ...]]] = {
    "[thanks]": (Step("Thanks!", "You are welcome. Have a good day!", _UNDERSTAND, pause_s=6.0),),
    "[lost]": (
        Step(
            "hm its not the thing i mean, the other one",
            "I am not sure I understood. Could you say it in other words?",
            (*_UNDERSTAND, "fallback"),
        ),
    ),
    "[human]": (
        Step(
            "Can I talk to a person please?",
            "Hello, the service desk here. I have read what you wrote and will sort this out for you.",
            (*_UNDERSTAND, "escalate"),
            Part.HANDOFF,
            pause_s=20.0,
        ),
        Step(
            "Thank you, that is what I needed.",
            "You are welcome. I will close this now.",
            ("relay",),
            Part.AGENT,
            pause_s=10.0,
        ),
    ),
}


def talks(bot: str, first: tuple[str, ...] = _UNDERSTAND) -> tuple[Script, ...]:
    """The scripts of a bot. `first` is what it does in every turn."""
    text = (files("botwatch.demo") / "talks.txt").read_text(encoding="utf-8")
    return tuple(_scripts(text, bot, first))


def _scripts(text: str, bot: str, first: tuple[str, ...]) -> Iterator[Script]:
    for block in text.strip().split("\n\n"):
        heading, *lines = block.splitlines()
        found = _HEADING.fullmatch(heading)
        if found is None:
            raise ValueError(f"expected a heading such as '# orders: return; weight 20', found {heading!r}")
        if found["bot"] == bot:
            options = dict(option.split(" ") for option in found["options"].removeprefix("; ").split("; "))
            yield Script(
                found["name"],
                float(options["weight"]),
                tuple(_steps(lines, first)),
                options.get("outcome", "completed"),
                float(options.get("score", "1")),
            )


def _steps(lines: list[str], first: tuple[str, ...]) -> Iterator[Step]:
    rest = iter(lines)
    for line in rest:
        if line in _OFTEN:
            yield from _OFTEN[line]
            continue
        answer, _, actions = next(rest).removeprefix("> ").partition(" | ")
        # The longer the answer, the longer people read before they write again.
        yield Step(line, answer, (*first, *actions.split(", ")) if actions else first, pause_s=6 + len(answer) / 8)


def _ticket(category: str, weight: float, subject: str, *, drifts: bool = False) -> Script:
    """The document a ticket arrives as. After the drift, billing says what it is about in another place."""
    head = '{"id":"{ticket}","created_at":"{at}","from":"{user}","subject":"' + subject + '",'
    tail = '"priority":{priority},"plan":"{plan}","attachments":[],"amount":{amount}}'
    document = f'{head}"category":"{category}",{tail}'
    moved = head + '"details":{"topic":"' + category + '"},' + tail
    step = Step(document, "", ("classify_ticket", "assign_team", "notify_team"), Part.TICKET)
    return Script(category, weight, (step,), later=moved if drifts else "")


TRIAGE: Final = (
    _ticket("delivery", 34, "Parcel {order} not here"),
    _ticket("returns", 24, "Return of the {product}"),
    _ticket("account", 18, "Cannot sign in"),
    _ticket("technical", 16, "{product}: does not start"),
    _ticket("billing", 8, "Charged {amount} twice", drifts=True),
)
