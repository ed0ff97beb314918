"""Merging: duplicates and near-misses written by hand, and the laws of putting proposals together."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.phases.research.merging import Merged, Proposal, merge, regroup

laws = settings(deadline=None, max_examples=200)

# the same thing, written twice
DUPLICATES = [
    # case, punctuation, quotation marks
    ("Name the feeling", "name the feeling"),
    ("Name the feeling", "NAME THE FEELING."),
    ("Name the feeling", "“Name the feeling”"),
    ("Name the feeling", "**Name** the *feeling*"),
    ("Name the feeling!", "Name   the\nfeeling"),
    ("Offer a refund, a repair, or a replacement", "Offer a refund, a repair or a replacement"),
    ("Don’t blame the courier", "Don't blame the courier"),
    ("State the deadline (in days)", "State the deadline in days"),
    ("Say “I don't know”", "Say 'I don't know'"),
    ("Ask – once – for the order number", "Ask, once, for the order number"),
    # articles
    ("Ask for the order number", "Ask for an order number"),
    ("Mirror the user's words", "Mirror user's words"),
    ("Give one example of the rule", "Give one example of a rule"),
    ("Summarize the agreement at the end", "Summarize agreement at the end"),
    ("Thank the customer for the photo", "Thank a customer for a photo"),
    # inflection
    ("Ask open question", "Ask open questions"),
    ("Asking open questions", "Ask open questions"),
    ("Naming the feeling", "Name the feelings"),
    ("Summarizing the agreed steps", "Summarize the agreed step"),
    ("Planned follow-up", "Planning follow-ups"),
    ("Offering a refund to the customer", "Offers refunds to customers"),
    ("Apologies for the delay", "Apology for the delay"),
    ("Stopping the escalation", "Stop the escalation"),
    ("Providing choices", "Provide a choice"),
    ("Validated the concern", "Validate the concerns"),
    ("Handling the complaint of the customer", "Handles complaints of customers"),
    ("Describing both boxes", "Describe both boxes"),
    ("Replied to the questions of the children", "Reply to the question of the child"),
    ("Using the user's name", "Use the users' name"),
    ("Admitting what is not known", "Admit what is not known"),
    # spelling
    ("Apologise for the delay", "Apologize for the delay"),
    ("Summarise the agreement", "Summarize the agreement"),
    ("Recognise the behaviour behind the words", "Recognize the behavior behind the words"),
    ("Honour the colour they chose", "Honor the color they chose"),
    ("Explain the cancelled order", "Explain the canceled order"),
    ("Ask at the centre of the issue", "Ask at the center of the issue"),
    ("Keep the judgement to yourself", "Keep the judgment to yourself"),
    ("Ask what they do at the café", "Ask what they do at the cafe"),
    ("Analyse the cause of the fault", "Analyze the cause of the fault"),
    # hyphens, contractions, numbers and units
    ("Offer a follow-up", "Offer a follow up"),
    ("Offer a follow-up", "Offer a followup"),
    ("Send an e-mail to the customer", "Send an email to the customer"),
    ("Ask an open-ended question", "Ask an open ended question"),
    ("Do not promise a date", "Don't promise a date"),
    ("Say that you cannot see the order", "Say that you can't see the order"),
    ("Wait for two days", "Wait for 2 days"),
    ("Offer a 10% discount", "Offer a 10 percent discount"),
    ("Reply within 3 hours", "Reply within three hrs"),
    ("Offer a voucher of 10 €", "Offer a voucher of 10 euros"),
    ("Waive a fee of 1,000 dollars", "Waive a fee of 1000 dollars"),
    ("Explain terms & conditions", "Explain terms and conditions"),
    # word order that says the same
    ("When the user is angry, name the feeling", "Name the feeling when the user is angry"),
    ("Before offering a refund, ask for a photo", "Ask for a photo before offering a refund"),
    ("If nothing helps, escalate the case", "Escalate the case if nothing helps"),
    ("Politely decline the request", "Decline the request politely"),
    ("Explicitly name the next step", "Name the next step explicitly"),
    ("Once the parcel is found, tell the customer", "Tell the customer, once the parcel is found"),
    # German
    ("Das Gefühl benennen", "Die Gefühle benennen"),
    ("Nenne das Gefühl", "Das Gefühl nennen"),
    ("Stelle eine offene Frage", "Eine offene Frage stellen"),
    ("Offene Fragen zum Anliegen stellen", "Stelle offene Fragen zum Anliegen"),
    ("Die Rückerstattung anbieten", "Die Rueckerstattung anbieten"),
    ("Biete die Rückerstattung an", "biete eine Rückerstattung an!"),
    ("Das Maß des Schadens erfragen", "Das Mass des Schadens erfragen"),
    ("Wenn der Kunde zornig ist, benenne das Gefühl", "Benenne das Gefühl, wenn der Kunde zornig ist"),
    ("Den Kunden-Service nennen", "Den Kundenservice nennen"),
    ("Nach der Bestellnummer fragen", "Frage nach der Bestellnummer"),
    ("Die Frist von drei Tagen nennen", "Die Frist von 3 Tagen nennen"),
    ("„Ich weiß es nicht“ sagen", "Ich weiss es nicht sagen"),
    ("Namen und Termine der Werkstatt nennen", "Name und Termin der Werkstatt nennen"),
    ("Die Preise mit dem Kunden klären", "Den Preis mit den Kunden klären"),
    ("Ein Gutschein von 10 %", "Ein Gutschein von 10 Prozent"),
    # written before they were first tried
    ("Reflect feelings back", "Reflecting feelings back"),
    ("Set a clear boundary", "Setting clear boundaries"),
    ("Use of silence", "The use of silence"),
    ("Scaling questions", "Scaling question"),
    ("Check-in at the start", "Check in at the start"),
    ("Offer two choices to the user", "Offering 2 choices to the user"),
    ("Motivational interviewing with the client", "motivational-interviewing with the client"),
    ("Acknowledge the mistake openly", "Openly acknowledge the mistake"),
    ("Prioritise the most urgent issue", "Prioritize the most urgent issues"),
    ("After the summary, ask for consent", "Ask for consent after the summary"),
    ("Explain what happens next.", "Explaining what happens next"),
    ("Labelling the emotion", "Labeling the emotion"),
    ("Break the task into small steps", "Breaking tasks into small steps"),
    ("Refer the user to a doctor", "Referring users to a doctor"),
    ("Don't diagnose the user", "Do not diagnose users"),
    ("Give the source of a figure", "Giving sources of figures"),
    ("Admit an error at once", "Admitting errors at once"),
    ("Write replies of at most 100 words", "Write a reply of at most 100 words"),
    ("Mention the side-effects", "Mention the side effects"),
    ("Normalising the reaction", "Normalize reactions"),
    ("Make the plan measurable, specific, and realistic", "Making plans measurable, specific and realistic"),
    ("Den nächsten Schritt nennen", "Nenne den nächsten Schritt"),
    ("Die Gefühle der Kundin spiegeln", "Das Gefühl der Kundin spiegeln"),
    ("Eine E-Mail an die Kundin senden", "Eine Email an die Kundin senden"),
    ("Falls die Ware beschädigt ist, bitte um ein Foto", "Bitte um ein Foto, falls die Ware beschädigt ist"),
    ("Kurze Sätze mit einem Verb schreiben", "Schreibe kurze Sätze mit einem Verb"),
    ("Zwei Möglichkeiten zur Wahl stellen", "2 Möglichkeiten zur Wahl stellen"),
    ("Straßennamen im Text prüfen", "Strassennamen im Text prüfen"),
    # a second time
    ("Paraphrase the user's main concern", "Paraphrasing the user's main concerns"),
    ("Make the next appointment", "Making the next appointments"),
    ("Give a warm hand-off to a colleague", "Giving a warm handoff to a colleague"),
    ("Offer help in plain language", "OFFER HELP IN PLAIN LANGUAGE"),
    ("Explain why the parcel was delayed", "Explain why the parcels were delayed"),
    ("Describe the symptom in the user's words", "Describing symptoms in the user's words"),
    ("List the risks of each option", "Listing risks of each option"),
    ("Compare the two offers", "Comparing two offers"),
    ("Use a checklist for the intake", "Using checklists for the intake"),
    ("Ask for feedback at the end of the session", "Asking for feedback at the end of sessions"),
    ("Close with a summary of the decisions", "Closing with summaries of the decision"),
    ("Carefully check the dosage", "Check the dosage carefully"),
    ("If the user is silent, wait", "Wait if the user is silent"),
    ("Minimise jargon in the answer", "Minimize jargon in answers"),
    ("Suggest three small steps", "Suggesting 3 small steps"),
    ("Rückfragen zu den Symptomen stellen", "Stelle Rückfragen zu den Symptomen"),
    ("Einen Termin mit der Ärztin vereinbaren", "Termine mit der Ärztin vereinbaren"),
    ("Die Größe der Tasse erfragen", "Die Groesse der Tassen erfragen"),
    # other languages: case, punctuation and plural's s
    ("¿Pregunta abierta?", "pregunta abierta"),
    ("Poser une question ouverte", "Poser une question ouverte !"),
    ("Задай Вопрос", "задай вопрос."),
    ("先道歉，再解释。", "先道歉，再解释"),
    ("Ask a question 🙂", "Ask a question 🙂."),
]

# two things, although nearly all their words are the same: turned round by a word, an order or a number
TURNED = [
    # negation
    ("Promise a date", "Do not promise a date"),
    ("Promise a date", "Never promise a date"),
    ("Always ask for a photo", "Never ask for a photo"),
    ("Ask for a photo with the order number", "Ask for a photo without the order number"),
    ("Say what is known", "Say what is not known"),
    ("Say what can be repaired", "Say what can't be repaired"),
    ("Offer a refund", "Avoid offering a refund"),
    ("Blame nobody but the courier", "Blame the courier"),
    ("Say what is notable", "Say what is not able"),
    ("Never promise a date, always name a person", "Always promise a date, never name a person"),
    ("Name the feeling, not the fault", "Name the fault, not the feeling"),
    # opposites
    ("Offer a refund", "Refuse a refund"),
    ("Accept the return", "Reject the return"),
    ("Raise the price", "Lower the price"),
    ("Confirm the date", "Deny the date"),
    ("Include the tax", "Exclude the tax"),
    ("Keep the reply short", "Keep the reply long"),
    ("Name the most likely cause", "Name the least likely cause"),
    ("Praise the customer", "Criticize the customer"),
    ("Ask formal questions", "Ask informal questions"),
    ("Point out what is clear", "Point out what is unclear"),
    ("Agree with the customer", "Disagree with the customer"),
    # order
    ("Apologize before asking", "Apologize after asking"),
    ("Ask before offering a refund", "Offer a refund before asking"),
    ("Apologize, then explain", "Explain, then apologize"),
    ("Ask first, offer later", "Offer first, ask later"),
    ("Offer repair instead of refund", "Offer refund instead of repair"),
    ("Send the parcel from the shop to the customer", "Send the parcel from the customer to the shop"),
    ("The agent corrects the user", "The user corrects the agent"),
    ("Ask if the refund is due", "If the refund is due, ask"),
    ("Say when the parcel arrives", "When the parcel arrives, say"),
    ("Rate clarity above warmth", "Rate warmth above clarity"),
    # numbers and units
    ("Wait for two days", "Wait for three days"),
    ("Reply within 3 hours", "Reply within 3 days"),
    ("Offer a 10% discount", "Offer a 15% discount"),
    ("Offer a 10% discount", "Offer a 10 € discount"),
    ("Ask one question", "Ask two questions"),
    ("Ask one question", "Ask questions"),
    ("Wait 1.5 hours", "Wait 15 hours"),
    ("Store the glaze at -5 degrees", "Store the glaze at 5 degrees"),
    ("Use at most 80 words", "Use at least 80 words"),
    ("Follow plan A", "Follow plan B"),
    ("Write the example in C", "Write the example in C++"),
    ("Ask a question 🙂", "Ask a question 🙁"),
    ("Keep it at ±5 degrees", "Keep it at 5 degrees"),
    # German
    ("Ein Datum versprechen", "Kein Datum versprechen"),
    ("Die Rückgabe annehmen", "Die Rückgabe ablehnen"),
    ("Vor der Antwort nachfragen", "Nach der Antwort nachfragen"),
    ("Innerhalb von drei Tagen antworten", "Innerhalb von drei Stunden antworten"),
    ("Innerhalb von drei Tagen antworten", "Innerhalb von zwei Tagen antworten"),
    ("Gutschein statt Geld anbieten", "Geld statt Gutschein anbieten"),
    ("Das Gefühl mit Worten nennen", "Das Gefühl ohne Worte nennen"),
    ("Den Kunden duzen", "Den Kunden siezen"),
    # written before they were first tried
    ("Set a clear boundary", "Set an unclear boundary"),
    ("Give advice only when asked", "Give advice even when not asked"),
    ("Let the user speak first", "Let the agent speak first"),
    ("Write at most 100 words", "Write at most 1000 words"),
    ("Start with a summary", "End with a summary"),
    ("Repeat the question once", "Repeat the question twice"),
    ("Accept silence", "Break the silence"),
    ("Ask for permission before advice", "Give advice before asking for permission"),
    ("Trust the user more than the data", "Trust the data more than the user"),
    ("Allow interruptions", "Disallow interruptions"),
    ("State the maximum dose", "State the minimum dose"),
    ("Give 5 mg per day", "Give 5 g per day"),
    ("Give 5 mg per day", "Give 5 mg per week"),
    ("Jeden Fehler erwähnen", "Keinen Fehler erwähnen"),
    ("Zuerst fragen, dann antworten", "Zuerst antworten, dann fragen"),
    ("Mit dem Chef ohne den Kunden reden", "Mit dem Kunden ohne den Chef reden"),
    # a second time
    ("Wait if the user is silent", "Wait until the user is silent"),
    ("Compare two offers", "Compare twelve offers"),
    ("Reply at once", "Reply at most once"),
    ("Mehr Rückfragen stellen", "Weniger Rückfragen stellen"),
    ("Die Ware ohne Rechnung annehmen", "Die Ware mit Rechnung annehmen"),
]

# the same with another object, subject, condition or verb
OTHERS = [
    ("Bevor du anbietest, frag nach", "Bevor du nachfragst, biete an"),
    # object, subject, condition
    ("Name the date", "Name the price"),
    ("Offer a refund", "Offer a repair"),
    ("Offer a refund", "Offer a partial refund"),
    ("Offer a refund for damaged cups", "Offer a refund for late parcels"),
    ("Ask the customer for a photo", "Ask the courier for a photo"),
    ("Name the cause of the fault", "Name the cost of the fault"),
    ("Ask for a photo", "Ask for a photo if the cup is broken"),
    ("Ask for consent of the parent", "Ask for consent of the patient"),
    ("Thank the customer for the photo", "Thank the customer for the patience"),
    ("Answer the question", "Question the answer"),
    ("Fill the form", "File the form"),
    ("Ask about the car", "Ask about care"),
    ("List the options", "Listen to the options"),
    ("Check the list", "Checklist"),
    ("Offer a custom cup", "Offer a customer cup"),
    ("Only name the date", "Name the only date"),
    ("Shorten the reply", "Short reply"),
    ("State your name", "State their name"),
    ("Tell good news", "Tell a good, new thing"),
    ("Explain the causal link", "Explain the casual link"),
    # German
    ("Das Datum nennen", "Den Preis nennen"),
    ("Einen Rat anbieten", "Eine Rate anbieten"),
    ("Die Kunden fragen", "Die Kundenfragen"),
    ("Sag, was schon fertig ist", "Sag, was schön fertig ist"),
    # written before they were first tried
    ("Reflect feelings back", "Reflect facts back"),
    ("Explain what happens next", "Explain what happened last"),
    ("Ask about the past", "Ask about the future"),
    ("Offer two choices", "Offer too many choices"),
    ("Challenge the belief", "Challenge the relief"),
    ("Refer to a doctor", "Refer to a lawyer"),
    ("Ask why the user left", "Ask why the user stayed"),
    ("Use simple words", "Use simple sentences"),
    ("Reply in the morning", "Reply in the evening"),
    ("Check on Monday", "Check on Friday"),
    ("Sell the upgrade", "Sell the upgrade later"),
    ("Hide the plan", "Hiding from the plan"),
    ("Show new goods", "Show new good"),
    ("Write about taping", "Write about tapping"),
    ("Plan the route", "Plane the route"),
    ("Die Kundin anrufen", "Die Kundin abrufen"),
    ("Auf Deutsch antworten", "Auf Englisch antworten"),
    ("Die Frist verlängern", "Die Frist verkürzen"),
    ("Die Antwort prüfen und die Frage senden", "Die Frage prüfen und die Antwort senden"),
    ("Den Vertrag kündigen", "Den Vertrag ankündigen"),
    # a second time
    ("Paraphrase the user's concern", "Dismiss the user's concern"),
    ("Make an appointment", "Cancel an appointment"),
    ("Give a warm hand-off", "Give a cold hand-off"),
    ("Explain why the parcel was delayed", "Explain when the parcel was delayed"),
    ("List the risks of each option", "List the benefits of each option"),
    ("Use a checklist for the intake", "Use a checklist for the discharge"),
    ("Suggest three small steps", "Suggest three big steps"),
    ("Speak for the user", "Speak to the user"),
    ("Ask the user about the agent", "Ask the agent about the user"),
    ("Use metaphors sparingly", "Use metaphors freely"),
    ("Send the invoice by post", "Send the invoice by e-mail"),
    ("Mark the dosage", "Mask the dosage"),
    ("Den Termin bestätigen", "Den Termin absagen"),
    ("Die Kundin siezen", "Die Kunden siezen"),
    ("Mit dem Preis beginnen", "Mit dem Preis enden"),
    ("Die Lieferung am Montag zusagen", "Die Lieferung am Freitag zusagen"),
    ("Das Paket zurücksenden", "Das Paket nachsenden"),
]

# languages that the program does not know, in which marks make words
FOREIGN = [
    ("Di que sí puedes", "Di que si puedes"),
    ("Pregunta por el año", "Pregunta por el ano"),
    ("Dis-moi où aller", "Dis-moi ou aller"),
    ("Parler de la pêche", "Parler du péché"),
    ("Hỏi má", "Hỏi mà"),
    ("कि", "की"),
    ("ไปใกล้", "ไปไกล"),
    ("要道歉", "不要道歉"),
    ("Нужно извиниться", "Не нужно извиниться"),
    ("???", "!!!"),
]
TEXT = "Write it in a way that the reader can see at once what the agent will do for them."


def proposal(number: int, name: str, text: str = "", **more: object) -> Proposal:
    return Proposal(id=f"P{number}", kind="technique", name=name, text=text, by=f"E{number}", **more)  # type: ignore[arg-type]


def things(*proposals: Proposal) -> int:
    return len(merge(proposals))


def test_the_tables_are_long_enough_and_hold_nothing_twice() -> None:
    for table in (DUPLICATES, TURNED + OTHERS):
        assert len({frozenset(pair) for pair in table}) == len(table) >= 60
        assert all(one != other for one, other in table)


@pytest.mark.parametrize(("one", "other"), DUPLICATES)
def test_duplicates_merge(one: str, other: str) -> None:
    """As texts under one name, and as names of one text."""
    assert things(proposal(1, one, one), proposal(2, other, other)) == 1
    assert things(proposal(1, "Care", one), proposal(2, "Care", other)) == 1


@pytest.mark.parametrize(("one", "other"), TURNED + OTHERS)
def test_near_misses_do_not_merge(one: str, other: str) -> None:
    """As names alone, with their own words as text, as texts under two names, and as names of one text."""
    assert things(proposal(1, one), proposal(2, other)) == 2
    assert things(proposal(1, one, one), proposal(2, other, other)) == 2
    assert things(proposal(1, "Way", one), proposal(2, "Habit", other)) == 2
    assert things(proposal(1, one, TEXT), proposal(2, other, TEXT)) == 2


@pytest.mark.parametrize(("one", "other"), FOREIGN)
def test_near_misses_in_unknown_languages_do_not_merge(one: str, other: str) -> None:
    """As names alone, with their own words as text, and as texts under two names."""
    assert things(proposal(1, one), proposal(2, other)) == 2
    assert things(proposal(1, one, one), proposal(2, other, other)) == 2
    assert things(proposal(1, "Way", one), proposal(2, "Habit", other)) == 2


@pytest.mark.parametrize(("one", "other"), TURNED)
def test_what_is_turned_round_does_not_merge_under_one_name_either(one: str, other: str) -> None:
    assert things(proposal(1, "Care", one), proposal(2, "Care", other)) == 2


@pytest.mark.parametrize(("one", "other"), [pair for pair in DUPLICATES if min(len(text.split()) for text in pair) > 5])
def test_texts_merge_under_names_that_have_nothing_in_common(one: str, other: str) -> None:
    assert things(proposal(1, "Way", one), proposal(2, "Habit", other)) == 1


def test_free_wordings_under_one_name_merge() -> None:
    """The name says that they are the same, and nothing in the texts speaks against it."""
    texts = (
        "Ask something that cannot be answered with yes or no.",
        "Begin with what, how or which, and leave room for the story of the user.",
        "",
    )
    merged = merge([proposal(n, name, text) for n, (name, text) in enumerate(zip(NAMES, texts, strict=True))])
    assert [thing.members for thing in merged] == [("P0", "P1", "P2")]
    assert (merged[0].name, merged[0].text) == ("open questions", texts[1])


NAMES = ("Open question", "open questions", "Open Question.")


def test_one_text_under_related_names_is_left_to_a_model() -> None:
    assert things(proposal(1, "Open question", TEXT), proposal(2, "Open question on the fault", TEXT)) == 2
    assert things(proposal(1, "Open question", TEXT), proposal(2, "The technique of open questions", TEXT)) == 1


def test_a_chain_does_not_join_what_contradicts() -> None:
    """The second goes with either of the others, they do not go together; nobody can say with which."""
    days = [proposal(1, "Refund", "Offer it within 14 days."), proposal(3, "Refund", "Offer it within 30 days.")]
    assert things(*days) == 2
    assert things(days[0], proposal(2, "Refund")) == things(days[1], proposal(2, "Refund")) == 1
    assert things(days[0], proposal(2, "Refund"), days[1]) == 3
    again = proposal(4, "refund", "Offer it within 14 days")
    assert [thing.members for thing in merge([days[0], proposal(2, "Refund"), days[1], again])] == [
        ("P1", "P4"),
        ("P2",),
        ("P3",),
    ]


def test_sources_are_kept() -> None:
    one = Proposal(id="a", kind="technique", name="Open question", text="Ask.", claims=("C1", "C2"), by="critic")
    other = Proposal(id="b", kind="technique", name="Open questions", text="Ask more.", claims=("C2", "C3"), by="coach")
    third = Proposal(id="c", kind="technique", name="OPEN QUESTION", text="", by="critic")
    assert merge([one, other, third]) == (
        Merged(
            kind="technique", name="Open questions", text="Ask more.",
            members=("a", "b", "c"), claims=("C1", "C2", "C3"), by=("critic", "coach"),
        ),
    )  # fmt: skip


def test_kinds_are_never_mixed() -> None:
    technique, failure = proposal(1, "Open question"), Proposal(id="P2", kind="failure", name="Open question", text="")
    assert things(technique, failure) == 2


def test_nameless_proposals_are_told_apart_by_their_texts() -> None:
    assert things(proposal(1, "", "Ask one thing."), proposal(2, "", "Offer a cup of tea.")) == 2


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="ids of proposals must differ: P1"):
        merge([proposal(1, "Open question"), proposal(1, "Closed question")])


WORDINGS = [wording for pair in DUPLICATES + TURNED + OTHERS + FOREIGN for wording in pair]
FAMILIES = [WORDINGS[start : start + 8] for start in range(0, len(WORDINGS) - 8, 4)]


@st.composite
def panels(draw: st.DrawFn) -> list[Proposal]:
    """Proposals from a few neighbours of the tables, so that many of them are the same or nearly so."""
    wordings = st.sampled_from(["", "Care", "Open question", *draw(st.sampled_from(FAMILIES))])
    rows = draw(st.lists(st.tuples(st.sampled_from("TF"), wordings, wordings, st.sampled_from("ABC")), max_size=14))
    return [
        Proposal(id=f"P{n}", kind=kind, name=name, text=text, claims=(f"C{n % 4}", f"C{n}"), by=by)
        for n, (kind, name, text, by) in enumerate(rows)
    ]


def content(merged: Sequence[Merged]) -> set[tuple[object, ...]]:
    return {
        (thing.kind, thing.name, thing.text, frozenset(thing.members), frozenset(thing.claims), frozenset(thing.by))
        for thing in merged
    }


@laws
@given(panels(), st.randoms(use_true_random=False))
def test_the_order_of_proposals_decides_nothing_but_the_order_of_things(panel: list[Proposal], stream: random.Random) -> None:
    shuffled = stream.sample(panel, len(panel))
    assert content(merge(shuffled)) == content(merge(panel))


@laws
@given(panels())
def test_nothing_is_lost_and_nothing_doubled(panel: list[Proposal]) -> None:
    merged = merge(panel)
    by_id = {one.id: one for one in panel}
    assert sorted(member for thing in merged for member in thing.members) == sorted(by_id)
    for thing in merged:
        members = [by_id[member] for member in thing.members]
        assert {one.kind for one in members} == {thing.kind}
        assert (thing.name, thing.text) in {(one.name, one.text) for one in members}
        assert list(thing.claims) == list(dict.fromkeys(claim for one in members for claim in one.claims))
        assert list(thing.by) == list(dict.fromkeys(one.by for one in members))


@laws
@given(panels())
def test_merging_what_was_merged_changes_nothing(panel: list[Proposal]) -> None:
    once = merge(panel)
    again = merge([Proposal(id=str(n), kind=thing.kind, name=thing.name, text=thing.text) for n, thing in enumerate(once)])
    assert [(thing.kind, thing.name, thing.text) for thing in again] == [(thing.kind, thing.name, thing.text) for thing in once]


def listed(count: int) -> tuple[Merged, ...]:
    kinds = ["technique"] * (count - 1) + ["failure mode"]
    return tuple(
        Merged(kind=kind, name=f"N{n}", text="x" * n, members=(f"P{n}",), claims=(f"C{n}", "C"), by=(f"E{n % 2}",))
        for n, kind in enumerate(kinds, start=1)
    )


def test_a_models_groups_are_applied() -> None:
    first, second, third = regroup(listed(5), [[4], [3, 1, 2], [5]])
    assert first == Merged(
        kind="technique", name="N3", text="xxx",
        members=("P1", "P2", "P3"), claims=("C1", "C", "C2", "C3"), by=("E1", "E0"),
    )  # fmt: skip
    assert (second, third) == listed(5)[3:]


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ([[1, 2], [3, 4]], "Every number must be in a group, if need be alone in it: 5 is in none."),
        ([[1, 2], [2, 3], [4], [5]], "Put each number into one group only: 2 occurs more than once."),
        ([[1, 1], [2], [3], [4], [5]], "Put each number into one group only: 1 occurs more than once."),
        ([[0, 1, 2], [3, 4], [5, 6]], "There is no 0, 6: numbers go from 1 to 5."),
        ([[1, 2, 3], [4, 5]], r"Split the group 4, 5: it holds things of different kinds \(technique, failure mode\)."),
        ([[1, 2, 3, 4], [5], []], "Leave out empty groups."),
        ([[1, 2, 2], [4, 5]], r"2 occurs more than once\. .*3 is in none\. .*Split the group 4, 5"),
    ],
)
def test_a_grouping_that_cannot_be_applied_is_answered_with_what_to_do(groups: list[list[int]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        regroup(listed(5), groups)


@laws
@given(panels())
def test_groups_of_one_change_nothing(panel: list[Proposal]) -> None:
    merged = merge(panel)
    assert regroup(merged, [[number] for number in range(1, len(merged) + 1)]) == merged
