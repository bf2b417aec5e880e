"""The report's pictures: each with a text, and with borders that hold all scores."""

import base64
import struct

import pytest

from grading.reports import pictures as report_pictures
from grading.reports.report import page
from tests.reports.small_class import Reader, graded


def test_pictures_are_png_with_a_text_each(parts):
    assert [section for section, _ in parts.pictures] == [
        "scores",
        "checks",
        "heat-map",
        "outcomes",
        "time",
    ]
    for section, attributes in parts.pictures:
        assert len(attributes["alt"]) > 40, section
        kind, _, data = attributes["src"].partition(",")
        assert kind == "data:image/png;base64"
        raw = base64.b64decode(data, validate=True)
        width, height = struct.unpack(">II", raw[16:24])
        assert width == pytest.approx(report_pictures.WIDTH * report_pictures.DPI, abs=1)
        assert height >= 150, section
    alts = dict(parts.pictures)
    assert "check_b 3 times" in alts["checks"]["alt"]
    assert "median 2, lowest 0, highest 6" in alts["scores"]["alt"]


@pytest.mark.parametrize("top", [0, 1, 2, 7.5, 20, 24, 28, 100, 1000])
def test_borders_of_the_histogram_hold_all_scores(top):
    edges = report_pictures._edges(max(1.0, top))
    assert edges[0] == 0 and edges[-1] >= top
    assert 1 <= len(edges) - 1 <= 12
    assert top != 20 or list(edges) == list(range(0, 21, 2))


def test_without_times_the_page_says_so():
    parts = Reader(page("tiny", [graded("ada", "rrr")]))
    assert "no submission has its time or memory on record" in parts.text["time"]
    assert "time" not in dict(parts.pictures)
