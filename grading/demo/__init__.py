"""A bundled class of eight, to see the grader at work: `make demo`."""
