"""How a lesson's kernel starts: like any other on this computer, but over local sockets.

Jupyter's own way is to look for free TCP ports, to let go of them, and to hope that they are still
free when the new kernel has loaded and opens them. Two kernels that start at the same time can get
the same port, and one of them dies. `LessonProvisioner` (entry point ``dlf-lesson``) has the kernel
make its sockets in a new private folder, which no other kernel can choose.

No notebook and no kernel's specification names it: ``make test-lessons`` asks for it by Jupyter's
environment variable ``JUPYTER_DEFAULT_PROVISIONER_NAME``, and ``make lessons`` by
`use_for_all_kernels`. So lessons run in the kernel that students have, only started in another way.
"""

import sys
import weakref
from typing import Any

from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

if sys.platform != "win32":
    from grading.sandbox.folders import PrivateFolder

PROVISIONER = "dlf-lesson"  # the entry point's name
HAS_LOCAL_SOCKETS = sys.platform != "win32"


class LessonProvisioner(LocalProvisioner):
    """Start a kernel whose sockets are in a private folder; on Windows, an ordinary one."""

    _remove_folder: weakref.finalize | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose where the kernel's sockets will be, before its connection file is written.

        Args:
            **kwargs: for ``subprocess.Popen``.

        Returns:
            The same, and the kernel's command line as ``cmd``.
        """
        manager, remove = self.parent, self._remove_folder
        in_use = remove is not None and remove.alive  # by the kernel that is being restarted
        if HAS_LOCAL_SOCKETS and isinstance(manager, KernelManager) and not in_use:
            folder = PrivateFolder()
            # Where nobody calls `cleanup` (nbval does not when a kernel was killed), the folder
            # goes with this object or at the process's end. If that is killed, too, the next
            # PrivateFolder that anybody makes removes it.
            self._remove_folder = weakref.finalize(self, folder.remove)
            manager.transport = "ipc"
            manager.ip = str(folder.path / "socket")
            manager.connection_file = str(folder.path / "connection.json")
        return await super().pre_launch(**kwargs)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder; the kernel has ended.

        Args:
            restart: whether it is about to be started again, with sockets of the same names.
        """
        await super().cleanup(restart)
        if self._remove_folder is not None and not restart:
            self._remove_folder()


def use_for_all_kernels() -> None:
    """Start every kernel of this process in this way from now on."""
    KernelProvisionerFactory.instance().default_provisioner_name = PROVISIONER
