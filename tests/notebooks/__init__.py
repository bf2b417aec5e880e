"""The tests of grading/notebooks/: notebooks that are damaged, or were tampered with."""
