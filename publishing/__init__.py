"""The course's own pages: lessons with outputs, tables, the students' bundle, a site to read."""
