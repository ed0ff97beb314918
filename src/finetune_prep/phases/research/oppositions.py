"""What makes two sentences say different things although they look alike: a "not", opposites, numbers, another object.

The words stand for English and German, with the commonest negations of French and Spanish. What a list does not know is caught by
the last rule: in two sentences that run side by side, any word that stands in the place of another is what is meant.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise, product

SHORT = 6  # stems; in a text of so few each one counts
PARALLEL_SHORT = 0.5  # share of stems in common, 0 to 1, from which on two short texts run side by side
PARALLEL_LONG = 0.7  # the same for longer ones, where experts may use a phrase in common by chance
RELATED = 0.5  # from which on a negation or an order in one of two texts is about the same as the other text
OPPOSED = 0.25  # from which on opposites are about the same

BEGINNING = 4  # letters that two words have in common where one may be a compound of the other

Stems = tuple[str, ...]

_NEGATIONS_LIST = """
not no never none nobody nothing neither nor without avoid refrain nicht nie niemal niemals ohn ohne kein keine keinen keiner
nichts niemand vermeid vermeiden ne pas jamais sans nunca sin
"""
NEGATIONS = frozenset(_NEGATIONS_LIST.split())
_ORDER_LIST = """
before after until since first last then instead than unless only except but if vor nach bevor nachdem bis seit zuerst zuletzt
dann danach statt als nur aber ausser falls erst most least hardly barely seldom rarely kaum selten hoechstens mindestens
"""
_ORDER = frozenset(_ORDER_LIST.split())
_OPPOSITES_LIST = """
offer refuse, offer deny, offer withhold, accept refuse, accept reject, accept decline, allow forbid, allow prevent, grant
deny, start stop, begin end, open close, open closed, always never, more less, more fewer, most least, increase decrease,
raise lower, early late, before after, first last, short long, brief detailed, fast slow, high low, add remove, include
exclude, include omit, show hide, confirm deny, agree disagree, agree contradict, encourage discourage, approve reject, public
private, internal external, formal informal, same different, all none, maximum minimum, direct indirect, positive negative,
strong weak, buy sell, give take, send receive, ask answer, ask tell, praise criticise, praise criticize, true false, right
wrong, yes no, simple complex, keep change, anbiet ablehn, anbiet verweiger, annehm ablehn, erlaub verbiet, oeffn schliess,
offen geschloss, immer nie, mehr weniger, frueh spaet, vor nach, bevor nachdem, zuerst zuletzt, kurz lang, schnell langsam,
hoch niedrig, hinzufueg entfern, zeig verberg, bestaetig bestreit, zustimm ablehn, zustimm widersprech, lob kritisier, frag
antwort, gleich verschieden, alle kein, richtig falsch, einfach schwierig, behalt aender, nenn verschweig, erwaehn verschweig,
ja nein, formell informell, duz siez
"""
_OPPOSITES = frozenset(frozenset(pair.split()) for pair in _OPPOSITES_LIST.split(","))
_OPPOSING_PREFIX = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "de", "miss", "nicht")
_NUMBER = re.compile(r"-?\d")


def clash(one: Stems, other: Stems) -> bool:
    """Whether two texts, as stems, say different things in much the same words."""
    first, second = sorted((one, other))  # difflib is not symmetric
    here, there = Counter(first) - Counter(second), Counter(second) - Counter(first)
    if _numbers_differ(first, second):
        return True
    if 1 - (here.total() + there.total()) / max(len(first) + len(second), 1) < OPPOSED:
        return False  # the share in common, whatever the order, is no smaller than it is in this one
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    common = matcher.ratio()
    if common >= OPPOSED and _opposed(here, there):
        return True
    if common >= RELATED and any(_telling(word) for word in (*here, *there)):
        return True
    if not (here or there) or _swapped(first, second):
        return True
    parallel = PARALLEL_SHORT if max(len(one), len(other)) <= SHORT else PARALLEL_LONG
    return common >= parallel and any(tag == "replace" for tag, *_ in matcher.get_opcodes())


def _swapped(one: Stems, other: Stems) -> bool:
    """Whether what stands before a word of order in one stands after it in the other, and the other way round."""
    for word in _ORDER & set(one) & set(other):
        place, another = one.index(word), other.index(word)
        if set(one[:place]) & set(other[another:]) - {word} and set(one[place + 1 :]) & set(other[:another]):
            return True
    return False


def _telling(word: str) -> bool:
    """Whether a word turns a sentence round, or is a number or a sign: then it is never there for nothing."""
    return word in NEGATIONS or word in _ORDER or not (word.isalpha() or word == "&")


def related(one: Stems, other: Stems) -> bool:
    """Whether two names speak of something in common, or are opposites: then a difference between them is meant."""
    beginnings = {word[:BEGINNING] for word in one} & {word[:BEGINNING] for word in other}
    shorter, longer = sorted(("".join(one), "".join(other)), key=len)  # Chinese and Thai have no spaces
    return bool(beginnings) or (bool(shorter) and shorter in longer) or _opposed(Counter(one), Counter(other))


def _opposed(here: Counter[str], there: Counter[str]) -> bool:
    return any(frozenset(pair) in _OPPOSITES or _negated(*pair) or _negated(*reversed(pair)) for pair in product(here, there))


def _negated(word: str, plain: str) -> bool:
    """Whether a word is another one with a prefix that turns it round: "unclear" and "clear"."""
    return len(plain) >= 4 and any(word == prefix + plain for prefix in _OPPOSING_PREFIX)


def _numbers_differ(one: Stems, other: Stems) -> bool:
    """Whether the same unit is counted in both, and differently."""
    ours, theirs = _counted(one), _counted(other)
    return any(not ours[unit] & theirs[unit] for unit in ours.keys() & theirs.keys())


@lru_cache(maxsize=4096)
def _counted(words: Stems) -> Mapping[str, set[str]]:
    """Numbers by the word that follows them."""
    counted: defaultdict[str, set[str]] = defaultdict(set)
    for number, unit in pairwise((*words, "")):
        if _NUMBER.match(number):
            counted[unit].add(number)
    return counted
