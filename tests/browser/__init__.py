"""The tests that need Chromium: the site, JupyterLab, the formgrader and a JupyterHub."""
