"""Train the course's classifier with PyTorch: `python -m helpers.train_torch`.

It prints a line an epoch, keeps the weights of the best epoch, loads them again, and writes a log
for TensorBoard.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from helpers.command_line import make_parser
from helpers.data import make_synth, train_val_split
from helpers.devices import torch_device
from helpers.seeds import set_seed
from helpers.torch_training import MLP, evaluate, fit, make_loaders


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script.

    Args:
        argv: The options; None takes them from the command line.

    Returns:
        The exit status: 0.
    """
    parser = make_parser(
        "python -m helpers.train_torch",
        "Train the course's two-class example with PyTorch.",
        epochs=20,
        checkpoint="best_mlp.pt",
        log_dir="runs/exp1",
        devices="auto, cpu, cuda, cuda:1, mps",
    )
    options = parser.parse_args(argv)
    try:
        device = torch_device(None if options.device == "auto" else options.device)
    except ValueError as error:
        parser.error(f"argument --device: {error}")
    print("device:", device)

    X, y = make_synth(options.n, seed=options.seed)
    X_train, y_train, X_val, y_val = train_val_split(X, y)
    train_loader, val_loader = make_loaders(
        X_train, y_train, X_val, y_val, batch_size=options.batch_size, seed=options.seed
    )
    set_seed(options.seed)
    history = fit(
        MLP(),
        train_loader,
        val_loader,
        num_epochs=options.epochs,
        lr=options.lr,
        device=device,
        checkpoint_path=options.checkpoint,
        log_dir=options.log_dir,
        on_epoch=_print_epoch,
    )
    print(f"best val_acc: {max(history['val_acc']):.4f}")

    # A checkpoint holds numbers only: weights_only=True refuses a file that would run code.
    best_model = MLP().to(device)
    best_model.load_state_dict(
        torch.load(Path(options.checkpoint), map_location=device, weights_only=True)
    )
    _, val_acc = evaluate(best_model, val_loader, nn.CrossEntropyLoss(), device)
    print(f"checkpoint loaded | val_acc {val_acc:.4f}")
    return 0


def _print_epoch(epoch: int, results: dict[str, float]) -> None:
    print(
        f"epoch {epoch:02d} | train_loss {results['train_loss']:.4f} "
        f"| val_acc {results['val_acc']:.4f}"
    )


if __name__ == "__main__":
    sys.exit(main())
