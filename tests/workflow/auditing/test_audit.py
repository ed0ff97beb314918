"""An audit finds what was planted, by its name and its rows, and leaves sound sets alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import draw, fair_order, quotas
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.exports.splits import Split, family_of
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.auditing.audit import audit
from finetune_prep.workflow.auditing.flags import Flag
from finetune_prep.workflow.auditing.standing import Audited, audited
from tests.exports.samples import written
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.soak import SOAK
from tests.workflow.auditing.sets import said, saying, scaled, talk

ROWS = 60
Change = Callable[[list[Sample]], list[Sample]]


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    found = pottery_project(tmp_path / "shop")
    accept_all(found)
    return found


def red(found: Audited, check: str) -> Flag:
    """The only red flag, which is of this check."""
    (flag,) = found.red
    assert flag.check == check
    return flag


def audit_of(shop: Project, change: Change, rows: int = ROWS, **more: Any) -> Audited:
    scaled(shop, rows, change=change)
    return audit(shop, **more)


@pytest.mark.parametrize("seed", range(20 if SOAK else 4))
def test_a_sound_set_gets_no_red_flag(shop: Project, seed: int) -> None:
    scaled(shop, 2_000 if SOAK else ROWS, seed)
    assert audit(shop).red == ()


def test_the_same_words_twice(shop: Project) -> None:
    found = audit_of(shop, lambda rows: [*rows[:-1], msgspec.structs.replace(rows[-1], conversation=rows[0].conversation)])
    assert len(red(found, "duplicates").rows) == 1


def test_near_duplicates_are_red_where_they_are_many(shop: Project) -> None:
    def copied(rows: list[Sample]) -> list[Sample]:
        alike = [saying(rows[n], said(rows[n]).replace(" the ", " a ", 1)) for n in range(5)]
        return [
            *rows[:-5],
            *(msgspec.structs.replace(rows[-5 + n], conversation=one.conversation) for n, one in enumerate(alike)),
        ]

    flag = red(audit_of(shop, copied), "near-duplicates")
    assert len(flag.rows) == 5
    assert all("the same as " in line for line in flag.details)


def test_a_test_set_word_for_word_and_a_run_of_thirteen_words(shop: Project, tmp_path: Path) -> None:
    exam = tmp_path / "exam.jsonl"
    asked = (
        "Which of our four old glazes can be put into a dishwasher every day without losing their colour or their shine at all?"
    )
    lines = [
        {"messages": [{"role": "system", "content": "You sell bowls."}, {"role": "user", "content": asked}]},
        {"prompt": "Nothing of this stands in any row that the shop has ever made or will make, not one run of it."},
        {"question": "Too short."},
    ]
    exam.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    run13 = " ".join(asked.split()[:14])

    def leaked(rows: list[Sample]) -> list[Sample]:
        return [saying(rows[0], asked, 0), saying(rows[1], f"{said(rows[1])} {run13} of them?"), *rows[2:]]

    found = audit_of(shop, leaked, against=(exam,))
    flag = red(found, "test-set")
    assert len(flag.rows) == 2
    assert all("exam.jsonl:1" in line for line in flag.details)
    assert found.compared == 2


def test_a_set_phrase_of_the_domain_is_no_copy(shop: Project, tmp_path: Path) -> None:
    """What every tenth row says is how this shop speaks, also where the test set says it."""
    phrase = "If you are in danger right now please call the emergency number of your country before you read on."
    exam = tmp_path / "exam.jsonl"
    exam.write_text(
        json.dumps({"prompt": f"{phrase} Then tell me which oven suits stoneware that was glazed on both of its sides."})
    )
    found = audit_of(
        shop,
        lambda rows: [saying(row, f"{said(row)} {phrase}") if n % 10 == 0 else row for n, row in enumerate(rows)],
        against=(exam,),
    )
    assert found.red == ()


def test_a_test_set_of_the_same_situations_in_other_words(shop: Project, tmp_path: Path) -> None:
    space = shop.value(Documents.space)
    exam = tmp_path / "samples.jsonl"
    wanted = [draw(space, *candidate, 99) for candidate in fair_order(quotas(space, 3), 99)]
    samples = [Sample(scenario=scenario, state="accepted", conversation=talk(scenario, 77), score=1.0) for scenario in wanted]
    exam.write_bytes(b"".join(msgspec.json.encode(sample) + b"\n" for sample in samples))
    scaled(shop, ROWS)
    flag = red(audit(shop, against=(exam,)), "test-set")
    assert "are of the same situations as samples.jsonl, in other words" in flag.what


def test_few_shots_and_the_judges_examples_are_not_trained(shop: Project) -> None:
    shot = shop.value(Documents.generation_prompt).few_shots[0]
    flag = red(
        audit_of(shop, lambda rows: [msgspec.structs.replace(rows[0], conversation=shot.conversation), *rows[1:]]), "examples"
    )
    assert f"example {shot.id}" in flag.details[0]


@pytest.mark.parametrize("character", ["\u202e", "\ufeff", "\u2063", "\U000e0041", "\x07"])
def test_characters_that_nobody_sees(shop: Project, character: str) -> None:
    found = audit_of(
        shop,
        lambda rows: [
            saying(row, f"{said(row)[:20]}{character}{said(row)[20:]}") if n < 50 else row for n, row in enumerate(rows)
        ],
    )
    assert len(red(found, "invisible-characters").rows) == 50


def test_a_reply_in_another_language(shop: Project) -> None:
    german = (
        "Die Schüssel wird heute noch einmal gebrannt, danach kühlt sie zwei Tage lang ab und geht am Freitag mit der Post an Sie, "
        "wenn das Wetter so trocken bleibt wie in der letzten Woche."
    )
    chinese = "这只碗今天会再烧制一次，然后冷却两天，如果天气像上周一样干燥，星期五就会寄给您，请您耐心等待几天。"
    found = audit_of(shop, lambda rows: [saying(rows[0], german), saying(rows[1], chinese), *rows[2:]])
    assert [line.rpartition(": ")[2] for line in red(found, "language").details] == ["de", "zh"]


def test_a_stock_phrase_in_most_replies(shop: Project) -> None:
    def habit(rows: list[Sample]) -> list[Sample]:
        changed = []
        for number, row in enumerate(rows):
            for place in range(1, len(row.conversation.messages), 2) if row.conversation and number % 10 < 7 else ():
                words = said(row, place).split()
                row = saying(row, " ".join([*words[:9], "and that is not nothing,", *words[9:]]), place)
            changed.append(row)
        return changed

    flag = red(audit_of(shop, habit), "stock-phrases")
    assert "“and that is not nothing” stands in 7" in flag.what


def test_openings_that_recur(shop: Project) -> None:
    def opened(rows: list[Sample]) -> list[Sample]:
        changed = []
        for number, row in enumerate(rows):
            for place in range(1, len(row.conversation.messages), 2) if row.conversation and number % 5 < 3 else ():
                row = saying(row, f"Thank you for asking. {said(row, place)}", place)
            changed.append(row)
        return changed

    found = audit_of(shop, opened)
    assert any("of the replies begin with “thank you for”" in flag.what for flag in found.red)


def test_personal_data_is_named_masked_with_what_to_do_and_changes_nothing(shop: Project) -> None:
    def with_contacts(rows: list[Sample]) -> list[Sample]:
        return [
            saying(rows[0], f"{said(rows[0], 0)} I am at maria.keller@gmail.com or +44 7911 123456.", 0),
            saying(rows[1], f"{said(rows[1])} You paid with 4539 1488 0343 6467, order 4021 7788 12, on 2026-11-30."),
            saying(rows[2], f"{said(rows[2])} Write to anybody@shop.example."),
            *rows[3:],
        ]

    run = scaled(shop, ROWS, change=with_contacts)
    before = run.samples_path.read_bytes()
    found = audit(shop)
    first, second, _ = (sample.scenario.id for sample in run.samples()[:3])
    assert found.red == (), "it is for a person to say"
    (flag,) = [flag for flag in found.flags if flag.check == "personal-data"]
    assert flag.rows == (first, second)
    assert "2 rows hold what may be personal data (1 e-mail address, 1 telephone number, 1 card number)" in flag.what
    assert "finetune-prep drop ID --because" in flag.advice
    assert found.personal is not None
    last = run.samples()[1].conversation
    assert last is not None
    assert [(one.row, one.turn, one.role, one.kind) for one in found.personal] == [
        (first, 1, "user", "e-mail address"),
        (first, 1, "user", "telephone number"),
        (second, len(last.messages), "assistant", "card number"),
    ]
    assert any("names are not looked for" in line for line in found.cannot_tell)
    assert run.samples_path.read_bytes() == before
    page = (run.folder / "audit.html").read_text("utf-8")
    written = page + (run.folder / "audit.json").read_text("utf-8")
    assert f"{first}, message 1 (user): e-mail address m…@g….com" in page
    assert not [secret for secret in ("keller", "7911", "4539", "1488") if secret in written]
    assert audited(shop, run) == found


def test_contacts_that_the_facts_state_are_the_projects_own(shop: Project) -> None:
    mine = "kiln@larch-pottery.com"
    for path in shop.folder.rglob("*.md"):
        path.write_text(path.read_text("utf-8").replace("kiln@shop.example", mine), "utf-8")
    changed = open_project(shop.folder)
    accept_all(changed)
    assert any(mine in line for line in changed.value(Documents.knowledge).stated)
    found = audit_of(changed, lambda rows: [saying(rows[0], f"{said(rows[0])} Write to {mine} or potter@gmail.com."), *rows[1:]])
    assert [one.masked for one in found.personal or ()] == ["p…@g….com"]


def test_personal_data_that_nobody_looked_for_is_not_taken_for_none(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stdnum", None)
    found = audit_of(shop, lambda rows: [saying(rows[0], f"{said(rows[0])} I am at maria.keller@gmail.com."), *rows[1:]])
    assert found.personal is None
    assert not [flag for flag in found.flags if flag.check == "personal-data"]
    assert any("nobody looked" in line and "pip install" in line for line in found.cannot_tell)


def test_rows_on_both_sides_of_a_split(shop: Project, tmp_path: Path) -> None:
    run = scaled(shop, ROWS)
    samples = run.samples()
    first = samples[0]
    twin = next(number for number, sample in enumerate(samples) if family_of(sample) != family_of(first))
    samples[twin] = saying(msgspec.structs.replace(samples[twin], conversation=first.conversation), f"{said(first)} Indeed.")
    written(shop.layout.dataset, samples, split=Split(frozenset({family_of(first)})))
    flag = red(audit(shop), "splits")
    assert "1 row says in validation.jsonl nearly what one in train.jsonl says" in flag.what


def test_what_no_row_shows_is_yellow(shop: Project) -> None:
    def without(rows: list[Sample]) -> list[Sample]:
        return [
            msgspec.structs.replace(row, state="rejected", failed=("CP1",)) if row.scenario.cell.topic == "TP3" else row
            for row in rows
        ]

    found = audit_of(shop, without)
    assert found.red == ()
    assert any("no row has this topic: TP3" in flag.what for flag in found.flags)
    assert sum(found.coverage["cell"].values()) == found.rows < ROWS


def test_what_a_person_dropped_is_not_looked_at_and_the_audit_is_due_again(shop: Project) -> None:
    run = scaled(shop, ROWS, change=lambda rows: [saying(rows[0], f"{said(rows[0])}\u202e"), *rows[1:]])
    (row,) = red(audit(shop), "invisible-characters").rows
    assert audited(shop, run) is not None
    gone = next(sample for sample in run.samples() if sample.scenario.id == row)
    assert gone.conversation is not None
    shop.decide(
        Decision(decision="drop", by="Ada", at="2026-11-29T10:00:00+00:00", text=gone.conversation.id, because="it hides")
    )
    assert audited(shop, run) is None, "it spoke of other rows"
    found = audit(shop)
    assert (found.red, found.rows) == ((), ROWS - 1)
    assert audited(shop, run) == found


def test_without_rows_or_with_files_that_cannot_be_read_it_says_so(shop: Project, tmp_path: Path) -> None:
    with pytest.raises(ActNeeded, match="there is no pilot"):
        audit(shop)
    scaled(shop, 10)
    with pytest.raises(UsageError, match="there is no such file"):
        audit(shop, against=(tmp_path / "nowhere.jsonl",))
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"prompt": "A row that can be read and that stands in no conversation of ours at all."}\n{"prompt": \n')
    found = audit(shop, against=(broken,))
    assert [finding.line for finding in found.findings] == [2]
    assert found.red == ()
