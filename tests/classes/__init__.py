"""The tests of grading/classes/ and of the command dlf: whole classes are graded."""
