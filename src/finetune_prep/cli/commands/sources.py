"""`sources`: what the domain reference rests on, and looking something up in it."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.options import json_option
from finetune_prep.errors import UsageError
from finetune_prep.phases.research.all_sources import look_up, shelf
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.sources.files import SourceText
from finetune_prep.workflow.texts import renewing


@click.command()
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@click.option(
    "-n", "count", type=click.IntRange(1, 100), default=5, show_default=True, help="Maximum number of passages to show."
)
@click.option("--renew", metavar="ID", help="Take the text of this file anew, where it has changed since it was read.")
@json_option
@click.pass_obj
def sources(project: str, words: tuple[str, ...], count: int, renew: str | None, as_json: bool) -> None:
    """List the sources: files of sources/, and pages that research read on the web. With QUERY: the passages that fit it best.

    A query is words, in any order; passages with more of them, and with rarer ones, come first.

    Quotations are looked up in the text as it was read. --renew S05 takes that of a changed file anew, and names the quotations
    that it does not hold any more. No model is asked, so nothing that is new in it gets into the reference: research --overwrite
    reads it for that.
    """
    if renew is not None:
        if words:
            raise UsageError("--renew takes one id, and no query", next=f"finetune-prep sources --renew {renew}")
        _renew(project, renew, as_json=as_json)
        return
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


def _renew(folder: str, id: str, *, as_json: bool) -> None:
    project = open_project(folder)
    with locked(project.layout.lock, "sources"):
        done = renewing.renew(project, id)
    step = "finetune-prep check domain-frameworks"
    if as_json:
        screen.json(done, step=step)
        return
    what = f"{done.path} says what {done.where} says now" if done.changed else f"{done.path} says what {done.where} says already"
    screen.say(f"{what}.", bold=True)
    if done.quotations:
        screen.say(f"  {done.quotations - len(done.lost)} of {screen.counted(done.quotations, 'quotation')} from it stand in it.")
    for finding in done.lost:
        screen.say(f"  {finding}")
    if done.changed:
        screen.say("  What is new in it is not in the reference; finetune-prep research --overwrite reads it for that.")
    screen.next_step(step)


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
