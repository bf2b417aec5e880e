"""Hold what the lessons and assignments share: data, plots, seeds, devices and training.

Importing the package loads none of its modules, so a PyTorch lesson never pays for TensorFlow.
"""

__version__ = "0.1.0"
