"""Where jobs are executed: on Dask, on this computer by default, on any scheduler by address.

Jobs and results travel by Dask's own messages; workers share no disk with us, nor with each other.
Each worker executes one job at a time and keeps its warm server between jobs.
"""

import contextlib
import logging
import os
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import psutil

from grading.judging.execution import execute
from grading.judging.job import Job, Result, versions
from grading.outcomes import Outcome, verdict
from grading.sandbox.bubblewrap import SandboxUnavailable

if TYPE_CHECKING:  # Dask takes half a second to import, and often there is nothing to execute
    from distributed import Client, Future

AHEAD = 3  # jobs that the cluster has for each thread: one runs, two wait
LOOK_SECONDS = 2.0  # how often to look whether the cluster is still there
NO_WORKERS_SECONDS = 60.0  # how long to wait for a first or another worker
WORKER_MEMORY = 2 * 1024**3  # bytes to reckon with for a worker and its student's kernel

GONE = (
    "the Dask scheduler is gone. What was executed is kept: start again, and the run goes on from "
    "there"
)

log = logging.getLogger(__name__)


class ClusterLost(RuntimeError):
    """Raised when nothing executes jobs any more."""


class OtherVersions(RuntimeError):
    """Raised by a worker that has other versions of the grader or of the packages."""


class Queue:
    """Jobs that wait. Those of the exercise that takes longest come first.

    Else the last of them would keep one worker busy while all others have nothing left to do. How
    long an exercise takes is seen as results come in; before that, one job of each is taken.
    """

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        """Take jobs by key."""
        self._waiting: dict[int, deque[tuple[str, Job]]] = defaultdict(deque)
        for key, job in jobs.items():
            self._waiting[id(job.exercise)].append((key, job))
        self._seconds = dict.fromkeys(self._waiting, float("inf"))
        self._asked: set[int] = set()

    def __bool__(self) -> bool:
        """Tell whether there is any job left."""
        return any(self._waiting.values())

    def take(self) -> tuple[str, Job]:
        """Take the next job; there must be one.

        Returns:
            Its key, and the job.
        """
        left = [exercise for exercise, jobs in self._waiting.items() if jobs]
        best = max(
            left, key=lambda exercise: (exercise not in self._asked, self._seconds[exercise])
        )
        self._asked.add(best)
        return self._waiting[best].popleft()

    def note(self, job: Job, seconds: float) -> None:
        """Note how long a job took.

        Args:
            job: the job.
            seconds: how long a worker was busy with it.
        """
        before = self._seconds[id(job.exercise)]
        self._seconds[id(job.exercise)] = (
            seconds if before == float("inf") else (before + seconds) / 2
        )


class Cluster:
    """A Dask cluster; a context manager. It starts with the first job."""

    def __init__(self, *, workers: int = 0, scheduler: str = "") -> None:
        """Choose a cluster.

        Args:
            workers: how many worker processes to start here; 0 for as many as there are
                processors and memory.
            scheduler: address of a running scheduler, which brings its own workers.
        """
        self._workers = workers or default_workers()
        self._scheduler = scheduler
        self._stack = contextlib.ExitStack()
        self._client: Client | None = None

    def __enter__(self) -> "Cluster":
        """Return the cluster itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers that were started here."""
        self._stack.close()

    def results(
        self, jobs: Mapping[str, Job], *, warm_start: bool = True
    ) -> Iterator[tuple[str, Result]]:
        """Begin to execute jobs.

        Args:
            jobs: the jobs by key.
            warm_start: whether to fork kernels from warm servers.

        Returns:
            An iterator over keys and results, as they come. A job whose worker dies with it, time
            and again, has a result that says so.

        Raises:
            ClusterLost: if the scheduler is not there. The iterator raises it, too.
        """
        if not jobs:
            return iter(())
        client = self._start()
        queue = Queue(jobs)
        running: dict[Future, str] = {}

        def submit_some() -> None:
            threads = 1
            with contextlib.suppress(OSError):  # whether it is gone for good is seen below
                threads = max(1, sum(client.nthreads().values()))
            while queue and len(running) < AHEAD * threads:
                key, job = queue.take()
                # pure=False: what Dask remembers of an earlier run is not what we want.
                running[client.submit(run_job, job, versions(), warm_start, pure=False)] = key

        submit_some()

        def collect() -> Iterator[tuple[str, Result]]:
            while running:
                for future in self._finished(client, list(running)):
                    key = running.pop(future)
                    result = _result(future, jobs[key])
                    queue.note(jobs[key], result.seconds)
                    future.release()
                    submit_some()
                    yield key, result

        return collect()

    def _start(self) -> "Client":
        from distributed import Client, LocalCluster

        if self._client is None:
            if not self._scheduler:
                cluster = LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    memory_limit=0,  # the sandbox has limits of its own
                    dashboard_address=None,
                    security=True,  # or others on this computer could send it work
                    silence_logs=logging.CRITICAL,
                )
                self._stack.enter_context(cluster)
            address: Any = self._scheduler or cluster
            try:
                self._client = Client(address, timeout="20s")
            except (OSError, TimeoutError) as error:
                raise ClusterLost(
                    f"expected a Dask scheduler at {self._scheduler}, got no answer ({error}): "
                    "start one with `dask scheduler`, and give the address that it prints"
                ) from None
            self._stack.callback(self._client.close, timeout=5)
        return self._client

    def _finished(self, client: "Client", futures: "list[Future]") -> "list[Future]":
        """Wait until some futures are finished; look now and then whether anybody is there."""
        from distributed import CancelledError, wait

        alone_since = None
        while True:
            try:
                return list(wait(futures, LOOK_SECONDS, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                pass
            except CancelledError:
                raise ClusterLost(GONE) from None
            if client.status != "running":
                raise ClusterLost(GONE)
            if client.scheduler_info(n_workers=-1)["workers"]:
                alone_since = None
                continue
            alone_since = alone_since or time.monotonic()
            if time.monotonic() - alone_since > NO_WORKERS_SECONDS:
                raise ClusterLost(
                    "the Dask scheduler has no workers: start some with `dask worker`, then start "
                    "again; what was executed is kept"
                )


def run_job(job: Job, wanted: str, warm_start: bool) -> Result:
    """Execute a job; this runs on a worker.

    Args:
        job: the job.
        wanted: the versions that the key of its result stands for.
        warm_start: whether to fork the kernel from this worker's warm server.

    Returns:
        What came of it.

    Raises:
        OtherVersions: if this worker would compute something else.
        SandboxUnavailable: where no sandbox can be had.
    """
    if versions() != wanted:
        raise OtherVersions(
            "expected a worker with the same course and the same packages, got another: install "
            f"the same version of the course on it ({versions()} there, {wanted} here)"
        )
    return execute(job, warm_start=warm_start)


def default_workers() -> int:
    """Tell how many workers this computer can bear.

    Returns:
        One for each processor, fewer where there is little memory, at least one.
    """
    processors = len(os.sched_getaffinity(0))
    return max(1, min(processors, psutil.virtual_memory().total // WORKER_MEMORY))


def _result(future: "Future", job: Job) -> Result:
    """Take a result; what went wrong on the cluster is no student's doing."""
    from distributed import CancelledError, KilledWorker

    try:
        return future.result()
    except (SandboxUnavailable, OtherVersions):  # no other job would fare better
        raise
    except CancelledError:
        raise ClusterLost(GONE) from None
    except KilledWorker as error:
        detail = f"the workers that executed it died: {error}"
    except Exception as error:
        detail = f"the worker failed: {type(error).__name__}: {error}"
    log.warning("%s", detail)
    fault = verdict(Outcome.GRADERS_FAULT, detail=detail)
    return Result(job.notebook, dict.fromkeys(job.exercise.hidden, fault))
