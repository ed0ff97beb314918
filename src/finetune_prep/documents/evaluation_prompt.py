"""evaluation-prompt.md ⇄ EvaluationPrompt."""

from __future__ import annotations

from finetune_prep.core.prompts import EvaluationPrompt
from finetune_prep.documents.document import Form
from finetune_prep.documents.examples import read_calibration, render_calibration
from finetune_prep.documents.rubric import read_categories, read_terms, render_categories, render_terms
from finetune_prep.markdown.headings import ANY, Schema
from finetune_prep.markdown.inline import written
from finetune_prep.markdown.page import heading, page
from finetune_prep.markdown.reader import Reader
from finetune_prep.markdown.sections import ProseSections, render_prose

ROLE, RUBRIC, INPUT, OUTPUT, CALIBRATION = "Role and context", "Rubric", "Input format", "Output format", "Calibration examples"
SCHEMA = Schema(
    sections={ROLE: None, RUBRIC: (), "Terms": (), INPUT: None, OUTPUT: None, CALIBRATION: ("C",)},
    category=(ANY,),
    expects={CALIBRATION: "C"},
)


def read(reader: Reader) -> EvaluationPrompt:
    parts = list(reader.parts())
    prose = ProseSections(reader, parts)
    return EvaluationPrompt(
        title=reader.title(next((part for part in parts if part.kind == "title"), None)),
        role=prose.need(ROLE),
        terms=tuple(
            term for part in parts if part.kind == "section" and part.name == "Terms" for term in read_terms(reader, part.node)
        ),
        categories=read_categories(reader, parts, compiled=True),
        input=prose.get(INPUT),
        output=prose.get(OUTPUT),
        calibrations=tuple(
            read_calibration(reader, part) for part in parts if part.kind == "item" and part.section == CALIBRATION
        ),
    )


def render(value: EvaluationPrompt) -> str:
    blocks = [heading(1, written(value.title)), *render_prose(SCHEMA, ROLE, value.role)]
    if value.terms or value.categories:
        blocks += [heading(2, RUBRIC), *render_terms(value.terms, 3), *render_categories(value.categories, 3, compiled=True)]
    blocks += render_prose(SCHEMA, INPUT, value.input) + render_prose(SCHEMA, OUTPUT, value.output)
    if value.calibrations:
        blocks.append(heading(2, CALIBRATION))
    for example in value.calibrations:
        blocks += render_calibration(example, 3)
    return page(blocks)


FORM = Form(SCHEMA, read, render, EvaluationPrompt)
