"""Proposals of the same thing become one, with all their sources.

`merge` joins only what is certainly the same: the same words but for spelling, inflection, articles and orders that say the same.
Nothing here measures likeness: a pair that differs in one word – a "not", a number, "before" for "after", another object – is
more alike than most true pairs are. What says the same in other words is for a model to group; `regroup` applies its answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations, dropwhile

import msgspec

from finetune_prep.phases.research.oppositions import clash, related
from finetune_prep.phases.research.word_forms import Language, language, readings, stems, tokens

LEAST_TEXT = 4  # words; shorter texts under different names are a coincidence
_SUBORDINATE_LIST = """
when whenever if before after while once unless until wenn falls bevor nachdem sobald ehe waehrend solange
"""
_SUBORDINATE = frozenset(_SUBORDINATE_LIST.split())
_ASKING_LIST = """
ask check say tell know see find confirm explain state question clarify verify decide wonder show learn
"""
_ASKING = frozenset(_ASKING_LIST.split())
_WHETHER = frozenset({"if", "when", "while", "wenn"})
_FRAME = frozenset({"use", "ask", "technique", "method", "practice", "of", "technik", "methode"})
_JOINING_LIST = """
& and or but nor than not no never then und oder aber nicht kein nie dann
"""
_JOINING = frozenset(_JOINING_LIST.split())
_NOT_MOVED_LIST = """
only reply apply supply family likely friendly daily weekly monthly yearly early rely ally
"""
_NOT_MOVED = frozenset(_NOT_MOVED_LIST.split())
_MOVED_LIST = """
always often again explicitly immer oft wieder
"""
_MOVED = frozenset(_MOVED_LIST.split())

Words = tuple[str, ...]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that one expert proposed. kind: what it is ("technique"). claims: ids of what it rests on. by: the expert."""

    id: str
    kind: str
    name: str
    text: str
    claims: tuple[str, ...] = ()
    by: str = ""


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """One thing, in the words of its longest proposal. members: ids of proposals, by: experts, claims: each once, in order."""

    kind: str
    name: str
    text: str
    members: tuple[str, ...]
    claims: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


class _Form(msgspec.Struct, frozen=True):
    """Everything about a proposal that decides what it is merged with."""

    kind: str
    name: Words
    text: Words

    @property
    def tongue(self) -> Language:
        return language(self.name + self.text)

    @property
    def tongues(self) -> tuple[Language, ...]:
        """The languages in which it may be read: where it can't be told, the other of a pair decides."""
        return (self.tongue,) if self.tongue else ("", "en", "de")


def merge(proposals: Sequence[Proposal]) -> tuple[Merged, ...]:
    """Things in order of their first proposal. Who is joined with whom does not depend on the order of proposals.

    A chain in which two contradict each other is left apart, but for what is word for word the same.
    Raises ValueError if an id occurs twice.
    """
    twice = [name for name, n in Counter(proposal.id for proposal in proposals).items() if n > 1]
    if twice:
        raise ValueError(f"ids of proposals must differ: {', '.join(twice)}")
    alike: defaultdict[_Form, list[int]] = defaultdict(list)
    for place, proposal in enumerate(proposals):
        alike[_Form(proposal.kind, tokens(proposal.name), tokens(proposal.text))].append(place)
    things = [_as_merged(proposal) for proposal in proposals]
    groups = [sorted(place for form in group for place in alike[form]) for group in _groups(list(alike))]
    return tuple(_joined([things[place] for place in group]) for group in sorted(groups))


def regroup(merged: Sequence[Merged], groups: Sequence[Sequence[int]]) -> tuple[Merged, ...]:
    """Join what a model says is the same. groups: numbers of things, the first being 1; every number in exactly one group.

    Things in order of their first number. Raises ValueError with a sentence for each fault, to be shown to the model.
    """
    faults = list(_faults(merged, groups))
    if faults:
        raise ValueError(" ".join(faults))
    return tuple(_joined([merged[number - 1] for number in group]) for group in sorted(map(sorted, groups)))


def _faults(merged: Sequence[Merged], groups: Sequence[Sequence[int]]) -> Iterable[str]:
    times = Counter(number for group in groups for number in group)
    known = range(1, len(merged) + 1)
    if unknown := sorted(number for number in times if number not in known):
        yield f"There is no {_listed(unknown)}: numbers go from 1 to {len(merged)}."
    if repeated := sorted(number for number, n in times.items() if n > 1):
        yield f"Put each number into one group only: {_listed(repeated)} occurs more than once."
    if missing := [number for number in known if number not in times]:
        yield f"Every number must be in a group, if need be alone in it: {_listed(missing)} is in none."
    if any(not group for group in groups):
        yield "Leave out empty groups."
    for group in groups:
        kinds = list(dict.fromkeys(merged[number - 1].kind for number in group if number in known))
        if len(kinds) > 1:
            yield f"Split the group {_listed(list(group))}: it holds things of different kinds ({', '.join(kinds)})."


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _as_merged(proposal: Proposal) -> Merged:
    return Merged(
        kind=proposal.kind,
        name=proposal.name,
        text=proposal.text,
        members=(proposal.id,),
        claims=tuple(dict.fromkeys(proposal.claims)),
        by=(proposal.by,) if proposal.by else (),
    )


def _joined(things: Sequence[Merged]) -> Merged:
    shown = max(things, key=lambda thing: (len(thing.text), thing.text, thing.name))
    return Merged(
        kind=shown.kind,
        name=shown.name,
        text=shown.text,
        members=tuple(dict.fromkeys(member for thing in things for member in thing.members)),
        claims=tuple(dict.fromkeys(claim for thing in things for claim in thing.claims)),
        by=tuple(dict.fromkeys(expert for thing in things for expert in thing.by)),
    )


def _groups(forms: Sequence[_Form]) -> list[list[_Form]]:
    """The chains of forms that are the same; one in which two contradict each other falls apart into its forms."""
    same = {pair for pair in _candidates(forms) if not _contradict(forms[pair[0]], forms[pair[1]])}
    groups: list[list[_Form]] = []
    for chain in _chains(len(forms), same):
        fits = all(pair in same or not _contradict(forms[pair[0]], forms[pair[1]]) for pair in combinations(chain, 2))
        members = [forms[place] for place in chain]
        groups.extend([members] if fits else [[form] for form in members])
    return groups


def _chains(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The places 0 to count - 1, those together that pairs connect; each chain in order."""
    chain_of = {place: [place] for place in range(count)}
    for one, other in pairs:
        ours, theirs = chain_of[one], chain_of[other]
        if ours is not theirs:
            ours.extend(theirs)
            chain_of.update((place, ours) for place in theirs)
    return [sorted(chain) for chain in {id(chain): chain for chain in chain_of.values()}.values()]


def _candidates(forms: Sequence[_Form]) -> set[tuple[int, int]]:
    """Places, the lower one first, of pairs with the same name or with the same text."""
    sharing: defaultdict[tuple[str, Language, str, Words], list[int]] = defaultdict(list)
    for place, form in enumerate(forms):
        for tongue in form.tongues:
            for key in filter(None, _orders(form.name, tongue)):
                sharing[form.kind, tongue, "name", key].append(place)
            for key in _orders(form.text, tongue):
                if len(key) >= LEAST_TEXT:
                    sharing[form.kind, tongue, "text", key].append(place)
    return {
        (one, other)
        for (_, tongue, _, _), places in sharing.items()
        for one, other in combinations(places, 2)
        if _readable(forms[one], forms[other], tongue)
    }


def _readable(one: _Form, other: _Form, tongue: Language) -> bool:
    """Whether two may be compared in this language. Where neither says what it is, English is tried if the letters allow it."""
    if one.tongue or other.tongue or not tongue:
        return True
    return tongue == "en" and all(word.isascii() for form in (one, other) for word in form.name + form.text)


def _contradict(one: _Form, other: _Form) -> bool:
    """Whether names that speak of the same are not the same name, or texts say different things in the same words."""
    tongue = max(one.tongue, other.tongue) or "en"  # the same, whichever comes first
    if not _orders(one.name, tongue) & _orders(other.name, tongue):
        name, another = _unframed(one.name, tongue), _unframed(other.name, tongue)
        if name != another and related(name, another):
            return True
    if _orders(one.text, tongue) & _orders(other.text, tongue):
        return False
    return clash(stems(one.text, tongue), stems(other.text, tongue))


def _unframed(name: Words, tongue: Language) -> Words:
    """The stems of a name without first words that only say what kind of thing it is: "The technique of open questions"."""
    return tuple(dropwhile(_FRAME.__contains__, stems(name, tongue)))


@lru_cache(maxsize=16384)
def _orders(words: Words, tongue: Language) -> frozenset[Words]:
    """The stems of a name or text in every order that says the same."""
    return frozenset(
        order
        for reading in readings(words, tongue)
        for turned in _turned(reading, tongue)
        for order in (turned, _adverb_last(turned))
    )


def _turned(words: Words, tongue: Language) -> set[Words]:
    """As it stands, and turned at each comma and at its one subordinate clause ("When asked, …" and "… when asked"); in German
    the verb of an instruction may be first or last.
    """
    plain = stems(words, tongue)
    commas = [place for place, word in enumerate(words) if word == ","]
    turns = {plain, *(stems(words[place + 1 :], tongue) + stems(words[:place], tongue) for place in commas)}
    clauses = [place for place, word in enumerate(plain) if word in _SUBORDINATE]
    if any(word in _WHETHER for word in plain) and _ASKING & set(plain):
        return {plain}  # "ask if it is due" is not "if it is due, ask"
    if len(clauses) == 1:
        turns.add(plain[clauses[0] :] + plain[: clauses[0]])
    if tongue == "de" and not commas and len(plain) > 1 and not _JOINING & set(plain) and not clauses:
        turns.add(plain[1:] + plain[:1])
    return turns


def _adverb_last(words: Words) -> Words:
    """With its one adverb at the end: "Politely decline it" as "Decline it politely"."""
    adverbs = [word for word in words if (word.endswith("ly") and len(word) > 4 and word not in _NOT_MOVED) or word in _MOVED]
    if len(adverbs) != 1 or (_JOINING | _SUBORDINATE) & set(words):
        return words
    return (*(word for word in words if word != adverbs[0]), *adverbs)
