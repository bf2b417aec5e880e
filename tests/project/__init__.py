"""The tests of the project as a whole: what is written down twice, its tools, its code."""
