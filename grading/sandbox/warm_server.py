"""The warm server: inside a sandbox, a process that has imported the frameworks and forks kernels.

`warm.py` starts this text with ``python -c`` under bubblewrap and writes one JSON request a line to
its standard input. Each request is answered by a kernel of its own, one at a time. A submission
gets namespaces of its own inside the sandbox's: the kernel's processes see no others, its folders
in memory are new, and all of it ends with the first process of its namespace. Four generations:

- the **server** never runs what a student wrote;
- the **keeper** makes the namespaces and waits;
- the **first** process of them mounts what the kernel sees, and takes all with it when it ends;
- the **kernel** has given up every privilege before the first message reaches it.

Nothing secret may stand here, and nothing of the project is imported but helpers: students can read
a process's command line.
"""

import base64
import ctypes
import fcntl
import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any, NoReturn

PRELOADED = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "torch",
    "torch.utils.data",
    "torch._dynamo",  # a first optimiser step would import it
    "tensorflow",
    "keras",
    "ipykernel.kernelapp",
    "helpers.data",
    "helpers.plotting",
    "helpers.torch_training",
    "helpers.keras_training",
)
# Flags of Linux: unshare, mount, prctl, open
NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS = 0x00020000, 0x08000000, 0x10000000, 0x20000000
NEW_NETWORK = 0x40000000
SET_INTERFACE, UP_AND_RUNNING = 0x8914, 0x1 | 0x40
READ_ONLY, NO_SUID, NO_DEVICES, AGAIN, BIND = 1, 2, 4, 32, 4096
PARENT_DEATH_SIGNAL, DUMPABLE, SECCOMP, NO_NEW_PRIVILEGES = 1, 4, 22, 38
FILTER = 2
CAPABILITY_VERSION = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    """A filter of system calls, as prctl takes it."""

    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def must(failed: int, doing: str) -> None:
    """Raise OSError if a call of the C library failed."""
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing}: {os.strerror(number)}")


def prctl(option: int, value: Any) -> None:
    """Set an attribute of this process."""
    must(libc.prctl(option, value, 0, 0, 0), f"prctl {option}")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount something, or change how it is mounted."""
    words = [os.fsencode(text) if text is not None else None for text in (source, target, kind)]
    must(libc.mount(*words, flags, data.encode()), f"mount {target}")


def preload() -> None:
    """Import what notebooks import, as far as it is installed."""
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as ipykernel does
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError:  # pandas is optional, say
            continue
    gc.collect()
    gc.freeze()  # a garbage collection in a kernel must not copy what all share


def serve() -> None:
    """Fork a kernel for each request until there are no more."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    preload()
    prctl(DUMPABLE, 0)  # no kernel may look into the server, nor into those between
    os.write(answers, b"ready\n")
    with os.fdopen(requests, "rb") as lines:
        for line in lines:
            keeper = os.fork()
            if keeper == 0:
                keep(json.loads(line), (requests, answers))
            os.waitpid(keeper, 0)
            os.write(answers, b"ended\n")


def keep(request: dict[str, Any], inherited: tuple[int, ...]) -> NoReturn:
    """Be the keeper: make namespaces, fork their first process, wait for its end."""
    try:
        for descriptor in inherited:
            os.close(descriptor)
        user, group = os.getuid(), os.getgid()
        prctl(DUMPABLE, 1)  # or the maps could not be written
        new = NEW_USER | NEW_MOUNTS | NEW_PIDS | NEW_IPC | NEW_NETWORK
        must(libc.unshare(new), "unshare")
        prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        start_loopback()
        first = os.fork()
        if first == 0:
            be_first(request)
        prctl(DUMPABLE, 0)
        os.waitpid(first, 0)
    finally:
        os._exit(0)


def start_loopback() -> None:
    """Let 127.0.0.1 be reached: a new network namespace has its interface switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        wish = struct.pack("16sh22x", b"lo", UP_AND_RUNNING)
        fcntl.ioctl(anything, SET_INTERFACE, wish)


def be_first(request: dict[str, Any]) -> NoReturn:
    """Be process 1 of a submission's namespaces: mount, fork the kernel, bury the dead."""
    try:
        prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        mount_folders(request)
        prctl(DUMPABLE, 0)
        bound, told = os.pipe()
        closed, closing = os.pipe()
        kernel = os.fork()
        if kernel == 0:
            os.close(bound)
            os.close(closing)
            be_kernel(request, told, closed)
        os.close(told)
        os.close(closed)
        # Once the kernel has made its sockets it has no place on disk any more.
        if os.read(bound, 1):
            flags = NO_SUID | NO_DEVICES | AGAIN | BIND | READ_ONLY
            mount(None, request["sockets"], None, flags)
            os.write(closing, b".")
        while os.wait()[0] != kernel:
            pass
    finally:
        os._exit(0)


def mount_folders(request: dict[str, Any]) -> None:
    """Mount empty folders in memory, and in them the sockets' folder and the assignment's files."""
    folders = {os.path.dirname(path) for path in request["files"]}
    paths = (request["sockets"], *request["covered"], *folders)
    outside = {path: os.open(path, os.O_PATH) for path in paths}
    for folder in request["in_memory"]:
        limits = f"size={request['size']},nr_inodes=20000,mode=755"
        mount("tmpfs", folder, "tmpfs", NO_SUID | NO_DEVICES, limits)
    for path in (request["sockets"], *request["covered"]):
        os.makedirs(path)
        mount(f"/proc/self/fd/{outside[path]}", path, None, BIND)
    os.mkdir(request["folder"])
    for path in request["files"]:
        folder, name = os.path.split(path)
        show(f"/proc/self/fd/{outside[folder]}/{name}", f"{request['folder']}/{name}")
    os.chdir(request["folder"])
    for descriptor in outside.values():
        os.close(descriptor)


def show(source: str, target: str) -> None:
    """Mount a file read-only; of a folder make a new one, with all that is in it mounted so."""
    if os.path.isdir(source):
        os.mkdir(target)
        for name in os.listdir(source):
            show(f"{source}/{name}", f"{target}/{name}")
        return
    with open(target, "w"):
        pass
    mount(source, target, None, BIND)
    mount(None, target, None, NO_SUID | NO_DEVICES | AGAIN | BIND | READ_ONLY)


def be_kernel(request: dict[str, Any], told: int, closed: int) -> NoReturn:
    """Be the kernel: give up all privileges, make the sockets, then serve messages."""
    code = 1
    try:
        os.setsid()
        give_up_privileges(request)
        start_afresh()
        sys.path.append("")  # last, as `kernel.py` says
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance()
        app.initialize(request["arguments"])
        # Matplotlib does this when it is imported in a kernel: here it was imported before.
        assert app.shell is not None
        app.shell.enable_matplotlib("inline")
        os.write(told, b".")
        if os.read(closed, 1):
            os.close(told)
            os.close(closed)
            app.start()
            code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    finally:
        os._exit(code)


def give_up_privileges(request: dict[str, Any]) -> None:
    """Set the limits, drop all capabilities, and let the filter refuse system calls."""
    for name, value in request["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    prctl(NO_NEW_PRIVILEGES, 1)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    must(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    steps = base64.b64decode(request["filter"])
    program = Program(len(steps) // 8, steps)
    must(libc.prctl(SECCOMP, FILTER, ctypes.byref(program), 0, 0), "seccomp")
    prctl(DUMPABLE, 1)  # as any program is


def start_afresh() -> None:
    """Undo what makes forked processes more alike than started ones."""
    import numpy as np

    np.random.seed()  # Python's own generator does this by itself; PyTorch's begins the same
    gc.enable()


if __name__ == "__main__":
    serve()
    sys.exit(0)
