"""How Sphinx makes the site; publishing/site.py calls it."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

project = "Deep Learning Foundations"
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["lessons.md", "exercises.md"]  # index.md includes them
nb_execution_mode = "off"  # the stored outputs are shown: `make lessons` makes them
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "mathml"
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False  # no second copy of each notebook
html_use_index = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "home_page_in_toc": True,
    "use_download_button": False,  # lessons come with the course, where they can be run
    "footer_content_items": [],
    "navbar_persistent": [],  # one search field is enough
    "show_toc_level": 2,
}


LONG = 40  # characters of TeX: a longer formula may be wider than a phone


def write_formula(writer: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML: browsers show it without a script, and screen readers read it."""
    tex = node.astext()
    is_block = isinstance(node, nodes.math_block)
    formula = convert(tex, display="block" if is_block else "inline")
    if is_block or len(tex) > LONG:
        # It gets a box of its own, to be scrolled by finger or keyboard.
        tag = "div" if is_block else "span"
        about = 'class="formula" tabindex="0" role="group" aria-label="formula"'
        formula = f"<{tag} {about}>{formula}</{tag}>"
    writer.body.append(formula)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the writer of formulas."""
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
