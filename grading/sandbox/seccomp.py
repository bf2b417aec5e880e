"""System calls that a student's kernel must not make, as a filter for the Linux kernel.

A sandbox's memory is measured by its processes. Memory that belongs to no process (a memfd, System
V shared memory, semaphores and messages, a POSIX message queue, a tmpfs that it mounted itself, a
shared anonymous mapping) would escape that, so the calls that make it are refused. So are those
that use up what all of the instructor's processes share (inotify's watches), families of sockets
that reach past the sandbox's own network (virtual machines, Bluetooth), and a few calls
that no exercise needs and that have been the way out of many a sandbox.
"""

import platform
import socket
import struct

ALLOW, REFUSE = 0x7FFF0000, 0x00050000  # to REFUSE the error number is added
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
# Netlink is how the C library asks which addresses there are. AF_UNIX and the internet's two are
# all that Python's own modules and Jupyter's kernels use.
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)  # 16: netlink
NEW_USER_NAMESPACE = 0x10000000  # a flag of clone
SHARED_ANONYMOUS = 0x21  # flags of mmap, both set
X32 = 0x40000000  # system calls of another ABI, under other numbers

# Numbers: AUDIT_ARCH, then the calls. Those from 424 on are the same everywhere.
ARCHITECTURES = {
    "x86_64": (
        0xC000003E,
        {"mmap": 9, "clone": 56, "socket": 41, "socketpair": 53, "ptrace": 101}
        | {"shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240, "inotify_init": 253}
        | {"inotify_init1": 294, "fanotify_init": 300, "pivot_root": 155, "mount": 165}
        | {"umount2": 166, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272}
        | {"perf_event_open": 298, "setns": 308, "memfd_create": 319, "bpf": 321}
        | {"userfaultfd": 323},
    ),
    "aarch64": (
        0xC00000B7,
        {"mmap": 222, "clone": 220, "socket": 198, "socketpair": 199, "ptrace": 117}
        | {"shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180, "inotify_init1": 26}
        | {"fanotify_init": 262, "pivot_root": 41, "mount": 40}
        | {"umount2": 39, "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97}
        | {"perf_event_open": 241, "setns": 268, "memfd_create": 279, "bpf": 280}
        | {"userfaultfd": 282},
    ),
}
EVERYWHERE = {"io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430}
EVERYWHERE |= {"fsmount": 432, "mount_setattr": 442, "memfd_secret": 447}
CLONE3 = 435

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in the data that a filter sees


def refusals(machine: str = platform.machine()) -> bytes:
    """Write the filter.

    Args:
        machine: the processor's name as ``platform.machine`` gives it.

    Returns:
        A classic BPF program for ``prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ...)``.

    Raises:
        LookupError: for a processor whose system call numbers are not known here.
    """
    if machine not in ARCHITECTURES:
        raise LookupError(f"expected one of {', '.join(ARCHITECTURES)}, got {machine}")
    architecture, numbers = ARCHITECTURES[machine]
    refuse = _step(RETURN, REFUSE | EPERM)
    program = _step(LOAD, ARCHITECTURE) + _unless(architecture, refuse)
    program += _step(LOAD, NUMBER) + _step(JUMP_AT_LEAST, X32, 0, 1) + refuse
    program += _if(CLONE3, _step(RETURN, REFUSE | ENOSYS))  # the C library then falls back to clone
    for name, number in (numbers | EVERYWHERE).items():
        if name == "mmap":
            program += _if(number, _flags(3, SHARED_ANONYMOUS, refuse))
        elif name == "clone":
            program += _if(number, _flags(0, NEW_USER_NAMESPACE, refuse))
        elif name in ("socket", "socketpair"):
            program += _if(number, _one_of(0, FAMILIES, _step(RETURN, REFUSE | EAFNOSUPPORT)))
        else:
            program += _if(number, refuse)
    return program + _step(RETURN, ALLOW)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _if(value: int, then: bytes) -> bytes:
    return _step(JUMP_EQUAL, value, 0, len(then) // 8) + then


def _unless(value: int, then: bytes) -> bytes:
    return _step(JUMP_EQUAL, value, len(then) // 8, 0) + then


def _flags(argument: int, flags: int, refuse: bytes) -> bytes:
    """Refuse a call that has all the flags set in one of its arguments, allow it otherwise."""
    look = _step(LOAD, ARGUMENTS + 8 * argument) + _step(AND, flags)
    return look + _if(flags, refuse) + _step(RETURN, ALLOW)


def _one_of(argument: int, values: tuple[int, ...], refuse: bytes) -> bytes:
    """Allow a call that has one of the values as an argument, refuse it otherwise."""
    allow = _step(RETURN, ALLOW)
    look = _step(LOAD, ARGUMENTS + 8 * argument)
    return look + b"".join(_if(value, allow) for value in values) + refuse
