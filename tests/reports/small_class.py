"""The results of a small class, and a reader that takes its page apart."""

from html.parser import HTMLParser

from grading.classes.graded import Check, Graded
from grading.outcomes import Outcome

CELLS = ("check_a", "check_b", "check_c")
FAULT = str(Outcome.GRADERS_FAULT)
UNREADABLE = str(Outcome.UNREADABLE)
WORDS = {"r": "right", "w": "wrong", "t": "timed out", "f": FAULT, "u": UNREADABLE, "n": "right"}
VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Takes a page apart: text and table rows by section, all tags, all pictures."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.pictures, self.open = [], [], []
        self.text, self.rows, self.details = {}, {}, {}
        self.section = "top"
        self.feed(text)
        assert not self.open, f"elements that are never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = attributes["id"]
        if tag == "img":
            self.pictures.append((self.section, attributes))
        if tag == "tr":
            self.rows.setdefault(self.section, []).append([])
        if tag in ("td", "th"):
            self.rows[self.section][-1].append("")
        if tag == "details":
            self.details.setdefault(self.section, []).append("open" in attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "section":
            self.section = "bottom"

    def handle_data(self, data):
        self.text[self.section] = self.text.get(self.section, "") + data
        if {"td", "th"} & set(self.open):
            self.rows[self.section][-1][-1] += data


def graded(student, letters, problem="", **more):
    """Make a result; a letter a check: right, wrong, timed out, fault, unreadable, no score."""
    checks = tuple(
        Check("book", name, {"r": 2.0, "f": None, "n": None}.get(letter, 0.0), 2.0, outcome, said)
        for name, letter in zip(CELLS, letters, strict=False)
        for outcome, said in [(WORDS[letter], f"{name} {WORDS[letter]}")]
    )
    score = 2.0 * letters.count("r")
    return Graded(student, score, 6.0, checks, problem, "", **more)


CLASS = (
    graded("ada", "rrr", seconds=12.34, memory=345.6),
    graded("ben", "rwt", seconds=2.0, memory=300.0),
    graded("chloe", "rwf", seconds=3.0, memory=310.0),
    graded("dan", "uuu", problem="The submitted file is empty."),
    graded("eve", "", problem="Expected a notebook, found nothing."),
    graded("finn", "rwn"),
    graded("gus", "wrr"),
)


def needs(parts):
    """Read the lists of who needs a person: (student, where) by what the grader said."""
    return {tuple(row[:2]): row[2] for row in parts.rows.get("needs", []) if row[0] != "Student"}


def column(parts, section, number=0):
    """Read a column of a section's table, without its heading."""
    return [row[number] for row in parts.rows[section]][1:]
