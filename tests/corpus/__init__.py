"""The tests of the corpus in tests/submissions/, and the proof that is made from it."""
