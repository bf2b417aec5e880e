"""Jupyter's servers, started for a test on loopback and gone with it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOKEN = "for-this-test-only"
START_SECONDS = 120


def free_port() -> int:
    """Find a port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def jupyter(application: str, course: Path, home: Path, *words: str) -> Iterator[str]:
    """Start a server in a course's folder, for somebody who has never used it; give its address.

    `application` is the module, such as "jupyterlab"; `home` is where settings and the log go.
    """
    port = free_port()
    options = ["--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}", *words]
    options += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0"]
    own = {
        "JUPYTER_CONFIG_PATH": str(course / ".jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", application, *options],
            cwd=course,
            env=os.environ | own,
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/api/status?token={TOKEN}", process)
            yield address
        finally:
            process.terminate()  # it ends its kernels, too
            process.wait(30)


def wait_for(address: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=10)
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < end, "no server started"
            time.sleep(0.3)
