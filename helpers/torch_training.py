"""Train, evaluate and use a PyTorch classifier: the course's training loop in functions."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from helpers.data import check_samples

History = dict[str, list[float]]
LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class MLP(nn.Module):
    """Map points to one score (logit) per class with two hidden layers."""

    def __init__(self, in_dim: int = 2, hidden: int = 32, out_dim: int = 2, p: float = 0.2) -> None:
        """Build the layers with random weights.

        Args:
            in_dim: Features of one sample.
            hidden: Units in each hidden layer.
            out_dim: Classes.
            p: Share of the first hidden layer's units that dropout switches off while training.
        """
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(in_dim, hidden),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, out_dim),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the logits.

        Args:
            x: (n, in_dim) float32.

        Returns:
            (n, out_dim) float32 logits: any real numbers, not probabilities.
        """
        return self.net(x)


def make_loaders(
    X_train: ArrayLike,
    y_train: ArrayLike,
    X_val: ArrayLike,
    y_val: ArrayLike,
    batch_size: int = 64,
    val_batch_size: int = 256,
    seed: int | None = 0,
) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Wrap arrays in data loaders: shuffled for training, in order for validation.

    Args:
        X_train: (n_train, features) numbers.
        y_train: (n_train,) class numbers 0, 1, ...
        X_val: (n_val, features) numbers.
        y_val: (n_val,) class numbers.
        batch_size: Samples in a training batch.
        val_batch_size: Samples in a validation batch; has no influence on the result.
        seed: Fixes the order of the training batches, whatever else draws random numbers; None
            leaves the order to PyTorch's global generator.

    Returns:
        train_loader, val_loader: they yield X (b, features) float32 and y (b,) int64. The last
        batch is shorter where the batch size does not divide the number of samples.

    Raises:
        ValueError: If an array has the wrong shape, is empty, holds no class numbers, or a batch
            size is smaller than 1.
    """
    for name, size in (("batch_size", batch_size), ("val_batch_size", val_batch_size)):
        if size < 1:
            raise ValueError(f"expected {name} >= 1, got {size!r}")
    X_train, y_train = check_samples(X_train, y_train, "train")
    X_val, y_val = check_samples(X_val, y_val, "val")
    if X_train.shape[1:] != X_val.shape[1:]:
        raise ValueError(
            "expected X_train and X_val with the same features, "
            f"got shapes {X_train.shape} and {X_val.shape}"
        )
    # torch.tensor copies: changing the caller's arrays later does not change the batches.
    train_set = TensorDataset(torch.tensor(X_train), torch.tensor(y_train))
    val_set = TensorDataset(torch.tensor(X_val), torch.tensor(y_val))
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True, generator=generator)
    val_loader = DataLoader(val_set, batch_size=val_batch_size, shuffle=False)
    return train_loader, val_loader


def train_epoch(
    model: nn.Module,
    loader: DataLoader[Any],
    optimizer: torch.optim.Optimizer,
    loss_fn: LossFunction,
    device: torch.device | str,
) -> float:
    """Train for one pass over the data. Leaves the model in training mode.

    Args:
        model: Maps X (b, features) to logits (b, classes); must be on `device`.
        loader: Yields batches X, y.
        optimizer: Holds the model's parameters.
        loss_fn: Takes (logits, y) and returns the mean loss of the batch (`reduction="mean"`).
        device: Where the batches go.

    Returns:
        The mean loss per sample. Each batch counts by its size, so a short last batch does not
        weigh more than it should.

    Raises:
        ValueError: If the loader is empty or loss_fn does not return a mean.
    """
    _check_reduction(loss_fn)
    model.train()
    total_loss, num_samples = 0.0, 0
    for X, y in loader:
        # 1. Move the batch to where the model is.
        X, y = X.to(device), y.to(device)
        # 2. Forward pass.
        loss = _check_loss(loss_fn(model(X), y))
        # 3. Forget the gradients of the step before: backward() adds to them.
        optimizer.zero_grad(set_to_none=True)
        # 4. Backward pass.
        loss.backward()
        # 5. Change the parameters.
        optimizer.step()
        # 6. Undo the batch mean, so that we can divide by all the samples at the end.
        total_loss += loss.item() * len(y)
        num_samples += len(y)
    _check_not_empty(num_samples)
    return total_loss / num_samples


def evaluate(
    model: nn.Module,
    loader: DataLoader[Any],
    loss_fn: LossFunction,
    device: torch.device | str,
) -> tuple[float, float]:
    """Measure loss and accuracy in evaluation mode and without gradients.

    Args:
        model: Maps X (b, features) to logits (b, classes); must be on `device`. It leaves in the
            mode (training or evaluation) in which it came.
        loader: Yields batches X, y.
        loss_fn: Takes (logits, y) and returns the mean loss of the batch (`reduction="mean"`).
        device: Where the batches go.

    Returns:
        The mean loss per sample, and the share of right answers (0 to 1).

    Raises:
        ValueError: If the loader is empty, loss_fn does not return a mean, or the model does not
            return one row of logits a sample.
    """
    _check_reduction(loss_fn)
    total_loss, num_right, num_samples = 0.0, 0, 0
    with evaluation_mode(model), torch.no_grad():
        for X, y in loader:
            X, y = X.to(device), y.to(device)
            logits = model(X)
            if logits.ndim != 2 or len(logits) != len(y):
                raise ValueError(
                    f"expected logits of shape ({len(y)}, classes), got {tuple(logits.shape)}"
                )
            total_loss += _check_loss(loss_fn(logits, y)).item() * len(y)
            num_right += int((logits.argmax(dim=1) == y).sum())
            num_samples += len(y)
    _check_not_empty(num_samples)
    return total_loss / num_samples, num_right / num_samples


def fit(
    model: nn.Module,
    train_loader: DataLoader[Any],
    val_loader: DataLoader[Any],
    *,
    num_epochs: int,
    lr: float = 1e-3,
    weight_decay: float = 1e-2,
    device: torch.device | str | None = None,
    checkpoint_path: str | os.PathLike[str] | None = None,
    log_dir: str | os.PathLike[str] | None = None,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
) -> History:
    """Train a classifier with AdamW and cross-entropy, and validate after every epoch.

    Args:
        model: Maps X (b, features) to logits (b, classes). It is trained in place.
        train_loader: Training batches.
        val_loader: Validation batches.
        num_epochs: Passes over the training data, at least 1.
        lr: Learning rate.
        weight_decay: How strongly AdamW pulls the weights towards 0.
        device: The model moves there and stays; None trains it where it is.
        checkpoint_path: Where to keep the weights (`state_dict`) of the epoch with the best
            validation accuracy, the first one of equals; None keeps nothing.
        log_dir: Folder for TensorBoard's event file; None writes none.
        on_epoch: Called after each epoch with its number (from 1) and its entries of the history.

    Returns:
        The history: `train_loss`, `val_loss` and `val_acc`, one number an epoch. The training loss
        is measured during the epoch with dropout on, the other two after it with dropout off.

    Raises:
        ValueError: If num_epochs is smaller than 1, or as `train_epoch` and `evaluate` raise it.
    """
    if num_epochs < 1:
        raise ValueError(f"expected num_epochs >= 1, got {num_epochs!r}")
    device = _device_of(model) if device is None else torch.device(device)
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    loss_fn = nn.CrossEntropyLoss()
    history: History = {"train_loss": [], "val_loss": [], "val_acc": []}
    best_val_acc = -1.0  # below every accuracy, so that the first epoch is always kept
    with ExitStack() as stack:
        log = None
        if log_dir is not None:
            # Not at the top: whoever keeps no log needs no TensorBoard.
            from helpers.event_log import ScalarLog

            log = stack.enter_context(ScalarLog(log_dir))
        for epoch in range(1, num_epochs + 1):
            train_loss = train_epoch(model, train_loader, optimizer, loss_fn, device)
            val_loss, val_acc = evaluate(model, val_loader, loss_fn, device)
            results = {"train_loss": train_loss, "val_loss": val_loss, "val_acc": val_acc}
            for name, value in results.items():
                history[name].append(value)
            if log is not None:
                log.add_scalar("loss/train", train_loss, epoch)
                log.add_scalar("loss/val", val_loss, epoch)
                log.add_scalar("acc/val", val_acc, epoch)
            if checkpoint_path is not None and val_acc > best_val_acc:
                best_val_acc = val_acc
                Path(checkpoint_path).parent.mkdir(parents=True, exist_ok=True)
                torch.save(model.state_dict(), checkpoint_path)
            if on_epoch is not None:
                on_epoch(epoch, results)
    return history


def predict_proba(model: nn.Module, X: ArrayLike) -> NDArray[np.float64]:
    """Compute the model's probability of class 1 for each sample.

    The model stays on its device and in its mode; dropout is off for the computation.

    Args:
        model: Maps X (n, features) to logits (n, 2).
        X: (n, features) numbers.

    Returns:
        (n,) float64, between 0 and 1: the second column of the softmax of the logits.

    Raises:
        ValueError: If X has fewer than two dimensions or the logits do not have shape (n, 2).
    """
    samples = np.asarray(X, dtype=np.float32)
    if samples.ndim < 2:
        raise ValueError(
            f"expected X of shape (n, features), got {samples.shape}: for one sample use X[None, :]"
        )
    with evaluation_mode(model), torch.no_grad():
        # torch.tensor copies: the caller's array may be read-only.
        logits = model(torch.tensor(samples, device=_device_of(model)))
    if logits.shape != (len(samples), 2):
        raise ValueError(
            f"expected logits of shape ({len(samples)}, 2), got {tuple(logits.shape)}: "
            "predict_proba is for models with two classes"
        )
    # First to the CPU, then to float64: Apple's GPU has no float64.
    return torch.softmax(logits.cpu().double(), dim=1)[:, 1].numpy()


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[nn.Module]:
    """Switch a model to evaluation mode inside a `with` block and restore every part after it.

    `model.train()` afterwards would not be enough: it would also switch on a part that was frozen
    in evaluation mode on purpose.

    Args:
        model: The model to switch.

    Yields:
        The same model.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, was_training in modes:
            module.training = was_training


def _device_of(model: nn.Module) -> torch.device:
    for parameter in model.parameters():
        return parameter.device
    return torch.device("cpu")


def _check_reduction(loss_fn: LossFunction) -> None:
    reduction = getattr(loss_fn, "reduction", "mean")
    if reduction != "mean":
        raise ValueError(
            f'expected a loss function with reduction="mean", got reduction={reduction!r}: '
            "the mean over all samples is computed from the batch means"
        )


def _check_loss(loss: torch.Tensor) -> torch.Tensor:
    if loss.ndim != 0:
        raise ValueError(
            f"expected loss_fn to return one number, got shape {tuple(loss.shape)}: "
            'use reduction="mean"'
        )
    return loss


def _check_not_empty(num_samples: int) -> None:
    if num_samples == 0:
        raise ValueError("expected a loader with at least one sample, got an empty one")
