"""Train the course's classifier with TensorFlow and Keras: `python -m helpers.train_tf`.

It prints a line an epoch, stops when the validation accuracy no longer improves, keeps the best
model, loads it again, and writes a log for TensorBoard.
"""

import sys
from collections.abc import Sequence

from helpers.command_line import make_parser, whole_number
from helpers.data import make_synth, train_val_split
from helpers.devices import tf_device
from helpers.quiet import import_tensorflow
from helpers.seeds import set_seed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script.

    Args:
        argv: The options; None takes them from the command line.

    Returns:
        The exit status: 0.
    """
    parser = make_parser(
        "python -m helpers.train_tf",
        "Train the course's two-class example with TensorFlow and Keras.",
        epochs=50,
        checkpoint="best_tf.keras",
        log_dir="runs_tf/exp1",
        devices="auto, cpu, gpu",
    )
    parser.add_argument(
        "--patience", type=whole_number(1), default=5, help="epochs to wait for a better val_acc"
    )
    options = parser.parse_args(argv)
    if options.device not in ("auto", "cpu", "gpu"):
        parser.error(f"argument --device: expected auto, cpu or gpu, got {options.device!r}")
    if not options.checkpoint.endswith(".keras"):
        parser.error(
            f"argument --checkpoint: expected a name ending in .keras, got {options.checkpoint!r}"
        )
    # Only now, so that --help and a mistyped option answer at once.
    tensorflow = import_tensorflow()
    from helpers.keras_training import build_model, fit, keras, make_callbacks

    device = "/CPU:0" if options.device == "cpu" else tf_device()
    if options.device == "gpu" and device != "/GPU:0":
        print("warning: TensorFlow finds no GPU, using the CPU instead", file=sys.stderr)
    print("device:", device)

    X, y = make_synth(options.n, seed=options.seed)
    X_train, y_train, X_val, y_val = train_val_split(X, y)
    set_seed(options.seed)
    with tensorflow.device(device):
        model = build_model(lr=options.lr)
        history = fit(
            model,
            X_train,
            y_train,
            X_val,
            y_val,
            num_epochs=options.epochs,
            batch_size=options.batch_size,
            callbacks=make_callbacks(options.checkpoint, options.log_dir, options.patience),
            on_epoch=_print_epoch,
        )
        print(f"best val_acc: {max(history['val_accuracy']):.4f}")

        best_model = keras.models.load_model(options.checkpoint)
        _, val_acc = best_model.evaluate(X_val, y_val, verbose=0)
        print(f"checkpoint loaded | val_acc {val_acc:.4f}")
    return 0


def _print_epoch(epoch: int, results: dict[str, float]) -> None:
    print(
        f"epoch {epoch:02d} | train_loss {results['loss']:.4f} "
        f"| val_acc {results['val_accuracy']:.4f}"
    )


if __name__ == "__main__":
    sys.exit(main())
