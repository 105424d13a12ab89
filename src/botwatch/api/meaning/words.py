"""From what somebody wrote to the few terms that say what it is about.

Case, accents, punctuation, figures and small words go; what is left is reduced to its stem, by the rules of the
language the small words speak; and stems that mean much the same to a bot become one term. Nothing is guessed beyond
that: two words which the list does not know as alike stay two.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import snowballstemmer

from botwatch.api.meaning.slots import filled, slots_of
from botwatch.limits import QUESTION_TERMS_MAX

Terms = frozenset[str]

_WORD: Final = re.compile(
    r"(?:[^\W_]|[\u0900-\u0dff])+"
)  # with the vowel signs of Indian scripts, which are no letters
_NUMBER: Final = re.compile(r"[a-z]{0,2}\d+")  # also that of an order or a booking, such as `a 0` and `b0`
_UNSPACED: Final = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]"
)  # Japanese, Chinese, Thai: no spaces between words
_ALIKE: Final = "="  # before the name of a line of what is alike
_ONLY_SMALL: Final = "~"
_COMPOUNDS: Final = "de"
_COMPOUND_CHARS_MIN: Final = 8
_PART_CHARS_MIN: Final = 5
_MISSPELT_CHARS_MIN: Final = 5


@dataclass(frozen=True, slots=True)
class Language:
    small: frozenset[str]
    stem: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Known:
    languages: Mapping[str, Language]
    alike: Mapping[str, str]  # a word or stem, and the term it becomes
    together: Sequence[tuple[Terms, str]]
    light: Mapping[str, float]


@cache
def known() -> Known:
    """What is known of words; read once, when somebody first asks."""
    found = tomllib.loads((files("botwatch.api.meaning") / "words.toml").read_text(encoding="utf-8"))
    languages = {
        name: Language(
            frozenset(of["small"].split()), lru_cache(50_000)(snowballstemmer.stemmer(of["stemmer"]).stemWord)
        )
        for name, of in found["language"].items()
    }
    alike: dict[str, str] = {}
    for line, words in found["alike"].items():
        for word in words.split():
            alike[word] = _ALIKE + line
            for language in languages.values():
                alike.setdefault(language.stem(word), _ALIKE + line)
    together = [
        (frozenset(_ALIKE + name for name in one.split()), _ALIKE + line)
        for line, several in found["together"].items()
        for one in several
    ]
    return Known(languages, alike, together, {_ALIKE + name: weight for name, weight in found["light"].items()})


def terms_of(texts: Iterable[str]) -> list[Terms]:
    """The terms of each; what consists of small words alone is told by these."""
    words = [_words(text) for text in texts]
    usual = _usual_language(words)
    spoken = [_language(of, usual) for of in words]
    stems = [_stems(of, language) for of, language in zip(words, spoken, strict=True)]
    heard = Counter(stem for of in stems for stem in of)
    respelt = _respelt(heard)
    told = [
        [_part(respelt.get(stem, stem), language, heard) for stem in of]
        for of, language in zip(stems, spoken, strict=True)
    ]
    slots = slots_of(told, _ALIKE)
    return [
        _joined(set(filled(of, slots))) or frozenset(_ONLY_SMALL + word for word in all_words)
        for of, all_words in zip(told, words, strict=True)
    ]


def _words(text: str) -> list[str]:
    plain = text.lower() if text.isascii() else _without_accents(text.lower())
    return [piece for word in _WORD.findall(plain) for piece in _pieces(word)][:QUESTION_TERMS_MAX]


def _without_accents(text: str) -> str:
    """A sign that is a vowel of its own, as in Hindi, stays."""
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _pieces(word: str) -> Sequence[str]:
    """Where words are not parted by spaces, their pairs of characters."""
    if len(word) < 3 or word.isascii() or not _UNSPACED.search(word):
        return (word,)
    return [word[place : place + 2] for place in range(len(word) - 1)]


def _usual_language(texts: Sequence[Sequence[str]]) -> str:
    """Whose small words come most."""
    heard = Counter(word for words in texts for word in words)
    languages = known().languages
    return max(languages, key=lambda name: sum(times for word, times in heard.items() if word in languages[name].small))


def _language(words: Sequence[str], usual: str) -> str:
    votes = {name: sum(word in language.small for word in words) for name, language in known().languages.items()}
    most = max(votes.values())
    return usual if votes[usual] == most else max(votes, key=lambda name: votes[name])


def _stems(words: Sequence[str], language: str) -> list[str]:
    own, alike = known().languages[language], known().alike
    telling = [word for word in words if word not in own.small and not _NUMBER.fullmatch(word)]
    return [alike.get(word) or alike.get(stem := own.stem(word), stem) for word in telling]


def _part(stem: str, language: str, heard: Mapping[str, int]) -> str:
    """A German word made of several is what its known part is: Urlaubstage and Resturlaub are both about Urlaub."""
    if language != _COMPOUNDS or len(stem) < _COMPOUND_CHARS_MIN or stem[0] == _ALIKE:
        return stem
    alike = known().alike
    for length in range(len(stem) - 3, _PART_CHARS_MIN - 1, -1):
        for part in (stem[-length:], stem[:length]):
            if part in alike or part in heard:
                return alike.get(part, part)
    return stem


def _respelt(heard: Mapping[str, int]) -> Mapping[str, str]:
    """Words one letter away from one of the list, such as `refnd`, become what that one is."""
    return {
        stem: found
        for stem in heard
        if len(stem) >= _MISSPELT_CHARS_MIN and stem[0] != _ALIKE and (found := _near(stem))
    }


def _near(stem: str) -> str | None:
    near = _shortened()
    return next((near[one] for one in (stem, *_without_one(stem)) if one in near), None)


@cache
def _shortened() -> Mapping[str, str]:
    """Every long word of the list with one letter left out; the first letter is seldom the wrong one."""
    long = {word: term for word, term in known().alike.items() if len(word) > _MISSPELT_CHARS_MIN}
    return {short: term for word, term in long.items() for short in (word, *_without_one(word))}


def _without_one(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(1, len(word))]


def _joined(terms: set[str]) -> Terms:
    for several, one in known().together:
        if several <= terms:
            terms = terms - several | {one}
    return frozenset(terms)
