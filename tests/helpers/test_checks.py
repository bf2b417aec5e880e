"""Checks in a scope of their own: no name and no random number is another one after them."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from helpers.checks import isolated

CELL = """
from helpers.checks import isolated

@isolated
def {name}():
    layers = loss = model = 7
    assert {condition}, "expected something else"
"""


def run(name="_check", condition="True", **names):
    space = {"__name__": "__main__", **names}
    exec(CELL.format(name=name, condition=condition), space)
    return space


def test_it_runs_at_once_and_leaves_names_alone():
    space = run(layers="mine", loss=1.5)
    assert (space["layers"], space["loss"]) == ("mine", 1.5)
    assert space.keys() - {"__name__", "__builtins__", "isolated"} == {"layers", "loss", "_check"}


def test_a_name_that_a_check_bears_stands_for_what_it_stood_for():
    assert run(_check="mine")["_check"] == "mine"
    assert run()["_check"] is None


def test_functions_of_the_student_find_their_own_names_while_it_runs():
    space = {"__name__": "__main__"}
    exec("def answer():\n    return layers\nlayers = 'mine'", space)
    exec(CELL.format(name="_check", condition="answer() == 'mine'"), space)


def test_what_it_raises_arrives():
    with pytest.raises(AssertionError, match="expected something else"):
        run(condition="False", _check="mine")


@pytest.mark.parametrize("condition", ["True", "False"])
def test_random_numbers_are_those_that_would_have_come(condition):
    def drawn():
        return random.random(), np.random.random(), torch.rand(1).item()

    def seeded():
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)

    seeded()
    expected = drawn()
    seeded()
    try:

        @isolated
        def _check():
            drawn()
            assert condition == "True"

    except AssertionError:
        assert condition == "False"
    assert drawn() == expected


def test_it_loads_no_framework():
    code = (
        "import sys; from helpers.checks import isolated\n"
        "@isolated\ndef check(): pass\n"
        "print({'torch', 'tensorflow', 'keras'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
