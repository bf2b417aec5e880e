"""JupyterHub for a class on one Linux computer; README.md beside this file tells how to set it up.

Everybody's Jupyter server runs as the system user of that name. Instructors work in the course's
folder, which is closed to everybody else; students get a copy of the handout in their home. What
passes between them goes through nbgrader's exchange.
"""

import os
from pathlib import Path
from typing import Any

BASE = Path(os.environ.get("DLF_BASE", "/srv/dlf"))
COURSE = BASE / "course"  # a clone, closed to students
HANDOUT = BASE / "handout"  # where `dist/students.zip` was unpacked
EXCHANGE = BASE / "exchange"
NAME = "deep-learning-foundations"  # of the folder in the handout, and of each student's copy
INSTRUCTORS = set(os.environ.get("DLF_INSTRUCTORS", "teacher").split())

# A page of a server may show another of its own, as JupyterLab shows the formgrader.
FRAMES = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}

# How servers start, as their users. A server must start in the folder that has nbgrader_config.py.
# What is new in the handout is added to a student's copy of it, and what is there stays as it is.
# The student does that: the hub, which may do everything, must not write where there may be links.
START_TEACHER = f"""\
cd {COURSE} && exec "$0" "$@"
"""
START_STUDENT = f"""\
umask 077
mkdir -p ~/{NAME}
cp --recursive --no-clobber {HANDOUT}/{NAME}/. ~/{NAME}/
cd ~/{NAME} && exec "$0" "$@"
"""


def prepare(spawner: Any) -> None:
    """Choose the folder and the environment by who it is."""
    teaches = spawner.user.name in INSTRUCTORS
    python = (COURSE if teaches else HANDOUT) / ".venv" / "bin" / "python"
    script = START_TEACHER if teaches else START_STUDENT
    spawner.cmd = ["/bin/sh", "-c", script, str(python), "-m", "jupyterhub.singleuser"]
    spawner.notebook_dir = str(COURSE) if teaches else f"~/{NAME}"
    spawner.environment = {
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "JUPYTER_CONFIG_PATH": str((COURSE if teaches else HANDOUT / NAME) / ".jupyter"),
        "DLF_EXCHANGE": str(EXCHANGE),
        "OMP_NUM_THREADS": "1",  # more make small trainings slower, for all
        # Lesson 07: only the hub's address reaches a browser, so TensorBoard's port is passed on.
        "TENSORBOARD_PROXY_URL": f"{spawner.server.base_url}proxy/%PORT%/",
    }


c = get_config()  # noqa: F821 (JupyterHub defines it)
c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # put a proxy with TLS in front of it
c.Authenticator.allow_all = True  # whoever has an account on this computer
c.Spawner.pre_spawn_hook = prepare
c.Spawner.args = [f"--ServerApp.tornado_settings={FRAMES}"]
c.Spawner.default_url = "/lab/tree/README.md"
c.Spawner.http_timeout = 120  # seconds: the first start on a busy computer
