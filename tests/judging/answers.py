"""Answers as an honest kernel writes them."""

import json

from grading import wire


def value_of(value):
    return ["dict", [["value", json.loads(wire.encode(value))]]]
