"""The options that the two training scripts share, `helpers.train_torch` and `helpers.train_tf`."""

import argparse
from collections.abc import Callable


def make_parser(
    program: str, description: str, *, epochs: int, checkpoint: str, log_dir: str, devices: str
) -> argparse.ArgumentParser:
    """Make the parser of a training script.

    Args:
        program: How the script is called, for the help text.
        description: What the script does, for the help text.
        epochs: Default number of epochs.
        checkpoint: Default name of the checkpoint.
        log_dir: Default folder of the TensorBoard log.
        devices: Which names `--device` takes, for the help text.

    Returns:
        The parser; it ends the program with status 2 and one line for an option it cannot use.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=whole_number(1), default=epochs, help="training epochs")
    parser.add_argument("--n", type=even_number, default=4000, help="points: 80 %% train")
    parser.add_argument(
        "--seed", type=whole_number(0, 2**32 - 1), default=1, help="seed of data and training"
    )
    parser.add_argument("--lr", type=positive_number, default=1e-3, help="learning rate")
    parser.add_argument("--batch-size", type=whole_number(1), default=64, help="training batch")
    parser.add_argument("--checkpoint", default=checkpoint, help="file for the best weights")
    parser.add_argument("--log-dir", default=log_dir, help="folder for TensorBoard's event files")
    parser.add_argument("--device", default="auto", help=devices)
    return parser


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """Make an argparse type for whole numbers from low to high.

    Args:
        low: Smallest number allowed.
        high: Largest number allowed; None sets no limit.

    Returns:
        A function from the option's text to the number.
    """

    def parse(text: str) -> int:
        limits = f">= {low}" if high is None else f"from {low} to {high}"
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if number < low or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"expected a whole number {limits}, got {text!r}")
        return number

    return parse


def even_number(text: str) -> int:
    """Read an even number of at least 4: two classes, and points on both sides of the split.

    Args:
        text: The option's text.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: If text is no such number.
    """
    if not text.isdecimal() or int(text) < 4 or int(text) % 2:
        raise argparse.ArgumentTypeError(f"expected an even number >= 4, got {text!r}")
    return int(text)


def positive_number(text: str) -> float:
    """Read a number larger than 0.

    Args:
        text: The option's text.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: If text is no such number.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number > 0, got {text!r}")
    return number
