"""Slices of long talks: where they end, that none is too long, and that every reply is the last one of some slice at most once."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.durable import Together
from finetune_prep.exports.lengths.slices import FIRST, GAPS, Messages, bytes_of, cut, ends, in_words, name_of, names, write
from tests.soak import examples

laws = settings(max_examples=examples(80))


@laws
@given(st.integers(1, 40), st.text(max_size=6))
def test_from_the_third_exchange_two_to_five_apart_and_always_the_last(exchanges: int, seed: str) -> None:
    found = ends(exchanges, seed)
    assert found[-1] == exchanges
    assert found == sorted(set(found)) == ends(exchanges, seed)
    assert found[0] == (FIRST if exchanges > FIRST else exchanges)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert all(1 <= gap <= GAPS[1] for gap in gaps)
    assert all(gap >= GAPS[0] for gap in gaps[:-1])


def talk(exchanges: int, words: int = 3) -> Messages:
    turns = [{"role": "system", "content": "You help."}]
    for n in range(exchanges):
        turns += [
            {"role": "user", "content": f"question {n}"},
            {"role": "assistant", "content": f"reply {n} " + "word " * words + "end"},
        ]
    return turns


def test_a_slice_is_a_beginning_that_ends_with_a_reply() -> None:
    whole = talk(9)
    for exchanges, part in cut(whole):
        assert part == whole[: 1 + 2 * exchanges]
        assert part[-1]["role"] == "assistant"
    assert next(part for _, part in cut(talk(2))) == talk(2)


def written(
    folder: Path, talks: list[Messages], limit: int, **more: object
) -> tuple[list[Messages], list[dict[str, object]], object]:
    path = folder / "train.jsonl"
    path.write_text("".join(f"{json.dumps({'messages': said})}\n" for said in talks), "utf-8")
    with Together(folder) as files:
        found = write(files, path, "train.jsonl", limit, **more)  # type: ignore[arg-type]
        files.commit()
    rows = [json.loads(line)["messages"] for line in (folder / "train.slices.jsonl").read_text("utf-8").splitlines()]
    origins = [json.loads(line) for line in (folder / "train.slices.meta.jsonl").read_text("utf-8").splitlines()]
    return rows, origins, found


@pytest.mark.parametrize("limit", [600, 1500, 10_000])
def test_none_is_longer_than_the_limit_and_what_was_left_out_is_counted(tmp_path: Path, limit: int) -> None:
    talks = [talk(n, words=n) for n in (1, 4, 8, 12)]
    rows, origins, found = written(tmp_path, talks, limit)
    assert rows
    assert all(bytes_of(row) <= limit for row in rows)
    wanted = [(n, exchanges, part) for n, said in enumerate(talks, start=1) for exchanges, part in cut(said)]
    assert [(row["of"], row["exchanges"]) for row in origins] == [(n, e) for n, e, part in wanted if bytes_of(part) <= limit]
    assert found.too_long == len(wanted) - len(rows)  # type: ignore[attr-defined]
    assert [row["row"] for row in origins] == [*range(1, len(rows) + 1)]


def test_a_tokenizer_may_count(tmp_path: Path) -> None:
    """By words, a thousand bytes are few tokens: more fits than by bytes."""
    talks = [talk(8, words=40)]
    by_bytes, _, _ = written(tmp_path, talks, 1500)
    by_words, _, found = written(
        tmp_path, talks, 1500, length=lambda messages: sum(len(one["content"].split()) for one in messages)
    )
    assert len(by_words) > len(by_bytes)
    assert found.counted  # type: ignore[attr-defined]
    assert "as the tokenizer counts" in in_words(found)  # type: ignore[arg-type]


def test_a_talk_of_which_nothing_fits_is_said(tmp_path: Path) -> None:
    _, _, found = written(tmp_path, [talk(1), talk(5, words=500)], 1000)
    assert (found.without, found.talks) == (1, 2)  # type: ignore[attr-defined]
    assert "for 1 conversation every slice" in in_words(found)  # type: ignore[arg-type]


def test_names_say_what_they_are() -> None:
    assert (name_of("train.jsonl"), name_of("train.preview.jsonl")) == ("train.slices.jsonl", "train.slices.preview.jsonl")
    assert names("train.jsonl", preview=True) == {"train.slices.preview.jsonl", "train.slices.meta.preview.jsonl"}
