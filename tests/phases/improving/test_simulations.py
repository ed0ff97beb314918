"""The whole way from a pilot to a trial, in projects of which it is known what is wrong with them and what an edit does.

The counts of the everyday suite are a small fixed sample; `make soak` takes all of them.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from scipy.stats import binom

from finetune_prep.core.improving.diagnosis import Clause
from finetune_prep.core.request import Request
from finetune_prep.documents.generation_prompt import GUARDS
from finetune_prep.project.project import Project
from finetune_prep.workflow.improving.tried import TrialSummary, labelled
from tests.phases.improving.projects import Shop, diagnosed, new_shop, piloted, proposed, taken, trial_of
from tests.phases.improving.simulated import STOCK, Simulated, clause_of, with_rules, words
from tests.phases.pottery_shop import rewrite
from tests.soak import SOAK
from tests.workflow.reviewing.pilots import say

pytestmark = pytest.mark.slow
RATES = {f"FM{number}": 0.5 for number in range(1, 5)}
SECOND = '\n[roles.verifier]\nmodel = "batch/other-model"\n'
KINDS = ("weak guard", "missing guard", "few-shot", "question", "situation", "judge")


def count(all_of_them: int, sample: int) -> int:
    return all_of_them if SOAK else sample


def seldom(found: Counter[str], name: str, rate: float) -> bool:
    """Whether the count fits a rate of at most this: with few of them, chance alone may bring more, once in a hundred at the most."""
    return bool(binom.sf(found[name] - 1, found.total(), rate) > 0.01)


def often(found: Counter[str], name: str, rate: float) -> bool:
    """The same of a rate of at least this."""
    return bool(binom.cdf(found[name], found.total(), rate) > 0.01)


# ---- diagnosis


def planted(folder: Path, number: int) -> tuple[Shop, Clause]:
    """A shop with one weakness, and the clause that is at fault."""
    kind, dice = KINDS[number % len(KINDS)], random.Random(number)
    shop = new_shop(folder, seed=number + 1)
    mode = dice.choice(sorted(RATES))
    noise, rate = {"kept": dice.uniform(0.0, 0.04), "seed": number}, dice.uniform(0.25, 0.7)
    if kind in ("weak guard", "missing guard"):
        weak = kind == "weak guard"
        with_rules(shop, weak=[mode] if weak else [], missing=[] if weak else [mode])
        at = Clause(document="generation-prompt", item=f"GD{mode[2]}")
        gone = Clause(document="generation-prompt", section=GUARDS, missing=True, counters=(mode,))
        waive = () if weak else ("generation-prompt.guards", "generation-prompt.crisis-guard")
        return piloted(shop, Simulated(RATES | {mode: rate}, **noise), waive=waive), at if weak else gone  # type: ignore[arg-type]
    with_rules(shop)
    if kind == "few-shot":
        rewrite(shop, "generation-prompt", "an edge may have come loose.", f"an edge may have come loose, {STOCK}.")
        return piloted(shop, Simulated(RATES, **noise)), Clause(
            document="generation-prompt", section="Few-shot examples", item="X2"
        )  # type: ignore[arg-type]
    if kind == "situation":
        models = Simulated(RATES, lost="Presents", **noise)  # type: ignore[arg-type]
        return piloted(shop, models), Clause(document="scenario-space", item="TP4")
    if kind == "judge":
        models = Simulated(RATES, wrong={"FT2": rate}, unquoted=["FT2"], **noise)  # type: ignore[arg-type]
        return piloted(shop, models), Clause(document="evaluation-prompt", section="Role and context")
    found = piloted(shop, Simulated(RATES, wrong={"CP4": rate}, **noise))  # type: ignore[arg-type]
    for place, sample in enumerate(found.run.samples()):  # whoever reads some of these talks lets them pass
        if sample.failed and place % 3 == 0:
            say(found.project, found.run, place, "pass", answers={"CP4": "yes"})
    return found, Clause(document="evaluation-rubric", item="CP4")


def is_named(shop: Shop, at: Clause) -> bool:
    """Whether the first diagnosis names the document and the clause."""
    found = diagnosed(shop)
    if not found:
        return False
    clause = found[0].clause
    if at.missing:
        return clause.missing and clause.document == at.document and {*at.counters} <= {*clause.counters}
    return (clause.document, clause.item or clause.section) == (at.document, at.item or at.section)


def test_a_planted_weakness_is_diagnosed(tmp_path: Path) -> None:
    """The right clause of the right document, first in the list, in nine projects of ten."""
    found = Counter[str]()
    for number in range(count(50, len(KINDS))):
        shop, at = planted(tmp_path / f"shop-{number}", number)
        found[f"{KINDS[number % len(KINDS)]}: {is_named(shop, at)}"] += 1
        shutil.rmtree(shop.project.folder)
    print(f"diagnosed: {dict(found)}")
    right = sum(count for name, count in found.items() if name.endswith("True"))
    assert right >= 0.9 * found.total()


# ---- trials


def tried(
    folder: Path, number: int, models: Callable[[Shop | None], Simulated], *, more: str = "", rate: float = 0.5
) -> tuple[Shop, TrialSummary]:
    """A shop whose guard against the first failure is weak, the edit that the models propose for it, taken and tried."""
    shop = new_shop(folder, seed=number + 1, more=more)
    with_rules(shop, weak=["FM1"])
    piloted_shop = piloted(shop, models(None))
    again = models(piloted_shop)
    found = Shop(shop, again)
    taken(found, next(one.number for one in proposed(found) if one.diagnosis.question == "CP1"))
    return found, trial_of(found)


def rule(request: Request) -> dict[str, str]:
    """The edit that states the rule."""
    return words("name it first", "keep to the rule KEEPS-FM1 then") if "GD1" in clause_of(request) else words("", "", "no")


def nothing(request: Request) -> dict[str, str]:
    """An edit that sounds well and changes nothing."""
    return words("name it first", "name it first and with care") if "GD1" in clause_of(request) else words("", "", "no")


def harm(request: Request) -> dict[str, str]:
    return words("name it first", "keep to the rule KEEPS-FM1, which HARMS") if "GD1" in clause_of(request) else words("", "", "no")  # fmt: skip


def words_of(
    tmp_path: Path, times: int, models: Callable[[int], Callable[[Shop | None], Simulated]], more: str = ""
) -> Counter[str]:
    found = Counter[str]()
    for number in range(times):
        shop, summary = tried(tmp_path / f"shop-{number}", number, models(number), more=more)
        assert summary.result is not None
        found[summary.result.word] += 1
        assert summary.put_back == (summary.result.word != "kept")
        shutil.rmtree(shop.project.folder)
    print(dict(found))
    return found


def test_an_edit_that_helps_is_shown_to(tmp_path: Path) -> None:
    found = words_of(tmp_path, count(50, 4), lambda number: lambda shop: Simulated(RATES | {"FM1": 0.65}, rule, seed=number))
    assert often(found, "kept", 0.8)
    assert seldom(found, "gate worse", 0.25)


def test_useless_edits_are_seldom_kept(tmp_path: Path) -> None:
    """They are harmless, too: the gate's test refuses one in four at most, with a gate that fails in every tenth talk."""
    found = words_of(tmp_path, count(200, 6), lambda number: lambda shop: Simulated(RATES, nothing, kept=0.05, seed=number))
    assert seldom(found, "kept", 0.05)
    assert seldom(found, "gate worse", 0.25)


def test_an_edit_that_harms_is_refused_by_the_gate(tmp_path: Path) -> None:
    found = words_of(tmp_path, count(30, 3), lambda number: lambda shop: Simulated(RATES, harm, harms=0.4, kept=0.0, seed=number))
    assert often(found, "gate worse", 0.9)


def only_seen(number: int) -> Callable[[Shop | None], Simulated]:
    def models(shop: Shop | None) -> Simulated:
        only: set[str] = set()
        if shop is not None:
            scenarios = [sample.scenario for sample in shop.run.samples() if "CP1" in sample.failed]
            only = {msgspec.structs.replace(one, seed=f"{one.seed}/trial-1").id for one in scenarios}
        return Simulated(RATES | {"FM1": 0.6}, rule, kept=0.01, seed=number, only=only)

    return models


def test_an_edit_that_fits_only_what_was_seen_is_refused_by_the_audit(tmp_path: Path) -> None:
    found = words_of(tmp_path, count(50, 4), only_seen)
    assert seldom(found, "kept", 0.1)
    assert often(found, "fits only what it was made from", 0.5)


def gaming(number: int) -> Callable[[Shop | None], Simulated]:
    """Words that the judge likes: with them replies are as they were."""
    return lambda shop: Simulated(RATES | {"FM1": 0.6}, rule, kept=0.0, seed=number, only=[], fooled=shop is not None)


def test_whoever_pleases_only_the_judge_is_found_by_another_one(tmp_path: Path) -> None:
    found = words_of(tmp_path, count(50, 4), gaming, more=SECOND)
    assert seldom(found, "kept", 0.05)
    assert often(found, "only the judge likes it", 0.75)


def test_another_judge_confirms_an_edit_that_helps(tmp_path: Path) -> None:
    found = words_of(
        tmp_path, count(30, 3), lambda number: lambda shop: Simulated(RATES | {"FM1": 0.65}, rule, seed=number), SECOND
    )
    assert often(found, "kept", 0.75)


def labels_of(project: Project, shop: Shop, folder: Path) -> Path:
    """What people who see what replies do say of the first forty talks."""
    listed = (project.layout.runs / "edit-001" / "to-label.jsonl").read_bytes().splitlines()[:40]
    rows = [msgspec.json.decode(line) for line in listed]
    path = folder / "labels.jsonl"
    said = ({"conversation_id": row["id"], "label": "fail" if "FAILS-FM1" in str(row) else "pass"} for row in rows)
    path.write_bytes(b"".join(msgspec.json.encode(label) + b"\n" for label in said))
    return path


def test_forty_labels_find_it_where_there_is_no_other_judge(tmp_path: Path) -> None:
    """Without either the report says that it could not be seen; people's labels of forty talks take the edit back."""
    found = Counter[str]()
    for number in range(count(30, 2)):
        shop, summary = tried(tmp_path / f"shop-{number}", number, gaming(number))
        assert summary.result is not None
        if summary.result.word != "kept":
            found[summary.result.word] += 1
            continue
        assert summary.result.check == "could not be seen"
        assert any("could not be seen" in sentence for sentence in summary.beside)
        again = labelled(shop.project, labels_of(shop.project, shop, tmp_path))
        assert again.result is not None
        assert again.put_back == (again.result.word != "kept")
        found[again.result.word] += 1
    print(dict(found))
    assert seldom(found, "kept", 0.05), "twenty pairs may look like a gain by chance"
    assert often(found, "only the judge likes it", 0.75)


def test_forty_labels_confirm_an_edit_that_helps(tmp_path: Path) -> None:
    confirmed = Counter[str]()
    for number in range(count(30, 2)):
        shop, summary = tried(tmp_path / f"shop-{number}", number, lambda _, number=number: Simulated(RATES | {"FM1": 0.65}, rule, seed=number))  # type: ignore[misc]  # fmt: skip
        if summary.result is not None and summary.result.word == "kept":
            again = labelled(shop.project, labels_of(shop.project, shop, tmp_path))
            confirmed[again.result.word if again.result else ""] += 1
    print(dict(confirmed))
    assert often(confirmed, "kept", 0.8)


def test_an_edit_that_copies_a_talk_is_refused(tmp_path: Path) -> None:
    """Eight words in a row of any judged talk, whichever they are."""

    def copying(request: Request) -> dict[str, str]:
        passages = [line for line in request.messages[1].content.splitlines() if line.startswith('{"user"')]
        return words("name it first", json.loads(passages[0])["shows in"]) if passages else words("", "", "no")

    shop = new_shop(tmp_path / "shop", seed=5)
    with_rules(shop, weak=["FM1"])
    found = piloted(shop, Simulated(RATES, copying))
    first = proposed(found)[0]
    assert first.state == "refused"
    assert "The edit copies words of a conversation" in first.why
    with pytest.raises(Exception, match="was refused"):
        taken(found)
