"""evaluation-rubric.md ⇄ Rubric. The evaluation prompt embeds its terms, categories and questions, and reads them here."""

from __future__ import annotations

import re

from finetune_prep.core.knowledge import SetAside
from finetune_prep.core.measures import Rule, parse_rule
from finetune_prep.core.rubric import ALWAYS, AnswerForm, Category, Goal, Question, Rubric, Term
from finetune_prep.documents.document import Form
from finetune_prep.documents.examples import read_ruling, read_worked, render_ruling, render_worked
from finetune_prep.markdown.headings import ANY, Schema
from finetune_prep.markdown.inline import guard, guard_category, number, read_number, unguard, unguarded, written
from finetune_prep.markdown.page import bullets, fields, front_matter, heading, id_list, item_heading, page
from finetune_prep.markdown.reader import Fields, Part, Reader
from finetune_prep.markdown.tree import Node

NOT_ASKED = "Not asked"
SCHEMA = Schema(
    sections={"Goals": ("G",), "Terms": (), NOT_ASKED: ("DO", "DONT"), "Examples": ("E",)},
    category=(ANY,),
    expects={"Goals": "G", NOT_ASKED: "DO", "Examples": "E"},
    lists=frozenset({"Goals", NOT_ASKED}),
)
DEFAULT_THRESHOLD = 0.75
_COLON = re.compile(r":(?=\s|\*\*|__|$)|：")
LONGEST_RULE = 200  # characters
ASKED = ("Yes", "No", "N/A")
OF_DOCUMENT = ("Applies", "Form", "Checks", "Catches", "Measured")  # for people and gates; a judge is not shown them
_START = re.compile(r"(?P<guards>\\*)(?=\*\*|__|```|~~~)")  # what a list item's text must not begin with by accident
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
_ACCEPT = {"accepted": False, "passed": True}
_FORMS: dict[str, AnswerForm] = {"presence": "presence", "absence": "absence"}


def read(reader: Reader) -> Rubric:
    parts = list(reader.parts())

    def items(section: str) -> list[Part]:
        return [part for part in parts if part.kind == "item" and part.section == section]

    values = reader.front(("threshold", "na_counts", "accept"))
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
        not_asked=tuple(SetAside(part.id, "", reader.name(part)) for part in items(NOT_ASKED)),
        examples=tuple(read_worked(reader, part) for part in items("Examples")),
        na_counts=_na_counts(reader, values),
        accept_passed=_accept_passed(reader, values),
    )


def _na_counts(reader: Reader, values: dict[str, str]) -> bool:
    value = values.get("na_counts", "no").casefold()
    if value not in _YES_NO:
        reader.add(reader.front_line("na_counts"), f"na_counts is “{value[:60]}”", "write yes (N/A counts as YES) or no")
    return _YES_NO.get(value, False)


def _accept_passed(reader: Reader, values: dict[str, str]) -> bool:
    value = values.get("accept", "accepted").casefold()
    if value not in _ACCEPT:
        fix = "write passed (whatever passed becomes a training row), or take the line out"
        reader.add(reader.front_line("accept"), f"accept is “{value[:60]}”", fix)
    return _ACCEPT.get(value, False)


def render(value: Rubric) -> str:
    knobs = {"threshold": number(value.threshold)}
    knobs |= {"na_counts": "yes"} if value.na_counts else {}
    knobs |= {"accept": "passed"} if value.accept_passed else {}
    blocks = [*front_matter(knobs), heading(1, written(value.title))]
    if value.goals:
        blocks += [heading(2, "Goals"), *bullets(f"{goal.id}: {written(goal.text)}" for goal in value.goals)]
    blocks += render_terms(value.terms, 2)
    blocks += render_categories(value.categories, 2, compiled=False)
    if value.not_asked:
        blocks += [heading(2, NOT_ASKED), *bullets(f"{anchor.id}: {written(anchor.because)}" for anchor in value.not_asked)]
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
    """The categories among the parts, each with its questions. compiled: as a prompt embeds them, with what a judge
    reads of a question and no more."""
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
    found = reader.fields(part, ASKED if compiled else (*ASKED, *OF_DOCUMENT), repeated=("Ruling",))
    measured = None if compiled else _read_rule(reader, part, found.get("Measured"))
    judged = measured is None and not found.get("Measured")
    rulings = (read_ruling(reader, part.id, field.line, field.value) for field in found.many("Ruling"))
    return Question(
        id=part.id,
        text=reader.name(part),
        yes=found.need("Yes") if judged else found.get("Yes"),
        no=found.need("No") if judged else found.get("No"),
        na=found.get("N/A"),
        applies=ALWAYS if compiled else _read_applies(found),
        form="presence" if compiled else _read_form(reader, part, found),
        checks=() if compiled else found.ids("Checks"),
        catches=() if compiled else found.ids("Catches"),
        rulings=tuple(ruling for ruling in rulings if ruling),
        measured=measured,
    )


def _read_applies(found: Fields) -> str:
    text = found.get("Applies")
    return ALWAYS if text.rstrip(".").casefold() in ("", ALWAYS) else text


def _read_form(reader: Reader, part: Part, found: Fields) -> AnswerForm:
    for field in found.many("Form"):
        form = _FORMS.get(field.value.rstrip(".").casefold())
        if form is None:
            fix = "write presence (YES says that something is there) or absence (YES says that nothing is)"
            reader.add(field.line, f"the form of {part.id} is “{field.value[:60]}”", fix, part.id)
        return form or "presence"
    return "presence"


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
        pairs += [
            ("Applies", "" if question.applies == ALWAYS else question.applies),
            ("Form", "" if question.form == "presence" else question.form),
            ("Checks", id_list(question.checks)),
            ("Catches", id_list(question.catches)),
            ("Measured", str(question.measured or "")),
        ]
    pairs += [("Ruling", render_ruling(ruling)) for ruling in question.rulings]
    return [item_heading(level, question.id, guard_category(written(question.text))), *fields(pairs)]


FORM = Form(SCHEMA, read, render, Rubric)
