"""The table of formats: every row can be chosen, writes files of its own, and a preview has the name of no training file."""

from __future__ import annotations

from finetune_prep.exports.formats import DEFAULT, FORMATS, preview_of


def test_each_has_its_own_files_and_one_is_the_default() -> None:
    assert DEFAULT in FORMATS
    names = [name for form in FORMATS.values() for name in (form.file, form.sidecar)]
    assert len(set(names)) == len(names)
    assert all(form.file.startswith("train.") and form.file.endswith(".jsonl") for form in FORMATS.values())
    assert not {preview_of(name) for name in names} & set(names)


def test_the_name_of_a_preview_says_so_before_its_ending() -> None:
    assert preview_of("train.jsonl") == "train.preview.jsonl"
    assert preview_of("train.meta.jsonl") == "train.meta.preview.jsonl"
