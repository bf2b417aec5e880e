"""Executing, the second step: what a plan misses, each job once, on a cluster, into the store."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from grading.classes.planning import Planned
from grading.judging.job import Job, Result
from grading.judging.store import Store

log = logging.getLogger(__name__)


class Executes(Protocol):
    """Whoever executes jobs: a `Cluster`, or in tests a stand-in."""

    def results(
        self, jobs: Mapping[str, Job], *, warm_start: bool = True
    ) -> Iterator[tuple[str, Result]]:
        """Begin to execute jobs; give keys and results as they come."""


@dataclass(frozen=True)
class Executed:
    """A submission all of whose results are in the store.

    Attributes:
        planned: its plan.
        here: whether any of it was executed in this run.
    """

    planned: Planned
    here: bool


def execute_missing(
    plans: Sequence[Planned], cluster: Executes, store: Store, *, warm_start: bool
) -> Iterator[Executed]:
    """Execute what is missing, each job once.

    Args:
        plans: the submissions to execute.
        cluster: where to execute.
        store: where the results go.
        warm_start: whether to fork kernels from warm servers.

    Yields:
        Each submission as soon as its results are in the store.

    Raises:
        ClusterLost: if nothing executes any more; what was executed is in the store.
        SandboxUnavailable: where no sandbox can be had.
    """
    waiting: dict[str, list[int]] = defaultdict(list)
    jobs: dict[str, Job] = {}
    missing = [set(planned.missing) for planned in plans]
    for number, planned in enumerate(plans):
        for key in planned.missing:
            jobs[key] = planned.jobs[key]
            waiting[key].append(number)
    # The cluster begins here, and works on while those that need no executing are recorded.
    results = cluster.results(jobs, warm_start=warm_start)
    for planned in plans:
        if not planned.missing:
            yield Executed(planned, here=False)
    for key, result in results:
        _keep(store, key, result)
        for number in waiting.pop(key):
            missing[number].discard(key)
            if not missing[number]:
                yield Executed(plans[number], here=True)


def _keep(store: Store, key: str, result: Result) -> None:
    kept = result.final
    try:
        store.put(key, result)
    except OSError as error:
        log.warning("a result could not be kept in the store: %s", error)
        kept = False
    if not kept:  # nbgrader picks it up from memory
        store.hold(key, result)
