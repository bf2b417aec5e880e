"""Run a piece of Python in a new process, which knows nothing of this one."""

import os
import subprocess
import sys
from collections.abc import Mapping


def run_python(
    code: str,
    *arguments: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    variables: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> str:
    """Run code in a new Python process and return what it printed.

    The process has none of the classes, variables and settings of this one. That shows what a file
    really holds, or what a seed really fixes.

    Args:
        code: The program's text.
        arguments: They reach the program as `sys.argv[1:]`.
        folder: The program's working directory; None means the current one.
        variables: Environment variables to set for the program besides those of this process.
        timeout: Seconds after which the program is ended.

    Returns:
        What the program wrote to its standard output. What it wrote to standard error is shown
        only if it fails.

    Raises:
        RuntimeError: If the program fails; the message ends with its standard error.
        TimeoutError: If it takes longer than `timeout` seconds.
    """
    try:
        result = subprocess.run(
            [sys.executable, "-c", code, *(os.fspath(argument) for argument in arguments)],
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"expected the program to end within {timeout:g} seconds, it did not: "
            "give it less to do or a larger timeout"
        ) from None
    if result.returncode != 0:
        raise RuntimeError(
            f"expected the program to succeed, it ended with status {result.returncode} "
            f"and wrote:\n{result.stderr.strip()}"
        )
    return result.stdout
