"""The tests of publishing/: what leaves the course, except for the site (see browser)."""
