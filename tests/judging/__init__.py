"""The tests of grading/judging/ and of the wire: who is right, and who only says so."""
