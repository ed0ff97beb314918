"""What words tell: sentences without a verb first, vague words, doubled-up and negative questions, pointers to elsewhere.

Word lists are English: heuristics for gates of level "advice", which ask `premises.need_english` first. What holds in any
language says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from finetune_prep.conversations.unwritten import unwritten
from finetune_prep.core.finding import Finding
from finetune_prep.documents.document import Document
from finetune_prep.words import split_words

_VERBS_LIST = """
abandon accept accuse acknowledge act add address admit advise affirm agree allow announce answer anticipate apologise
apologize apply approve argue ask assert assess assign assume assure attach attribute avoid back balance begin blame book
break bring build bury call cancel care change check choose circle cite claim clarify close coach collect comment compare
complete condemn confirm connect contact contradict copy correct count create criticise criticize cut dare date decide
declare defend defer define delay deliver demand deny describe diagnose direct disclose discourage discuss dismiss display
dispute distinguish draft draw drop echo elicit embed emphasise emphasize encourage end enquire escalate estimate evade
examine exclude excuse expect explain explore express extend fake fetch fill find finish flag follow force frame gather get
give go grant greet group guarantee guess guide hand hear hedge help hide highlight hint hold honour honor identify ignore
illustrate imply include indicate inform insert insist interpret interrupt introduce invent invite joke judge justify keep
label lead leave lecture let limit link list listen locate look lower make mark match mention minimise minimize mirror mix
mock moralise moralize move name narrow negotiate normalise normalize note notice offer omit open order outline overrule own
paraphrase pass pause permit pick place point postpone praise predict prescribe present press pressure pretend prioritise
prioritize proceed promise prompt propose protect prove provide push put question quote raise read recall recap recommend
record redirect refer reflect refuse regard reject relate remark remind remove repeat rephrase reply report request require
resolve respect respond restate return reveal revise rush sample save say schedule score search seek select send separate
set shame share shift show sign skip slow sort speak specify speculate spell split start state stay steer step stop stress
structure suggest summarise summarize support swear take talk tell test thank threaten tie trace transfer translate treat
trivialise trivialize try turn understate undo update urge use validate verify volunteer wait walk warn weigh withhold write
"""
VERBS = frozenset(_VERBS_LIST.split())
_CLAUSE = re.compile(
    r"(?:when|whenever|if|before|after|once|while|where|until|in|on|at|for|with|as soon as)\b(?:[^:]*:|[^,]*,)\s*", re.I
)
_PREFIX = re.compile(r"(?:always|never|do not|don['’]t|please|explicitly|first|then)\b[\s,:]*", re.I)
_NOT_VERBS_LIST = """
a an the this that these those every each all any some no one it its he she they we you i his her their our your my be being
is are was were has have had should must can could will would may might in on at by for from of to with about into over
under between through and or but not empathy sympathy honesty clarity safety privacy quality tone style length warmth
respect patience good clear kind warm
"""
_NOT_VERBS = frozenset(_NOT_VERBS_LIST.split()) - {"respect"}
_NOUN_ENDING = re.compile(r"(?:tion|sion|ness|ment|ance|ence|ship|ity|thy|ism|ful|ous|ive|able|ible|ing|less|ly)$")
_OBJECT = re.compile(
    r"(?:a|an|the|any|all|one|no|its|their|his|her|your|my|what|how|why|when|which|who|that|this|to|it|them|every|each)$"
)

# what a vague word is usually meant to make visible; in quotation marks: a sentence somebody could point at in a transcript
VAGUE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b(?:{words})\b", re.I), instead)
    for words, instead in (
        (r"empath(?:y|etic|etically|ise|ize)|compassion(?:ate|ately)?", "Name the feeling the user wrote before the remedy"),
        (
            r"validat(?:e|es|ing) (?:the |their |his |her )?(?:\w+['’]s )?(?:feelings?|emotions?)",
            "Acknowledge the emotion before solving the problem",
        ),
        (
            r"sympath(?:y|etic|etically)|caring|warm(?:th|ly)?|kind(?:ly|ness)?(?! of)",
            "Say in one sentence what the fault meant for the user",
        ),
        (
            r"friendl(?:y|iness)|nice(?:ly)?|pleasant(?:ly)?|polite(?:ly|ness)?|courteous(?:ly)?",
            "Thank the user for one detail they gave",
        ),
        (r"respectful(?:ly)?|dignity", "Use the name and the words the user uses for their own situation"),
        (r"professional(?:ly|ism)?", "Write whole sentences without slang, emoji or exclamation marks"),
        (r"helpful(?:ly|ness)?|useful(?:ly)?|supportive(?:ly)?", "Give one next step, who does it, and by when"),
        (
            r"appropriate(?:ly|ness)?|suitabl[ye]|proper(?:ly)?|adequate(?:ly)?|reasonabl[ye]",
            "Say in which case what is right: “If …, do …”",
        ),
        (r"clear(?:ly|er)?|clarity|understandabl[ye]", "Use no technical term without saying in the same sentence what it means"),
        (r"concise(?:ly)?|brief(?:ly)?|verbose(?:ly)?", "Keep the reply to at most twice the user's number of words"),
        (r"timely|promptly", "Name the day on which the next step happens"),
        (r"good|great|excellent|high-quality|effective(?:ly)?|successful(?:ly)?", "Name what a reader would find in the text"),
        (
            r"natural(?:ly)?|human-like|authentic(?:ally)?|genuine(?:ly)?|sincere(?:ly)?",
            "Open with something only this user said",
        ),
        (r"thoughtful(?:ly)?|sensitiv(?:e|ely|ity)|tactful(?:ly)?|mindful(?:ly)?", "Ask permission before a personal question"),
        (r"patien(?:ce|tly)|be patient", "Answer a repeated question without mentioning that it was asked before"),
        (r"engag(?:ing|ed)|personali[sz]ed?|relevant(?:ly)?", "Take up one detail from the user's last message"),
        (r"judg(?:e)?mental(?:ly)?|non-judg(?:e)?mental(?:ly)?", "Describe what the user did without calling it right or wrong"),
        (
            r"honest(?:ly|y)?|transparent(?:ly)?|transparency",
            "Say “I don't know” or “I can't see that” where the answer is not known",
        ),
        (r"accura(?:te|tely|cy)|correct(?:ly|ness)", "Give no figure, date or rule that the reference does not hold"),
        (r"comprehensive(?:ly)?|thorough(?:ly)?|complete(?:ly|ness)", "Answer every question the user asked"),
    )
)
_SCALE_DIGITS = re.compile(
    r"(?<![\d.,])[01]\s*(?:-|–|—|to|through|bis|à)\s*(?:5|7|10|100)(?![\d.,]|\s*[^\W\d])|\b\d+\s*/\s*(?:10|100)\b(?![\d/.])",
    re.I,
)
_SCALE_WORDS = re.compile(
    r"^\W*(?:how|what|which|why|who|whose|where|when)\b(?: \w+)?|\bhow (?:well|effectively|accurately|helpful|empathetic)\b"
    r"|\bto (?:what|which) (?:extent|degree)\b|\b(?:on a|likert) scale\b|\bscale (?:of|from)\b"
    r"|\bout of (?:five|seven|ten|5|10|100)\b|\b(?:zero|one) to (?:five|seven|ten)\b"
    r"|^\s*(?:rate|score|grade|rank|assess|evaluate)\b|\b(?:partially|partly|somewhat|mostly) (?:yes|no|met)\b",
    re.I,
)
_COMPOUND = re.compile(
    r"\band/or\b|\b(?:and|or|as well as|while)\s+(?:\w+ly\s+|also\s+|then\s+|does\s+(?:it|the \w+)\s+)?(\w+)\s+(\w+)", re.I
)
_ABSENCE = re.compile(r"\b(?:avoids?|avoiding|refrains?|abstains?|free (?:of|from)|steers? clear|keeps? from|without)\b", re.I)
_EARLY_NEGATION = re.compile(r"\b(?:not|never|no|nothing)\b|n['’]t\b", re.I)
_STOP_WORDS_LIST = """
a an and any are as at be been before but by can do does for from has have he her his how i if in into is it its no not of
on or one out she so than that the their them then there they this to until up was were what when where which who will with
without you your user customer client patient person assistant reply replies response message
"""
STOP_WORDS = frozenset(_STOP_WORDS_LIST.split())


def lacks_verb_first(text: str) -> bool:
    """Whether an instruction begins with something else than a verb. A leading "When …," or "Never" is passed over, and one
    with commas of its own as far as its colon."""
    rest = text.strip().lstrip("*_“\"'")
    for opening in (_PREFIX, _CLAUSE, _PREFIX):
        found = opening.match(rest)
        rest = rest[found.end() :] if found else rest
    words = [word.casefold() for word in split_words(rest)[:2]]
    if not words:
        return True
    first = words[0]
    if first in VERBS or first.partition("-")[0] in VERBS:
        return False
    if first in _NOT_VERBS or _NOUN_ENDING.search(first):
        return True
    return not (len(words) > 1 and _OBJECT.match(words[1]))


def vague_words(text: str) -> list[tuple[str, str]]:
    """Words on which two readers would differ, each with a sentence of what one would see instead."""
    return [(found[0], instead) for pattern, instead in VAGUE if (found := pattern.search(text))]


def scale_in(text: str, *, english: bool) -> str:
    """What asks for more than yes or no ("how well", "1–5"), "" if nothing does. Scales in digits are read in any language."""
    found = _SCALE_DIGITS.search(text) or (_SCALE_WORDS.search(text) if english else None)
    return found[0].strip() if found else ""


def second_thing(text: str) -> str:
    """The words that add a second thing to a question ("and offer a"), "" if it asks one."""
    for found in _COMPOUND.finditer(text):
        verb = (found[1] or "").casefold()
        if not verb or (_is_verb_form(verb) and _OBJECT.match(found[2].casefold())):
            return found[0]
    return ""


def _is_verb_form(word: str) -> bool:
    return word in VERBS or (word.endswith("s") and (word[:-1] in VERBS or word[:-2] in VERBS)) or f"{word[:-3]}y" in VERBS


def asks_for_absence(text: str) -> str:
    """The word by which a question asks that something is missing ("avoid"), "" if it asks for something present."""
    found = _ABSENCE.search(text) or _EARLY_NEGATION.search(" ".join(text.split()[:5]))
    return found[0] if found else ""


def content_words(text: str) -> frozenset[str]:
    """The words that carry the meaning, folded; for overlap between sentences."""
    return frozenset(word.casefold() for word in split_words(text)) - STOP_WORDS


def overlap(one: str, other: str) -> float:
    """Share of content words that two sentences have in common (Jaccard), 0 to 1."""
    words, others = content_words(one), content_words(other)
    return len(words & others) / len(words | others) if words | others else 0.0


_SPOKEN = re.compile(r"“[^”]*”|„[^“”]*[“”]|\"[^\"]*\"|«[^»]*»|「[^」]*」")


def placeholders(document: Document[Any], *, spoken: bool = True) -> Iterator[Finding]:
    """What somebody meant to write and did not ("TBD", "{{name}}", "[insert number]"), outside conversations, in any language.

    spoken: whether it counts within quotation marks too; where examples of bad replies are quoted, it is what they show.
    """
    for number, line in enumerate(document.text.split("\n"), start=1):
        line = line if spoken else _SPOKEN.sub("“”", line)
        if not line.lstrip().startswith(">") and (found := unwritten(line)):
            yield Finding(
                path=document.path,
                line=number,
                what=f"“{found}” holds the place of a text that is not written yet",
                fix="write what belongs there, or take the line out",
            )


# ---- prompts that must stand alone

_OUTSIDE = (
    (re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.I), "a link"),
    (re.compile(r"\]\((?!#)[^)]*\)"), "a link"),
    (re.compile(r"(?<![\w@.])[\w\-./]*\w\.(?:md|txt|pdf|docx|html?|toml|ya?ml|jsonl?)\b", re.I), "a file"),
)
_POINTER = re.compile(
    r"\b(?:see|refer to|consult|as (?:described|defined|listed|explained|given) in|according to)\s+"
    r"(?:also\s+|the\s+|our\s+|your\s+|section\s+)*"
    r"(?:rubric|document\w*|handbook|manual|guide\w*|domain[- ]frameworks?|frameworks? (?:document|file)|file|appendix"
    r"|reference\w*|policy|[A-Z]{1,4}\d+(?:\.\d+)?)\b",
    re.I,
)
_ID = re.compile(r"[A-Z]{1,4}\d+(?:\.\d+)?$")


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space: reflowing a paragraph changes nothing."""
    return one.split() == other.split()


def leans_outside(document: Document[Any]) -> Iterator[Finding]:
    """Links and file names outside conversations, in any language: whoever reads the prompt has nothing but the prompt."""
    for number, line in _own_lines(document):
        for pattern, noun in _OUTSIDE:
            if found := pattern.search(line):
                yield Finding(
                    path=document.path,
                    line=number,
                    what=f"{noun} in a prompt that must stand alone: “{found[0].strip()}”",
                    fix="say here what it says",
                )
                break


def points_elsewhere(document: Document[Any]) -> Iterator[Finding]:
    """English phrases that send the reader somewhere else ("see the handbook"); an id that stands in the prompt is fine."""
    for number, line in _own_lines(document):
        for found in _POINTER.finditer(line):
            target = found[0].split()[-1]
            if not (_ID.match(target) and target in document.lines):
                yield Finding(
                    path=document.path,
                    line=number,
                    what=f"“{found[0]}” sends the reader elsewhere",
                    fix="say here what stands there",
                )


def _own_lines(document: Document[Any]) -> Iterator[tuple[int, str]]:
    """Numbered lines of the text but for conversations: what people say in an example may well hold a link."""
    for number, line in enumerate(document.text.splitlines(), start=1):
        if not line.lstrip().startswith(">"):
            yield number, line
