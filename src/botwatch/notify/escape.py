"""What bots and users wrote is hostile text: made harmless for each place it goes to."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_BREAKS: Final = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
# Marks that turn the direction of text or cannot be seen: they make a line look like another.
_HIDDEN: Final = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")

_MRKDWN: Final = re.compile(r"(?<!\w)([*_~`])|([*_~`])(?!\w)")
# Our own sentences put names of fields between these.
_CODE: Final = re.compile(r"`([^`]{1,300})`")

_GSM7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_TWICE: Final = frozenset("^{}\\[~]|€")  # each takes the room of two
_PLAINER: Final = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "…": "...",
    "`": "'", "\u00b7": "-", "\u2022": "-", "≥": ">=", "≤": "<=", "→": "->", "\u00d7": "x", "\u00a0": " ", "\t": " ",
}  # fmt: skip


def plain(text: str, chars_max: int | None = None) -> str:
    """One line without control characters, lone surrogates or marks that hide: safe in a terminal and a header."""
    kept = "".join(
        char
        for char in _BREAKS.sub(" ", text)
        if char not in _HIDDEN and (char == "\t" or unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn"))
    )
    line = " ".join(kept.split())
    return line if chars_max is None else cut(line, chars_max)


def cut(text: str, chars_max: int) -> str:
    return text if len(text) <= chars_max else text[: max(0, chars_max - 1)].rstrip() + "…"


def quoted(text: str) -> str:
    """Where nothing can be set as code."""
    return _CODE.sub(r'"\1"', text)


def slack(text: str, chars_max: int | None = None, *, code: bool = False) -> str:
    """Slack's three characters, and a zero-width space where mrkdwn or a mention would begin.

    `code`: a sentence of ours, in which what stands between backticks is set as code.
    """
    safe = plain(text, chars_max).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parts = _CODE.split(safe) if code else [safe]
    return "".join(f"`{part}`" if place % 2 else _MRKDWN.sub("\u200b\\1\\2", part) for place, part in enumerate(parts))


def page(text: str, chars_max: int | None = None, *, code: bool = False) -> str:
    """For HTML, in text and in quoted attributes; `code` only in text."""
    safe = html.escape(plain(text, chars_max), quote=True)
    return _CODE.sub(r"<code>\1</code>", safe) if code else safe


def link(url: str) -> str:
    """Only addresses a browser opens without running anything; empty otherwise."""
    url = plain(url)
    return url if re.match(r"https?://[^\s<>\"'|]+\Z", url) else ""


def gsm7(text: str) -> str:
    """The text in the alphabet of which an SMS holds 160: accents fall, what is left over becomes `?`."""
    found = []
    for char in plain(text):
        for each in _PLAINER.get(char, char):
            if each in _GSM7 or each in _GSM7_TWICE:
                found.append(each)
                continue
            bare = unicodedata.normalize("NFKD", each)[0]
            found.append(bare if bare in _GSM7 else "?")
    return "".join(found)


def gsm7_length(text: str) -> int:
    return sum(2 if char in _GSM7_TWICE else 1 for char in text)


def gsm7_cut(text: str, length_max: int) -> str:
    if gsm7_length(text) <= length_max:
        return text
    kept = ""
    for char in text:
        if gsm7_length(kept + char) > length_max - 3:
            break
        kept += char
    return kept.rstrip() + "..."
