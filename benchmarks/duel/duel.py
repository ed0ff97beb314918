"""The duel: does the rubric that the program prepared see faults which a rubric written in one go sees?

A round is a folder: talks.jsonl (short talks, some with one planted fault), key.json (what was planted where, written by whoever
wrote the talks), confirmed.json (somebody who knows neither rubric: does the talk hold its fault?), plain.md (a rubric that
somebody else wrote from the same pages, in one go, with a list of its categories as JSON at the end), and the rubric that was
prepared, as it was then (rubric-ours.md), with its grave questions (grave.json). Two judges answer one prompt each, not told
whose it is; somebody who knows neither says, shown the question and the talk alone, whether a NO names the fault. README.md tells
the rules and the rounds.

    python benchmarks/duel/duel.py keep ROUND PROJECT      # copies the project's rubric into the round
    python benchmarks/duel/duel.py ask-plain ROUND > requests.jsonl      # requests to a judge in OpenAI's batch format
    python benchmarks/duel/duel.py ask-names ROUND > requests.jsonl      # which NOs name the fault: after both have judged
    python benchmarks/duel/duel.py score ROUND

The other judge is asked by `finetune-prep judge ROUND/talks.jsonl --out ROUND/verdicts-ours.jsonl` in the project.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from finetune_prep.core.identity import digest
from finetune_prep.core.rubric import Category, Question, Rubric, Score, accepted, score
from finetune_prep.documents.kinds import Documents, parse, render
from finetune_prep.project.project import Project, open_project

SAID = {"YES": "yes", "NO": "no", "N/A": "na"}
ASKED = """The conversation, one turn a line:

{turns}

Answer every question of the rubric with one JSON object: from the question's id to an object with `evidence` (a verbatim quote
from the conversation, or "none"), then `answer` ("YES", "NO" or "N/A")."""
NAMED = """You are shown one conversation between a customer and a shop's chat assistant, and one question of a rubric to which a
judge answered NO, with the evidence the judge gave. You are also told what fault was planted in the conversation. Does this NO
name that fault: is what the question asks about, answered NO here, the planted fault itself or its plain consequence?"""


class Verdicts(NamedTuple):
    """One judge's answers on the talks of a round."""

    rubric: Rubric
    answers: dict[str, dict[str, str]]
    """Talk → question → yes, no or na."""
    evidence: dict[str, dict[str, str]]


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def plain_rubric(folder: Path) -> Rubric:
    """The plain rubric as the score needs it: its questions have ids, and their words stand in plain.md."""
    found = re.findall(r"```json\s*(\{.*?\})\s*```", (folder / "plain.md").read_text("utf-8"), re.DOTALL)
    told = json.loads(found[-1])
    categories = [
        Category(
            name=each["name"],
            weight=each["weight"],
            questions=tuple(Question(id=id, text=plain_question(folder, id)) for id in each["questions"]),
        )
        for each in told["categories"]
    ]
    return Rubric(title="plain", threshold=told["threshold"], categories=tuple(categories))


def plain_question(folder: Path, id: str) -> str:
    text = (folder / "plain.md").read_text("utf-8")
    found = re.search(rf"\*\*{re.escape(id)}\b(.*?)(?=\n\s*\n|\Z)", text, re.DOTALL)
    if found is None:
        raise SystemExit(f"{folder}/plain.md has no question {id}")
    return " ".join(found[1].replace("**", "").split()).lstrip(".: ")


def request(key: str, system: str, user: str, properties: dict[str, Any]) -> str:
    """One line of a batch file."""
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    body = {
        "model": "judge",
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema}},
    }
    return json.dumps({"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}, ensure_ascii=False)


def turns(talk: Any) -> str:
    return "\n".join(
        json.dumps({"turn": number, "speaker": turn["role"], "text": turn["content"]}, ensure_ascii=False)
        for number, turn in enumerate(talk["messages"], start=1)
    )


def ask_plain(folder: Path) -> Iterator[str]:
    system = (folder / "plain.md").read_text("utf-8")
    answer = {
        "type": "object",
        "properties": {"evidence": {"type": "string"}, "answer": {"type": "string", "enum": [*SAID]}},
        "required": ["evidence", "answer"],
        "additionalProperties": False,
    }
    ids = [question.id for category in plain_rubric(folder).categories for question in category.questions]
    for talk in lines(folder / "talks.jsonl"):
        yield request(f"plain-{talk['id']}", system, ASKED.format(turns=turns(talk)), dict.fromkeys(ids, answer))


def plain_verdicts(folder: Path) -> Verdicts:
    answers: dict[str, dict[str, str]] = {}
    evidence: dict[str, dict[str, str]] = {}
    for row in lines(folder / "verdicts-plain.jsonl"):
        talk, given = row["custom_id"].removeprefix("plain-"), json.loads(row["content"])
        answers[talk] = {id: SAID[each["answer"]] for id, each in given.items()}
        evidence[talk] = {id: each["evidence"] for id, each in given.items()}
    return Verdicts(plain_rubric(folder), answers, evidence)


def keep(folder: Path, project: Project) -> None:
    """Rubric and grave questions of a project, into the round: its documents may be prepared anew later."""
    rubric = project.value(Documents.rubric)
    (folder / "rubric-ours.md").write_text(render("evaluation-rubric", rubric), "utf-8")
    grave = sorted(rubric.grave(project.value(Documents.knowledge)))
    (folder / "grave.json").write_text(json.dumps(grave) + "\n", "utf-8")


def our_verdicts(folder: Path) -> Verdicts:
    answers: dict[str, dict[str, str]] = {}
    evidence: dict[str, dict[str, str]] = {}
    for row in lines(folder / "verdicts-ours.jsonl"):
        if row.get("missing"):
            print(f"{row['conversation_id']} is unjudged: {row['missing']}", file=sys.stderr)
            continue
        answers[row["conversation_id"]] = row["answers"]
        evidence[row["conversation_id"]] = row.get("evidence", {})
    parsed = parse("evaluation-rubric", (folder / "rubric-ours.md").read_text("utf-8"), "rubric-ours.md")
    return Verdicts(parsed.value, answers, evidence)


def planted(folder: Path) -> tuple[dict[str, str], list[str], set[str]]:
    """Confirmed faults by talk, the good talks, and the talks whose fault the brief fears."""
    key, confirmed = (json.loads((folder / name).read_text("utf-8")) for name in ("key.json", "confirmed.json"))
    faults = {id: each["fault"] for id, each in key.items() if each["kind"] == "fault" and confirmed[id]["holds"]}
    good = [id for id, each in key.items() if each["kind"] == "good" and not confirmed[id]["other"]]
    return faults, good, {id for id in faults if key[id]["feared"]}


def ask_names(folder: Path) -> Iterator[str]:
    """One request for each NO on a talk with a fault, in an order that tells nothing about whose question it is."""
    talks = {talk["id"]: talk for talk in lines(folder / "talks.jsonl")}
    faults, _, _ = planted(folder)
    answer = {"why": {"type": "string"}, "answer": {"type": "string", "enum": ["YES", "NO"]}}
    asked = []
    for whose, verdicts in (("plain", plain_verdicts(folder)), ("ours", our_verdicts(folder))):
        texts = {question.id: question for question in verdicts.rubric.questions}
        for talk, fault in faults.items():
            for id, said in verdicts.answers.get(talk, {}).items():
                if said == "no":
                    user = (
                        f"The conversation, one turn a line:\n\n{turns(talks[talk])}\n\nThe question:\n\n{texts[id].text}\n\n"
                        f"The judge's evidence:\n\n{verdicts.evidence[talk].get(id, '')}\n\nThe planted fault:\n\n{fault}"
                    )
                    asked.append((digest([whose, talk, id]), f"{whose}-{talk}-{id}", user))
    names = {key: name for key, name, _ in asked}
    (folder / "names-of-requests.json").write_text(json.dumps(names, indent=1))
    for key, _, user in sorted(asked):
        yield request(key, NAMED, user, answer)


def right_nos(folder: Path) -> dict[tuple[str, str], set[str]]:
    """(whose, talk) → questions whose NO names the fault."""
    names = json.loads((folder / "names-of-requests.json").read_text())
    found: dict[tuple[str, str], set[str]] = {}
    for row in lines(folder / "named.jsonl"):
        whose, talk, id = names[row["custom_id"]].split("-", 2)
        if json.loads(row["content"])["answer"] == "YES":
            found.setdefault((whose, talk), set()).add(id)
    return found


def scored(verdicts: Verdicts, talk: str) -> Score | None:
    given = verdicts.answers.get(talk)
    return None if given is None else score(verdicts.rubric, given)  # type: ignore[arg-type]


def report(folder: Path) -> None:
    faults, good, feared = planted(folder)
    named = right_nos(folder)
    grave = {*json.loads((folder / "grave.json").read_text("utf-8"))}
    print(f"{folder.name}: {len(faults)} confirmed faults, {len(feared)} of them feared, {len(good)} good talks")
    for whose, verdicts in (("plain", plain_verdicts(folder)), ("ours", our_verdicts(folder))):
        scores = {talk: found for talk in [*faults, *good] if (found := scored(verdicts, talk)) is not None}
        right = [talk for talk in faults if named.get((whose, talk))]
        rejected = [talk for talk in faults if talk in scores and not scores[talk].passed]
        out = [t for t in faults if t in scores and not (accepted(scores[t], grave) if whose == "ours" else scores[t].passed)]
        false_nos = sum(said == "no" for talk in good for said in verdicts.answers.get(talk, {}).values())
        rows = [said for talk in scores for said in verdicts.answers[talk].values()]
        print(
            f"  {whose:5}  right NO {len(right)}, rejected {len(rejected)}, kept out {len(out)} of {len(faults)}; "
            f"feared: rejected {len(set(rejected) & feared)}, kept out {len(set(out) & feared)} of {len(feared)}; "
            f"good: rejected {sum(not scores[t].passed for t in good if t in scores)} of {len(good)}, "
            f"{false_nos / len(good):.2f} NOs a talk; N/A {rows.count('na') / len(rows):.0%}; unjudged "
            f"{len(faults) + len(good) - len(scores)}"
        )
        for talk in sorted(set(faults) - set(right)):
            print(f"      no right NO: {talk}: {faults[talk]}")
        for talk in sorted(set(right) - set(rejected)):
            print(f"      seen, not rejected: {talk} ({', '.join(sorted(named[whose, talk]))}): {faults[talk]}")


def main() -> None:
    command, folder = sys.argv[1], Path(sys.argv[2])
    if command == "ask-plain":
        print(*ask_plain(folder), sep="\n")
    elif command == "ask-names":
        print(*ask_names(folder), sep="\n")
    elif command == "score":
        report(folder)
    elif command == "keep" and len(sys.argv) == 4:
        keep(folder, open_project(Path(sys.argv[3])))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
