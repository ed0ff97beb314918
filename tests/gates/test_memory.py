"""What gates said before holds for the texts that they looked at, and hides nothing of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from finetune_prep.core.finding import Finding
from finetune_prep.documents import parse
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.gates import Unchecked, check
from finetune_prep.gates.memory import COPIES, Memory, Said, Undecided, Watched, ask, ask_or_remember
from tests.gates.pottery import sound
from tests.gates.test_broken_documents import ALL, Broken, break_in
from tests.gates.test_parsed import written


def documents_of(texts: dict[str, str], copies: dict[str, str] | None = None) -> Documents:
    read = (parse(kind, text, KINDS[kind].path) for kind, text in texts.items())
    return Documents(read, sound().snapshots if copies is None else copies)


@pytest.mark.parametrize("broken", ALL, ids=[f"{number}-{broken.subject}" for number, broken in enumerate(ALL)])
def test_memory_hides_nothing(broken: Broken) -> None:
    """After every way of breaking a document, and after its repair, gates say what they say without a memory."""
    memory: Memory = {}
    whole = check(documents_of(written()), memory=memory)
    texts = written()
    break_in(texts, broken)
    assert check(documents_of(texts), memory=memory) == check(documents_of(texts))
    assert check(documents_of(written()), memory=memory) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_goes_and_comes_back_is_noticed(kind: str) -> None:
    memory: Memory = {}
    whole = check(documents_of(written()), memory=memory)
    fewer = {name: text for name, text in written().items() if name != kind}
    assert check(documents_of(fewer), memory=memory) == check(documents_of(fewer)) != whole
    assert check(documents_of(written()), memory=memory) == whole


def test_another_copy_of_a_source_is_noticed() -> None:
    memory: Memory = {}
    check(documents_of(written()), memory=memory)
    copies = dict.fromkeys(sound().snapshots, "Nothing of all that.")
    assert check(documents_of(written(), copies), memory=memory) == check(documents_of(written(), copies))


def test_only_gates_that_looked_at_a_changed_text_are_asked_again() -> None:
    memory: Memory = {}
    check(documents_of(written()), memory=memory)
    before = dict(memory)
    texts = written()
    texts["system-prompt"] += "\nAnd be brief.\n"
    check(documents_of(texts), memory=memory)
    anew = {gate for gate in memory if memory[gate] is not before[gate]}
    assert anew == {gate for gate in before if "system-prompt" in before[gate].looked_at}
    assert 0 < len(anew) < len(before) / 2


class Counted:
    """A gate that looks at the rubric, and at the copies once that is there."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, documents: Documents) -> Iterable[Finding]:
        self.times += 1
        if documents.rubric is None:
            raise Unchecked("there is no rubric", lacks="evaluation-rubric")
        yield documents.rubric.finding(f"{len(documents.snapshots)} copies", "")


def test_what_was_looked_at_is_noted_with_what_was_said() -> None:
    gate, memory = Counted(), dict[str, Said]()
    said = ask_or_remember("one", gate, Watched(Documents()), memory)
    assert said == Said(looked_at={"evaluation-rubric": ""}, undecided=Undecided("there is no rubric", lacks="evaluation-rubric"))
    whole = ask_or_remember("one", gate, Watched(documents_of(written())), memory)
    assert set(whole.looked_at) == {"evaluation-rubric", COPIES}
    assert ask_or_remember("one", gate, Watched(documents_of(written())), memory) is whole
    assert gate.times == 2


def test_looking_at_all_of_them_is_looking_at_each() -> None:
    def everything(documents: Documents) -> Iterator[Finding]:
        yield from (document.finding("here it is", "") for document in documents)

    assert set(ask(everything, Watched(documents_of(written()))).looked_at) == set(KINDS)
