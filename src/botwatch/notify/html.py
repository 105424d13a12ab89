"""The page of an e-mail: one table an incident, readable without images, styles of its own in every tag."""

from __future__ import annotations

from botwatch.detect.rule import Severity
from botwatch.notify import render
from botwatch.notify.escape import link
from botwatch.notify.escape import page as safe
from botwatch.notify.note import Note, Purpose, Told

_COLOUR = {Severity.CRITICAL: "#b3261e", Severity.WARNING: "#b26a00", Severity.INFO: "#3b6ea5"}
_OVER = "#2e7d32"
_FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:14px;color:#1c1b1f"


def page(note: Note) -> str:
    said = render.preface(note)
    parts = [f'<p style="margin:0 0 16px">{safe(said)}</p>'] if said else []
    parts += [_incident(told, note) for told in note.told]
    if note.more:
        parts.append(f"<p>and {note.more} more</p>")
    parts += [f"<p>{_anchor(each.url, each.name)}</p>" for each in note.links]
    body = "\n".join(parts)
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head>'
        f'<body style="margin:0;padding:24px;background:#f6f5f8"><div style="max-width:640px;{_FONT}">\n{body}\n'
        f'<p style="color:#6b6a70;font-size:12px">Sent by Botwatch, delivery {safe(note.id)}</p></div></body></html>\n'
    )


def _incident(told: Told, note: Note) -> str:
    colour = _OVER if told.over else _COLOUR[told.severity]
    rows = "".join(_row(name, safe(value, code=name in render.CODED)) for name, value in render.marked(told, note.zone))
    if told.runbook:
        rows += _row("Runbook", _anchor(told.runbook, told.runbook))
    links = " &middot; ".join(_anchor(each.url, each.name) for each in told.links)
    advice = render.advice(told, "") if note.purpose is Purpose.INCIDENT else ""
    how = f'<p style="margin:12px 0 0;color:#6b6a70">{safe(advice)}.</p>' if advice else ""
    return (
        f'<div style="background:#fff;border-left:4px solid {colour};padding:16px;margin:0 0 16px">'
        f'<h1 style="font-size:16px;margin:0 0 12px;color:{colour}">{safe(render.headline(told))}</h1>'
        f'<table style="border-collapse:collapse;{_FONT}">{rows}</table>'
        f'<p style="margin:12px 0 0">{links}</p>{how}</div>'
    )


def _row(name: str, value: str) -> str:
    cell = "padding:2px 12px 2px 0;vertical-align:top"
    return f'<tr><td style="{cell};color:#6b6a70">{safe(name)}</td><td style="{cell}">{value}</td></tr>'


def _anchor(url: str, text: str) -> str:
    target = link(url)
    return f'<a href="{safe(target)}">{safe(text, 120)}</a>' if target else safe(text, 500)
