"""Interactive elements painted as HTML that can be used: look.js tells the emulator."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

JsonObject = dict[str, Any]
Text = Callable[[JsonObject], str]
_ZONE = ZoneInfo("America/Sao_Paulo")
_LINES = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_MANY = {"multi_static_select", "multi_users_select"}
_PEOPLE = {"users_select", "multi_users_select"}


def element_html(
    element: JsonObject, held: JsonObject, people: Mapping[str, str], text: Text
) -> str:
    """`held` is what it holds now, as in `state.values`; `text` paints a text object."""
    name = _attributes(action=element.get("action_id", ""))
    match element["type"]:
        case "button":
            return _button(element, name, text)
        case "overflow":
            return _overflow(element, name, text)
        case kind if kind in _LINES:
            return _line(element, held, name)
        case "checkboxes" | "radio_buttons":
            return _ticks(element, held, name, text)
        case "datetimepicker" | "datepicker" | "timepicker":
            return _moment(element, held, name)
        case _:
            return _menu(element, held, name, people)


def _attributes(**named: object) -> str:
    return "".join(f' data-{key}="{html.escape(str(value))}"' for key, value in named.items())


def _button(element: JsonObject, name: str, text: Text) -> str:
    style = html.escape(element.get("style", "default"))
    data = name + _attributes(value=element.get("value", ""))
    if "url" in element:
        data += _attributes(url=element["url"])
    return f'<button type="button" class="{style}"{data}>{text(element["text"])}</button>'


def _overflow(element: JsonObject, name: str, text: Text) -> str:
    choices = "".join(
        f'<button type="button" class="choice"{_attributes(choice=option.get("value", ""))}>'
        f"{text(option['text'])}</button>"
        for option in element["options"]
    )
    return (
        f'<details class="overflow"{name}><summary>⋯</summary>'
        f'<div class="choices">{choices}</div></details>'
    )


def _line(element: JsonObject, held: JsonObject, name: str) -> str:
    value = html.escape(str(held.get("value") or ""))
    hint = html.escape(_placeholder(element))
    if element.get("multiline"):
        return f'<textarea rows="3"{name} placeholder="{hint}">{value}</textarea>'
    kind = "number" if element["type"] == "number_input" else "text"
    return f'<input type="{kind}"{name} value="{value}" placeholder="{hint}">'


def _ticks(element: JsonObject, held: JsonObject, name: str, text: Text) -> str:
    kind = "checkbox" if element["type"] == "checkboxes" else "radio"
    chosen = _chosen(held)
    group = html.escape(str(element.get("action_id", "")))
    lines = []
    for option in element["options"]:
        mark = " checked" if option.get("value") in chosen else ""
        value = html.escape(str(option.get("value", "")))
        more = f"<small>{text(option['description'])}</small>" if "description" in option else ""
        lines.append(
            f'<label><input type="{kind}" name="{group}" value="{value}"{mark}>'
            f"<span>{text(option['text'])}{more}</span></label>"
        )
    return f'<div class="ticks"{name}>{"".join(lines)}</div>'


def _moment(element: JsonObject, held: JsonObject, name: str) -> str:
    kinds = {"datepicker": "date", "timepicker": "time", "datetimepicker": "datetime-local"}
    value = next((v for k, v in held.items() if k != "type" and v), "")
    if isinstance(value, int):
        value = datetime.fromtimestamp(value, _ZONE).strftime("%Y-%m-%dT%H:%M")
    return f'<input type="{kinds[element["type"]]}"{name} value="{html.escape(str(value))}">'


def _menu(element: JsonObject, held: JsonObject, name: str, people: Mapping[str, str]) -> str:
    chosen = _chosen(held)
    several = " multiple" if element["type"] in _MANY else ""
    hint = html.escape(_placeholder(element))
    none = f'<option value=""{" disabled" if several else ""}>{hint}</option>'
    none = "" if several and not hint else none
    if element["type"] in _PEOPLE:
        body = "".join(_option(user, f"@{who}", chosen) for user, who in people.items())
    else:
        body = _options(element.get("options", []), chosen)
        for group in element.get("option_groups", []):
            label = html.escape(group["label"]["text"])
            body += f'<optgroup label="{label}">{_options(group["options"], chosen)}</optgroup>'
    return f'<select class="menu"{name}{several}>{none}{body}</select>'


def _options(options: list[JsonObject], chosen: set[str]) -> str:
    return "".join(_option(o.get("value", ""), o["text"]["text"], chosen) for o in options)


def _option(value: str, label: str, chosen: set[str]) -> str:
    mark = " selected" if value in chosen else ""
    return f'<option value="{html.escape(value)}"{mark}>{html.escape(label)}</option>'


def _placeholder(element: JsonObject) -> str:
    return str(element.get("placeholder", {}).get("text", ""))


def _chosen(held: JsonObject) -> set[str]:
    found: set[str] = set()
    for name, value in held.items():
        parts = value if isinstance(value, list) else [value]
        if name != "type":
            found |= {str(p["value"] if isinstance(p, dict) else p) for p in parts if p}
    return found
