"""The page that is shown before, or in place of, the real ones: a few words and what to do, with no script and no file.

Its look is the live page's (`web/live/src/styles/base.css`).
"""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tidemark</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:16px/1.5 system-ui;max-width:34rem;margin:18vh auto;padding:0 1.5rem}}code{{font-size:.95em}}
a{{display:inline-block;padding:.45rem 1.1rem;border-radius:4px;text-decoration:none;
background:light-dark(#0f6e84,#58bdd3);color:light-dark(#fff,#0f1516)}}</style>
<main><h1>{title}</h1><p>{reason}</p>{way}</main></html>"""


def plain_page(title: str, reason: str, way: str) -> str:
    """The page's HTML. `way`: what to do, as HTML of our own."""
    return _PAGE.format(title=escape(title), reason=escape(reason), way=way)


def button(text: str, address: str) -> str:
    """A link that looks like what it is: the one thing to do. HTML."""
    return f'<p><a href="{escape(address)}">{escape(text)}</a></p>'
