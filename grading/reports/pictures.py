"""The pictures of the report on an assignment.

Drawn here is what `grading.reports.report` has counted; nothing is decided. Each picture comes with
a text for those who cannot see it, and is the same to the byte for the same results.
"""

import base64
import io
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from grading.classes.graded import Graded
from grading.reports.marks import (
    GIVEN,
    LOOKS,
    LOST,
    MISSING,
    MOST_NAMES,
    PERSON,
    RIGHT,
    Key,
    Marks,
    Shade,
    Tally,
    labels,
    look,
    number,
    shown,
)

WIDTH = 9.6  # inches; as wide as the page
DPI = 144  # half as many dots again as a browser's 96, so that letters are sharp
LONGEST_LABEL = 30  # characters of a name in a picture
INK = "#444444"  # of lines
BLUE = "#0072B2"  # of what is only counted
PLAIN = {"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}

Picture = dict[str, str]  # what the template embeds


def draw(
    results: Sequence[Graded],
    columns: Sequence[Key],
    marks: Mapping[str, Marks],
    tallies: Sequence[Tally],
    outcomes: Sequence[Mapping[str, Any]],
    unsettled: set[str],
) -> dict[str, Picture | None]:
    """Draw the class.

    Args:
        results: what came of each submission.
        columns: all graded cells, in the order in which they are drawn.
        marks: how each cell stands, by student.
        tallies: how each check went, in the order in which they are drawn.
        outcomes: each outcome's "name" and the number of "checks" that ended so.
        unsettled: the students whose score is not final.

    Returns:
        Each picture under its name in the template; None where there is nothing to be drawn.
    """
    # A person's own matplotlib settings must not change the page.
    with matplotlib.style.context(["default", PLAIN]):
        return {
            "scores": _draw_scores(results, unsettled) if results else None,
            "checks_picture": _draw_checks(tallies) if tallies else None,
            "heat_map": _draw_heat_map(results, columns, marks) if columns else None,
            "outcomes_picture": _draw_outcomes(outcomes) if outcomes else None,
            "time_and_memory": _draw_time_and_memory(results),
        }


def _draw_scores(results: Sequence[Graded], unsettled: set[str]) -> Picture:
    scores = [result.score for result in results]
    waiting = [r.score for r in results if r.student in unsettled]
    final = [r.score for r in results if r.student not in unsettled]
    most = max([1.0, *scores, *(result.max_score for result in results)])
    edges, middle = _edges(most), median(scores)
    figure, axes = _figure(3.0)
    _stack_scores(axes, edges, final, waiting)
    axes.axvline(middle, color="black", linestyle="--", label=f"median: {number(middle)} points")
    axes.set(xlabel=f"score in points (of {number(most)})", ylabel="submissions", xticks=edges)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper right", ncols=3)
    alt = (
        f"Histogram of the scores of {len(results)} submissions: median {number(middle)}, lowest "
        f"{number(min(scores))}, highest {number(max(scores))} of {number(most)} points; "
        f"{len(waiting)} wait for a person."
    )
    return _picture(figure, alt)


def _edges(most: float) -> np.ndarray:
    """Choose a histogram's borders: at most 12 bars, each a round number of points wide."""
    width = next(
        digit * 10.0**power
        for power in range(-1, 99)
        for digit in (1, 2, 5)
        if most / (digit * 10.0**power) <= 12
    )
    return width * np.arange(math.ceil(round(most / width, 6)) + 1)


def _stack_scores(
    axes: Axes, edges: np.ndarray, final: Sequence[float], waiting: Sequence[float]
) -> None:
    below, above = (np.histogram(part, edges)[0] for part in (final, waiting))
    left, width = edges[:-1] + 0.04 * edges[1], 0.92 * edges[1]
    bars: dict[str, Any] = {"width": width, "align": "edge"}
    axes.bar(left, below, label="final", color=BLUE, edgecolor=INK, **bars)
    axes.bar(left, above, bottom=below, label=PERSON.name, **_fill(PERSON), **bars)
    # On white, so that the median's line does not cross a number out.
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    for x, total in zip(left + width / 2, below + above, strict=True):
        if total:
            place: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points"}
            axes.annotate(str(total), (x, total), ha="center", bbox=ground, **place)
    axes.set_ylim(0, 1.15 * (below + above).max())


def _draw_checks(tallies: Sequence[Tally]) -> Picture:
    figure, axes = _figure(0.9 + 0.3 * len(tallies))
    left = np.zeros(len(tallies))
    drawn = [s for s in (LOST, PERSON, GIVEN, RIGHT) if any(t.counts[s.name] for t in tallies)]
    for shade in drawn:
        counts = [tally.counts[shade.name] for tally in tallies]
        bars: dict[str, Any] = {"left": left, "height": 0.78, "linewidth": 0.6}
        axes.barh(range(len(tallies)), counts, **bars, **_fill(shade))
        left = left + counts
    for row, tally in enumerate(tallies):
        total = tally.counts.total()
        text = f"{tally.lost} of {total} lost"
        axes.annotate(text, (total, row), (5, 0), textcoords="offset points", va="center")
    _name_rows(axes, labels([tally.key for tally in tallies]))
    axes.set(xlabel="submissions", xlim=(0, 1.18 * left.max()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [Patch(**_fill(shade), label=shade.name) for shade in drawn]
    figure.legend(handles=handles, loc="outside upper right", ncols=4)
    worst = ", ".join(f"{shown(t.key.name)} {t.lost} times" for t in tallies[:3])
    return _picture(figure, f"Bars: how often each check was lost. Most often: {worst}.")


def _draw_heat_map(
    results: Sequence[Graded], columns: Sequence[Key], marks: Mapping[str, Marks]
) -> Picture:
    ranked = sorted(results, key=lambda result: (-result.score, result.student))
    grid = [[marks[r.student].get(key, MISSING) for key in columns] for r in ranked]
    few = len(ranked) <= MOST_NAMES
    # Two dots of the screen a student keep 500 students apart and the picture on a page.
    figure, axes = _figure(2.2 + (0.25 * len(ranked) if few else max(6.0, len(ranked) / 48)))
    axes.spines[:].set_visible(True)
    colours = np.array([[to_rgb(look(mark).shade.colour) for mark in row] for row in grid])
    # Should there be more students than dots, "auto" mixes neighbours instead of leaving some out.
    axes.imshow(colours, aspect="auto", interpolation="nearest" if few else "auto")
    _name_columns(axes, labels(columns))
    axes.vlines(np.arange(1, len(columns)) - 0.5, -0.5, len(grid) - 0.5, "#FFFFFF" if few else INK)
    if few:
        axes.hlines(np.arange(1, len(grid)) - 0.5, -0.5, len(columns) - 0.5, "#FFFFFF")
        _sign_cells(axes, grid)
        _name_rows(axes, [shown(result.student) for result in ranked])
    else:
        axes.set(ylabel="how many students, counted from the highest score")
    legend = _heat_map_legend(grid, few)
    figure.legend(handles=legend, loc="outside lower center", ncols=4 if few else 5)
    alt = (
        f"Heat map of {len(ranked)} students and {len(columns)} graded cells, the highest score "
        "on top. The table of all submissions says the same in words."
    )
    return _picture(figure, alt)


def _name_columns(axes: Axes, names: Sequence[str]) -> None:
    slanted: dict[str, Any] = {"rotation": 40, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), map(_short, names), parse_math=False, **slanted)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)


def _sign_cells(axes: Axes, grid: Sequence[Sequence[str]]) -> None:
    for y, row in enumerate(grid):
        for x, mark in enumerate(row):
            sign, shade = look(mark)
            axes.text(x, y, sign, color=shade.ink, ha="center", va="center", fontsize=9)


def _heat_map_legend(grid: Sequence[Sequence[str]], few: bool) -> list[Patch]:
    present = {mark for row in grid for mark in row}
    order = [*(m for m in LOOKS if m in present), *sorted(present - LOOKS.keys())]
    looks = {mark: look(mark) for mark in order}
    if few:
        entries = {f"{sign}  {mark}": shade for mark, (sign, shade) in looks.items()}
    else:
        entries = {shade.name: shade for _, shade in looks.values()}
    # Without hatches: the map's own cells have none.
    return [Patch(**_fill(replace(s, hatch="")), label=text) for text, s in entries.items()]


def _draw_outcomes(outcomes: Sequence[Mapping[str, Any]]) -> Picture:
    figure, axes = _figure(0.7 + 0.32 * len(outcomes))
    names = [outcome["name"] for outcome in outcomes]
    counts = [outcome["checks"] for outcome in outcomes]
    shades = [look(name).shade for name in names]
    bars = axes.barh(
        range(len(names)),
        counts,
        height=0.75,
        color=[shade.colour for shade in shades],
        edgecolor=INK,
        hatch=[shade.hatch for shade in shades],
    )
    axes.bar_label(bars, padding=4)
    _name_rows(axes, [f"{look(name).sign}  {name}" for name in names])
    axes.set(xlabel="checks")
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    said = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
    return _picture(figure, f"Bars: how many checks ended in which way. {said}.")


def _draw_time_and_memory(results: Sequence[Graded]) -> Picture | None:
    measured = [result for result in results if result.seconds or result.memory]
    if not measured:
        return None
    slowest = sorted(measured, key=lambda result: (-result.seconds, result.student))
    seconds = [result.seconds for result in slowest]
    memory = [result.memory for result in slowest]
    few = len(slowest) <= MOST_NAMES
    figure = _sheet(0.9 + 0.24 * len(slowest) if few else 3.0)
    left, right = figure.subplots(1, 2, sharey=few)
    if few:
        _draw_bars(left, seconds, ".1f")
        _draw_bars(right, memory, ".0f")
        _name_rows(left, [shown(result.student) for result in slowest])
    else:
        _draw_histogram(left, seconds)
        _draw_histogram(right, memory)
    left.set(xlabel="time to execute, in s")
    right.set(xlabel="most memory held, in MiB")
    alt = (
        f"Time and memory of {len(measured)} submissions: median {median(seconds):.1f} s and "
        f"{median(memory):.0f} MiB, most {max(seconds):.1f} s and {max(memory):.0f} MiB."
    )
    return _picture(figure, alt)


def _draw_bars(axes: Axes, values: Sequence[float], digits: str) -> None:
    bars = axes.barh(range(len(values)), values, height=0.75, color="#7FB8D8")
    axes.bar_label(bars, [format(value, digits) for value in values], padding=3, fontsize=9)
    axes.margins(x=0.15)
    axes.tick_params(axis="y", length=0)


def _draw_histogram(axes: Axes, values: Sequence[float]) -> None:
    axes.hist(values, bins=24, color=BLUE, edgecolor="white")
    axes.axvline(median(values), color="black", linestyle="--", label="median")
    axes.set(ylabel="submissions")
    axes.legend()


# What several of them need


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = _sheet(height)
    return figure, figure.add_subplot()


def _sheet(height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout="constrained")


def _fill(shade: Shade) -> dict[str, Any]:
    return {"facecolor": shade.colour, "edgecolor": INK, "hatch": shade.hatch}


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write names beside rows, the first one on top; as they are, dollar signs and all."""
    axes.set_yticks(range(len(names)), map(_short, names), parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _short(text: str) -> str:
    """Cut a name so that it fits beside a picture."""
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _picture(figure: Figure, alt: str) -> Picture:
    FigureCanvasAgg(figure)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A name in letters that the font lacks: the tables below have it as it is.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        # No software version in it: it would change the page's bytes and help nobody.
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return {"data": data, "alt": alt, "width": f"{WIDTH * 96:.0f}"}
