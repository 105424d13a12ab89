"""The PDF, opened by a reader: pages, words, and what no font has."""

from __future__ import annotations

import io
import zoneinfo
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from botwatch import limits
from botwatch.errors import SettingError
from botwatch.measure.reader import Series
from botwatch.reports import charts
from botwatch.reports.answer import Answer
from botwatch.reports.pdf import Title, pdf
from botwatch.reports.report import Drawn
from tests.reports.conftest import DAY, NOW_S, drawn

ZURICH = zoneinfo.ZoneInfo("Europe/Zurich")


def pages(*answers: Answer, name: str = "The week", font: Path | None = None) -> list[str]:
    made = pdf(Title(name, "24h", DAY, NOW_S + 31, ZURICH), answers, font)
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages]


def test_it_says_what_of_when_and_how_bad_it_is() -> None:
    (page,) = pages(drawn(Drawn.NUMBER, 1), drawn(Drawn.LINES, 2), drawn(Drawn.TABLE, 3))
    for told in (
        "The week",
        "24 hours: 2027-01-14 09:00 – 2027-01-15 09:00 CET",
        "as of 2027-01-15 09:00 CET",
        "As lines",
        "cpu.usage · by host · warning above 15 %, critical above 20 %",
        "web-1",
        "33 %",  # the highest
        "critical",
        "warning",
        "12:00",
        "page 1 of 1",
    ):
        assert told in page, told


def test_blocks_go_on_as_many_pages_as_they_need() -> None:
    found = pages(*(drawn(Drawn.LINES, 20) for _ in range(7)), *(drawn(Drawn.NUMBER, 1) for _ in range(4)))
    assert len(found) == 4
    assert [f"page {number} of 4" in page for number, page in enumerate(found, 1)] == [True] * 4
    assert "and 10 more lines without a name here" in found[0]
    assert pages() != []  # a report without panels is a page


def test_no_panel_is_higher_than_a_page() -> None:
    most = max(
        charts.block(answer, ZURICH, "24h").height
        for answer in (
            drawn(Drawn.TABLE, limits.REPORT_SERIES_MAX, left_out=9),
            drawn(Drawn.LINES, limits.REPORT_SERIES_MAX, left_out=9),
        )
    )
    assert most < 842 - 46 - 36 - 62 - 44


def test_what_cannot_be_shown_is_said() -> None:
    (page,) = pages(drawn(Drawn.LINES, 0), drawn(Drawn.BARS, 1, problem="by: would give 2000 series"))
    assert "Nothing in this time." in page
    assert "by: would give 2000 series" in page


def test_letters_that_no_font_has_are_marked_and_explained() -> None:
    (page,) = pages(name="Привет κόσμε Şişli · 日本 עברית हिन्दी")
    assert "Привет κόσμε Şişli · ?? ????? ??????" in page
    assert "? stands for letters" in page
    (page,) = pages(name="Привет κόσμε Şişli")
    assert "? stands for" not in page


def test_the_font_of_the_settings_has_the_others(tmp_path: Path) -> None:
    from reportlab.lib import fontfinder  # the library's own fonts: enough to show that it is taken

    vera = Path(fontfinder.__file__).parents[1] / "fonts" / "Vera.ttf"
    (page,) = pages(name="Прив \uf001", font=vera)  # a letter of Vera's that ours does not have
    assert "Прив" in page
    assert "? stands for" not in page
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"\0\1\0\0 no font")
    for file in (broken, tmp_path / "missing.ttf"):
        with pytest.raises(SettingError, match=r"report_font: expected a TrueType font"):
            pages(font=file)


@pytest.mark.parametrize("how", list(Drawn))
def test_no_value_and_no_text_breaks_it(how: Drawn) -> None:
    odd = [float("inf"), float("-inf"), float("nan"), 1e308, -1e308, 5e-324, 0.0, None]
    evil = "\x00\x1b[2J\u202e<b>&\\)( Tj ET endstream endobj \ud800 😀" * 20
    step_s = 3_600 if how.over_time else None
    points = tuple((DAY.start_s + place * 3_600, value) for place, value in enumerate(odd))
    panel = drawn(how).panel.model_copy(update={"title": evil})
    units = ("percent", "ms", "bytes", "usd", "count", "seconds", "kib", evil)
    answers = [
        replace(
            drawn(how), panel=panel, series=(Series("x", {evil: evil}, points[start:], step_s),), unit=unit, help=evil
        )
        for start, unit in enumerate(units)
    ]
    assert len(answers) == len(odd)
    assert pages(*answers, name=evil)
