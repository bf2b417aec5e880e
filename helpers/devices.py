"""Choose the processor to compute on: a GPU if there is one, else the CPU."""

import sys
import warnings
from typing import TYPE_CHECKING

from helpers.quiet import import_tensorflow

if TYPE_CHECKING:
    import torch


def torch_device(preferred: str | None = None) -> "torch.device":
    """Choose PyTorch's device: what you ask for if it is there, else the best there is.

    Args:
        preferred: "cpu", "cuda" (NVIDIA), one of several such as "cuda:1", or "mps" (Apple). None
            takes the first of cuda, mps and cpu that this computer has.

    Returns:
        The device. Asking for one that this computer lacks gives a warning and the CPU, so that a
        notebook written on a computer with a GPU still runs.

    Raises:
        ValueError: If preferred is not the name of such a device.
    """
    import torch

    if preferred is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, number = str(preferred).partition(":")
    if kind not in ("cpu", "cuda", "mps") or not (number.isdecimal() or preferred == kind):
        raise ValueError(
            'expected "cpu", "cuda", "cuda:1" (or another number), "mps" or None, '
            f"got {preferred!r}"
        )
    if kind == "cuda":
        present = torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count()
    else:
        # There is one CPU and at most one Apple GPU: number 0.
        present = (kind == "cpu" or torch.backends.mps.is_available()) and int(number or 0) == 0
    if not present:
        warnings.warn(
            f"asked for {preferred!r}, which PyTorch does not find on this computer: using the CPU "
            "instead. Results stay valid; training may be slower.",
            stacklevel=2,
        )
        return torch.device("cpu")
    return torch.device(preferred)


def tf_device() -> str:
    """Choose TensorFlow's device, for use in `with tf.device(...)`.

    Returns:
        "/GPU:0" if TensorFlow finds a GPU, else "/CPU:0".
    """
    tensorflow = import_tensorflow()
    return "/GPU:0" if tensorflow.config.list_physical_devices("GPU") else "/CPU:0"


def describe_devices() -> dict[str, str]:
    """Describe the device that each framework would use.

    Only frameworks that are already imported are described: loading one takes seconds.

    Returns:
        For example `{"torch": "cuda (NVIDIA H200)", "tensorflow": "/CPU:0"}`.
    """
    described = {}
    torch = sys.modules.get("torch")
    if torch is not None:
        device = torch_device()
        name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
        described["torch"] = f"{device}{name}"
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        found = tensorflow.config.list_physical_devices("GPU")
        details = tensorflow.config.experimental.get_device_details(found[0]) if found else {}
        name = f" ({details['device_name']})" if "device_name" in details else ""
        described["tensorflow"] = f"{tf_device()}{name}"
    return described
