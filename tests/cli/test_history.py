"""`history` and `restore`: no text that was accepted or replaced is lost."""

from __future__ import annotations

import json
import os

from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.project.project import Project
from finetune_prep.project.stamps import Part
from tests.cli.terminal import Terminal
from tests.phases.pottery_shop import accept_all, rewrite

KIND = "evaluation-rubric"


def text_of(shop: Project) -> str:
    return shop.layout.document(KIND).read_text("utf-8")


def test_without_a_kept_text_it_says_so(terminal: Terminal) -> None:
    shown = terminal("history", KIND)
    assert (shown.code, shown.out) == (0, "No text of reference/evaluation-rubric.md has been accepted or replaced yet.\n")


def test_there_and_back_again(shop: Project, terminal: Terminal) -> None:
    """An accepted text comes back byte for byte, accepted as before; the text it replaces is kept first."""
    accept_all(shop)
    accepted = text_of(shop)
    rewrite(shop, KIND, "threshold: 0.75", "threshold: 0.72")
    edited = text_of(shop)
    [kept] = json.loads(terminal("history", KIND, "--json").out)
    assert (kept["hash"], kept["present"], kept["accepted"][:8]) == (text_hash(accepted), False, "a reader")
    shown = terminal("restore", KIND, kept["hash"][:6])
    assert shown.code == 0
    assert text_of(shop) == accepted
    assert "accepted by a reader" in shown.out
    assert shop.acceptance(KIND) is not None
    assert terminal("restore", KIND, text_hash(edited)).code == 0
    assert text_of(shop) == edited
    assert {row["present"] for row in json.loads(terminal("history", KIND, "--json").out)} == {True, False}


def test_the_latest_comes_first_in_a_copy_of_the_folder_too(shop: Project, terminal: Terminal) -> None:
    """Copied files have the times, and the order, in which they were copied."""
    texts = [text_of(shop).replace("0.75", f"0.{number}") for number in (61, 62, 63, 64)]
    for text in texts:
        shop.write(KIND, text, {})
    files = [shop.layout.history(KIND, text_hash(text)) for text in texts[:3]]
    for number, file in enumerate(files):
        os.utime(file, ns=(10**18 - number, 10**18 - number))
    rows = json.loads(terminal("history", KIND, "--json").out)
    assert [row["hash"] for row in rows][:3] == [text_hash(text) for text in reversed(texts[:3])]


def test_what_a_restore_takes_away_is_told_before_and_after(shop: Project, terminal: Terminal) -> None:
    before = text_of(shop)
    line = next(line for line in before.splitlines() if line.startswith("- G1:"))
    shop.write(KIND, before.replace(f"{line}\n", ""), {})
    shop.write(KIND, before.replace("threshold: 0.75", "threshold: 0.7"), {})
    [without, first] = json.loads(terminal("history", KIND, "--json").out)
    assert (without["compared"], first["compared"]) == ("without G1, with other words in Scoring", "with other words in Scoring")
    assert "compared with the present text: without G1" in " ".join(terminal("history", KIND).out.split())
    shown = terminal("restore", KIND, without["hash"])
    assert "Compared with that one: without G1, with other words in Scoring." in shown.out


def test_a_stamp_comes_back_with_its_text(shop: Project, terminal: Terminal) -> None:
    """So staleness speaks of what the restored text was made from."""
    parts = {"Questions": Part(compiled=False, made_from={"domain-frameworks": {"FM1": "as it was"}})}
    first = text_of(shop)
    shop.write(KIND, first, parts)
    shop.write(KIND, first.replace("0.75", "0.7"), {})
    assert shop.stale() == ()
    shown = terminal("restore", KIND, text_hash(first))
    assert "not known what this text was made from" not in shown.out
    stamp = shop.stamp(KIND)
    assert stamp is not None
    assert stamp.parts == parts
    assert [str(part)[:31] for part in shop.stale()] == ["evaluation-rubric · Questions: "]


def test_a_hand_written_text_has_no_stamp_and_says_so(shop: Project, terminal: Terminal) -> None:
    written = text_of(shop)
    shop.write(KIND, written.replace("0.75", "0.7"), {})
    shown = terminal("restore", KIND, text_hash(written))
    assert "It is not known what this text was made from" in shown.out
    assert shop.stamp(KIND) is None


def test_what_is_not_even_text_is_kept(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    path = shop.layout.document(KIND)
    accepted = path.read_bytes()
    path.write_bytes(b"\xff\xfe\x00garbage")
    assert terminal("restore", KIND, text_hash(accepted.decode())).code == 0
    assert path.read_bytes() == accepted
    assert b"\xff\xfe\x00garbage" in {kept.read_bytes() for kept in shop.layout.history(KIND, "x").parent.glob("*.md")}


def test_line_ends_survive(shop: Project, terminal: Terminal) -> None:
    """The text that a restore replaces is kept as it is on disk."""
    accept_all(shop)
    path = shop.layout.document(KIND)
    accepted = path.read_bytes()
    windows = accepted.replace(b"0.75", b"0.74").replace(b"\n", b"\r\n")
    path.write_bytes(windows)
    terminal("restore", KIND, text_hash(accepted.decode()))
    terminal("restore", KIND, text_hash(windows.decode()))
    assert path.read_bytes() == windows


def test_an_unknown_hash_changes_nothing(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    before = text_of(shop)
    shown = terminal("restore", KIND, "zzz")
    assert shown.code == 2
    assert "no kept text begins with “zzz”" in shown.err
    assert "next:  finetune-prep history evaluation-rubric" in shown.err
    assert text_of(shop) == before


def test_what_the_program_overwrites_is_kept_as_it_was_on_disk(shop: Project, terminal: Terminal) -> None:
    """Line ends and byte order mark of a hand-edited file included."""
    path = shop.layout.document(KIND)
    by_hand = "\ufeff".encode() + path.read_bytes().replace(b"0.75", b"0.71").replace(b"\n", b"\r\n")
    path.write_bytes(by_hand)
    shop.write(KIND, "# Anew\n", {})
    [kept] = json.loads(terminal("history", KIND, "--json").out)
    assert terminal("restore", KIND, kept["hash"]).code == 0
    assert path.read_bytes() == by_hand
