"""Elements of Word's XML, in whichever of its two namespaces they stand; and what styles say."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

Element = etree._Element


def kind(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def value(element: Element | None, name: str = "val") -> str:
    """An attribute, with or without a namespace; "" if there is none."""
    attributes = element.attrib.items() if element is not None else ()
    return next((str(text) for key, text in attributes if str(key).rpartition("}")[2] == name), "")


def is_on(switch: Element | None) -> bool:
    """Whether a property is there and not switched off."""
    return switch is not None and value(switch) not in ("0", "false", "off")


def text_of(element: Element) -> str:
    """The letters in an element, deleted ones included."""
    return "".join(node.text or "" for node in element.iter("{*}t", "{*}delText"))


def made(like: Element, name: str, text: str = "", **attributes: str) -> Element:
    """A new element in the namespace of another one."""
    space = str(like.tag).rpartition("}")[0]
    new = like.makeelement(f"{space}}}{name}", {f"{space}}}{key}": said for key, said in attributes.items()})
    new.text = text or None
    return new


def child_of(element: Element, name: str) -> Element:
    """Its child of this name, made as the first one if there is none."""
    child = element.find(f"{{*}}{name}")
    if child is None:
        element.insert(0, child := made(element, name))
    return child


def replace(element: Element, news: Iterable[Element] = ()) -> None:
    """Put others, or nothing, in the place of an element."""
    parent = element.getparent()
    if parent is not None:
        for new in news:
            element.addprevious(new)
        parent.remove(element)


class Styles:
    """What styles say of their paragraphs and runs, by the style's id."""

    def __init__(self, roots: Iterable[Element]) -> None:
        found = (style for root in roots if kind(root) == "styles" for style in root.iter("{*}style"))
        self._styles = {value(style, "styleId"): style for style in found}

    def name(self, id: str) -> str:
        """What a style is called, in English for those that Word brings along."""
        style = self._styles.get(id)
        return value(style.find("{*}name")) if style is not None else ""

    def property(self, id: str, path: str) -> Element | None:
        """The element at a path below the style, or below one that it is based on."""
        seen: set[str] = set()
        while id in self._styles and id not in seen:
            seen.add(id)
            style = self._styles[id]
            if (found := style.find(path)) is not None:
                return found
            id = value(style.find("{*}basedOn"))
        return None
