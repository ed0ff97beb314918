"""The numbers of the method, each of them once: gates, drafts, prompts, tables, help and docs read them from here.

Three kinds stand here: what a gate demands, what a prompt asks for (`asked`), and what is still read of an answer (`taken`,
which is wider, so that an answer is not lost over one item too many). A number that only one place needs stays there.
"""

from __future__ import annotations

from math import ceil
from typing import Generic, NamedTuple, TypeVar

from finetune_prep.core.scenarios.space import Reactions

_N = TypeVar("_N", bound=float)
_SMALL = "no one two three four five six seven eight nine ten eleven twelve"
WORDS = dict(enumerate(_SMALL.split())) | {0.25: "a quarter", 100: "a hundred"}


class Range(NamedTuple, Generic[_N]):
    """From `fewest` to `most`, both allowed. As text "15 to 20", or "3 or 4" where nothing lies between."""

    fewest: _N
    most: _N

    def holds(self, value: float) -> bool:
        return self.fewest <= value <= self.most

    def __str__(self) -> str:
        return format(self)

    def __format__(self, spec: str) -> str:
        """spec: of each end, such as ".2f"."""
        between = "or" if self.most == self.fewest + 1 else "to"
        return f"{self.fewest:{spec}} {between} {self.most:{spec}}"


class Count(NamedTuple):
    """How many of something a model is asked for, and how many of it are still read."""

    asked: Range[int]
    taken: Range[int]


def words(number: float) -> str:
    """A number as prose has it: "six", "a quarter"; in digits where there is no word for it here."""
    return WORDS.get(number, f"{number:g}")


def bare(number: float) -> str:
    """A share as prompts have it: ".70"."""
    return f"{number:.2f}".removeprefix("0")


# ---- what the gates demand

UNSOURCED = 0.25  # of techniques, principles and failure modes: beyond this it is a model's opinion, not research
RECENT = 2  # years between a source's publication and its reading
QUOTE = Range(4, 40)  # words of a quotation; fewer stand in any text, more are a paragraph
PER_PAIR = 3  # scenarios of a pilot that may share a topic and a technique
MOST_EDGE = 0.40  # of the plan; beyond this, what is common is learnt from too few conversations
MOST_OUT_OF_SCOPE = 0.25

ALWAYS = Range(6, 10)  # behaviours that every reply shows
NEVER = Range(8, 12)  # behaviours that no reply shows

QUESTIONS = Range(15, 20)  # safety counted in
CATEGORIES = Range(4, 6)  # the safety gate counted in
WEIGHTED = Range(CATEGORIES.fewest - 1, CATEGORIES.most - 1)  # without it
PER_GATE = Range(3, 6)  # questions of the safety gate
PER_CATEGORY = Range(3, 4)  # questions of a weighted category
CHECKED = 3  # anchors by one question
PER_TOPIC = 2  # questions of a weighted category that are sure to apply to a topic
STRONG = 0.90  # the least score of a strong example
THRESHOLD = Range(0.70, 0.80)  # share of the score that passes

CALIBRATIONS = Range(2, 3)
FEW_SHOTS = Range(3, 5)
LONG_FEW_SHOT = 5  # exchanges; one few-shot is as long as the longest talks, or at least this long
SYSTEM_PROMPT = Range(1, 120)  # words; it is sent with every request of the tuned model

PILOT = 100  # scenarios
PASS_RATE = 0.70  # of a pilot; to be exceeded
SPOT_CHECK = 10  # conversations read by a person
SPOT_CHECK_EVERY = 500  # accepted rows of a scaled run: so many more conversations are read for each
HELD_OUT = 24  # scenarios of an evaluation; with two runs of each they show what a small tuning usually does
EVALUATION_RUNS = 2  # talks of each model with each of them
REPLY_TOKENS = 512  # of an evaluated model's reply, where nobody has set a limit: a base may go on for ever; convention, untested
TRIAL = 24  # scenarios on which an edit is tried that no diagnosis has seen; they show a gain of 25 points and more
TRIALS = (
    3  # edits of one pilot that are tried: each on scenarios of its own, tested at .05 over their number; convention, untested
)
SCALE = Range(2000, 5000)  # accepted samples; a scenario space holds as many scenarios as the fewest

# ---- who is asked, and how often

SEATS = {"practitioner": 2, "researcher": 1, "advocate": 1, "safety": 1, "evaluation": 1}  # experts of the panel by kind
EXPERTS = sum(SEATS.values())
DIFFICULT_USERS = 2
SITTINGS = Range(1, 3)  # research-propose.md gives each another thing to think of: asked once, people and models name the usual
REVISIONS = Range(0, 3)  # of a draft, by the one who wrote it

# ---- what is asked for and what is taken: sources, panel, reference

QUERIES = Range(8, 16)
ASKED_FOR = Range(2, 40)  # jobs, limits and risks of the brief
CLAIMS = Count(asked=Range(3, 12), taken=Range(1, 30))
PROPOSALS = Count(asked=Range(6, 10), taken=Range(6, 24))
OBJECTIONS = 3  # of one reader
FRAMEWORKS = Count(asked=Range(3, 5), taken=Range(2, 7))
TECHNIQUES = Count(asked=Range(2, 4), taken=Range(1, 6))  # in each framework
SNIPPETS = Count(asked=Range(1, 2), taken=Range(1, 3))  # conversations in which a technique is shown
PRINCIPLES = Count(asked=Range(4, 8), taken=Range(3, 10))
FAILURE_MODES = Count(asked=Range(8, 12), taken=Range(6, 20))
FACTS = 60
CONTRADICTIONS = 12

# ---- what users bring

TOPICS = Count(asked=Range(7, 10), taken=Range(3, 14))
SITUATIONS = Count(asked=Range(4, 8), taken=Range(2, 12))  # of each topic
STYLES = Count(asked=Range(4, 6), taken=Range(3, 8))
DIFFICULTIES = Count(asked=Range(3, 3), taken=Range(2, 5))
FLAWS = Count(asked=Range(5, 9), taken=Range(3, 14))
LENGTHS = Count(asked=Range(3, 4), taken=Range(1, 6))
PEOPLE = Count(asked=Range(4, 6), taken=Range(1, 10))
ARCS = Count(asked=Range(3, 5), taken=Range(0, 8))  # where conversations span days
GAPS = Count(asked=Range(3, 5), taken=Range(0, 8))
MOST_SINGLE = 1 / 3  # share of conversations of one exchange; beyond it, little is learnt of how a talk goes on
OFF_PLAN = 0.02  # by which the share of a flaw in a plan may differ from what is declared
FAR_OFF_PLAN = 0.05  # the same of a difficulty and a length
EDGE_CASES = Count(asked=Range(5, 8), taken=Range(2, 14))
REFUSALS = Count(asked=Range(4, 6), taken=Range(2, 14))  # requests that are out of scope
EDGE_SHARE = 0.15  # usual shares of a plan
OUT_OF_SCOPE_SHARE = 0.10
NO_FLAW_SHARE = 0.20
REACTIONS = Reactions()  # to a question of the assistant

# ---- rubric, examples, prompts

GOALS = Count(asked=Range(3, 5), taken=Range(2, 6))
EXAMPLES = 3  # a strong, a mediocre and a violating conversation
FAULTS = Count(asked=Range(12, 18), taken=Range(6, 30))  # replies that must not pass, thought out before the questions
RULINGS = Count(asked=Range(2, 2), taken=Range(1, 5))  # of one question
EXCHANGES = Range(1, 6)  # taken of an example's conversation; each is two turns
FEW_SHOTS_ASKED = 4
FEW_SHOT_EXCHANGES = Count(asked=Range(1, 10), taken=Range(1, 20))  # of one few-shot; longer ones make a prompt too long
GUARDS = Range(1, 24)


def to_label(accepted: int) -> int:
    """How many conversations of a scaled run a person labels, for so many accepted rows."""
    return SPOT_CHECK * max(1, ceil(accepted / SPOT_CHECK_EVERY))
