"""Looking something up: passages stand where they say, and a query is words and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.core.knowledge import Source
from finetune_prep.sources.files import SourceText
from finetune_prep.sources.library import Library


def source(id: str, text: str) -> SourceText:
    return SourceText(source=Source(id=id, title=id, where=id, read=""), text=text, hash=id)


SOURCES = [
    source(
        "S01",
        "# Returns\n\nThirty days from the day of delivery.\n\n"
        + "Filler about nothing. " * 100
        + "\n\nGift cards are never refunded.\n",
    ),
    source("S02", "# Delivery\n\nParcels are handed over on Tuesday. A parcel that is late is looked for.\n"),
    source("S03", "# Größen\n\nDie Schüssel fasst drei Liter. Café au lait.\n"),
]


def test_the_passage_with_the_rare_words_comes_first() -> None:
    (passage,) = Library(SOURCES).find("are gift cards refunded", 1)
    assert passage.source_id == "S01"
    assert "Gift cards are never refunded." in passage.text


def test_a_passage_stands_where_it_says() -> None:
    for passage in Library(SOURCES).find("days parcel delivery filler", 10):
        text = next(one.text for one in SOURCES if one.source.id == passage.source_id)
        assert text[passage.start : passage.start + len(passage.text)] == passage.text


def test_no_more_than_asked_for() -> None:
    assert [len(Library(SOURCES).find("the of are filler", count)) for count in (0, 1, 2)] == [0, 1, 2]


@pytest.mark.parametrize("query", ["GRÖßEN", "größen", "schussel", "cafe", "Liter?"])
def test_case_and_accents_do_not_matter(query: str) -> None:
    found = Library(SOURCES).find(query, 5)
    assert [passage.source_id for passage in found] == ["S03"]


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "AND",
        "gift AND",
        "gift NOT cards",
        "NEAR(gift cards)",
        "body:gift",
        "gift*",
        "^gift",
        "-gift",
        "gift'; DROP TABLE passage",
        "{x y}:z",
        "gift\x00",
        "(",
        "OR OR",
    ],
)
def test_operators_are_words(query: str) -> None:
    """Nothing in a query is syntax: what holds “gift” finds it, what holds no word finds nothing."""
    found = Library(SOURCES).find(query, 5)
    assert bool(found) == ("gift" in query)


@given(st.text(max_size=40))
def test_no_query_is_an_error(query: str) -> None:
    assert len(Library(SOURCES).find(query, 3)) <= 3


def test_no_sources_and_no_words_find_nothing() -> None:
    assert Library([]).find("gift", 5) == ()
    assert Library(SOURCES).find("?!", 5) == ()


HANDBOOKS = [
    source("S01", "# 退换\n\n破损的碗可以在三十天内退换，须经书面同意。\n"),
    source("S02", "# 返品\n\n割れた茶碗は三十日以内に交換します。ギフトカードは返金できません。ＦＡＸは使えません。\n"),
    source("S03", "ชามที่แตกสามารถคืนได้ภายในสามสิบวัน กรุณาเก็บใบเสร็จไว้\n"),
    source("S04", "# 반품\n\n깨진 그릇은 삼십 일 안에 교환됩니다. 영수증을 보관하세요.\n"),
    source("S05", "टूटा हुआ कटोरा तीस दिनों में बदला जाता है। रसीद रखें।\n"),
    source("S06", "ຊາມແຕກສາມາດປ່ຽນໄດ້ພາຍໃນສາມສິບວັນ\n"),
]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("退换", ["S01"]), ("书面同意", ["S01"]), ("养狗", []), ("同书", []), ("碗摔坏了还可以退换吗", ["S01"]), ("三十", ["S01", "S02"]),
        ("茶碗", ["S02"]), ("カード", ["S02"]), ("ギフトカード", ["S02"]), ("ペット", []), ("fax", ["S02"]), ("割れた茶碗は交換できますか", ["S02"]),
        ("ใบเสร็จ", ["S03"]), ("สามสิบวัน", ["S03"]), ("แมว", []), ("ใบเสร็จหายแล้วจะคืนชามได้ไหม", ["S03"]),
        ("그릇", ["S04"]), ("영수증", ["S04"]), ("고양이", []),
        ("कटोरा", ["S05"]), ("रसीद", ["S05"]), ("रस", []),
        ("ປ່ຽນ", ["S06"]), ("ໝາ", []),
    ],
)  # fmt: skip
def test_parts_of_words_are_found_where_words_stand_without_spaces(query: str, ids: list[str]) -> None:
    assert sorted(passage.source_id for passage in Library(HANDBOOKS).find(query, 9)) == ids


def test_a_question_in_chinese_finds_the_portion_that_answers_it() -> None:
    filler = "本店的陶器都在自己的窑里烧制，每一件都略有不同。" * 40
    text = source("S01", f"{filler}\n\n碗若在途中破损，请在三十天内把照片寄给我们。\n\n{filler}\n")
    (best,) = Library([text]).find("收到的碗在途中破损了，要多久之内联系你们？", 1)
    assert "三十天内" in best.text


def test_a_long_query_in_any_script_is_looked_up() -> None:
    assert Library(HANDBOOKS).find("我想知道破损的碗怎么退换。" * 300 + "gift cards " * 300, 1)[0].source_id == "S01"


def test_a_row_of_a_long_table_is_found_by_its_head_and_given_with_it() -> None:
    rows = "\n".join(f"| bowl {n} | {n} euros | within {n} days of delivery, whatever the reason |" for n in range(1, 60))
    table = "| piece | refund | limit |\n| --- | --- | --- |"
    (passage,) = Library([source("S01", f"# Refunds\n\n{table}\n{rows}\n")]).find("refund bowl 57", 1)
    assert "| bowl 57 | 57 euros |" in passage.text
    assert passage.table == table
