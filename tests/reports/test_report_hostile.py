"""The report is harmless, whatever students call themselves or make the grader say."""

import dataclasses
import re

import pytest

from grading.classes.graded import Check, Graded
from grading.reports import report
from grading.reports.report import page
from tests.reports.small_class import FAULT, VOID, Reader, column, needs

# What the template writes; whatever else is on a page, a student has put there.
TAGS = VOID | {"html", "head", "title", "style", "body", "h1", "h2", "p", "strong", "section"}
TAGS |= {"details", "summary", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "id", "class", "open"}
ATTRIBUTES |= {"alt", "width", "src"}
HOSTILE = (
    "<script>alert(1)</script>",
    "$\\frac{$",
    "a\u202eb\x1b[31mc\nd",
    "{{ 7 * 7 }}",
    "\" onload='x' &amp;",
    "y" * 200,
    "王小明",
)


def hostile_page():
    message = "<img src=http://evil.example/x.png onerror=alert(1)>\x1b[31m\u202e" + "long " * 999
    checks = (
        Check("book", "check_a", None, 2.0, FAULT, message),
        Check("book", "check_b", 0.0, 2.0, "wrong", message),
    )
    results = [Graded(name, 0.0, 4.0, checks, "", message, 1.0, 9.0) for name in HOSTILE]
    results[0] = dataclasses.replace(results[0], problem=message)
    return page("<b>tiny</b>", results, absent=["<i>late</i>", "\u202e"])


@pytest.mark.filterwarnings("error")
def test_hostile_text_is_only_text():
    text = hostile_page()
    parts = Reader(text)
    assert {tag for tag, _ in parts.tags} <= TAGS
    assert {name for _, attributes in parts.tags for name in attributes} <= ATTRIBUTES
    shown = column(parts, "students")
    expected = [name for name in HOSTILE if "\x1b" not in name]
    assert sorted(shown) == sorted([*expected, "abc d"])
    assert "<i>late</i>" in parts.text["absent"]
    assert ascii("\u202e") in parts.text["absent"], "a name without letters is still a name"
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text)


def test_nothing_is_loaded_and_nothing_runs():
    text = hostile_page()
    assert "<script" not in text
    parts = Reader(text)
    policies = [a["content"] for _, a in parts.tags if a.get("http-equiv")]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert all(a["src"].startswith("data:image/png;base64,") for _, a in parts.pictures)
    assert not any({"href", "srcset", "style"} & a.keys() for _, a in parts.tags)
    assert "url(" not in text and "@import" not in text


def test_long_messages_are_cut():
    said = needs(Reader(hostile_page()))["<script>alert(1)</script>", "the submission"]
    message, log = said.split("…", 1)
    assert len(message) == report.LONGEST_MESSAGE - 1
    assert len(log) < report.LONGEST_LOG + len("log\n")
