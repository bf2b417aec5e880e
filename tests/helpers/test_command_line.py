"""helpers.command_line and the scripts' answers to options they cannot use."""

import argparse

import pytest

from helpers import train_tf, train_torch
from helpers.command_line import even_number, make_parser, positive_number, whole_number


def test_make_parser_has_the_outlines_defaults():
    parser = make_parser(
        "program", "does things", epochs=20, checkpoint="best.pt", log_dir="runs", devices="auto"
    )
    assert vars(parser.parse_args([])) == {
        "epochs": 20,
        "n": 4000,
        "seed": 1,
        "lr": 1e-3,
        "batch_size": 64,
        "checkpoint": "best.pt",
        "log_dir": "runs",
        "device": "auto",
    }


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (whole_number(1), "1", 1),
        (whole_number(0, 5), "5", 5),
        (even_number, "4", 4),
        (even_number, "4000", 4000),
        (positive_number, "1e-3", 1e-3),
        (positive_number, "2", 2.0),
    ],
)
def test_option_types_read(read, text, value):
    assert read(text) == value and type(read(text)) is type(value)


@pytest.mark.parametrize(
    ("read", "texts", "message"),
    [
        (whole_number(1), ["0", "-1", "1.5", "x", ""], "expected a whole number >= 1, got "),
        (whole_number(0, 5), ["-1", "6", "x"], "expected a whole number from 0 to 5, got "),
        (even_number, ["2", "5", "-4", "4.0", "x", ""], "expected an even number >= 4, got "),
        (positive_number, ["0", "-1", "nan", "inf", "x", ""], "expected a number > 0, got "),
    ],
)
def test_option_types_refuse(read, texts, message):
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError) as caught:
            read(text)
        assert str(caught.value) == f"{message}{text!r}"


@pytest.mark.parametrize("script", [train_torch, train_tf])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "argument --epochs: expected a whole number >= 1, got '0'"),
        (["--n", "7"], "argument --n: expected an even number >= 4, got '7'"),
        (["--seed", "-1"], "argument --seed: expected a whole number from 0 to 4294967295"),
        (["--lr", "0"], "argument --lr: expected a number > 0, got '0'"),
        (["--batch-size", "x"], "argument --batch-size: expected a whole number >= 1, got 'x'"),
        (["--device", "abacus"], "argument --device: expected"),
        (["--speed", "9"], "unrecognized arguments: --speed 9"),
    ],
)
def test_scripts_refuse_a_bad_option_in_one_line(script, options, message, capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(options)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--checkpoint", "best.pt"], "expected a name ending in .keras, got 'best.pt'"),
        (["--patience", "0"], "argument --patience: expected a whole number >= 1, got '0'"),
    ],
)
def test_train_tf_refuses_what_keras_would(options, message, capsys):
    with pytest.raises(SystemExit):
        train_tf.main(options)
    assert message in capsys.readouterr().err
