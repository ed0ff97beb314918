"""Gates of what the generation phase writes: the generation prompt, the simulated user's prompt, the short system prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from finetune_prep.conversations.stated import Stated, unknown
from finetune_prep.core import measures
from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import Anchor, Fact, Knowledge
from finetune_prep.core.prompts import GenerationPrompt
from finetune_prep.core.rubric import Example
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import Unchecked, is_english, need, need_english, parts_in_order
from finetune_prep.gates.wording import leans_outside, placeholders, points_elsewhere, same_words
from finetune_prep.method import limits
from finetune_prep.words import count_words

PARTS = (
    "Role and expertise",
    "Framework grounding",
    "Behavioral anchors",
    "Failure mode guards",
    "Few-shot examples",
    "Output format",
)
RUN = "run `finetune-prep generation-prompt` to put it in anew"
_TURNS = re.compile(r"\b(?:turns?|takes? turns|one message|next message|each message|alternat\w+|exchanges?)\b", re.I)
_LENGTH = re.compile(r"\b(?:words?|sentences?|length|long|short|longer|shorter|paragraphs?|characters?)\b", re.I)


def _prompt(documents: Documents) -> tuple[Document[GenerationPrompt], GenerationPrompt]:
    return need(documents, Documents.generation_prompt)


def _with_knowledge(documents: Documents) -> tuple[Document[GenerationPrompt], GenerationPrompt, Knowledge]:
    document, prompt = _prompt(documents)
    _, knowledge = need(documents, Documents.knowledge)
    return document, prompt, knowledge


def parts(documents: Documents) -> Iterable[Finding]:
    """Role, grounding, anchors, guards, few-shots and output format stand in this order."""
    document, _ = _prompt(documents)
    yield from parts_in_order(document, PARTS)


def role(documents: Documents) -> Iterable[Finding]:
    """The prompt says who the model is and what its relationship to the user is."""
    document, prompt = _prompt(documents)
    if not prompt.role.strip() and PARTS[0].lower() in document.lines:  # without its heading, `parts` reports it
        yield document.finding(
            f"the section “{PARTS[0]}” is empty", "say who the model is, to whom it speaks, and what it can't do"
        )


def frameworks_named(documents: Documents) -> Iterable[Finding]:
    """Role or grounding names every framework that informs the role."""
    document, prompt, knowledge = _with_knowledge(documents)
    told = f"{prompt.role}\n{prompt.grounding}".casefold()
    for framework in knowledge.frameworks:
        if framework.name.casefold() not in told:
            yield document.finding(
                f"the framework {framework.id} “{framework.name}” is named neither in the role nor in the grounding",
                "say by name which frameworks the model works by, and when which of them leads",
                PARTS[0].lower(),
            )


def techniques(documents: Documents) -> Iterable[Finding]:
    """Every technique of the frameworks stands with when to use it and how it sounds."""
    document, prompt, knowledge = _with_knowledge(documents)
    given = {use.id: use for use in prompt.techniques}
    known = {technique.id for technique in knowledge.techniques}
    for technique in knowledge.techniques:
        use = given.get(technique.id)
        if use is None:
            yield document.finding(
                f"{technique.id} “{technique.name}” is missing",
                f"add “### {technique.id}. {technique.name}” with Use when and In words",
                "framework grounding",
            )
            continue
        for key, text in (("Use when", use.use_when), ("In words", use.in_words)):
            if not text.strip():
                yield document.finding(f"{use.id} does not say “{key}”", f"add “- {key}: …”", use.id)
    for use in prompt.techniques:
        if use.id not in known:
            yield document.finding(
                f"{use.id} is no technique of domain-frameworks.md", "take it out, or research it first", use.id
            )


def anchors(documents: Documents) -> Iterable[Finding]:
    """Every anchor stands word for word in its list, and no other."""
    document, prompt, knowledge = _with_knowledge(documents)
    yield from _embedded(document, "Always do", knowledge.always, prompt.always)
    yield from _embedded(document, "Never do", knowledge.never, prompt.never)


def _embedded(
    document: Document[GenerationPrompt], heading: str, wanted: Iterable[Anchor], given: Iterable[Anchor]
) -> Iterator[Finding]:
    found = {anchor.id: _rule(anchor) for anchor in given}
    for anchor in wanted:
        text = found.pop(anchor.id, None)
        if text is None:
            yield document.finding(f"{anchor.id} is missing under “{heading}”: “{anchor.text}”", RUN, "behavioral anchors")
        elif not same_words(text, _rule(anchor)):
            yield document.finding(f"{anchor.id} is not the anchor of domain-frameworks.md: “{text}”", RUN, anchor.id)
    for anchor_id in found:
        yield document.finding(
            f"{anchor_id} stands under “{heading}” and not in domain-frameworks.md",
            "add it there first, or take it out",
            anchor_id,
        )


def _rule(anchor: Anchor) -> str:
    return f"{anchor.text} Except: {anchor.unless}" if anchor.unless else anchor.text


def facts(documents: Documents) -> Iterable[Finding]:
    """Every fact of the reference stands word for word, and no other."""
    document, prompt, knowledge = _with_knowledge(documents)
    given = {fact.id: fact for fact in prompt.facts}
    for fact in knowledge.facts:
        found = given.pop(fact.id, None)
        said = f"{fact.name}: {fact.value}"
        if found is None:
            yield document.finding(f"{fact.id} is missing under “Facts”: “{said}”", RUN, "facts")
        elif not same_words(_stated(found), _stated(fact)):
            yield document.finding(f"{fact.id} is not the fact of domain-frameworks.md: “{said}”", RUN, fact.id)
    for id in given:
        yield document.finding(
            f"{id} stands under “Facts” and not in domain-frameworks.md", "add it there first, or take it out", id
        )


def _stated(fact: Fact) -> str:
    return f"{fact.name}: {fact.value} ({fact.scope})"


def guards(documents: Documents) -> Iterable[Finding]:
    """Every failure mode has a guard that says when it applies and what is done then."""
    document, prompt, knowledge = _with_knowledge(documents)
    known = {mode.id for mode in knowledge.failure_modes}
    guarded = {mode for guard in prompt.guards for mode in guard.counters}
    for mode in knowledge.failure_modes:
        if mode.id not in guarded:
            yield document.finding(
                f"no guard against {mode.id} “{mode.name}”", f"add “- GD…: If … → …. Counters: {mode.id}”", "failure mode guards"
            )
    for guard in prompt.guards:
        if not guard.when.strip() or not guard.then.strip():
            yield document.finding(f"{guard.id} does not say what to do when", "write “If … → …”", guard.id)
        for mode_id in guard.counters:
            if mode_id not in known:
                yield document.finding(
                    f"{guard.id} counters {mode_id}, which domain-frameworks.md does not have",
                    "name a failure mode that exists",
                    guard.id,
                )


def crisis_guard(documents: Documents) -> Iterable[Finding]:
    """Where a safety failure is documented, a guard, a safety question and an edge case stand together."""
    document, prompt, knowledge = _with_knowledge(documents)
    modes = {mode.id: mode.name for mode in knowledge.failure_modes if mode.kind == "safety"}
    if not modes:
        return
    rubric_document, rubric = need(documents, Documents.rubric)
    space_document, space = need(documents, Documents.space)
    listed = ", ".join(f"{mode} “{name}”" for mode, name in modes.items())
    if not any(modes.keys() & set(guard.counters) for guard in prompt.guards):
        yield document.finding(
            f"no guard says how an emergency is recognised ({listed})",
            f"add “- GD…: If … → …. Counters: {next(iter(modes))}”",
            "failure mode guards",
        )
    gated = {
        mode for category in rubric.categories if category.gate for question in category.questions for mode in question.catches
    }
    if not modes.keys() & gated:
        gate = next((category.name.casefold() for category in rubric.categories if category.gate), "")
        yield rubric_document.finding(
            f"no question of the safety gate catches {listed}", "add one: any NO to it fails the conversation", gate
        )
    if not space.edge_cases:
        yield space_document.finding(
            f"no edge case puts {listed} to the test", "add one: what is never drawn is never learnt", "edge cases"
        )


def few_shot_count(documents: Documents) -> Iterable[Finding]:
    """As many few-shot conversations as the method wants."""
    document, prompt = _prompt(documents)
    fewest, most = limits.FEW_SHOTS
    if not fewest <= len(prompt.few_shots) <= most:
        yield document.finding(f"{len(prompt.few_shots)} few-shot conversations", f"give {fewest} to {most}", "few-shot examples")


def few_shots_annotated(documents: Documents) -> Iterable[Finding]:
    """Every few-shot says which techniques it shows, in which tone, and why it is good."""
    document, prompt, knowledge = _with_knowledge(documents)
    known = {technique.id for technique in knowledge.techniques}
    for example in prompt.few_shots:
        for key, there in (("Why", example.why.strip()), ("Tone", example.tone.strip()), ("Techniques", example.techniques)):
            if not there:
                yield document.finding(f"{example.id} “{example.title}” does not say “{key}”", f"add “- {key}: …”", example.id)
        for technique in example.techniques:
            if technique not in known:
                yield document.finding(
                    f"{example.id} shows {technique}, which domain-frameworks.md does not have",
                    "name a technique that exists",
                    example.id,
                )


def few_shots_diverse(documents: Documents) -> Iterable[Finding]:
    """No two few-shots show the same techniques, and none repeats another's tone."""
    document, prompt = _prompt(documents)
    seen: list[Example] = []
    for example in prompt.few_shots:
        for other in seen:
            if example.techniques and set(example.techniques) == set(other.techniques):
                alike = f"the same techniques ({', '.join(example.techniques)})"
            elif example.tone.strip() and same_words(example.tone.casefold(), other.tone.casefold()):
                alike = f"the same tone (“{example.tone}”)"
            else:
                continue
            yield document.finding(
                f"{example.id} and {other.id} show {alike}",
                "choose another situation for one: what all few-shots share becomes a habit",
                example.id,
            )
            break
        seen.append(example)


def few_shots_measured(documents: Documents) -> Iterable[Finding]:
    """Every few-shot passes the rubric's measured questions."""
    document, prompt = _prompt(documents)
    _, rubric = need(documents, Documents.rubric)
    for example in prompt.few_shots:
        for question in rubric.measured:
            if question.measured is not None and not measures.holds(question.measured, example.conversation):
                figures = ", ".join(f"{figure:.3g}" for figure in measures.measure(question.measured, example.conversation))
                yield document.finding(
                    f"{example.id} fails {question.id}: {question.measured} is asked for, and it has {figures}",
                    "change the conversation: the model imitates it to the letter",
                    example.id,
                )


def few_shots_unseen(documents: Documents) -> Iterable[Finding]:
    """No few-shot is one of the judge's own examples."""
    document, prompt = _prompt(documents)
    _, rubric = need(documents, Documents.rubric)
    _, judges = need(documents, Documents.evaluation_prompt)
    known = {example.conversation.id: example.id for example in (*rubric.examples, *judges.calibrations)}
    for example in prompt.few_shots:
        if other := known.get(example.conversation.id):
            yield document.finding(
                f"{example.id} is the conversation of {other}, which the judge was shown with its answers",
                "write another: what imitates it would pass because it is known",
                example.id,
            )


def stated(documents: Documents) -> Iterable[Finding]:
    """Every contact, price and percentage stands among the facts, in the brief or in the talk in which it is said."""
    document, prompt, knowledge = _with_knowledge(documents)
    _, brief = need(documents, Documents.brief)
    known = [brief.text, *knowledge.stated]
    for item, text in _told(prompt):
        yield from _unknown(document, item, unknown(text, known))
    for example in prompt.few_shots:
        said = "\n".join(example.conversation.spoken_by("assistant"))
        yield from _unknown(document, example.id, unknown(said, known, example.conversation.spoken_by("user")))


def _told(prompt: GenerationPrompt) -> Iterator[tuple[str, str]]:
    """What is written for the model, by the item or part in which it stands; anchors and facts are the reference's."""
    yield PARTS[0].lower(), prompt.role
    yield PARTS[1].lower(), prompt.grounding
    for use in prompt.techniques:
        yield use.id, f"{use.use_when}\n{use.in_words}"
    for guard in prompt.guards:
        yield guard.id, f"{guard.when}\n{guard.then}"
    yield PARTS[-1].lower(), prompt.output


def _unknown(document: Document[GenerationPrompt], item: str, found: Iterable[Stated]) -> Iterator[Finding]:
    for one in found:
        yield document.finding(
            f"the {one.kind} “{one.text}” stands neither among the facts nor in the brief"
            + (" nor in this talk" if item.startswith("X") else ""),
            "take it out, or add it to “Facts” of domain-frameworks.md with its source or whoever confirms it",
            item,
        )


def output_format(documents: Documents) -> Iterable[Finding]:
    """The output format says how turns are taken and how long replies are."""
    document, prompt = _prompt(documents)
    if not prompt.output.strip():
        yield document.finding("“Output format” is empty", "say how turns are taken, and how long a reply is", "output format")
        return
    for pattern, lacking, fix in (
        (_TURNS, "how turns are taken", "add who begins, what one message holds, and when to end"),
        (_LENGTH, "how long replies are", "add it in words, relative to the user's message: at most twice as long"),
    ):
        if pattern.search(prompt.output):
            continue
        if not is_english(documents):
            raise Unchecked(f"no English sentence says {lacking}; whoever accepts it decides about other languages", reader=True)
        yield document.finding(f"“Output format” does not say {lacking}", fix, "output format")


def self_contained(documents: Documents) -> Iterable[Finding]:
    """No link, no file, and no text still to be written: the model has nothing but the prompt."""
    document, _ = _prompt(documents)
    yield from leans_outside(document)
    yield from placeholders(document, spoken=False)


def says_it_here(documents: Documents) -> Iterable[Finding]:
    """No "see the handbook": everything is said where it is needed."""
    document, _ = _prompt(documents)
    need_english(documents)
    yield from points_elsewhere(document)


def user_prompt_blind(documents: Documents) -> Iterable[Finding]:
    """The simulated user's prompt holds no question of the rubric, no technique, no anchor, and no text still to be written."""
    document, prompt = need(documents, Documents.user_prompt)
    yield from placeholders(document, spoken=False)
    _, knowledge = need(documents, Documents.knowledge)
    _, rubric = need(documents, Documents.rubric)
    secrets = (
        *(("question", question.id, question.text) for question in rubric.questions),
        *(("anchor", anchor.id, anchor.text) for anchor in knowledge.anchors),
        *(("technique", technique.id, technique.name) for technique in knowledge.techniques),
    )
    for noun, item, secret in secrets:
        if _find(prompt.text, secret):
            place = _find(document.text, secret)
            yield Finding(
                path=document.path,
                line=document.text.count("\n", 0, place.start()) + 1 if place else 0,
                what=f"the user is told the {noun} {item}: “{secret}”",
                fix="take it out: a user who knows the answer makes the assistant look good",
            )


def _find(text: str, phrase: str) -> re.Match[str] | None:
    """Where a phrase stands in a text as whole words. One word counts only as it is written: names are capitalised."""
    words = phrase.strip(" .?!").split()
    if not words:
        return None
    flags = re.IGNORECASE if len(words) > 1 else re.NOFLAG
    spaced = r"\s+".join(map(re.escape, words))
    return re.search(rf"(?<!\w){spaced}(?!\w)", text, flags)


def system_prompt_short(documents: Documents) -> Iterable[Finding]:
    """The system prompt of the training rows is short, and not empty."""
    document, prompt = need(documents, Documents.system_prompt)
    count = count_words(prompt.text)
    if not count:
        yield document.finding("the system prompt is empty", "say in a sentence or two who the assistant is")
    elif count > limits.SYSTEM_PROMPT.most:
        yield document.finding(
            f"the system prompt has {count} words",
            f"keep to {limits.SYSTEM_PROMPT.most}: it is paid for with every request, and the long prompt is what is distilled",
        )
