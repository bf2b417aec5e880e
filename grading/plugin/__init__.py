"""What nbgrader calls: each of its steps that the course replaces, and the configuration for it."""
