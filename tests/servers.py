"""Jupyter's servers, started for a test on loopback and gone with it."""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

TOKEN = "for-this-test-only"
START_SECONDS = 120


def free_port() -> int:
    """Find a port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    *words: str, folder: Path, log: Path, health: str, settings: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a Python module as a server until the block ends, with all that it has started.

    Args:
        words: the module and its options.
        folder: where it starts.
        log: the file for what it writes; its end is printed, for the case that a test fails.
        health: an address that answers when the server is ready.
        settings: more environment variables.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with log.open("w") as written:
        process = psutil.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=os.environ | {"PATH": path} | dict(settings or {}),
            stdout=written,
            stderr=written,
        )
        try:
            wait_for(health, process)
            yield
        finally:
            family = [process]
            with suppress(psutil.NoSuchProcess):  # it may have failed to start
                family += process.children(recursive=True)
                process.terminate()  # it ends what it has started, such as kernels
            _, alive = psutil.wait_procs(family, timeout=30)
            for left in alive:
                left.kill()
            print(log.read_text(errors="replace")[-5000:])


@contextmanager
def jupyter(application: str, course: Path, home: Path, *words: str) -> Iterator[str]:
    """Start a server in a course's folder, for somebody who has never used it; give its address.

    `application` is the module, such as "jupyterlab"; `home` is where settings and the log go.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    options = ["--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}", *words]
    options += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0"]
    settings = {
        "JUPYTER_CONFIG_PATH": str(course / ".jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
    }
    health = f"{address}/api/status?token={TOKEN}"
    log = home / "server.log"
    with running(application, *options, folder=course, log=log, health=health, settings=settings):
        yield address


def wait_for(address: str, process: psutil.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=10)
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < end, "no server started"
            time.sleep(0.3)
