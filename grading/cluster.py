"""Where jobs are executed: on Dask, on this computer by default, on any scheduler by address.

Jobs and results travel by Dask's own messages; workers share no disk with us, nor with each other.
Each worker executes one job at a time and keeps its warm server between jobs.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import psutil
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, wait

from grading.execute import execute
from grading.job import Job, Result, versions
from grading.outcomes import Outcome, verdict
from grading.sandbox import SandboxUnavailable

AT_ONCE = 64  # jobs that the cluster has at a time: enough for its workers, little for its memory
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
        left = iter(jobs.items())
        running: dict[Future, str] = {}

        def submit_some() -> None:
            while len(running) < AT_ONCE and (item := next(left, None)):
                key, job = item
                # pure=False: what Dask remembers of an earlier run is not what we want.
                running[client.submit(run_job, job, versions(), warm_start, pure=False)] = key

        submit_some()

        def collect() -> Iterator[tuple[str, Result]]:
            while running:
                for future in self._finished(client, list(running)):
                    key = running.pop(future)
                    yield key, _result(future, jobs[key])
                    future.release()
                submit_some()

        return collect()

    def _start(self) -> Client:
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

    def _finished(self, client: Client, futures: list[Future]) -> list[Future]:
        """Wait until some futures are finished; look now and then whether anybody is there."""
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


def _result(future: Future, job: Job) -> Result:
    """Take a result; what went wrong on the cluster is no student's doing."""
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
