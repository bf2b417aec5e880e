"""Processes as the sandbox's watcher sees them: their memory and their threads.

A process may be gone by the time one looks at it; then it holds nothing.
"""

import psutil

MEBIBYTE = 1024 * 1024
FLOOD = 1024  # MiB by which the grader itself may grow while a kernel sends it messages


def resident_memory(process: psutil.Process) -> int:
    """Measure the memory that a process holds, shared pages included.

    Args:
        process: a process, which may be gone by now.

    Returns:
        Bytes; 0 for a process that is gone.
    """
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def own_memory(process: psutil.Process) -> int:
    """Measure a process's memory, each shared page divided among those who share it.

    Args:
        process: a process, which may be gone by now.

    Returns:
        Bytes; 0 for a process that is gone; the resident size where the system tells no more.
    """
    try:
        return process.memory_full_info().pss
    except (psutil.Error, AttributeError):
        return resident_memory(process)


def number_of_threads(process: psutil.Process) -> int:
    """Count a process's threads.

    Args:
        process: a process, which may be gone by now.

    Returns:
        The number; 0 for a process that is gone.
    """
    try:
        return process.num_threads()
    except psutil.Error:
        return 0


def kill_all(family: list[psutil.Process]) -> None:
    """Kill processes, those that are gone already left out.

    Args:
        family: the processes.
    """
    for process in family:
        try:
            process.kill()
        except psutil.Error:
            continue
