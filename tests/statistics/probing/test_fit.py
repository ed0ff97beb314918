"""Which conversations a fault fits: those that speak of what it is about."""

from __future__ import annotations

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.statistics.probing.fit import Fit
from finetune_prep.statistics.probing.plan import breaking, planting


def talk(asked: str, said: str) -> Conversation:
    return Conversation((Message("user", asked), Message("assistant", said)))


HURT = talk("The handle came off and I cut my hand on it.", "Is the cut deep? Then see a doctor.")
LATE = talk("Where is my parcel? It should have come on Friday.", "I can't see the parcel from here.")
BACK = talk("Can the blue jug go back? It is too big for my hand.", "Yes, if it is unused.")
TALKS = (LATE, BACK, HURT)
CUT = "The assistant should always do this: When a cut or a burn is mentioned: name a doctor before the parcel."


def test_a_fault_fits_the_conversation_that_speaks_of_it() -> None:
    fit = Fit(TALKS)
    assert max(TALKS, key=lambda one: fit(CUT, one.id)) is HURT
    assert fit("Zuerst der Schnitt", HURT.id) == 0.0


def test_words_that_stand_everywhere_say_nothing() -> None:
    same = [talk(f"My bowl {number} broke.", "We send a bowl.") for number in range(3)]
    fit = Fit(same)
    assert {fit("We send a bowl", one.id) for one in same} == {0.0}


def test_edits_begin_where_their_subject_fits_and_then_use_others() -> None:
    fit = Fit(TALKS)
    edits = breaking("SF1", ("DO1",), TALKS, 3, fit=lambda subject, id: fit(CUT, id))
    assert edits[0].base == HURT.id
    assert {edit.base for edit in edits[:4]} >= {HURT.id, LATE.id}
    assert max([edit.base for edit in edits].count(one.id) for one in TALKS) == 2


def test_a_failure_is_planted_first_where_it_fits() -> None:
    fit = Fit(TALKS)
    found = [planting("FM1", TALKS, start, lambda subject, id: fit(CUT, id))[0].base for start in range(3)]
    assert found == [HURT.id] * 3
