"""The charts of the profile on the page: which stand side by side, and the map, from which a place can be picked."""

from __future__ import annotations

from typing import Any

MAP = "map.vl.json"
PICKED = "place"
_ENDS = ("west", "east", "south", "north")


def side_by_side(specs: dict[str, dict[str, Any]]) -> list[list[str]]:
    """The names of charts by the line they stand in: two, or one that is made of several."""
    lines: list[list[str]] = []
    room = False
    for name, spec in specs.items():
        several = any(form in spec for form in ("concat", "hconcat", "vconcat"))
        if room and not several:
            lines[-1].append(name)
            room = False
        else:
            lines.append([name])
            room = not several
    return lines


def selectable(spec: dict[str, Any]) -> dict[str, Any] | None:
    """The map with its places to pick; None where it has several layers, of which Streamlit tells no picks."""
    layers = spec.get("layer")
    if not layers or len(layers) != 1:
        return None
    rest = {name: value for name, value in spec.items() if name != "layer"}
    chart = {**rest, **layers[0]}
    chart["params"] = [
        *chart.get("params", []),
        {"name": PICKED, "select": {"type": "point", "fields": list(_ENDS), "toggle": False}},
    ]
    chart["encoding"] = {
        **rest.get("encoding", {}),
        **layers[0].get("encoding", {}),
        "strokeWidth": {"condition": {"param": PICKED, "empty": False, "value": 2.5}, "value": 0},
    }
    mark = chart["mark"] if isinstance(chart["mark"], dict) else {"type": chart["mark"]}
    chart["mark"] = {**mark, "stroke": "#d98b1c", "cursor": "pointer"}
    return chart


def chosen_place(state: Any) -> tuple[float, float] | None:
    """Longitude and latitude of the middle of the place that was picked; None where none was."""
    picked = (state or {}).get("selection", {}).get(PICKED) or []
    if not picked or not all(name in picked[0] for name in _ENDS):
        return None
    west, east, south, north = (float(picked[0][name]) for name in _ENDS)
    return round((west + east) / 2, 2), round((south + north) / 2, 2)
