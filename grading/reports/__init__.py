"""What an instructor takes away from a graded class: a report to read, a CSV file for an LMS."""
