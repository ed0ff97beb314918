"""Tokens of a row, and which of them are trained: counted by a real tokenizer's own chat template."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.exports.lengths.tokens import count, in_words, length_of, open_tokenizer
from tests.exports.lengths.tokenizers import MARKED, NO_SYSTEM, STOCK, tokenizer

ROWS = [
    [{"role": "system", "content": "Help."}, {"role": "user", "content": "Why?"}, {"role": "assistant", "content": reply}]
    for reply in ("So.", "Because of the kiln.", "größer 🏺", "One.", "Two.", "Three.")
]
LONG = [*ROWS[0], {"role": "user", "content": "And?"}, {"role": "assistant", "content": "Then."}]


def file(folder: Path, rows: list[Any]) -> Path:
    path = folder / "train.jsonl"
    path.write_text("".join(f"{json.dumps({'messages': row})}\n" for row in rows), "utf-8")
    return path


def by_hand(row: list[dict[str, str]]) -> tuple[int, int]:
    """Tokens of a row by the template as it is written: bytes, two for the ends of each turn, one line end after role and turn."""
    total = sum(1 + len(one["role"]) + 1 + len(one["content"].encode()) + 1 + 1 for one in row)
    return total, sum(len(one["content"].encode()) + 1 for one in row if one["role"] == "assistant")


def test_all_replies_with_their_ends_are_trained_and_nothing_else(tmp_path: Path) -> None:
    """Against counts by hand, token by token; and what is decoded is the replies, the earlier ones of a talk included."""
    name = str(tokenizer(tmp_path / "model"))
    found = count(file(tmp_path, [*ROWS, LONG]), "train.jsonl", name, open_tokenizer(name))
    totals, trained = zip(*map(by_hand, [*ROWS, LONG]), strict=True)
    assert (found.rows, found.total.least, found.total.most) == (7, min(totals), max(totals))
    assert (found.trained.least, found.trained.most) == (min(trained), max(trained))
    assert found.share == pytest.approx(sum(trained) / sum(totals))
    assert found.decoded == tuple(f"{row[-1]['content']}<|im_end|>" for row in ROWS[:5])
    assert (found.more, found.less) == (0, 0)
    assert in_words(found).endswith(f"`max_length` has to be at least {max(totals)}.")
    assert length_of(open_tokenizer(name), LONG, name) == by_hand(LONG)[0]


def test_a_talk_has_all_its_replies_trained(tmp_path: Path) -> None:
    name = str(tokenizer(tmp_path / "model"))
    found = count(file(tmp_path, [LONG]), "train.jsonl", name, open_tokenizer(name))
    assert found.decoded == ("So.<|im_end|>Then.<|im_end|>",)


def test_a_template_that_marks_nothing_is_refused(tmp_path: Path) -> None:
    """Stock templates of several families: transformers masks every token, and only a line of a log says so (unsloth#11321)."""
    name = str(tokenizer(tmp_path / "model", STOCK))
    with pytest.raises(ActNeeded, match="6 of 6 rows have no token that is trained") as refused:
        count(file(tmp_path, ROWS), "train.jsonl", name, open_tokenizer(name))
    assert "{% generation %}" in refused.value.what
    assert refused.value.next.startswith("nothing was replaced")


def test_a_template_that_refuses_a_system_prompt_is_named(tmp_path: Path) -> None:
    """LlamaFactory#8217: said before anybody trains, in the template's own words."""
    name = str(tokenizer(tmp_path / "model", NO_SYSTEM))
    with pytest.raises(ActNeeded, match="cannot put these rows: System role not supported"):
        count(file(tmp_path, ROWS), "train.jsonl", name, open_tokenizer(name))


def test_a_row_that_is_trained_as_empty_text_is_found(tmp_path: Path) -> None:
    """unsloth#11293: one row of many; it is named."""
    template = MARKED.replace("message['role'] == 'assistant'", "message['role'] == 'assistant' and message['content'] != 'One.'")
    name = str(tokenizer(tmp_path / "model", template))
    with pytest.raises(ActNeeded, match="1 of 6 rows") as refused:
        count(file(tmp_path, ROWS), "train.jsonl", name, open_tokenizer(name))
    assert refused.value.where == "train.jsonl, row 4"


def test_an_empty_thought_before_every_reply_is_told(tmp_path: Path) -> None:
    """LlamaFactory#9392: templates of models that think put one into what is trained."""
    template = MARKED.replace("{% generation %}", "{% generation %}<think>\n\n</think>\n\n")
    name = str(tokenizer(tmp_path / "model", template))
    found = count(file(tmp_path, ROWS), "train.jsonl", name, open_tokenizer(name))
    assert (found.more, found.more_words, found.less) == (6, "<think></think>", 0)
    assert "6 rows also train words that are in no reply, such as “<think></think>”" in in_words(found)


def test_turns_of_the_user_that_are_trained_are_told(tmp_path: Path) -> None:
    """axolotl#2089: the mask lay on the wrong turns."""
    name = str(tokenizer(tmp_path / "model", MARKED.replace("== 'assistant' %}{% gen", "!= 'system' %}{% gen")))
    found = count(file(tmp_path, ROWS), "train.jsonl", name, open_tokenizer(name))
    assert (found.more, found.more_words) == (6, "Why?")


def test_a_template_that_marks_the_last_reply_alone_is_told(tmp_path: Path) -> None:
    template = MARKED.replace("== 'assistant' %}{% gen", "== 'assistant' and loop.last %}{% gen")
    name = str(tokenizer(tmp_path / "model", template))
    found = count(file(tmp_path, [*ROWS, LONG]), "train.jsonl", name, open_tokenizer(name))
    assert (found.more, found.less) == (0, 1)
    assert "1 row does not train all words of the replies." in in_words(found)


def test_a_tokenizer_without_a_template_cannot_tell(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no chat template"):
        open_tokenizer(str(tokenizer(tmp_path / "model", "")))


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="there is no tokenizer"):
        open_tokenizer(str(tmp_path / "empty"))


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **others: Any) -> Any:
        if name == "transformers":
            raise ImportError(name)
        return real(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match="needs the package transformers") as refused:
        open_tokenizer("any")
    assert refused.value.next == "pip install transformers"
