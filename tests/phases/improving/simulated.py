"""A pottery shop of which it is known what is wrong with it, and models that do what its prompt says.

The rule against a failure mode has a name, KEEPS-FM1. Where it stands in the prompt, the assistant seldom falls into that failure;
where it does not, often. A reply that does has the mark FAILS-FM1, by which judges and people know. What a proposed edit says is
what the writer of the simulation makes it say: the rule, or something that changes nothing, or worse.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from finetune_prep.core.request import Request
from finetune_prep.core.verdict import CASE, STEERING
from finetune_prep.models.providers.scripted import Answer
from finetune_prep.project.project import Project

PRIMARY = {"FM1": "CP1", "FM2": "NS1", "FM3": "SF3", "FM4": "SF1"}  # failure mode → the question whose NO it brings
WORDS = [
    f"{a}{b}{c}" for a in "bdfgklmn" for b in ("a", "e", "i", "o", "ur", "is") for c in ("ra", "to", "ven", "li", "mp", "st")
]
RULE, FAILS, TOPIC = re.compile(r"KEEPS-(FM\d)"), re.compile(r"FAILS-(\w+)"), re.compile(r"about-(\w+)")
BOTH_SIDES = "# Writing both sides"  # from here on the prompt is the program's
STOCK = "as we always say in this old house of ours"
Edit = Callable[[Request], dict[str, str]]


def words(old: str, new: str, cannot: str = "") -> dict[str, str]:
    """What a reviser answers."""
    return {"cannot": cannot, "old": old, "new": new, "because": "It says what to do."}


def clause_of(request: Request) -> str:
    """What the writer of an edit is told of the clause, behind the document as a whole."""
    return request.messages[-1].content.rpartition("## The clause at fault")[2]


class Simulated:
    """Answers of all roles, for conversations written in one call.

    rates: how often a reply falls into a failure mode whose rule does not stand in the prompt. kept: the same where it does.
    wrong: questions that the judge answers NO by itself so often, whatever the reply is. unquoted: of those, the ones without a
    quote. lost: words of the card with which everything goes wrong, each time something else. only: ids of the scenarios in
    which a rule helps; None = in all. fooled: whether the judge takes a reply that names the rule for one that keeps it, whatever
    it does. harms: how often a prompt with the word HARMS makes light of an injury.
    """

    def __init__(
        self,
        rates: Mapping[str, float],
        edit: Edit = lambda request: words("", "", "nothing would help"),
        *,
        kept: float = 0.02,
        seed: int = 0,
        wrong: Mapping[str, float] | None = None,
        unquoted: Collection[str] = (),
        lost: str = "",
        only: Collection[str] | None = None,
        fooled: bool = False,
        harms: float = 0.0,
    ) -> None:
        self.rates, self.edit, self.kept, self.seed = rates, edit, kept, seed
        self.wrong, self.unquoted, self.lost = wrong or {}, unquoted, lost
        self.only, self.fooled, self.harms = only, fooled, harms
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        if request.role == "reviser":
            return json.dumps(self.edit(request))
        if request.schema is not None and request.schema.name == "verdict":
            return self._verdict(request)
        return self._talk(request)

    def _dice(self, *about: object) -> random.Random:
        return random.Random(" ".join(map(str, (self.seed, *about))))

    def _talk(self, request: Request) -> str:
        prompt, asked = request.messages[0].content, request.messages[-1].content
        rules = {*RULE.findall(prompt)}
        dice = self._dice(request.sample, prompt.partition(BOTH_SIDES)[0])  # what the program says is no part of the chance
        works = self.only is None or request.sample.partition("/")[0] in self.only
        fails = [mode for mode, rate in self.rates.items() if dice.random() < (self.kept if mode in rules and works else rate)]
        if "HARMS" in prompt and dice.random() < self.harms:
            fails.append("FM3")
        if self.lost and self.lost in asked:
            fails += dice.sample(["CP2", "CP4", "NS1", "NS2", "FT1", "FT2"], 5)
        stock = f" {STOCK}" if STOCK in prompt and dice.random() < 0.6 else ""
        said = [self._exchange(dice, rules, fails, stock) for _ in range(exchanges_of(request))]
        return json.dumps({"exchanges": said})

    def _exchange(self, dice: random.Random, rules: Collection[str], fails: Collection[str], stock: str) -> dict[str, str]:
        asked, said = (" ".join(dice.choice(WORDS) for _ in range(count)) for count in (25, 20))
        named = "".join(f" KEEPS-{rule}" for rule in sorted(rules))
        marks = "".join(f" FAILS-{mark}" for mark in dict.fromkeys(fails))
        return {"user": f"My bowl {asked}, talk {dice.getrandbits(60):x}.", "assistant": f"About {said}{named}{marks}{stock}."}

    def _verdict(self, request: Request) -> str:
        assert request.schema is not None
        properties: dict[str, Any] = request.schema.schema["properties"]
        text = request.messages[-1].content
        fails = {PRIMARY.get(mark, mark) for mark in FAILS.findall(text)}
        if self.fooled and request.role == "judge":
            fails -= {PRIMARY[mark] for mark in RULE.findall(text)}
        if STOCK in text:
            fails.add("FT1")
        dice = self._dice("verdict", text)
        fails |= {id for id, rate in self.wrong.items() if dice.random() < rate}
        reply = json.loads([line for line in text.splitlines() if line.startswith('{"turn"')][-1])["text"]
        quote = STOCK if STOCK in reply else " ".join(reply.split()[:8])
        given = {id: {"evidence": quote, "answer": "NO" if id in fails else "YES"} for id in properties}
        for id in self.unquoted:
            given[id]["evidence"] = "words that nobody has ever said in here" if id in fails else quote
        given[STEERING] = {"evidence": "none", "answer": "NO"}
        if CASE in properties:
            given[CASE] = {"evidence": quote, "answer": "YES"}
        return json.dumps(given)


def exchanges_of(request: Request) -> int:
    """How many exchanges are asked for."""
    return int(re.findall(r"Return `exchanges`, (\d+) in all", request.messages[-1].content)[0])


def with_rules(project: Project, *, weak: Collection[str] = (), missing: Collection[str] = ()) -> None:
    """Give each guard the rule of its failure mode; weak: but for these. missing: take these guards out."""
    path = project.layout.document("generation-prompt")
    lines = path.read_text("utf-8").splitlines()
    kept: list[str] = []
    for place, line in enumerate(lines):
        mode = f"FM{line[4]}" if line.startswith("- GD") else f"FM{lines[place - 1][4]}" if "Counters:" in line else ""
        if mode in missing:
            continue
        strong = line.startswith("- GD") and mode not in weak
        kept.append(line.replace("name it first", f"keep to the rule KEEPS-{mode}") if strong else line)
    path.write_text("\n".join(kept) + "\n", "utf-8")
