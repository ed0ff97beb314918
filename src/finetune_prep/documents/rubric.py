"""evaluation-rubric.md ⇄ Rubric."""

from __future__ import annotations

from finetune_prep.core.rubric import Goal, Rubric
from finetune_prep.documents.examples import read_worked, render_worked
from finetune_prep.documents.questions import read_categories, read_terms, render_categories, render_terms
from finetune_prep.markdown.headings import ANY, Schema
from finetune_prep.markdown.inline import number, written
from finetune_prep.markdown.page import bullets, front_matter, heading, page
from finetune_prep.markdown.reader import Part, Reader

SCHEMA = Schema(sections={"Goals": ("G",), "Terms": (), "Examples": ("E", "W")}, category=(ANY,))
DEFAULT_THRESHOLD = 0.75
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def read(reader: Reader) -> Rubric:
    parts = list(reader.parts())

    def items(section: str) -> list[Part]:
        return [part for part in parts if part.kind == "item" and part.section == section]

    values = reader.front(("threshold", "na_counts"))
    if "threshold" not in values:
        mend = f"begin the file with: ---, threshold: {DEFAULT_THRESHOLD}, ---, each on its own line"
        reader.add(1, "the rubric has no pass threshold", mend)
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
