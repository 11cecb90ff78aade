"""The API's description as a page to read: every route with what it takes and answers. No script and no file, so that
nobody else is asked for any."""

from __future__ import annotations

import json
from html import escape
from typing import Any

CONTENT_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """body{font:15px/1.5 system-ui;max-width:56rem;margin:2rem auto;padding:0 1.5rem}h2{margin-top:2.5rem}
h3{font:600 1rem ui-monospace,monospace;overflow-wrap:anywhere}summary{cursor:pointer}b{font-weight:600}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{text-align:left;vertical-align:top;
padding:.2rem .8rem .2rem 0;border-bottom:1px solid light-dark(#dde4e6,#2a3436)}pre{overflow:auto;max-height:24rem;
padding:.8rem;background:light-dark(#f2f5f6,#161d1f)}code,pre{font-size:.9em}section{border-top:1px solid
light-dark(#dde4e6,#2a3436)}"""


def reference(description: dict[str, Any], at: str) -> str:
    """The page's HTML. `at`: the description's address."""
    told = description["info"]
    operations = [
        _operation(f"{method.upper()} {path}", one)
        for path, methods in sorted(description["paths"].items())
        for method, one in methods.items()
    ]
    schemas = description.get("components", {}).get("schemas", {})
    forms = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>'
        for name, schema in sorted(schemas.items())
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(told["title"])} API</title>'
        f"<style>{_STYLE}</style><main><h1>{escape(told['title'])} {escape(told['version'])}</h1>"
        f'<p>{escape(told.get("description", ""))}</p><p>For programs: <a href="{escape(at)}">{escape(at)}</a>, '
        f"in OpenAPI {escape(description['openapi'])}.</p><h2>Routes</h2>{''.join(operations)}"
        f"<h2>Forms</h2>{forms}</main></html>"
    )


def _operation(name: str, one: dict[str, Any]) -> str:
    words = one.get("description") or one.get("summary") or ""
    parts = [f"<section><h3>{escape(name)}</h3><p>{escape(words)}</p>"]
    if one.get("parameters"):
        rows = "".join(_parameter(parameter) for parameter in one["parameters"])
        parts.append(f"<table><tr><th>takes<th>in<th>form{rows}</table>")
    for kind, content in one.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<details><summary>Body, {escape(kind)}</summary>{_json(content)}</details>")
    for status, answer in one.get("responses", {}).items():
        words = f"<b>{escape(status)}</b> {escape(answer.get('description', ''))}"
        content = answer.get("content")
        parts.append(f"<details><summary>{words}</summary>{_json(content)}</details>" if content else f"<p>{words}</p>")
    return "".join([*parts, "</section>"])


def _parameter(found: dict[str, Any]) -> str:
    needed = ", needed" if found.get("required") else ""
    form = json.dumps(found.get("schema", {}), ensure_ascii=False)
    return (
        f"<tr><td><code>{escape(found['name'])}</code><td>{escape(found['in'] + needed)}<td>"
        f"{escape(found.get('description', ''))} <code>{escape(form)}</code>"
    )


def _json(content: object) -> str:
    return f"<pre>{escape(json.dumps(content, indent=1, ensure_ascii=False))}</pre>"
