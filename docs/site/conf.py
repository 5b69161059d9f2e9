# The site that scripts/build-docs makes of docs/; read without a network.
from pygments.lexers.special import TextLexer

project = "Wengert"
copyright = "the Wengert authors"
extensions = ["myst_parser"]
root_doc = "site/index"
html_theme = "furo"
html_title = "Wengert"
html_copy_source = False
html_show_sphinx = False
# Links out of docs/, as to a program of examples/, lead nowhere on the site.
suppress_warnings = ["myst.xref_missing", "myst.header"]
myst_heading_anchors = 3


def setup(app):
    app.add_lexer("output", TextLexer)
    for quoted in ("cpp throws",):
        app.add_lexer(quoted, TextLexer)
