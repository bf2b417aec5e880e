"""What only a Python of its own can show: who imports what, silent imports, and the scripts."""

import json
import os
import re
import subprocess
import sys

import pytest
import torch

from helpers import train_tf, train_torch
from helpers.torch_training import MLP
from tests import PROJECT

# Keras 3.15 meets NumPy 2.4 when it saves a model; nothing of ours is behind the warning.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def python(*arguments, cwd, path=(), **variables):
    """Run Python in a folder of its own, with a clean environment apart from the basics."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*path, PROJECT)))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


def output_of(*arguments, **options):
    """Return what a successful run printed; it must have written nothing to stderr."""
    result = python(*arguments, **options)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


# ---------------------------------------------------------------------------- who imports what


def loaded_by(modules, cwd):
    code = f"import sys, {modules}; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    names = ("torch", "tensorflow", "keras", "matplotlib", "numpy", "tensorboard")
    return output_of("-c", code, *names, cwd=cwd).strip()


@pytest.mark.parametrize(
    ("modules", "loaded"),
    [
        ("helpers", "[]"),
        ("helpers.doctor, helpers.quiet, helpers.command_line, helpers.devices", "[]"),
        ("helpers.data, helpers.seeds", "['numpy']"),
        (
            "helpers, helpers.data, helpers.plotting, helpers.seeds",
            "['matplotlib', 'numpy']",
        ),
        ("helpers.torch_training", "['numpy', 'torch']"),
    ],
)
def test_a_module_loads_only_what_it_needs(modules, loaded, tmp_path):
    assert loaded_by(modules, tmp_path) == loaded


def test_training_in_torch_with_a_log_never_loads_tensorflow(tmp_path):
    code = """
import sys
from helpers import train_torch
from helpers.devices import describe_devices
train_torch.main(["--epochs", "1", "--n", "100"])
print(describe_devices().keys(), [name for name in ("tensorflow", "keras") if name in sys.modules])
"""
    assert output_of("-c", code, cwd=tmp_path).splitlines()[-1] == "dict_keys(['torch']) []"
    assert list((tmp_path / "runs" / "exp1").glob("*tfevents*"))


def test_set_seed_loads_no_framework(tmp_path):
    code = """
import sys
from helpers.seeds import set_seed
set_seed(3, deterministic=True)
print([name for name in ("torch", "tensorflow", "keras") if name in sys.modules])
"""
    assert output_of("-c", code, cwd=tmp_path) == "[]\n"


# ---------------------------------------------------------------------------- silent imports


def test_import_tensorflow_is_silent_and_harmless_when_repeated(tmp_path):
    code = """
import os
from helpers.quiet import import_tensorflow, startup_messages
before = os.fstat(2)
tf = import_tensorflow()
after = os.fstat(2)
assert (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino), "descriptor 2 is back"
assert import_tensorflow() is tf
assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2" and os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
assert "absl" in startup_messages(), "TensorFlow did have something to say"
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(tf.ones((8, 2)), tf.ones((8, 1)), verbose=0)

from helpers.seeds import set_seed
from tensorflow.python.framework.config import is_op_determinism_enabled
set_seed(1)
assert not is_op_determinism_enabled()
set_seed(1, deterministic=True)
assert is_op_determinism_enabled()
print(tf.__name__)
"""
    assert output_of("-c", code, cwd=tmp_path) == "tensorflow\n"


def test_import_tensorflow_respects_your_own_settings(tmp_path):
    fake_tensorflow(tmp_path, NOISE)
    code = """
import os
from helpers.quiet import import_tensorflow
import_tensorflow()
print(os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["TF_ENABLE_ONEDNN_OPTS"])
"""
    printed = output_of(
        "-c",
        code,
        cwd=tmp_path,
        path=[tmp_path],
        TF_CPP_MIN_LOG_LEVEL="0",
        TF_ENABLE_ONEDNN_OPTS="1",
    )
    assert printed == "0 1\n"


def fake_tensorflow(folder, *lines):
    """Put a package named tensorflow in a folder; the lines run at its import."""
    package = folder / "tensorflow"
    package.mkdir()
    always = "import os, sys, types; config = types.SimpleNamespace(list_physical_devices=list)"
    (package / "__init__.py").write_text("\n".join((always, *lines)), encoding="utf-8")


NOISE = 'os.write(2, b"noise from C\\n")'
BROKEN = (NOISE, 'print("noise from Python", file=sys.stderr)', 'raise ImportError("cannot load")')


def test_a_failed_import_hides_nothing_and_restores_the_descriptor(tmp_path):
    fake_tensorflow(tmp_path, *BROKEN)
    code = """
import os
from helpers.quiet import import_tensorflow
for attempt in (1, 2):
    try:
        import_tensorflow()
    except ImportError as error:
        os.write(2, f"attempt {attempt}: {error}\\n".encode())
import_tensorflow()
"""
    result = python("-c", code, cwd=tmp_path, path=[tmp_path])
    assert result.returncode == 1
    shown = "While importing, TensorFlow wrote:\nnoise from C\nnoise from Python\n"
    # Once for each attempt, the last time before the traceback that ends the program.
    assert result.stderr.count(shown) == 3
    assert "attempt 1: cannot load\n" in result.stderr
    assert "attempt 2: cannot load\n" in result.stderr
    assert result.stderr.rstrip().endswith("ImportError: cannot load")


def test_a_missing_tensorflow_is_an_ordinary_import_error(tmp_path):
    code = """
import sys
sys.modules["tensorflow"] = None  # Python's own way to say: there is no such module
from helpers.quiet import import_tensorflow
import_tensorflow()
"""
    result = python("-c", code, cwd=tmp_path)
    assert result.returncode == 1
    assert "ModuleNotFoundError" in result.stderr and "TensorFlow wrote" not in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="closing descriptors is a matter of POSIX")
def test_import_tensorflow_works_without_an_error_stream(tmp_path):
    fake_tensorflow(tmp_path)
    for closed in ("2", "0, 1, 2"):
        code = f"""
import os
for descriptor in ({closed},):
    os.close(descriptor)
from helpers.quiet import import_tensorflow
import_tensorflow()
open("done {closed[0]}", "w").close()
os._exit(0)
"""
        assert python("-c", code, cwd=tmp_path, path=[tmp_path]).returncode == 0
        assert (tmp_path / f"done {closed[0]}").exists()


def run_in_kernel(cells, cwd, path):
    """Run cells in a Jupyter kernel; return, cell by cell, what each wrote and raised."""
    import nbformat
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient

    environment = {
        # ipykernel captures descriptor 2 except under pytest, which this variable gives away.
        name: value
        for name, value in os.environ.items()
        if name != "PYTEST_CURRENT_TEST"
    }
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*path, PROJECT)))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    client = NotebookClient(
        notebook, km=manager, allow_errors=True, resources={"metadata": {"path": str(cwd)}}
    )
    client.execute(env=environment, cleanup_kc=True)  # or a given manager's kernel lives on
    shown = []
    for cell in notebook.cells:
        text = "".join(o.get("text", "") for o in cell.outputs if o.get("name") == "stderr")
        errors = [f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"]
        shown.append((text, errors))
    return shown


def test_import_tensorflow_is_silent_in_jupyter_and_leaves_its_capture_in_place(tmp_path):
    fake_tensorflow(tmp_path, NOISE)
    cells = [
        "import os; from helpers.quiet import import_tensorflow; before = os.fstat(2)",
        "import_tensorflow()",
        "import_tensorflow()",
        "assert os.fstat(2).st_ino == before.st_ino",
    ]
    assert run_in_kernel(cells, tmp_path, [tmp_path]) == [("", [])] * 4


def test_a_failed_import_shows_everything_in_jupyter(tmp_path):
    fake_tensorflow(tmp_path, *BROKEN)
    cells = [
        "import os; from helpers.quiet import import_tensorflow; before = os.fstat(2)",
        "import_tensorflow()",
        "assert os.fstat(2).st_ino == before.st_ino",
    ]
    _, (text, errors), after = run_in_kernel(cells, tmp_path, [tmp_path])
    assert "TensorFlow wrote:\nnoise from C\n" in text and "noise from Python\n" in text
    assert errors == ["ImportError: cannot load"]
    assert after == ("", [])


# ---------------------------------------------------------------------------- the two scripts

EPOCH_LINE = re.compile(r"epoch (\d\d) \| train_loss (\d+\.\d{4}) \| val_acc ([01]\.\d{4})")


def check_lines(printed, device, epochs):
    """Check the lines of a training script; return the validation accuracies."""
    first, *epoch_lines, best, loaded = printed.splitlines()
    assert first == f"device: {device}"
    matches = [EPOCH_LINE.fullmatch(line) for line in epoch_lines]
    assert all(matches), epoch_lines
    assert [int(match[1]) for match in matches] == list(range(1, epochs + 1))
    accuracies = [match[3] for match in matches]
    assert best == f"best val_acc: {max(accuracies)}"
    assert loaded == f"checkpoint loaded | val_acc {max(accuracies)}"
    return accuracies


def test_train_torch(tmp_path, monkeypatch, capsys):
    options = ["--epochs", "3", "--n", "400", "--device", "cpu"]
    printed = output_of("-m", "helpers.train_torch", *options, cwd=tmp_path)
    check_lines(printed, "cpu", 3)
    MLP().load_state_dict(torch.load(tmp_path / "best_mlp.pt", weights_only=True))
    (events,) = (tmp_path / "runs" / "exp1").iterdir()
    assert "tfevents" in events.name and events.stat().st_size > 100

    again = tmp_path / "again"
    again.mkdir()
    monkeypatch.chdir(again)
    places = ["--checkpoint", "kept/mine.pt", "--log-dir", "logs"]
    assert train_torch.main(options + places) == 0
    assert capsys.readouterr().out == printed, "the same seed prints the same lines"
    assert sorted(path.name for path in again.iterdir()) == ["kept", "logs"]
    for other in (["--seed", "2"], ["--lr", "0.01"], ["--batch-size", "32"]):
        train_torch.main(options + places + other)
        assert capsys.readouterr().out != printed, f"{other} must make a difference"


def test_train_tf(tmp_path, monkeypatch, capsys):
    options = ["--epochs", "3", "--n", "400", "--device", "cpu"]
    printed = output_of("-m", "helpers.train_tf", *options, cwd=tmp_path)
    check_lines(printed, "/CPU:0", 3)
    assert (tmp_path / "best_tf.keras").is_file()
    names = [path.parent.name for path in (tmp_path / "runs_tf" / "exp1").rglob("*tfevents*")]
    assert sorted(names) == ["train", "validation"]

    again = tmp_path / "again"
    again.mkdir()
    monkeypatch.chdir(again)
    places = ["--checkpoint", "kept/mine.keras", "--log-dir", "logs"]
    assert train_tf.main(options + places) == 0
    assert capsys.readouterr().out == printed, "the same seed prints the same lines"
    assert sorted(path.name for path in again.iterdir()) == ["kept", "logs"]
    train_tf.main([*options, *places, "--seed", "2"])
    assert capsys.readouterr().out != printed


def test_train_tf_says_that_there_is_no_gpu(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_tf, "tf_device", lambda: "/CPU:0")
    train_tf.main(["--epochs", "1", "--n", "100", "--device", "gpu"])
    captured = capsys.readouterr()
    assert captured.out.startswith("device: /CPU:0\n")
    assert captured.err == "warning: TensorFlow finds no GPU, using the CPU instead\n"


@pytest.mark.parametrize("script", ["helpers.train_torch", "helpers.train_tf"])
def test_scripts_explain_their_options(script, tmp_path):
    printed = output_of("-m", script, "--help", cwd=tmp_path)
    for option in ("--epochs", "--n", "--seed", "--lr", "--batch-size", "--checkpoint"):
        assert option in printed
    assert "--log-dir" in printed and "--device" in printed


def test_doctor_as_a_program_tells_its_verdict_by_the_exit_status(tmp_path):
    result = python("-m", "helpers.doctor", "--json", cwd=tmp_path)
    report = json.loads(result.stdout)
    assert result.stderr == ""
    assert report["ok"] is all(check["status"] != "fault" for check in report["checks"])
    assert result.returncode == (0 if report["ok"] else 1)
    assert {"Python", "torch", "tensorflow"} <= {check["name"] for check in report["checks"]}


def test_doctor_loads_no_framework(tmp_path):
    code = """
import sys
from helpers import doctor
doctor.run_checks()
print([name for name in ("torch", "tensorflow", "keras", "numpy") if name in sys.modules])
"""
    assert output_of("-c", code, cwd=tmp_path) == "[]\n"
