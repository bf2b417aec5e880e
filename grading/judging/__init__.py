"""What decides: a job is executed, and judged by a process that no student's code enters."""
