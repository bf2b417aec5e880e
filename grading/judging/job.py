"""A job: all that executing one submitted notebook depends on, and what comes of it.

A job needs no course folder, no gradebook and no configuration beside it, so that it can travel to
another computer. Two jobs with the same key give the same result.
"""

import base64
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grading
import helpers
from grading.outcomes import Outcome, Verdict


@dataclass(frozen=True)
class Limits:
    """What one notebook may use; README.md tells the settings of the same names."""

    timeout: int
    submission_timeout: int
    output_limit: int
    memory_limit: int
    process_limit: int
    file_limit: int
    isolation: str


@dataclass(frozen=True)
class Exercise:
    """What all submissions of one notebook are executed and judged with.

    Attributes:
        hidden: source text of the hidden tests by grade_id.
        files: the assignment's other files, content by path below its folder, with slashes.
        hidden_folder: the course's folder on the computer that made the job.
    """

    hidden: dict[str, str]
    files: dict[str, bytes]
    hidden_folder: str = ""


@dataclass(frozen=True)
class Job:
    """One notebook to execute and to judge.

    Attributes:
        notebook: the rebuilt notebook as JSON text, without hidden tests.
        exercise: what it is judged with.
        limits: what it may use.
    """

    notebook: str
    exercise: Exercise
    limits: Limits

    def key(self) -> str:
        """Make the name under which the result is kept.

        Returns:
            64 hexadecimal digits: they change with everything that the result depends on, the
            versions of the grader and of all packages included.
        """
        contents = self.exercise.files.items()
        files = {name: hashlib.sha256(data).hexdigest() for name, data in contents}
        parts = [self.notebook, self.exercise.hidden, files, asdict(self.limits), versions()]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Result:
    """What came of a job.

    Attributes:
        notebook: the executed notebook as JSON text.
        verdicts: how each check ended, by grade_id.
        seconds: how long it took, kernel start included.
        own_seconds: how long the student's kernel worked at cells and at hidden tests' requests.
        memory: the most memory that the kernel's processes held together, in MiB.
    """

    notebook: str
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    seconds: float = 0.0
    own_seconds: float = 0.0
    memory: float = 0.0

    @property
    def final(self) -> bool:
        """Whether executing the job once more would tell nothing new."""
        return all(v.outcome is not Outcome.GRADERS_FAULT for v in self.verdicts.values())

    def to_json(self) -> str:
        """Write the result as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """Read a result.

        Args:
            text: what `to_json` wrote.

        Returns:
            The result.

        Raises:
            ValueError: if the text is not a result.
        """
        try:
            told: dict[str, Any] = json.loads(text)
            verdicts = {
                name: Verdict(Outcome(v["outcome"]), v["message"], v["detail"])
                for name, v in told.pop("verdicts").items()
            }
            return cls(verdicts=verdicts, **told)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"expected a result, got {text[:80]!r}: {error!r}") from None


@functools.cache
def versions() -> str:
    """Tell the versions of all that executes a job.

    Returns:
        A text that changes with the interpreter, with any installed package, and with the source
        of grading/ and helpers/.
    """
    packages = set(map(_name_and_version, importlib.metadata.distributions()))
    digest = hashlib.sha256(repr(sorted(packages)).encode())
    for package in (grading, helpers):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return f"Python {platform.python_version()}, {base64.b16encode(digest.digest()).decode()}"


def _name_and_version(distribution: importlib.metadata.Distribution) -> tuple[str, str]:
    # Parsed as the message that it is, the metadata of 250 packages take 0.2 seconds.
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    found = dict(re.findall(r"^(Name|Version): *(.*?) *$", text.partition("\n\n")[0], re.M))
    return found.get("Name", ""), found.get("Version", "")
