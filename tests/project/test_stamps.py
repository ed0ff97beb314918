"""Stamps: what is written is what is read, and a stamp that was damaged is refused with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep.errors import UsageError
from finetune_prep.project.stamps import Part, Stamp, read_stamp, write_stamp
from tests.soak import examples

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
items = st.dictionaries(texts, texts, max_size=4)
parts = st.dictionaries(texts, st.builds(Part, st.booleans(), st.dictionaries(texts, items, max_size=2)), max_size=3)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.builds(Stamp, texts, texts, items, parts))
def test_a_stamp_that_was_written_is_read_back_as_it_was(tmp_path: Path, stamp: Stamp) -> None:
    """Names of parts and items hold dots, spaces and quotes: “T1.2”, “Role and calibrations”."""
    path = tmp_path / "stamps" / "brief.toml"
    write_stamp(path, stamp)
    assert read_stamp(path) == stamp


def test_a_document_without_a_stamp_has_none(tmp_path: Path) -> None:
    assert read_stamp(tmp_path / "brief.toml") is None


@pytest.mark.parametrize(
    "content",
    [
        b"document = ",
        b'document = "brief"\n',
        b'document = "brief"\ntext = "a"\ncolour = 1\n[items]\n[parts]\n',
        b'document = "brief"\ntext = "a"\n[items]\nP1 = 3\n[parts]\n',
        b"\xff\xfe",
        b"",
    ],
)
def test_a_damaged_stamp_is_refused_with_its_path_and_a_way_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "brief.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_stamp(path)
    assert caught.value.where == str(path)
    assert "delete the file" in caught.value.next
