"""helpers.event_log: what it writes, TensorBoard reads."""

import numpy as np
import pytest

from helpers.event_log import ScalarLog
from tests.helpers.event_file import read_scalars


def test_scalar_log_writes_readable_events(tmp_path):
    with ScalarLog(tmp_path / "a" / "b") as log:
        log.add_scalar("loss/train", 0.5, 1)
        assert read_scalars(log.path) == [("loss/train", 1, 0.5)], "readable while training runs"
        log.add_scalar("loss/train", np.float32(0.25), np.int64(2))
    assert read_scalars(log.path) == [("loss/train", 1, 0.5), ("loss/train", 2, 0.25)]
    assert "tfevents" in log.path.name


def test_scalar_log_closes_and_then_refuses(tmp_path):
    log = ScalarLog(tmp_path)
    log.close()
    log.close()
    with pytest.raises(ValueError, match="expected an open log, got a closed one"):
        log.add_scalar("x", 1.0, 1)
    with pytest.raises(KeyError), ScalarLog(tmp_path) as other:
        raise KeyError
    assert other.path != log.path
    with pytest.raises(ValueError, match="closed"):
        other.add_scalar("x", 1.0, 1)
