"""General Bots' config.csv: its six keys of alerting, read strictly and changed into rules and channels."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from botwatch import limits
from botwatch.detect.problems import Misfits, Problem, found, unknown
from botwatch.detect.rule import Rule

HEADERS: Final = (("key", "value"), ("name", "value"))
EMAIL, SLACK = "alert-email", "alert-slack-webhook"
# The rule that pages, and the one that warns before it.
THRESHOLDS: Final[Mapping[str, tuple[str, str]]] = {
    "alert-cpu-threshold": ("CPU usage critical", "CPU usage high"),
    "alert-memory-threshold": ("Memory usage critical", "Memory usage high"),
    "alert-disk-threshold": ("Disk usage critical", "Disk usage high"),
    "alert-response-time-ms": ("Response time critical", "Response time high"),
}
KEYS: Final = (*THRESHOLDS, EMAIL, SLACK)
_PERCENT_MAX: Final = 100
_MS_MAX: Final = 86_400_000
_ADDRESS: Final = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[\w.-]{1,253}")


@dataclass(frozen=True, slots=True)
class ConfigCsv:
    """`values` are the thresholds by key; what is not in the file stays as it is."""

    values: Mapping[str, float]
    addresses: tuple[str, ...] = ()
    webhook: str = ""
    skipped: tuple[str, ...] = ()


def read(text: str, source: str, *, skip_unknown: bool = False) -> ConfigCsv:
    """All of it, or `Misfits` with all that is wrong. A value that may be a secret is never shown."""
    values: dict[str, float] = {}
    lines: dict[str, int] = {}
    addresses, webhook, skipped = tuple[str, ...](), "", list[str]()
    problems: list[Problem] = []
    for line, key, value in _pairs(text, source):
        try:
            if key not in KEYS:
                if not skip_unknown:
                    raise ValueError(f"{unknown('key', key, KEYS)}; expected one of {', '.join(KEYS)}")
                skipped.append(key)
            elif key in lines:
                raise ValueError(f"line {lines[key]} has it already")
            elif key == EMAIL:
                addresses = _addresses(value)
            elif key == SLACK:
                webhook = _webhook(value)
            else:
                values[key] = _number(key, value)
            lines.setdefault(key, line)
        except ValueError as error:
            problems.append(Problem(source, "", key[: limits.LABEL_CHARS_MAX], str(error), line))
    if problems:
        raise Misfits(problems)
    return ConfigCsv(values, addresses, webhook, tuple(skipped))


def changed(critical: Rule, warning: Rule, value: float, source: str) -> tuple[Rule, ...]:
    """The rule that pages gets the value. A warning that would come later than it moves in the same proportion."""
    rules = (_moved(critical, value, source),)
    if warning.value < value or critical.value <= 0:
        return rules
    return (*rules, _moved(warning, _rounded(value * min(1.0, warning.value / critical.value)), source))


def _moved(rule: Rule, value: float, source: str) -> Rule:
    recover = rule.recover if rule.recover is None or rule.value <= 0 else _rounded(value * rule.recover / rule.value)
    return rule.model_copy(update={"value": value, "recover": recover, "source": source})


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _pairs(text: str, source: str) -> Iterator[tuple[int, str, str]]:
    """Key and value of each line that has them; comments begin with #."""
    rows = csv.reader(text.removeprefix("\ufeff").splitlines(), skipinitialspace=True, strict=True)
    header = False
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise Misfits([Problem(source, "", "", f"not CSV: {error}", rows.line_num)]) from None
        if row is None:
            break
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not header:
            header = tuple(cell.lower() for cell in cells) in HEADERS
            if not header:
                text = f"expected the header key,value or name,value, found {found(','.join(cells))}"
                raise Misfits([Problem(source, "", "", text, rows.line_num)])
        elif len(cells) < 2 or any(cells[2:]):
            text = f"expected a key and a value, found {len(cells)} cells; quote a value that has commas"
            raise Misfits([Problem(source, "", cells[0][: limits.LABEL_CHARS_MAX], text, rows.line_num)])
        else:
            yield rows.line_num, cells[0], cells[1]
    if not header:
        raise Misfits([Problem(source, "", "", "expected the header key,value or name,value, found nothing")])


def _number(key: str, value: str) -> float:
    most, unit = (_MS_MAX, "milliseconds") if key.endswith("-ms") else (_PERCENT_MAX, "percent, without a sign")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise ValueError(f"expected {unit}, above 0 and at most {most}, found {found(value)}")
    return number


def _addresses(value: str) -> tuple[str, ...]:
    parts = tuple(part for part in re.split(r"[\s,;]+", value) if part)
    wrong = [part for part in parts if not _ADDRESS.fullmatch(part)]
    if wrong or not parts:
        raise ValueError(f"expected an address such as admin@company.com, found {found(wrong[0] if wrong else value)}")
    return parts


def _webhook(value: str) -> str:
    try:
        url = urlsplit(value)
        fits = url.scheme == "https" and bool(url.hostname) and url.path.strip("/.") != ""
    except ValueError:
        fits = False
    if not fits or not value.isprintable() or " " in value:
        raise ValueError("expected the address Slack gave, https://hooks.slack.com/services/…; found something else")
    return value
