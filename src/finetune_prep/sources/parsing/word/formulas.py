"""Formulas of Word in one line: (a+b)/2, x^2, √(n)."""

from __future__ import annotations

import re

from lxml import etree


def in_line(node: etree._Element) -> str:
    """A formula, or a part of one, as it can be typed."""
    match _kind(node):
        case "t":
            return node.text or ""
        case "f":
            return f"{_part(node, 'num')}/{_part(node, 'den')}"
        case "sSup":
            return f"{_part(node, 'e')}^{_part(node, 'sup')}"
        case "sSub":
            return f"{_part(node, 'e')}_{_part(node, 'sub')}"
        case "sSubSup":
            return f"{_part(node, 'e')}_{_part(node, 'sub')}^{_part(node, 'sup')}"
        case "rad":
            return f"{_whole(node, 'deg')}√{_part(node, 'e')}"
        case "d":
            return f"({_whole(node, 'e')})"
    return "".join(map(in_line, node))


def _kind(node: etree._Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _whole(node: etree._Element, name: str) -> str:
    return ", ".join(in_line(child) for child in node if _kind(child) == name)


def _part(node: etree._Element, name: str) -> str:
    text = _whole(node, name)
    return text if re.fullmatch(r"[\w.]*|\(.*\)", text) else f"({text})"
