"""A job that nobody executes."""

from grading.judging.job import Exercise, Job, Limits

LIMITS = Limits(60, 600, 100_000, 4096, 64, 256, "bubblewrap")
EXERCISE = Exercise({"check": "assert 1"}, {"data.csv": b"1,2"})
JOB = Job('{"cells": []}', EXERCISE, LIMITS)
