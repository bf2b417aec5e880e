"""The tests of notebooks/: the frame of each lesson, and what lessons rely on."""
