"""The product's look for charts: colours, type and number formats as on the live page (web/live/src/styles/base.css).

Every colour of a chart is named in its `config` and nowhere else, so that a stored chart is shown in the dark by giving
it the dark config: `{**spec, "config": config("dark")}`.
"""

from __future__ import annotations

from typing import Any, Literal

Mode = Literal["light", "dark"]

FONT = "ui-sans-serif, system-ui, sans-serif"
SIZE = 12

# Numbers stand on the diverging colours: these stay within what text is readable on.
PALETTES: dict[Mode, dict[str, Any]] = {
    "light": {
        "surface": "#ffffff",
        "line": "#e1e5e7",
        "edge": "#7f8c90",
        "text": "#16211f",
        "faint": "#566365",
        "accent": "#0f6e84",
        "soft": "#b9d8df",
        "amber": "#d98b1c",
        "alarm": "#b3261e",
        "diverging": ["#e3a556", "#f6e3c6", "#ffffff", "#cfe6ec", "#5fabbe"],
        "category": ["#0f6e84", "#d98b1c", "#6a5aa8", "#7a8f3a", "#b3567a", "#4f7cac", "#8a6d3b", "#75858a"],
        "ramp": ["#dcecef", "#8fc0cc", "#3f93a8", "#0f6e84", "#07414f"],
    },
    "dark": {
        "surface": "#171f21",
        "line": "#2a3538",
        "edge": "#75858a",
        "text": "#e6ecec",
        "faint": "#9aa8ab",
        "accent": "#58bdd3",
        "soft": "#235765",
        "amber": "#e9aa4b",
        "alarm": "#ff8f85",
        "diverging": ["#8a5c1c", "#4a3a22", "#1d2628", "#1f4550", "#27788c"],
        "category": ["#58bdd3", "#e9aa4b", "#a99be0", "#b3c46a", "#e08bad", "#8cb3e0", "#c9a66b", "#9aa8ab"],
        "ramp": ["#1f3a41", "#235765", "#37879a", "#58bdd3", "#d3f0f6"],
    },
}


def config(mode: Mode = "light") -> dict[str, Any]:
    """The Vega-Lite config of a mode; transparent, for the page's own ground."""
    of = PALETTES[mode]
    words = {"font": FONT, "fontWeight": "normal"}
    return {
        "background": "transparent",
        "font": FONT,
        "padding": 4,
        "view": {"stroke": None},
        "concat": {"spacing": 28},
        "title": {
            **words,
            "anchor": "start",
            "frame": "group",
            "color": of["text"],
            "fontSize": SIZE + 2,
            "lineHeight": SIZE + 6,
            "subtitleColor": of["faint"],
            "subtitleFont": FONT,
            "subtitleFontSize": SIZE,
            "subtitleLineHeight": SIZE + 4,
            "subtitlePadding": 4,
            "offset": 10,
        },
        "axis": {
            "labelColor": of["faint"],
            "labelFont": FONT,
            "labelFontSize": SIZE - 1,
            "titleColor": of["faint"],
            "titleFont": FONT,
            "titleFontSize": SIZE - 1,
            "titleFontWeight": "normal",
            "titlePadding": 6,
            "domainColor": of["edge"],
            "gridColor": of["line"],
            "tickColor": of["edge"],
            "tickSize": 4,
        },
        "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
        "axisX": {"grid": False},
        "legend": {
            "labelColor": of["faint"],
            "labelFont": FONT,
            "labelFontSize": SIZE - 1,
            "titleColor": of["faint"],
            "titleFont": FONT,
            "titleFontSize": SIZE - 1,
            "titleFontWeight": "normal",
        },
        "range": {"category": of["category"], "diverging": of["diverging"], "ramp": of["ramp"]},
        "mark": {"color": of["accent"]},
        "bar": {"color": of["accent"]},
        "rect": {"color": of["accent"]},
        "text": {"color": of["text"], "font": FONT, "fontSize": SIZE - 1},
        "style": {
            "plain": {"color": of["accent"]},
            "cap": {"color": of["amber"]},
            "interval": {"color": of["text"], "strokeWidth": 1.5},
            "band": {"color": of["soft"]},
            "level": {"color": of["accent"], "strokeWidth": 2},
            "threshold": {"color": of["edge"], "strokeDash": [3, 3]},
            "allowed": {"color": of["text"]},
            "ok": {"color": of["soft"]},
            "warn": {"color": of["amber"]},
            "alert": {"color": of["alarm"]},
        },
    }


def percent(share: float) -> str:
    """A share as people read it: 4.7 %, and < 0.1 % where there is a little."""
    return "< 0.1 %" if 0 < share < 0.0005 else f"{share:.1%}".replace("%", " %")


def number(value: float, unit: str = "") -> str:
    """A value with its unit; dollars before, the rest behind. At most four digits after the point."""
    if unit == "USD":
        return money(value)
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4f}".rstrip("0").rstrip(".")
    return minus(f"{text}{unit}" if unit.startswith("°") else f"{text} {unit}".strip())


def money(value: float) -> str:
    """Whole dollars."""
    return minus(f"{'-' if value < 0 else ''}${abs(value):,.0f}")


def minus(text: str) -> str:
    """With a true minus sign."""
    return text.replace("-", "−")
