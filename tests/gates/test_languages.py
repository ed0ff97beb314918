"""A rubric in German, Spanish or Chinese meets every must-gate that code decides, with nothing left for a person to overrule."""

from __future__ import annotations

import msgspec
import pytest

from finetune_prep import documents
from finetune_prep.core.rubric import Category, Example, Question, Rubric, Ruling
from finetune_prep.gates import check
from finetune_prep.method.gates import GATES
from tests.gates import pottery
from tests.gates.test_parsed import read, written
from tests.gates.test_sound_documents import documents_in

MUST = {gate.id for gate in GATES if gate.kind == "computed" and gate.level == "must" and gate.documents}
OF_RUBRIC = {gate.id for gate in GATES if gate.id in MUST and gate.documents[-1] == "evaluation-rubric"}
ANSWER = "“第{id}项我来处理”回答了问题。"


def question(asked: Question) -> Question:
    if asked.measured:
        return msgspec.structs.replace(asked, text=f"每条回复是否符合{asked.id}？")
    rulings = tuple(ruling(asked.id, given) for given in asked.rulings)
    na, applies = ("顾客没有提到", "顾客提到的时候") if asked.na else ("", "always")
    text = f"助手是否处理了第{asked.id}项？"
    return msgspec.structs.replace(
        asked, text=text, yes="处理了，哪怕很短", no="只表示遗憾", na=na, applies=applies, rulings=rulings
    )


def ruling(id: str, given: Ruling) -> Ruling:
    reply, why = (
        (f"第{id}项我来处理。", ANSWER.format(id=id)) if given.answer == "yes" else ("非常抱歉！", "「非常抱歉」没有处理。")
    )
    return msgspec.structs.replace(given, user=f"第{id}项：杯子裂了。", assistant=reply, why=why)


def worked(example: Example) -> Example:
    answers = tuple(msgspec.structs.replace(given, reason=f"回复里提到第{given.question}项。") for given in example.answers)
    return msgspec.structs.replace(example, answers=answers)


def in_chinese(rubric: Rubric) -> Rubric:
    categories = tuple(translated(category) for category in rubric.categories)
    return msgspec.structs.replace(rubric, categories=categories, examples=tuple(map(worked, rubric.examples)))


def translated(category: Category) -> Category:
    return msgspec.structs.replace(category, questions=tuple(map(question, category.questions)))


@pytest.mark.parametrize("language", ["zh", "zh-Hans"])
def test_a_chinese_rubric(language: str) -> None:
    texts = written() | {"evaluation-rubric": documents.render("evaluation-rubric", in_chinese(pottery.rubric()))}
    texts["brief"] = f"---\nlanguage: {language}\n---\n\n" + texts["brief"].removeprefix("---\nlanguage: en\n---\n").lstrip()
    del texts["evaluation-prompt"]
    there = read(texts)
    assert all(not document.findings for document in there if document.kind == "evaluation-rubric")
    answers = {outcome.gate: (outcome.answer, outcome.findings) for outcome in check(there) if outcome.gate in OF_RUBRIC}
    assert {gate: answer for gate, answer in answers.items() if answer[0] != "holds"} == {}
    assert len(answers) >= 25


@pytest.mark.parametrize("language", ["de", "es"])
def test_a_rubric_written_in_the_language(language: str) -> None:
    answers = {outcome.gate: outcome.answer for outcome in check(documents_in(language)) if outcome.gate in OF_RUBRIC}
    assert set(answers.values()) == {"holds"}


def test_a_chinese_ruling_that_quotes_what_nobody_said_is_found() -> None:
    rubric = in_chinese(pottery.rubric())
    first = rubric.categories[0].questions[0]
    false = msgspec.structs.replace(first.rulings[1], why="「以后再说」没有处理。")
    changed = msgspec.structs.replace(first, rulings=(first.rulings[0], false))
    safety = msgspec.structs.replace(rubric.categories[0], questions=(changed, *rubric.categories[0].questions[1:]))
    texts = written() | {
        "evaluation-rubric": documents.render(
            "evaluation-rubric", msgspec.structs.replace(rubric, categories=(safety, *rubric.categories[1:]))
        )
    }
    found = next(outcome for outcome in check(read(texts)) if outcome.gate == "rulings.quotes")
    assert [finding.item for finding in found.findings] == ["SF1"]
