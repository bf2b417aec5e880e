"""What reaches a student: no text of a hidden test, nothing of theirs that acts in a browser."""

import base64
import json
from html.parser import HTMLParser

import nbformat
import pytest
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from grading.judging.withhold import WITHHELD, Secrets
from grading.pages import clean, png
from tests.tiny_course import HALF, RIGHT, WRONG, A, Attack, added, last, tiny_room

CANARY = "b0b1e5"  # stands in every hidden block, and in what each sends to the kernel


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    attack = Attack(tiny_room(tmp_path_factory.mktemp("course"), timeout=4))
    yield attack
    attack.grade_neighbour()


class Page(HTMLParser):
    """Everything in a page that a browser would act on."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.shown = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.shown.append(data)


OURS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "p",
    "strong",
    "table",
    "thead",
}
OURS |= {"tbody", "tr", "th", "td", "a", "section", "pre", "code", "img"}


def inert(text):
    """Read a page, and make sure that it holds nothing but our own harmless elements."""
    page = Page(text)
    assert set(page.tags) <= OURS, set(page.tags) - OURS
    assert page.tags.count("style") == 1
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name, value)
        assert name != "style"
        if name == "src":
            assert tag == "img" and value.startswith("data:image/png;base64,")
        if name == "href":
            assert value.startswith("#check-")
    assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes
    policy = next(v for t, n, v in page.attributes if n == "content" and "default-src" in v)
    assert "default-src 'none'" in policy and "script-src" not in policy
    return page


def feedback(attack, student):
    result = attack.room.api.generate_feedback(A, student)
    assert result["success"], result
    return (attack.room.root / "feedback" / student / A / f"{A}.html").read_text()


MARKUP = [
    "<script>alert(1)</script>",
    "</pre></code></section><script src=//evil.example/x.js></script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><style>body{display:none}</style></svg>",
    '" onmouseover="alert(1)" x="',
    "<iframe srcdoc='<script>1</script>'>",
    "<base href=//evil.example><meta http-equiv=refresh content=0>",
    "<!-- <![CDATA[ ]]> --> <a href=javascript:alert(1)>points</a>",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\u202e\u2066\u200f\u061cstniop 01",
]


def everywhere(text):
    """Write cells that put a text into every kind of output."""
    return f"""
import base64, json, sys
text = {text!r}
print(text)
print(text, file=sys.stderr)
from IPython.display import *
from IPython.display import publish_display_data
display(HTML(text), Markdown(text), SVG(data="<svg>" + text + "</svg>"), Latex(text), JSON([text]))
display(Javascript("alert(1)"))
png = "data:image/png;base64," + text
for mime in ("text/html", "text/plain", "image/png", "image/svg+xml", "image/jpeg", "text/latex",
             "application/javascript", "application/json", "text/markdown", text):
    publish_display_data({{mime: text}}, metadata={{mime: {{"width": text, "alt": text}}}})
    false = base64.b64encode(b"\\x89PNG\\r\\n\\x1a\\n" + text.encode()).decode()
    publish_display_data({{mime: false}})
type(text, (), {{"_repr_html_": lambda self: text, "__repr__": lambda self: text}})()
"""


@pytest.mark.parametrize("number", range(len(MARKUP)))
def test_feedback_is_inert(attack, number):
    text = MARKUP[number]
    fail = f"raise type({text!r}, (Exception,), {{}})({text!r})"
    solutions = {
        "double": f"text = {text!r}  # {text}\ndef double(x):\n    raise ValueError(text)",
        "total": f"# {text}\ndef total(values):\n    {fail}",
    }
    name = f"markup {number} <b onclick=alert(1)>"
    attack(name, solutions, last(everywhere(text), fail))
    page = inert(feedback(attack, name))
    shown = "".join(page.shown)
    assert "def total(values)" in shown
    assert "49" not in shown
    assert not set("\x1b\x07\u202e\u2066\u200f\u061c") & set(shown)
    visible = clean(text)
    assert visible in shown, "the text itself must still be there to read"


def test_a_picture_is_shown_and_a_false_one_is_not(attack):
    draw = """
import struct, zlib
from IPython.display import Image, display
def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data)))
def picture(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(b"\\0\\0")) + chunk(b"IEND", b""))
display(Image(picture(1, 1)), Image(picture(100_000, 100_000)))
from IPython.display import publish_display_data
publish_display_data({"image/png": "PHNjcmlwdD4="})
publish_display_data({"image/png": "not base64 <script>"})
publish_display_data({"image/png": ["x"]})
"""
    attack("pictures", RIGHT, last(draw))
    page = inert(feedback(attack, "pictures"))
    assert page.tags.count("img") == 1


# What a submission can do to hear the hidden tests, and to say them in a later cell.
LISTEN = """
heard = []
shell = get_ipython()
real_expressions, kernel = shell.user_expressions, shell.kernel
def user_expressions(expressions):
    heard.append(expressions)
    return real_expressions(expressions)
shell.user_expressions = user_expressions
import builtins
real_compile = builtins.compile
def listening_compile(source, *args, **kwargs):
    heard.append(source)
    return real_compile(source, *args, **kwargs)
builtins.compile = listening_compile
"""
TELLERS = {
    "print": "print(heard)",
    "print_strings": "for part in heard: print(part)",
    "repr_of_repr": "print(repr(repr(repr(heard))))",
    "stderr": "import sys; print(heard, file=sys.stderr)",
    "expression": "heard",
    "display": "from IPython.display import HTML, display; display(HTML(str(heard)), heard)",
    "error": "raise ValueError(heard)",
    "error_name": "raise type(str(heard), (Exception,), {})",
    "json": "import json; print(json.dumps([str(part) for part in heard]))",
    "coloured": "print('\\x1b[31m'.join(str([h for h in heard if 'CANARY' in str(h)])[-3000:]))",
    "spaced": "print(' '.join(str(heard)))",
    "only_the_canary": "import re; print(re.findall('CANARY.{20}', str(heard)))",
}


@pytest.mark.parametrize("name", TELLERS)
def test_what_a_kernel_overhears_is_not_printed_later(attack, name):
    def change(notebook):
        added(LISTEN)(notebook)
        last("assert heard, 'nothing was heard'", TELLERS[name])(notebook)

    attack(f"teller_{name}", RIGHT, change)
    assert CANARY not in everything(attack, f"teller_{name}")
    assert not [e for e in attack.errors(f"teller_{name}") if "nothing was heard" in e]
    assert WITHHELD.strip() in str(attack.outputs(f"teller_{name}"))


def test_an_error_in_a_check_does_not_carry_what_was_overheard(attack):
    solutions = {
        "double": RIGHT["double"],
        "total": "def total(values):\n    raise type(str(heard), (Exception,), {})(str(heard))",
    }
    graded = attack("error_teller", solutions, added(LISTEN))
    assert [check.score for check in graded.checks] == [4, 0]
    assert CANARY not in everything(attack, "error_teller")
    assert "x=asked" not in str(graded.checks)
    named = {
        "double": RIGHT["double"],
        "total": "def total(values):\n    if len(values) > 2:\n"
        "        raise type('Inputs' + '_'.join(map(str, values)), (Exception,), {})(values)\n"
        "    return 3",
    }
    graded = attack("named_after_inputs", named)
    assert graded.checks[1].message == "your code raised an exception here"
    assert "Inputs" not in str(attack.outputs("named_after_inputs"))


# Where the visible part of a later check can say what was overheard in an earlier one.
PLACES = {
    "name": "raise type(found, (Exception,), {})",
    "name_of_a_base": "raise type('E', (type(found, (Exception,), {}),), {})(found)",
    "text": "raise ValueError(found)",
    "note": "error = ValueError('x'); error.add_note(found); raise error",
    "cause": "raise ValueError('x') from ValueError(found)",
    "print": "print(found); raise ValueError('x')",
    "kind": "from IPython.display import display\n"
    "    display({'text/plain': 'x', found: 'x'}, raw=True); raise ValueError('x')",
    "metadata": "from IPython.display import display\n"
    "    display({'text/plain': 'x'}, raw=True, metadata={found: found}); raise ValueError('x')",
    "exit": "raise SystemExit(found)",
}
TEXTS = {
    "whole": "[h for h in map(str, heard) if 'CANARY-b0' in h][0]",
    "from_there_on": "str(heard)[str(heard).index('CANARY-b0'):][:200]",
    "short": "str(heard)[str(heard).index('CANARY-b0'):][:25]",
    "before": "str(heard)[str(heard).index('CANARY-b0') - 12:][:30]",
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_a_failed_check_says_what_was_overheard(attack, place, text):
    first = "if not [h for h in map(str, heard) if 'CANARY-b0' in h]: return 3"
    find = f"{first}\n    found = {TEXTS[text]}"
    solutions = {
        "double": RIGHT["double"],
        "total": f"def total(values):\n    {find}\n    {PLACES[place]}",
    }
    name = f"says_{place}_{text}"
    graded = attack(name, solutions, added(LISTEN))
    assert [check.score for check in graded.checks] == [4, 0]
    assert CANARY not in everything(attack, name) + str(graded)
    assert "no attribute" not in str(graded.checks)


def everything(attack, student):
    """Join all that a student can ever receive."""
    page = feedback(attack, student)
    root = attack.room.root
    autograded = (root / "autograded" / student / A / f"{A}.ipynb").read_text()
    release = "".join(p.read_text() for p in (root / "release").rglob("*") if p.is_file())
    return page + autograded + release


@pytest.mark.parametrize("student", ["right", "half", "wrong", "stub"])
def test_no_hidden_text_in_anything_a_student_receives(attack, student):
    solutions = {"right": RIGHT, "half": HALF, "wrong": WRONG, "stub": {}}[student]
    attack(student, solutions)
    text = everything(attack, student)
    assert CANARY not in text
    assert "HIDDEN TESTS" not in text
    assert "student.rng" not in text


def test_the_canaries_are_in_the_source(attack):
    text = (attack.room.root / "source" / A / f"{A}.ipynb").read_text()
    assert text.count(CANARY) == 4
    assert text.count("BEGIN HIDDEN TESTS") == text.count("CANARY-b0b1e5") - 2 == 2


def test_the_export_has_no_hidden_text(attack, tmp_path):
    attack("exported", HALF)
    with Gradebook(attack.room.api.coursedir.db_url) as book:
        CsvExportPlugin(to=str(tmp_path / "grades.csv")).export(book)
    text = (tmp_path / "grades.csv").read_text()
    assert "exported" in text and CANARY not in text


def test_secrets_spare_what_is_public():
    hidden = ["assert total(values) == 3, 'a sentence that stands in the hidden test'"]
    secrets = Secrets(hidden, ["I say: a sentence that stands in the hidden test."])
    public = new_output("stream", name="stdout", text="a sentence that stands in the hidden test\n")
    private = new_output(
        "stream", name="stdout", text="x: assert  total( values )==3, 'a sentence\n"
    )
    assert secrets.withhold([public, private]) == [
        public,
        new_output("stream", name="stdout", text=WITHHELD),
    ]


def test_secrets_look_into_all_parts_of_an_output_but_pictures():
    secrets = Secrets(["found = student.number('double(x)', x=asked)"], [])
    told = "found = student.number('double(x)'"
    outputs = [
        new_output("error", ename=told, evalue="", traceback=[]),
        new_output("error", ename="", evalue=repr(repr(told)), traceback=[]),
        new_output("error", ename="", evalue="", traceback=["x", json.dumps(told)]),
        new_output("display_data", data={"text/plain": told}),
    ]
    assert {output.text for output in secrets.withhold(outputs)} == {WITHHELD}
    picture = new_output("display_data", data={"image/png": told})
    assert secrets.withhold([picture]) == [picture]


@pytest.mark.parametrize("value", [None, 3, [], {}, b"bytes"])
def test_only_text_is_cleaned(value):
    assert clean(value) == ""


def test_cleaning_keeps_lines_tabs_and_letters():
    assert clean("a\tb\nc é 漢字 \U0001f600") == "a\tb\nc é 漢字 \U0001f600"
    assert clean("\x1b[1;31mred\x1b[0m \x9b31m\r\x00\u202e\ud800") == "red 31m"


def header(width, height, signature=b"\x89PNG\r\n\x1a\n"):
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return base64.b64encode(signature + b"\0\0\0\rIHDR" + sides + b"rest").decode()


def test_only_bearable_pictures_pass():
    assert png(header(10, 10)) == header(10, 10)
    assert png(header(10, 10) + "\n<script>") in ("", header(10, 10))
    for data in (
        header(2**31, 2**31),
        header(0, 10),
        header(10, 10, b"GIF89a\r\n"),
        base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        "x",
        "é",
        None,
        3,
        [],
        {},
    ):
        assert png(data) == ""


def test_feedback_reads_a_notebook_whose_outputs_are_odd(attack):
    attack("odd_outputs", RIGHT)
    path = attack.room.root / "autograded" / "odd_outputs" / A / f"{A}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [
        new_output("display_data", data={"text/html": "<script>", "image/png": "x"}),
        new_output("stream", name="stdout", text="\x1b[31m<script>"),
    ]
    path.chmod(0o644)
    nbformat.write(notebook, path)
    inert(feedback(attack, "odd_outputs"))
