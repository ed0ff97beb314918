"""The user's own material: files of the folder `sources/`, read as text with what they say about themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import structs

from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.knowledge import Source
from finetune_prep.project.layout import read_plain
from finetune_prep.sources.parsing.extracted import Extracted, Unreadable, counted
from finetune_prep.sources.text import extract
from finetune_prep.sources.titles import address_name

# ending → what kind of text can be read from it; "" = it is text already
READABLE = {".md": "", ".txt": "", ".html": "html", ".htm": "html", ".docx": "docx", ".pdf": "pdf"}
LARGEST = 2_000_000  # bytes of a text; a page of a handbook has some 10 KB, a book 1 MB
LARGEST_FOREIGN = 20_000_000  # bytes of a format with pictures and fonts in it
WEB = ("http://", "https://")
FIX = "sources are .md and .txt files in UTF-8, .html, .docx and .pdf"
_FRONT = re.compile(r"\A---[ \t]*\n(.{0,10000}?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


class SourceText(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it was read. source.read is filled in when a reader has read it."""

    source: Source
    text: str
    """Without front matter."""
    hash: str
    headline: str = ""
    """How a page from the web calls itself: strangers' words, for people. Its source.title is its address."""
    left_out: str = ""
    """What stands in the file and not in the text, as in "2 comments, 1 deletion"."""

    @property
    def snapshot(self) -> str:
        """What is kept of it beside the documents, so that quotes can be checked for ever."""
        source = self.source
        title = self.headline or source.title
        about = {"title": title, "publisher": source.publisher, "published": source.published, "where": source.where}
        about |= {"read": source.read, "left_out": self.left_out}
        # quoted as in JSON, which is YAML too: titles like to hold colons
        known = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in about.items() if value)
        return f"---\n{known}hash: {self.hash}\n---\n{self.text}"


def read_folder(folder: Path, root: Path, known: Mapping[str, str] | None = None) -> tuple[list[SourceText], list[Finding]]:
    """Every readable file below `folder`, in the order of their paths, numbered S01, S02, …; and what could not be read.

    A file that cannot be read is a finding, not a stop; hidden files and folders are passed over. root: the project folder,
    to which `where` is relative. known: `where` → id of sources that have one already and keep it; new ones come after.
    """
    ids = dict(known or {})
    texts: list[SourceText] = []
    findings: list[Finding] = []
    for path in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts) or (path.is_dir() and not path.is_symlink()):
            continue
        where = _printable(path.relative_to(root).as_posix())
        try:
            data = _data(path, root.resolve())
            source = _source(ids.get(where) or next_id(ids), where, data)
            ids[where] = source.source.id
            texts.append(source)
        except (ValueError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            fix = fix_of(error) or FIX
            findings.append(Finding(path=where, line=0, what=f"not read: {reason}", fix=fix))
    return texts, findings


def fix_of(error: Exception) -> str:
    """What a person can do about a file that was not read; "" if nothing is known."""
    if not isinstance(error, Unreadable):
        return ""
    return f"install it: pip install {error.install}" if error.install else error.fix


def known_ids(snapshots: Path) -> dict[str, str]:
    """`where` → id of every source that has a snapshot: a file that is added later must not take the number of a cited one."""
    found = {}
    for path in sorted(snapshots.glob("S*.md")):
        about, _ = _front_matter(read_plain(path).decode(errors="replace"))
        if where := about.get("where"):
            found[where] = path.stem
    return found


def _printable(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8, as in archives of another system, are written as their codes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def read_snapshots(folder: Path) -> list[SourceText]:
    """Every source of which there is a snapshot, as it was read, in the order of their ids."""
    found = []
    for path in sorted(folder.glob("S*.md"), key=lambda path: (len(path.stem), path.stem)):
        about, body = _front_matter(read_plain(path).decode(errors="replace"))
        if "hash" in about and "where" in about and body.strip():
            headline = about.get("title", "") if about["where"].startswith(WEB) else ""
            source = Source(
                id=path.stem,
                title=address_name(about["where"]) if headline else about.get("title", ""),
                where=about["where"],
                read=about.get("read", ""),
                publisher=about.get("publisher", ""),
                published=about.get("published", ""),
            )
            found.append(
                SourceText(
                    source=source,
                    text=body.strip() + "\n",
                    hash=about["hash"],
                    headline=headline,
                    left_out=about.get("left_out", ""),
                )
            )
    return found


def from_snapshot(path: Path, now: SourceText) -> SourceText:
    """The source as it was read when its snapshot was taken, though its file says something else now.

    Falls back to what the file says now if the snapshot cannot be read.
    """
    try:
        about, body = _front_matter(read_plain(path).decode())
    except UnicodeDecodeError:
        return now
    if "hash" not in about or not body.strip():
        return now
    title = now.source.title if now.headline else about.get("title", "")
    source = structs.replace(now.source, title=title, publisher=about.get("publisher", ""), published=about.get("published", ""))
    headline = about.get("title", "") if now.headline else ""
    left_out = about.get("left_out", "")
    return SourceText(source=source, text=body.strip() + "\n", hash=about["hash"], headline=headline, left_out=left_out)


def next_id(ids: Mapping[str, str]) -> str:
    """The first id that comes after all of these (`where` → id)."""
    numbers = [int(id[1:]) for id in ids.values() if id[1:].isdecimal()]
    return f"S{max(numbers, default=0) + 1:02}"


def _data(path: Path, root: Path) -> bytes:
    """The content of a file that may be read. Raises ValueError saying why it may not, OSError if it cannot."""
    if path.is_symlink() and not path.is_file():
        raise ValueError("it is a link to a folder, or to nothing")
    kind = READABLE.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{path.suffix or 'no ending'} is not a text format known here")
    if not path.is_file():
        raise ValueError("it is not a plain file")
    if not path.resolve().is_relative_to(root):
        raise ValueError("it points outside the project")
    most = LARGEST_FOREIGN if kind else LARGEST
    if path.stat().st_size > most:
        raise Unreadable(f"larger than {most // 1_000_000} MB", fix="split it into several files")
    return path.read_bytes()


def _source(id: str, where: str, data: bytes) -> SourceText:
    """Raises ValueError saying why this is not a text."""
    kind = READABLE[Path(where).suffix.lower()]
    found = extract(kind, data, own=True) if kind else _own_words(data)
    heading = re.search(r"^#\s+(.+)$", found.text, re.MULTILINE)
    title = found.title or (heading[1].strip() if heading else Path(where).stem.replace("-", " ").capitalize())
    source = Source(id=id, title=title, where=where, read="", publisher=found.publisher, published=found.published)
    return SourceText(source=source, text=found.text.strip() + "\n", hash=digest_bytes(data), left_out=counted(found.left_out))


def _own_words(data: bytes) -> Extracted:
    """A text as its author wrote it, with what its front matter says."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Unreadable("not UTF-8 text", fix="save it as UTF-8") from error
    if "\0" in text:
        raise ValueError("binary")
    about, body = _front_matter(text)
    if not body.strip():
        raise ValueError("empty")
    return Extracted(
        text=body, title=about.get("title", ""), publisher=about.get("publisher", ""), published=about.get("published", "")
    )


def _front_matter(text: str) -> tuple[Mapping[str, str], str]:
    """Keys of the front matter with the values that are a word, a number or a date, as text; and the rest of the text.

    Front matter that is not YAML is left in the text.
    """
    match = _FRONT.match(text)
    values = _values(match[1]) if match else None
    return ({}, text) if match is None or values is None else (values, text[match.end() :])


@lru_cache(maxsize=256)
def _values(front: str) -> Mapping[str, str] | None:
    """What stands in front matter, None if it is not YAML. It is slow to read, and one command looks at it several times."""
    # a tenth of a second to import, which commands that read no sources do not need
    from ruamel import yaml

    try:
        values = yaml.YAML(typ="safe", pure=True).load(front)
    except (yaml.error.YAMLError, ValueError, RecursionError):  # ValueError: 2026-02-30 is no date
        return None
    if values is None:
        return {}
    if not isinstance(values, dict):
        return None
    # lists and tables are left out: a few lines of aliases can stand for more text than fits in memory
    plain = {key: value for key, value in values.items() if isinstance(value, str | int | float | date)}
    return {str(key).lower(): " ".join(str(value).split()) for key, value in plain.items()}
