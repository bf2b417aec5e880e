"""The tests of grading/reports/: the instructor's report, and scores for other systems."""
