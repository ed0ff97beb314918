"""One pilot through the command line against an endpoint that behaves as a family wants it, and what must hold afterwards.

    with trial(folder, terminal, lambda call, good: Status(503) if call.nth == 1 else good) as tried:
        tried.pilot()
        tried.assert_sound()

Sound is: every planned scenario is in one state; every good answer that was given is kept, unaltered, and was asked for once; no
row twice; the key stands nowhere; no traceback; the next step that is named is a command, and no usage error.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from finetune_prep.cli.app import app
from finetune_prep.core.sample import Sample
from finetune_prep.core.verdict import STEERING
from finetune_prep.errors import UsageError
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import runs
from tests.cli.terminal import Shown, Terminal
from tests.fake_endpoint import Behaviour, Call, Completion, Drip, FakeEndpoint
from tests.ledgers import entries

N = 2  # conversations of a pilot
CODES = {0, 1, 3, 4, 5}  # all but usage, another process, signals
KEY_ENV = "LARCH_API_KEY"
NAMED = re.compile(r"finetune-prep(?: +[^,;&()`>\n]+)?")  # a command within a sentence
Member = Callable[[Call, Completion], Behaviour | tuple[Behaviour, str]]
"""What an endpoint does with a call to which this is the good answer; with a text, if that is what a kind reader finds in it."""


class Trial:
    """given: texts of the good answers that left the endpoint, by body."""

    def __init__(self, folder: Path, terminal: Callable[[Path], Terminal], endpoint: FakeEndpoint, key: str) -> None:
        self.folder, self.endpoint, self.key = folder, endpoint, key
        self.given: dict[str, list[str]] = {}
        self.shown: list[Shown] = []
        self._type = terminal(folder)

    def __call__(self, *arguments: str) -> Shown:
        self.shown.append(self._type(*arguments))
        return self.shown[-1]

    def pilot(self) -> Shown:
        """Run it, run it again, and look at it in every way there is."""
        first = self("pilot", "-n", str(N))
        assert first.code in CODES, first
        calls = len(self.endpoint.calls)
        second = self("pilot", "-n", str(N))
        assert second.code in CODES, second
        if first.code in (0, 1):  # at its end: the same again asks nothing
            assert len(self.endpoint.calls) == calls
            assert second.code == first.code
        self("status")
        return first

    def assert_sound(self, *, kept: bool = True) -> None:
        """kept: whether good answers left the endpoint in a form that can be read at all."""
        self._assert_account()
        if kept:
            self._assert_kept()
        self._assert_rows()
        self._assert_key_nowhere()
        for shown in self.shown:
            assert_next(shown)

    def samples(self) -> list[Sample]:
        found = runs(open_project(self.folder).layout)
        return [*found[-1].samples()] if found else []

    def due(self) -> int:
        """How many calls the pilot takes if none is repeated: user and assistant for each exchange, and a judge."""
        return sum(2 * sample.scenario.exchanges + 1 for sample in self.samples())

    def ledger_texts(self) -> list[str]:
        path = self.folder / ".finetune-prep" / "ledger.sqlite"
        if not path.is_file():
            return []
        ledger = SqliteLedger(path)
        try:
            return [entry.reply.text for entry in asyncio.run(entries(ledger))]
        finally:
            ledger.close()

    def _assert_account(self) -> None:
        samples = self.samples()
        ids = [sample.scenario.id for sample in samples]
        assert len(ids) == len(set(ids))
        assert len(ids) in (0, N)

    def _assert_kept(self) -> None:
        texts = Counter(self.ledger_texts())
        for given in self.given.values():
            assert len(given) == 1, f"a good answer was asked for {len(given)} times"
            assert texts[given[0]] >= 1, f"a good answer is lost: {given[0][:80]}"

    def _assert_rows(self) -> None:
        accepted = sum(sample.state == "accepted" for sample in self.samples())
        if not accepted:
            return
        assert self("export", "--preview").code == 0
        rows = (self.folder / "dataset" / "train.preview.jsonl").read_text("utf-8").split("\n")[:-1]
        assert len(rows) == len(set(rows)) == accepted
        given = {text.strip() for texts in self.given.values() for text in texts}
        for row in rows:
            said = [message["content"] for message in json.loads(row)["messages"] if message["role"] != "system"]
            assert set(said) <= given, "a row holds what nobody said"

    def _assert_key_nowhere(self) -> None:
        if self.key:
            assert_nowhere([self.key], self.folder, self.shown)


def assert_nowhere(secrets: Sequence[str], folder: Path, shown: Sequence[Shown]) -> None:
    """None of these stands in any file of a project, nor was it printed."""
    for secret in secrets:
        for one in shown:
            assert secret not in one.out + one.err, "the key was printed"
        for path in folder.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), f"the key stands in {path.name}"


def assert_next(shown: Shown) -> None:
    """Every command that is named as the next one exists, with these options and arguments."""
    found = re.findall(r"^next:\s+(.*)$", shown.out + shown.err, re.MULTILINE)
    for line in found:
        assert line.strip(), "an empty next step"
        for command in NAMED.findall(line):
            assert_command(command)


def assert_command(command: str) -> None:
    """A command line parses. Words in capitals stand for something that only the person knows."""
    words = shlex.split(command.replace("…", "x"))[1:]
    if not words or words[0] in ("then", "is", "and"):
        return
    words = words[: words.index("then")] if "then" in words else words
    context = click.Context(app, info_name="finetune-prep")
    group: click.Command = app
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        name, *rest = words
        found = group.get_command(context, name)
        if found is None:
            assert group is not app, f"no such command: {command}"
            break
        group, words = found, rest
    if "--help" in words:
        return
    try:
        group.make_context(group.name, [word for word in words if word != "."], parent=context)
    except (click.exceptions.Exit, UsageError):
        return
    except click.ClickException as error:
        raise AssertionError(f"{command}: {error.format_message()}") from error


def verdict_on(questions: Sequence[str], evidence: str = "new bowl", answer: str = "YES") -> dict[str, dict[str, str]]:
    """A verdict in which nobody steers, and the gate is answered YES with a quote."""
    given = {id: {"evidence": evidence, "answer": answer} for id in questions}
    gate = {id: {"evidence": "new bowl", "answer": answer} for id in questions if id.startswith("SF")}
    return given | gate | {STEERING: {"evidence": "none", "answer": "NO"}}


def questions_of(call: Call) -> list[str]:
    form = call.body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return [*form.get("properties", {})]


def _is_good(given: Behaviour, good: Completion) -> bool:
    if isinstance(given, Drip):
        return given.text == good.text
    return isinstance(given, Completion) and given.text == good.text and not given.more and given.finish == "stop"


@contextmanager
def trial(
    accepted: Path,
    folder: Path,
    terminal: Callable[[Path], Terminal],
    member: Member,
    *,
    key: str = "",
    more: str = "",
    held: bool = False,
) -> Iterator[Trial]:
    """A copy of an accepted project, asked of such an endpoint. more: what goes into its provider's table."""
    numbers = iter(range(10**9))
    tried: Trial

    def answer(call: Call) -> Behaviour:
        if not call.body:
            return Completion()
        questions = questions_of(call)
        verdict = json.dumps(verdict_on(questions))
        good = Completion(verdict if questions else f"We send a new bowl today, number {next(numbers)}.")
        given = member(call, good)
        given, text = given if isinstance(given, tuple) else (given, str(good.text) if _is_good(given, good) else None)
        if text is not None:
            tried.given.setdefault(json.dumps(call.body, sort_keys=True), []).append(text)
        return given

    shutil.copytree(accepted, folder)
    with FakeEndpoint(answer) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, KEY_ENV if key else "", year=2026)
        (folder / "finetune-prep.toml").write_text(
            text.replace('kind = "openai-compatible"', f'kind = "openai-compatible"\n{more}')
        )
        tried = Trial(folder, terminal, endpoint, key)
        yield tried
