"""The tests of helpers/: what lessons and students import."""
