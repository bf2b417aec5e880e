"""Lessons' kernels start without Jupyter's race for TCP ports, and leave nothing behind."""

import gc
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from nbformat import v4

from grading.sandbox.folders import remove_abandoned_folders
from publishing import lesson_kernel

PROJECT = Path(__file__).resolve().parents[2]
VARIABLE = KernelProvisionerFactory.default_provisioner_name_env
SECONDS = 60

# Forty kernels at once. Within one process Jupyter gives no port away twice: so several start them.
PROCESSES, EACH = 4, 10
# A kernel like any other, but there in a fraction of the time: it opens all its sockets, dies if it
# cannot, and answers every request with a value that only it was told.
SMALL_KERNEL = """
import hashlib, hmac, json, os, sys, zmq
with open(sys.argv[1]) as file:
    about = json.load(file)
parent, context, opened = os.getppid(), zmq.Context(), {}
kinds = {"shell": zmq.ROUTER, "iopub": zmq.PUB, "stdin": zmq.ROUTER, "control": zmq.ROUTER,
    "hb": zmq.REP}
for name, kind in kinds.items():
    opened[name] = context.socket(kind)
    mark = ":" if about["transport"] == "tcp" else "-"
    opened[name].bind(f"{about['transport']}://{about['ip']}{mark}{about[name + '_port']}")
while os.getppid() == parent:
    if opened["shell"].poll(1000):
        client, _, _, header, *_ = opened["shell"].recv_multipart()
        reply = json.loads(header) | {"msg_type": "execute_reply"}
        content = {"status": "ok", "value": os.environ["VALUE"]}
        parts = [json.dumps(reply).encode(), header, b"{}", json.dumps(content).encode()]
        sign = hmac.new(about["key"].encode(), b"".join(parts), hashlib.sha256)
        opened["shell"].send_multipart(
            [client, b"<IDS|MSG>", sign.hexdigest().encode(), *parts])
"""


@pytest.fixture
def as_lessons(monkeypatch):
    """Let kernels start as those of lessons do, in this process and in those that it starts."""
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name  # read now: the variable would be its first value
    monkeypatch.setenv(VARIABLE, lesson_kernel.PROVISIONER)
    lesson_kernel.use_for_all_kernels()
    yield
    factory.default_provisioner_name = before


# Many kernels at once


def get_ready(barrier: Barrier) -> None:
    global everybody
    everybody = barrier


def start_small_kernels(values: list[str]) -> list[tuple[str, list[str], bool]]:
    """Start kernels when the other processes do; stop them when all kernels have answered.

    Returns:
        For each kernel its answer, its addresses, and whether it has opened a TCP port.
    """
    with ThreadPoolExecutor(EACH) as threads:
        everybody.wait(2 * SECONDS)
        started = list(threads.map(start_small_kernel, values))
        everybody.wait(2 * SECONDS)  # all forty run at this moment
        ports = [has_tcp_port(manager) for manager, _, _ in started]
        for manager, client, _ in started:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    return [
        (answer, [f"{manager.ip}-{port}" for port in manager.ports], port_opened)
        for (manager, _, answer), port_opened in zip(started, ports, strict=True)
    ]


def start_small_kernel(value: str) -> tuple[KernelManager, BlockingKernelClient, str]:
    manager = KernelManager(kernel_name="small")
    manager.start_kernel(env=os.environ | {"VALUE": value})
    client = manager.client()
    client.start_channels(iopub=False, stdin=False, hb=False, control=False)
    try:
        answer = client.execute("", reply=True, timeout=SECONDS)["content"]["value"]
    except TimeoutError:
        answer = f"{value} lives" if manager.is_alive() else f"{value} died"
    return manager, client, answer


def has_tcp_port(manager: KernelManager) -> bool:
    alive = manager.is_alive()
    return alive and bool(psutil.Process(manager.provisioner.pid).net_connections("inet"))


def test_forty_kernels_that_start_at_once_all_answer(as_lessons, tmp_path, monkeypatch):
    kernel = tmp_path / "kernels" / "small"
    kernel.mkdir(parents=True)
    (kernel / "small.py").write_text(SMALL_KERNEL)
    words = [sys.executable, str(kernel / "small.py"), "{connection_file}"]
    about = {"argv": words, "display_name": "small", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(about))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    spawn = multiprocessing.get_context("spawn")
    values = [str(number) for number in range(PROCESSES * EACH)]
    shares = [values[number::PROCESSES] for number in range(PROCESSES)]
    ready = (spawn.Barrier(PROCESSES),)
    with ProcessPoolExecutor(PROCESSES, spawn, get_ready, ready) as processes:
        kernels = [one for some in processes.map(start_small_kernels, shares) for one in some]
    assert [answer for answer, _, _ in kernels] == [value for share in shares for value in share]
    assert len({address for _, mine, _ in kernels for address in mine}) == 5 * len(values)
    assert not any(port_opened for _, _, port_opened in kernels)


# One kernel: what it opens, and what it leaves


class Kernel:
    """A running Python kernel, and somebody to talk to it."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.manager.provisioner.pid)

    @property
    def folder(self) -> Path:
        return Path(self.manager.ip).parent

    def ask(self, source: str) -> str:
        """Execute; return what was printed, or the name of the error."""
        printed = []
        reply = self.client.execute_interactive(
            source,
            timeout=SECONDS,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        return reply["content"].get("ename") or "".join(printed).strip()

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_no_port_is_chosen_for_a_kernel_and_it_leaves_nothing(as_lessons):
    for _ in range(2):  # what the first leaves in this process is there for good
        files = psutil.Process().num_fds()
        kernel = Kernel()
        process, folder = kernel.process, kernel.folder
        # ipykernel has one port for its own children's outputs. It is chosen as it is opened.
        assert len(process.net_connections("inet")) <= 1
        assert len(list(folder.glob("socket-*"))) == 5
        assert len(str(folder / "socket-12345")) < 100 and folder.stat().st_mode & 0o077 == 0
        assert Path(kernel.manager.connection_file).parent == folder
        kernel.stop()
        assert not process.is_running() and not folder.exists()
    assert psutil.Process().num_fds() == files


def test_interrupt_restart_and_processes_of_its_own(as_lessons):
    kernel = Kernel()
    first, folder = kernel.process, kernel.folder
    pool = "from concurrent.futures import ProcessPoolExecutor\n"
    assert kernel.ask(f"{pool}print(*ProcessPoolExecutor(2).map(abs, [-1, -2]))") == "1 2"
    with ThreadPoolExecutor() as threads:
        (folder / "waits").touch()
        waiting = f"import os, time\nos.remove({str(folder / 'waits')!r})\ntime.sleep({SECONDS})"
        answer = threads.submit(kernel.ask, waiting)
        wait_until(lambda: not (folder / "waits").exists())
        kernel.manager.interrupt_kernel()
        assert answer.result() == "KeyboardInterrupt"
    kernel.manager.restart_kernel(now=True)
    kernel.client.wait_for_ready(timeout=SECONDS)
    assert kernel.ask("print(2 + 2)") == "4"
    assert kernel.process != first and kernel.folder == folder
    kernel.manager.shutdown_kernel()  # politely
    assert not folder.exists()
    kernel.client.stop_channels()


def test_a_killed_kernel_leaves_no_folder(as_lessons):
    kernel = Kernel()
    process, folder = kernel.process, kernel.folder
    process.kill()
    process.wait(SECONDS)
    assert not kernel.manager.is_alive()
    kernel.client.stop_channels()
    del kernel  # and no more: nbval stops only living kernels
    gc.collect()
    assert not folder.exists()


STARTER = """
import time
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="python3")
manager.start_kernel()
print(manager.provisioner.pid, manager.ip, flush=True)
time.sleep(600)
"""


def test_a_killed_process_leaves_no_kernel_and_no_folder_for_long(as_lessons):
    with subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE) as starter:
        try:
            pid, ip = starter.stdout.readline().split()
            kernel, folder = psutil.Process(int(pid)), Path(os.fsdecode(ip)).parent
            wait_until(lambda: len(list(folder.glob("socket-*"))) == 5)
        finally:
            starter.kill()
    kernel.wait(SECONDS)
    os.utime(folder, (0, 0))  # a new folder may belong to somebody who has not locked it yet
    remove_abandoned_folders()
    assert not folder.exists()


def test_where_there_are_no_local_sockets_a_kernel_has_tcp_ports(as_lessons, monkeypatch):
    monkeypatch.setattr(lesson_kernel, "HAS_LOCAL_SOCKETS", False)
    manager = KernelManager(kernel_name="python3")
    manager.pre_start_kernel()
    assert isinstance(manager.provisioner, lesson_kernel.LessonProvisioner)
    assert manager.transport == "tcp" and manager.ip == "127.0.0.1"
    manager.cleanup_resources()


# Who asks for such kernels

TRANSPORT = "from ipykernel.kernelapp import IPKernelApp\nprint(IPKernelApp.instance().transport)"


@pytest.fixture
def lesson(tmp_path):
    """A lesson that shows how its kernel is talked to, stored with what is expected."""
    cell = v4.new_code_cell(TRANSPORT, execution_count=1)
    cell.outputs = [v4.new_output("stream", name="stdout", text="ipc\n")]
    path = tmp_path / "lesson.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    nbformat.write(v4.new_notebook(cells=[cell], metadata=metadata), path)
    return path


def test_make_has_nbval_ask_for_them(lesson):
    lines = (PROJECT / "Makefile").read_text().replace("\\\n", " ")
    nbval = re.search(r"^NBVAL := (.*)", lines, re.MULTILINE)[1]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        f"{nbval} -n 0 --rootdir {lesson.parent} {lesson}",
        shell=True,
        cwd=PROJECT,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_lesson_outputs_asks_for_them(lesson):
    before = nbformat.read(lesson, as_version=4).cells[0].outputs
    program = [sys.executable, "-m", "publishing.lesson_outputs", str(lesson)]
    subprocess.run(program, cwd=PROJECT, check=True)
    assert nbformat.read(lesson, as_version=4).cells[0].outputs == before
