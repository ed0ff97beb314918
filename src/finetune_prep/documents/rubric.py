"""evaluation-rubric.md ⇄ Rubric. The evaluation prompt embeds its terms, categories and questions, and reads them here."""

from __future__ import annotations

import re

from finetune_prep.core.measures import Rule, parse_rule
from finetune_prep.core.rubric import Category, Goal, Question, Rubric, Term
from finetune_prep.documents.document import Form
from finetune_prep.documents.examples import read_worked, render_worked
from finetune_prep.markdown.headings import ANY, Schema
from finetune_prep.markdown.inline import guard, guard_category, number, read_number, unguard, unguarded, written
from finetune_prep.markdown.page import bullets, fields, front_matter, heading, id_list, item_heading, page
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.tree import Node

SCHEMA = Schema(
    sections={"Goals": ("G",), "Terms": (), "Examples": ("E", "W")},
    category=(ANY,),
    expects={"Goals": "G", "Examples": "E"},
    lists=frozenset({"Goals"}),
)
DEFAULT_THRESHOLD = 0.75
_COLON = re.compile(r":(?=\s|\*\*|__|$)|：")
LONGEST_RULE = 200  # characters
_START = re.compile(r"(?P<guards>\\*)(?=\*\*|__|```|~~~)")  # what a list item's text must not begin with by accident
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def read(reader: Reader) -> Rubric:
    parts = list(reader.parts())

    def items(section: str) -> list[Part]:
        return [part for part in parts if part.kind == "item" and part.section == section]

    values = reader.front(("threshold", "na_counts"))
    if "threshold" not in values:
        fix = f"begin the file with: ---, threshold: {DEFAULT_THRESHOLD}, ---, each on its own line"
        reader.add(1, "the rubric has no pass threshold", fix)
    return Rubric(
        title=reader.title(next((part for part in parts if part.kind == "title"), None)),
        threshold=reader.share(values, "threshold", DEFAULT_THRESHOLD),
        goals=tuple(Goal(part.id, reader.name(part)) for part in items("Goals")),
        terms=tuple(
            term for part in parts if part.kind == "section" and part.name == "Terms" for term in read_terms(reader, part.node)
        ),
        categories=read_categories(reader, parts, compiled=False),
        examples=tuple(read_worked(reader, part) for part in items("Examples")),
        na_counts=_na_counts(reader, values),
    )


def _na_counts(reader: Reader, values: dict[str, str]) -> bool:
    value = values.get("na_counts", "no").casefold()
    if value not in _YES_NO:
        reader.add(reader.front_line("na_counts"), f"na_counts is “{value[:60]}”", "write yes (N/A counts as YES) or no")
    return _YES_NO.get(value, False)


def render(value: Rubric) -> str:
    knobs = {"threshold": number(value.threshold)} | ({"na_counts": "yes"} if value.na_counts else {})
    blocks = [*front_matter(knobs), heading(1, written(value.title))]
    if value.goals:
        blocks += [heading(2, "Goals"), *bullets(f"{goal.id}: {written(goal.text)}" for goal in value.goals)]
    blocks += render_terms(value.terms, 2)
    blocks += render_categories(value.categories, 2, compiled=False)
    if value.examples:
        blocks.append(heading(2, "Examples"))
    for example in value.examples:
        blocks += render_worked(example, 3)
    return page(blocks)


def read_terms(reader: Reader, section: Node) -> tuple[Term, ...]:
    return tuple(term for entry in section.entries if (term := _read_term(reader, entry)))


def _read_term(reader: Reader, entry: Node) -> Term | None:
    text = entry.nested_text
    colon = unguarded(_COLON).search(text)
    name, meaning = (text[: colon.start()].strip(), text[colon.end() :].strip()) if colon else ("", "")
    if name.startswith(("**", "__")):  # **Term:** meaning, **Term**: meaning
        mark = name[:2]
        name, meaning = name.removeprefix(mark).removesuffix(mark).strip(), meaning.removeprefix(mark).strip()
    if not name or not meaning:
        reader.add(entry.line, "this term has no meaning", "write: - Term: what it means here")
        return None
    if (start := _START.match(name)) and start["guards"]:
        name = name[1:]
    return Term(unguard(name, _COLON), meaning)


def render_terms(terms: tuple[Term, ...], level: int) -> list[str]:
    return [heading(level, "Terms"), *bullets(map(_render_term, terms))] if terms else []


def _render_term(term: Term) -> str:
    name = guard(written(term.name), _COLON)
    if _START.match(name):
        name = f"\\{name}"
    space = " " if name.endswith("\\") else ""  # so that the backslash does not guard the colon
    return f"{name}{space}: {written(term.meaning)}"


def read_categories(reader: Reader, parts: list[Part], *, compiled: bool) -> tuple[Category, ...]:
    """The categories among the parts, each with its questions. compiled: as a prompt embeds them, without Catches, Serves
    and Measured."""
    found: list[tuple[Part, list[Question]]] = []
    inside = False
    for part in parts:
        if part.kind == "category":
            found.append((part, []))
            inside = True
        elif part.kind == "section":
            inside = False
        elif part.kind == "item" and inside:
            found[-1][1].append(_read_question(reader, part, compiled=compiled))
    return tuple(_read_category(reader, part, questions, compiled=compiled) for part, questions in found)


def _read_category(reader: Reader, part: Part, questions: list[Question], *, compiled: bool) -> Category:
    serves = () if compiled else reader.fields(part, ("Serves",)).ids("Serves")
    return Category(name=part.name, weight=_read_weight(reader, part), serves=serves, questions=tuple(questions))


def _read_weight(reader: Reader, part: Part) -> float | None:
    if part.attributes.casefold() == "gate":
        return None
    weight = read_number(re.sub(r"^weight\s*[:=]?", "", part.attributes, flags=re.IGNORECASE))
    if weight is None or weight < 0:
        reader.add(
            part.node.line,
            f"the category “{part.name}” has no weight",
            "end its heading with (weight 0.25), or (gate) for safety",
        )
        return 0.0
    return weight


def _read_question(reader: Reader, part: Part, *, compiled: bool) -> Question:
    found = reader.fields(part, ("Yes", "No", "N/A") if compiled else ("Yes", "No", "N/A", "Catches", "Measured"))
    measured = None if compiled else _read_rule(reader, part, found.get("Measured"))
    judged = measured is None and not found.get("Measured")
    return Question(
        id=part.id,
        text=reader.name(part),
        yes=found.need("Yes") if judged else found.get("Yes"),
        no=found.need("No") if judged else found.get("No"),
        na=found.get("N/A"),
        catches=() if compiled else found.ids("Catches"),
        measured=measured,
    )


def _read_rule(reader: Reader, part: Part, text: str) -> Rule | None:
    if not text:
        return None
    try:
        return parse_rule(text[:LONGEST_RULE])
    except ValueError as error:
        what, _, fix = str(error).partition("; ")
        line = next((entry.line for entry in part.node.entries if entry.text.casefold().startswith("measured")), part.node.line)
        reader.add(line, what, fix, part.id)
        return None


def render_categories(categories: tuple[Category, ...], level: int, *, compiled: bool) -> list[str]:
    blocks: list[str] = []
    for category in categories:
        attributes = "gate" if category.weight is None else f"weight {number(category.weight)}"
        blocks.append(heading(level, f"{written(category.name)} ({attributes})"))
        if not compiled:
            blocks += fields([("Serves", id_list(category.serves))])
        for question in category.questions:
            blocks += _render_question(question, level + 1, compiled=compiled)
    return blocks


def _render_question(question: Question, level: int, *, compiled: bool) -> list[str]:
    pairs = [("Yes", question.yes), ("No", question.no), ("N/A", question.na)]
    if not compiled:
        pairs += [("Catches", id_list(question.catches)), ("Measured", str(question.measured or ""))]
    return [item_heading(level, question.id, guard_category(written(question.text))), *fields(pairs)]


FORM = Form(SCHEMA, read, render)
