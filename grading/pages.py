"""Pages of HTML that show what students wrote: cleaned here, escaped by the templates."""

import base64
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from grading.files import PNG_SIGNATURE

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
LARGEST_PICTURE = 40_000_000  # pixels; a small file can unfold to a picture that stops a browser


def render(template: str, **values: Any) -> str:
    """Write a page of HTML; all texts in it are escaped.

    Args:
        template: the template's file name.
        **values: what it shows.

    Returns:
        The page.
    """
    # StrictUndefined: a page with a hole in it must not be written at all.
    pages = Environment(loader=PackageLoader("grading"), autoescape=True, undefined=StrictUndefined)
    return pages.get_template(template).render(values)


def clean(text: Any) -> str:
    """Make text of a student's fit to be shown.

    Args:
        text: anything; what is not a str becomes the empty text.

    Returns:
        The text without terminal colours and without characters that reorder or hide text. Not
        yet escaped: the template does that.
    """
    return UNPRINTABLE.sub("", ANSI.sub("", text)) if isinstance(text, str) else ""


def png(data: Any) -> str:
    """Check a picture of a student's.

    Args:
        data: base64 text, or anything else.

    Returns:
        The same bytes as clean base64 if they are a PNG file's of bearable size, else the empty
        text.
    """
    try:
        raw = base64.b64decode(data)
    except (TypeError, ValueError):
        return ""
    if not raw.startswith(PNG_SIGNATURE + b"\0\0\0\rIHDR"):
        return ""
    width, height = int.from_bytes(raw[16:20]), int.from_bytes(raw[20:24])
    if not 0 < width * height <= LARGEST_PICTURE:
        return ""
    return base64.b64encode(raw).decode("ascii")
