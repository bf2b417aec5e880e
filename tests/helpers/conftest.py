"""What the tests of several helpers share: data to train on, and packages that seem installed."""

from importlib import metadata

import pytest

from helpers.data import make_synth, train_val_split


@pytest.fixture
def split():
    return train_val_split(*make_synth(200, seed=4))


@pytest.fixture
def installed(monkeypatch):
    """Stand in for the installed packages."""
    versions = {}

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    return versions
