"""`sources`: what the domain reference rests on, and looking something up in it."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.options import json_option
from finetune_prep.phases.research.all_sources import look_up, shelf
from finetune_prep.project.project import open_project
from finetune_prep.sources.files import SourceText


@click.command()
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@click.option(
    "-n", "count", type=click.IntRange(1, 100), default=5, show_default=True, help="Maximum number of passages to show."
)
@json_option
@click.pass_obj
def sources(project: str, words: tuple[str, ...], count: int, as_json: bool) -> None:
    """List the sources: files of sources/, and pages that research read on the web. With QUERY: the passages that fit it best.

    A query is words, in any order; passages with more of them, and with rarer ones, come first.
    """
    texts, findings = shelf(open_project(project))
    if words:
        _print_passages(texts, " ".join(words), count, as_json=as_json)
        return
    if as_json:
        rows = [{**_about(text), "hash": text.hash, "characters": len(text.text), "left_out": text.left_out} for text in texts]
        screen.json({"sources": rows, "unread": findings})
        return
    for text in texts:
        about = text.source
        screen.say(f"{about.id} {text.headline or about.title}", bold=True)
        days = [f"published {about.published}" if about.published else "", f"read {about.read}" if about.read else ""]
        known = [about.where, about.publisher, *days, f"{len(text.text):,} characters"]
        screen.paragraph(" · ".join(part for part in known if part), indent=4)
        if text.left_out:
            screen.paragraph(f"left out: {text.left_out}", indent=4)
    for finding in findings:
        screen.say(str(finding))
    if not texts:
        screen.say(
            "No sources. Put handbooks, policies and notes into sources/, or name a search provider in finetune-prep.toml."
        )


def _about(text: SourceText) -> dict[str, str]:
    about = text.source
    return {
        "id": about.id,
        "title": text.headline or about.title,
        "where": about.where,
        "publisher": about.publisher,
        "published": about.published,
        "read": about.read,
    }


def _print_passages(texts: list[SourceText], query: str, count: int, *, as_json: bool) -> None:
    found = look_up(texts, query, count)
    if as_json:
        screen.json({"passages": found})
        return
    titles = {text.source.id: text.headline or text.source.title for text in texts}
    for passage in found:
        screen.say(f"{passage.source_id} {titles[passage.source_id]}", bold=True)
        screen.paragraph(f"{passage.table}\n{passage.text}" if passage.table else passage.text)
    if not found:
        screen.say(f"None of these words is in the {len(texts)} source{'' if len(texts) == 1 else 's'}.")
