"""Strings that a till, a file or a visitor may send, and that must stay text wherever they are shown or exported."""

from __future__ import annotations

# At most 64 characters, as names are. What runs calls `harm()`; what becomes an element has `data-harm`.
MARKUP = (
    "<img src=x onerror=harm() data-harm>",
    '"><svg onload=harm() data-harm>',
    "</script><script data-harm>harm()</script>",
    "</style><b data-harm onclick=harm()>bold</b>",
    "<iframe srcdoc='<script>parent.harm()</script>' data-harm>",
    "<a data-harm href=javascript:harm()>x</a>",
    "[x](javascript:harm())",
    '![x](x "onerror=harm()")',
    "`<b data-harm>`\n\n<b data-harm>",
    "$\\href{javascript:harm()}{x}$",
    "${harm()}{{harm()}}<%=harm()%>",
    "'-harm()-'\\\";harm()//",
    "&lt;img src=x onerror=harm() data-harm&gt;",
    "\u202eharm()\u2066<b data-harm>",
)
FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://x",A1)',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(A1)",
    "a;=1+1",
    'a",=1+1,"',
    "a\r\n=1+1",
)
HARM = "window.harmed = 0; window.harm = () => { window.harmed += 1; };"
"""What a page is given before it begins, to count what runs."""


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would take a cell for one."""
    begin = cell.lstrip(" ")
    return begin[:1] in set("=+@\t\r\n＝＋－＠") or (begin[:1] == "-" and not _is_number(begin))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
