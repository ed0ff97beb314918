"""Everybody who is asked on the way through phases 1 to 5 of the pottery shop, for the `scripted` provider.

Each answers in the form that was asked for, from the sound documents of tests/gates/pottery; a test changes what it wants to see.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.request import Reply, Request
from finetune_prep.core.rubric import Example, Question
from finetune_prep.core.verdict import STEERING
from finetune_prep.phases.drafting.draft import Strict
from finetune_prep.phases.drafting.examples_draft import ExamplesDraft, FewShotsDraft, JudgeDraft
from finetune_prep.phases.drafting.patching import SUFFIX, walk
from finetune_prep.phases.prompts.guidance_draft import GuidanceDraft
from finetune_prep.phases.research.knowledge_draft import KnowledgeDraft
from finetune_prep.phases.research.scenario_space_draft import SpaceDraft
from finetune_prep.phases.rubric.anchors_draft import AnchorsDraft
from finetune_prep.phases.rubric.rubric_draft import RubricDraft, RulingsDraft
from finetune_prep.project.beginning import scaffold
from finetune_prep.project.project import Project, open_project
from tests.gates import pottery
from tests.phases.pottery_shop import judge

Draft = dict[str, Any]
QUOTES = {"S01": pottery.HANDBOOK, "S02": pottery.MISTAKES}
CLAIMS = {
    "damaged.md": [
        "Say what went wrong before you say sorry",
        "Ask one thing, then wait",
        "A customer who writes twice has\nwaited twice",
        "Name the desk that decides",
        "Send photographs to the\nkiln room",
    ],
    "mistakes.md": [
        "never named the bowl",
        "promised a refund that nobody could grant",
        "cuts from glaze are harmless",
        "asked for\nthe full card number",
    ],
}


def pottery_sources(folder: Path, **settings: int) -> Project:
    """A project with a brief, two sources and nothing that was made. settings: of finetune-prep.toml."""
    config = scaffold.config_text("pottery", "batch/any-model", "", "", year=2026)
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    scaffold.create(folder, f"# Support for a pottery shop\n\n{pottery.BRIEF}\n", lines + config)
    (folder / "sources" / "damaged.md").write_text(pottery.HANDBOOK, "utf-8")
    (folder / "sources" / "mistakes.md").write_text(pottery.MISTAKES, "utf-8")
    return open_project(folder)


def pottery_people(**changed: Callable[[Request, Draft], Draft]) -> Callable[[Request], Reply]:
    """An answer for every request. changed: by the name of a schema (with _ for -), what is made of the usual answer."""
    judges = judge()

    def answer(request: Request) -> Reply:
        return Reply(text=said(request), served_model=request.model, at="2026-11-20T10:00:00Z")

    def said(request: Request) -> str:
        if request.role == "judge":
            told = re.search(r"\bA cracked ([A-Z]{2}\d) bowl\.", request.messages[-1].content)
            return failing(request, told[1]) if told else judges(request)
        if request.schema is None:
            return "You play a customer of a small shop. You write as people type."
        name = request.schema.name.removesuffix(SUFFIX).replace("-", "_")
        draft = DRAFTS[name](request)
        change = changed.get(name)
        draft = change(request, draft) if change else draft
        return msgspec.json.encode(patch(request, name, draft) if request.schema.name.endswith(SUFFIX) else draft).decode()

    return answer


def failing(request: Request, question: str) -> str:
    """A verdict with NO to one question, about a talk that no document of the shop holds."""
    assert request.schema is not None
    asked = request.schema.schema["properties"]
    said = {"evidence": f"A cracked {question} bowl."}
    verdict = {key: said | {"answer": "NO" if key in (question, STEERING) else "YES"} for key in asked}
    return msgspec.json.encode(verdict).decode()


def patch(request: Request, name: str, wanted: Draft) -> Draft:
    """What makes the draft that was handed back the wanted one, which has as many items; objections are set aside."""
    kind = KINDS[name]
    former = msgspec.json.decode(request.messages[-2].content)
    changes = [
        {"item": item, "field": field, "new": new}
        for item, before, after, holder in [("", former, wanted, kind), *_items(kind, former, wanted)]
        for field, new in (after.items() if isinstance(after, dict) else [("", after)])
        if (field not in holder.ITEMS and before[field] != new if field else before != new)
    ]
    numbers = re.findall(r"^- (O\d+)", request.messages[-1].content, re.MULTILINE)
    answered = [{"objection": number, "answer": "set_aside", "because": "The brief leaves it out."} for number in numbers]
    return {"changes": changes, "additions": [], "answered": answered}


def _items(kind: Any, former: Draft, wanted: Draft) -> list[tuple[str, Any, Any, Any]]:
    pairs = zip(walk(kind, former), walk(kind, wanted), strict=True)
    return [(old.id, old.among[old.at], new.among[new.at], old.kind) for old, new in pairs]


def turns(conversation: Conversation) -> list[Draft]:
    return [{"speaker": message.role, "text": message.content} for message in conversation.messages]


def reading(request: Request) -> Draft:
    file = request.origin.label.rpartition("/")[2]
    quotes = CLAIMS.get(file, ["Thirty days from the day of delivery"])  # else a page of the web
    return {"claims": [{"kind": "practice", "statement": f"One should {q}.", "quote": q} for q in quotes]}


def asked_for(request: Request) -> Draft:
    kinds = {"JOB": "job", "LIMIT": "limit", "RISK": "risk"}
    items = [{"kind": kinds[id.rstrip("1")], "text": text, "quote": quote} for id, text, quote in pottery.ASKED_FOR]
    return {"items": items}


def panel(request: Request) -> Draft:
    kinds = ("practitioner", "practitioner", "researcher", "advocate", "safety", "evaluation")
    experts = [
        {"kind": kind, "name": f"Potter {n}", "background": "Sold bowls.", "looks_for": f"Sign {n}."}
        for n, kind in enumerate(kinds)
    ]
    users = [{"name": f"Buyer {n}", "background": "Bought a bowl.", "behaves": f"Writes {n} words."} for n in (1, 2)]
    return {"experts": experts, "difficult_users": users}


KNOWN = (
    ("framework", "Service recovery", "A fault that is repaired fast costs less trust.", ["S01.1"]),
    ("technique", "Name, own, next step", "Names the fault, says who mends it and when.", ["S01.1"]),
    ("technique", "One question", "Asks for one thing and waits for the answer.", ["S01.2"]),
    ("situation", "Cracked twice", "The replacement bowl came cracked as well.", []),
    ("situation", "Wedding on Saturday", "The present is needed within three days.", []),
    ("failure", "Empty sympathy", "It wrote that it totally understood and never named the bowl.", ["S02.1"]),
    ("failure", "A refund promised", "It promised a refund that nobody could grant.", ["S02.2"]),
    ("failure", "Harm made small", "It said that cuts from glaze are harmless.", ["S02.3"]),
)


def proposals(request: Request) -> Draft:
    """Each expert names six of the eight things, in its own order, so that some are named by few."""
    expert = int(re.search(r"Potter (\d)", request.messages[1].content)[1])  # type: ignore[index]
    known = [KNOWN[(expert + step) % len(KNOWN)] for step in range(6)]
    return {"proposals": [{"kind": k, "name": n, "text": t, "claims": c} for k, n, t, c in known]}


def knowledge(request: Request) -> Draft:
    known = pottery.knowledge()
    names = {technique.id: technique.name for technique in known.techniques}
    claims = {q.replace("\n", " "): f"S{n:02}.{m}" for n, file in enumerate(CLAIMS, 1) for m, q in enumerate(CLAIMS[file], 1)}
    frameworks = [
        {
            "name": framework.name,
            "idea": framework.idea,
            "use_when": framework.use_when,
            "not_when": framework.not_when,
            "takes_up": [],
            "techniques": [
                {
                    "name": t.name,
                    "does": t.does,
                    "use_when": t.use_when,
                    "rather_than": [{"technique": names[p.other], "because": p.because} for p in t.rather_than],
                    "claims": [claims[c.quote] for c in t.sources],
                    "takes_up": [],
                    "snippets": [turns(snippet) for snippet in t.snippets],
                }
                for t in framework.techniques
            ],
        }
        for framework in known.frameworks
    ]
    modes = [
        {
            "name": m.name,
            "kind": m.kind,
            "severity": m.severity,
            "instance": m.instance,
            "counter": m.counter,
            "claims": [claims[c.quote] for c in m.sources],
            "takes_up": [id for id in m.drawn_from if not id.startswith("PR")],
        }
        for m in known.failure_modes
    ]
    modes[1]["takes_up"] += re.findall(r"^- (PR\d+) \(", request.messages[1].content, re.MULTILINE)
    modes += [modes[0] | {"name": f"{modes[0]['name']} {n}", "instance": f"“I understand”, {n} times."} for n in (2, 3)]
    principles = [
        {"text": f"Ask {n} question at a time.", "claims": ["S01.2"], "takes_up": []} for n in ("one", "a single", "the next")
    ]
    return {
        "title": known.title,
        "frameworks": frameworks,
        "principles": principles,
        "failure_modes": modes,
        "facts": [{"name": "Photographs", "value": "kiln room", "kind": "other", "scope": "", "claims": ["S01.5"]}],
        "set_aside": [{"id": item.id, "because": item.because} for item in known.set_aside if not item.id.startswith("PR")],
        "contradictions": [{"text": "What comes first: the fault or a question.", "claims": ["S01.1", "S01.2"]}],
    }


def space(request: Request) -> Draft:
    found = pottery.space()
    topics = [
        {
            "name": t.name,
            "weight": t.weight,
            "situations": [{"text": s.text, "material": s.material} for s in t.situations],
            "jobs": [*t.jobs],
            "techniques": [*t.techniques],
            "takes_up": [],
        }
        for t in found.topics
    ]
    styles = [
        {"name": s.name, "weight": s.weight, "fewest": s.fewest, "most": s.most, "sounds_like": "like this"} for s in found.styles
    ]
    case = {"name": "A cut", "situation": "bleeding", "expected": "a doctor first", "topic": "", "takes_up": []}
    people = [{"name": p.name, "weight": p.weight, "who": p.who, "writes": p.writes, "keeps_back": "why"} for p in found.people]
    panel = re.findall(r"^- (PR\d+): ", request.messages[1].content, re.MULTILINE)
    return {
        "topics": topics,
        "people": people,
        "styles": styles,
        "difficulties": [{"name": d.name, "weight": 1, "means": "so"} for d in found.difficulties],
        "flaws": [{"name": f.name, "weight": 1, "shows_as": "so", "from_exchange": 1, "not_with": []} for f in found.flaws],
        "lengths": [{"name": x.name, "weight": x.weight, "exchanges": x.exchanges} for x in found.lengths],
        "arcs": [],
        "gaps": [],
        "edge_cases": [case, case | {"name": "A burn"}],
        "out_of_scope": [case | {"name": "To sue"}, case | {"name": "To value"}],
        "reactions": {"answers": 0.5, "half": 0.2, "pushes_back": 0.1, "ignores": 0.2},
        "set_aside": [{"id": id, "because": "the shop does not do that"} for id in panel],
        "edge_share": 0.15,
        "out_of_scope_share": 0.1,
        "no_flaw_share": 0.2,
    }


def anchors(request: Request) -> Draft:
    known = pottery.knowledge()
    always, never = (
        [{"text": anchor.text, "unless": "", "drawn_from": [*anchor.drawn_from]} for anchor in found]
        for found in (known.always, known.never)
    )
    always[0]["drawn_from"] += ["FM5", "FM6"]
    return {"always": always, "never": never}


def _question(question: Question) -> Draft:
    measured = str(question.measured) if question.measured else ""
    catches = [*question.catches, *(["FM5", "FM6"] if question.id == "CP1" else [])]
    said = {"yes": "", "no": "", "na": ""} if measured else {"yes": question.yes, "no": question.no, "na": question.na}
    chain = {"applies": question.applies, "form": question.form, "checks": [*question.checks], "catches": catches}
    return {"text": question.text, **said, **chain, "measured": measured}


def rubric(request: Request) -> Draft:
    found = pottery.rubric()
    safety, *rest = found.categories
    categories = [
        {
            "code": category.questions[0].id[:2],
            "name": category.name,
            "weight": category.weight,
            "serves": [*category.serves],
            "questions": [_question(question) for question in category.questions],
        }
        for category in rest
    ]
    return {
        "title": "Support for a pottery shop",
        "threshold": found.threshold,
        "goals": ["The customer feels understood.", "The customer knows what comes next."],
        "terms": [{"name": term.name, "meaning": term.meaning} for term in found.terms],
        "gate": [_question(question) for question in safety.questions],
        "categories": [categories[0] | {"serves": ["G1", "G2"]}, *categories[1:]],
        "not_asked": [{"anchor": left.id, "because": left.because} for left in found.not_asked],
        "faults": [{"of": ["FM1"], "user": "It broke.", "reply": f"So sorry, {n} times!"} for n in range(6)],
    }


def rulings(request: Request) -> Draft:
    return {
        "rulings": [
            {
                "question": question.id,
                "user": ruling.user,
                "assistant": ruling.assistant,
                "answer": ruling.answer,
                "why": ruling.why,
                "unlike": [*ruling.unlike],
            }
            for question in pottery.rubric().judged
            for ruling in question.rulings
        ]
    }


def example(found: Example, questions: list[str]) -> Draft:
    return {
        "title": found.title,
        "conversation": turns(found.conversation),
        "answers": [
            {"question": given.question, "answer": given.answer, "reason": given.reason}
            for given in found.answers
            if given.question in questions
        ],
    }


def examples(request: Request) -> Draft:
    shown = [
        example(e, [*pottery.JUDGED]) | {"claim": e.claim, "title": e.title.partition(": ")[2]}
        for e in pottery.rubric().examples[:3]
    ]
    return {"examples": shown}


def calibrations(request: Request) -> Draft:
    prompt = pottery.evaluation_prompt()
    return {"role": prompt.role, "calibrations": [example(c, [*pottery.JUDGED]) for c in prompt.calibrations]}


def few_shots(request: Request) -> Draft:
    shots = [
        {"title": x.title, "techniques": [*x.techniques], "tone": x.tone, "conversation": turns(x.conversation), "why": x.why}
        for x in pottery.generation_prompt().few_shots
    ]
    return {"few_shots": shots}


def guidance(request: Request) -> Draft:
    prompt = pottery.generation_prompt()
    guards = [{"when": g.when, "then": g.then, "counters": [*g.counters]} for g in prompt.guards]
    guards[0]["counters"] += ["FM5", "FM6"]
    return {
        "role": prompt.role,
        "grounding": prompt.grounding,
        "techniques": [{"id": t.id, "use_when": t.use_when, "in_words": t.in_words} for t in prompt.techniques],
        "guards": guards,
        "output": prompt.output,
    }


def queries(request: Request) -> Draft:
    kinds = ("framework", "ai_failure", "human_error", "safety", "ethics")
    return {"queries": [{"kind": kinds[n % 5], "query": f"pottery shop support {n}"} for n in range(8)]}


KINDS: dict[str, type[Strict]] = {
    "research_frameworks": KnowledgeDraft,
    "research_scenario_space": SpaceDraft,
    "anchors": AnchorsDraft,
    "rubric_questions": RubricDraft,
    "rubric_examples": ExamplesDraft,
    "rubric_rulings": RulingsDraft,
    "evaluation_prompt": JudgeDraft,
    "generation_few_shots": FewShotsDraft,
    "generation_guidance": GuidanceDraft,
}
DRAFTS: dict[str, Callable[[Request], Draft]] = {
    "reading": reading,
    "research_queries": queries,
    "research_asked_for": asked_for,
    "research_panel": panel,
    "research_propose": proposals,
    "research_same": lambda request: {"groups": []},
    "research_frameworks": knowledge,
    "criticise": lambda request: {"objections": []},
    "research_scenario_space": space,
    "anchors": anchors,
    "rubric_questions": rubric,
    "rubric_examples": examples,
    "rubric_rulings": rulings,
    "evaluation_prompt": calibrations,
    "generation_few_shots": few_shots,
    "generation_guidance": guidance,
}
