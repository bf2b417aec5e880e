"""The tests of grading/sandbox/: what a submission reaches, uses up and leaves behind."""
