"""Merging: duplicates and near-misses written by hand, and the laws of putting proposals together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.merging import Merged, Proposal, merge, regroup

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
]

# two things, although nearly all their words are the same
NEAR_MISSES = [
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
    ("Ein Datum versprechen", "Kein Datum versprechen"),
    ("Die Rückgabe annehmen", "Die Rückgabe ablehnen"),
    ("Vor der Antwort nachfragen", "Nach der Antwort nachfragen"),
    ("Das Datum nennen", "Den Preis nennen"),
    ("Innerhalb von drei Tagen antworten", "Innerhalb von drei Stunden antworten"),
    ("Innerhalb von drei Tagen antworten", "Innerhalb von zwei Tagen antworten"),
    ("Einen Rat anbieten", "Eine Rate anbieten"),
    ("Gutschein statt Geld anbieten", "Geld statt Gutschein anbieten"),
    ("Die Kunden fragen", "Die Kundenfragen"),
    ("Das Gefühl mit Worten nennen", "Das Gefühl ohne Worte nennen"),
    ("Sag, was schon fertig ist", "Sag, was schön fertig ist"),
    ("Bevor du anbietest, frag nach", "Bevor du nachfragst, biete an"),
    ("Den Kunden duzen", "Den Kunden siezen"),
]
TEXT = "Write it in a way that the reader can see at once what the agent will do for them."


def proposal(number: int, name: str, text: str = "", **more: object) -> Proposal:
    return Proposal(id=f"P{number}", kind="technique", name=name, text=text, by=f"E{number}", **more)  # type: ignore[arg-type]


def things(*proposals: Proposal) -> int:
    return len(merge(proposals))


def test_the_tables_are_long_enough_and_hold_nothing_twice() -> None:
    for table in (DUPLICATES, NEAR_MISSES):
        assert len({frozenset(pair) for pair in table}) == len(table) >= 60
        assert all(one != other for one, other in table)


@pytest.mark.parametrize(("one", "other"), DUPLICATES)
def test_duplicates_merge(one: str, other: str) -> None:
    """As texts under one name, and as names of one text."""
    assert things(proposal(1, one, one), proposal(2, other, other)) == 1
    assert things(proposal(1, "Care", one), proposal(2, "Care", other)) == 1


@pytest.mark.parametrize(("one", "other"), NEAR_MISSES)
def test_near_misses_do_not_merge(one: str, other: str) -> None:
    """As names alone, with their own words as text, as names of one text, and as texts under two names."""
    assert things(proposal(1, one), proposal(2, other)) == 2
    assert things(proposal(1, one, one), proposal(2, other, other)) == 2
    assert things(proposal(1, "Way", one), proposal(2, "Habit", other)) == 2
    assert things(proposal(1, one, TEXT), proposal(2, other, TEXT)) == 2
    if NEAR_MISSES.index((one, other)) < 43:
        assert things(proposal(1, "Care", one), proposal(2, "Care", other)) == 2
