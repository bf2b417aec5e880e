"""Notebooks as data: what an assignment asks, what was handed in, and the one made of both."""
