"""Build, train and use the same classifier in Keras: Keras' own loop with the course's settings."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.data import check_samples
from helpers.quiet import import_tensorflow

keras: Any = import_tensorflow().keras

History = dict[str, list[float]]


def build_model(
    in_dim: int = 2,
    hidden: int = 32,
    out_dim: int = 2,
    p: float = 0.2,
    lr: float = 1e-3,
    weight_decay: float = 1e-2,
) -> Any:
    """Build and compile a classifier with two hidden layers, the twin of the PyTorch `MLP`.

    Unlike the twin it returns probabilities (softmax), so its loss expects probabilities too.

    Args:
        in_dim: Features of one sample.
        hidden: Units in each hidden layer.
        out_dim: Classes.
        p: Share of the first hidden layer's units that dropout switches off while training.
        lr: Learning rate of AdamW.
        weight_decay: How strongly AdamW pulls the weights towards 0.

    Returns:
        A compiled `keras.Model`: X (n, in_dim) float32 -> (n, out_dim) float32 probabilities.
    """
    inputs = keras.Input(shape=(in_dim,), dtype="float32")
    x = keras.layers.Dense(hidden, activation="relu")(inputs)
    x = keras.layers.Dropout(p)(x)
    x = keras.layers.Dense(hidden, activation="relu")(x)
    outputs = keras.layers.Dense(out_dim, activation="softmax")(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=lr, weight_decay=weight_decay),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def make_callbacks(
    checkpoint_path: str | os.PathLike[str] | None = None,
    log_dir: str | os.PathLike[str] | None = None,
    patience: int = 5,
) -> list[Any]:
    """Make the callbacks of a training run: early stopping and, if wanted, checkpoint and log.

    Args:
        checkpoint_path: Where to keep the model of the epoch with the best validation accuracy, a
            name that ends in `.keras`; None keeps nothing.
        log_dir: Folder for TensorBoard's event files; None writes none.
        patience: Stop after this many epochs without a better validation accuracy, at least 1. The
            model gets the weights of its best epoch back at the end.

    Returns:
        The callbacks, for `fit(..., callbacks=...)`.

    Raises:
        ValueError: If patience is smaller than 1 or checkpoint_path does not end in `.keras`.
    """
    if patience < 1:
        raise ValueError(f"expected patience >= 1, got {patience!r}")
    callbacks = [
        keras.callbacks.EarlyStopping(
            monitor="val_accuracy", mode="max", patience=patience, restore_best_weights=True
        )
    ]
    if checkpoint_path is not None:
        if Path(checkpoint_path).suffix != ".keras":
            raise ValueError(
                f"expected checkpoint_path to end in .keras, got {os.fspath(checkpoint_path)!r}: "
                "Keras chooses the file format by the ending"
            )
        callbacks.append(
            keras.callbacks.ModelCheckpoint(
                os.fspath(checkpoint_path), monitor="val_accuracy", mode="max", save_best_only=True
            )
        )
    if log_dir is not None:
        callbacks.append(keras.callbacks.TensorBoard(log_dir=os.fspath(log_dir)))
    return callbacks


def fit(
    model: Any,
    X_train: ArrayLike,
    y_train: ArrayLike,
    X_val: ArrayLike,
    y_val: ArrayLike,
    *,
    num_epochs: int = 50,
    batch_size: int = 64,
    callbacks: Sequence[Any] = (),
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
) -> History:
    """Train a compiled Keras classifier without a progress bar.

    Args:
        model: A compiled model, for example from `build_model`. It is trained in place.
        X_train: (n_train, features) numbers.
        y_train: (n_train,) class numbers 0, 1, ...
        X_val: (n_val, features) numbers.
        y_val: (n_val,) class numbers.
        num_epochs: Passes over the training data at most, at least 1.
        batch_size: Samples in a training batch, at least 1.
        callbacks: Keras callbacks, for example from `make_callbacks`.
        on_epoch: Called after each epoch with its number (from 1) and its entries of the history.

    Returns:
        The history: `loss`, `val_loss`, `accuracy` and `val_accuracy`, one number an epoch.

    Raises:
        ValueError: If an array has the wrong shape or is empty, y holds no class numbers, or
            num_epochs or batch_size is smaller than 1.
    """
    for name, number in (("num_epochs", num_epochs), ("batch_size", batch_size)):
        if number < 1:
            raise ValueError(f"expected {name} >= 1, got {number!r}")
    X_train, y_train = check_samples(X_train, y_train, "train")
    X_val, y_val = check_samples(X_val, y_val, "val")
    all_callbacks = list(callbacks)
    if on_epoch is not None:
        all_callbacks.append(
            keras.callbacks.LambdaCallback(
                # Keras counts epochs from 0, people from 1.
                on_epoch_end=lambda epoch, logs: on_epoch(epoch + 1, _floats(logs))
            )
        )
    result = model.fit(
        X_train,
        y_train,
        validation_data=(X_val, y_val),
        epochs=num_epochs,
        batch_size=batch_size,
        callbacks=all_callbacks,
        verbose=0,
    )
    return {name: [float(value) for value in values] for name, values in result.history.items()}


def predict_proba(model: Any, X: ArrayLike) -> NDArray[np.float64]:
    """Compute the model's probability of class 1 for each sample.

    Args:
        model: Maps X (n, features) to probabilities (n, 2), as `build_model`'s models do.
        X: (n, features) numbers.

    Returns:
        (n,) float64, between 0 and 1: the second column of the model's output.

    Raises:
        ValueError: If X has fewer than two dimensions or the output does not have shape (n, 2).
    """
    samples = np.asarray(X, dtype=np.float32)
    if samples.ndim < 2:
        raise ValueError(
            f"expected X of shape (n, features), got {samples.shape}: for one sample use X[None, :]"
        )
    # Calling the model switches dropout off (training=False) and, unlike model.predict, compiles
    # nothing, which for one small batch is faster and cannot warn about compiling too often.
    outputs = keras.ops.convert_to_numpy(model(samples, training=False))
    if outputs.shape != (len(samples), 2):
        raise ValueError(
            f"expected output of shape ({len(samples)}, 2), got {outputs.shape}: "
            "predict_proba is for models with two classes"
        )
    return outputs[:, 1].astype(np.float64)


def _floats(logs: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}
