"""Names and files as archives, editors, sync tools, disks and strangers leave them: a sentence and a step, never a traceback or a wait."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.cli.terminal import Shown, Terminal
from tests.families.sampling import members
from tests.families.trial import assert_next, trial
from tests.waiting import HUNG

CODES = {0, 1, 2, 3, 4, 5}
NAMES = {
    "blanks": "two words here", "blank at the end": "end ", "a dot first": ".hidden", "dots": "a..b", "a dash first": "-rf",
    "an option": "--help", "quotes": "it's \"here\"", "a backslash": "a\\b", "a drive": "C:\\Users", "a star": "a*b?",
    "dollar": "$HOME", "backticks": "`id`", "semicolon": "a;id", "pipe": "a|b", "ampersand": "a&&b", "hash": "#a", "percent": "%00",
    "an address": "http:", "tilde": "~", "braces": "{a,b}", "brackets": "[a]", "umlauts": "Rückgabe", "composed": "Ru\u0308ckgabe",
    "Chinese": "退货", "Arabic": "إرجاع", "emoji": "🏺", "Turkish": "İade", "ligature": "ﬁle", "override": "a\u202eb",
    "no width": "a\u200bb", "a tab": "a\tb", "a line end": "a\nb", "escape": "a\x1b[2Jb", "C1": "a\x9bb", "Latin-1": os.fsdecode(b"R\xfcck"),
    "no text at all": os.fsdecode(b"\xff\xfe\x80"), "200 signs": "a" * 200, "80 of three bytes": "退" * 80, "con": "CON", "nul": "nul",
    "a number": "123", "YES": "yes", "upper case": "README", "a colon": "12:30", "an at": "a@b", "an equals sign": "a=b",
}  # fmt: skip
TARGETS = (
    "brief.md", "finetune-prep.toml", "decisions.jsonl", "reference/domain-frameworks.md", "reference/scenario-space.md",
    "reference/evaluation-rubric.md", "prompts/evaluation-prompt.md", "prompts/generation-prompt.md", "prompts/user-prompt.md",
    "prompts/system-prompt.md", "reference/sources/S01.md", "runs/pilot-001/plan.json", "runs/pilot-001/samples.jsonl",
    "runs/pilot-001/verdicts.jsonl", "sources/kiln.md", "phase-prompts/verdict.md",
)  # fmt: skip


def damages() -> dict[str, Callable[[bytes, random.Random], bytes]]:
    def noise(data: bytes, stream: random.Random) -> bytes:
        at = stream.randrange(len(data) + 1)
        return data[:at] + stream.randbytes(40) + data[at + 40 :]

    return {
        "nothing": lambda data, stream: b"",
        "one byte": lambda data, stream: data[:1],
        "a third": lambda data, stream: data[: len(data) // 3],
        "half": lambda data, stream: data[: len(data) // 2],
        "all but one": lambda data, stream: data[:-1],
        "all but two": lambda data, stream: data[:-2],
        "cut somewhere": lambda data, stream: data[: stream.randrange(len(data))],
        "beginning gone": lambda data, stream: data[stream.randrange(1, len(data)) :],
        "NUL within": lambda data, stream: data[: len(data) // 2] + b"\0" + data[len(data) // 2 :],
        "NUL alone": lambda data, stream: b"\0" * len(data),
        "a byte that is no UTF-8": lambda data, stream: data[: len(data) // 2] + b"\xff" + data[len(data) // 2 :],
        "in Latin-1": lambda data, stream: data.decode().replace("e", "é").encode("latin-1", "replace"),
        "in UTF-16": lambda data, stream: data.decode().encode("utf-16"),
        "in UTF-32": lambda data, stream: data.decode().encode("utf-32"),
        "a byte order mark": lambda data, stream: b"\xef\xbb\xbf" + data,
        "CRLF": lambda data, stream: data.replace(b"\n", b"\r\n"),
        "CR": lambda data, stream: data.replace(b"\n", b"\r"),
        "noise": noise,
        "twice": lambda data, stream: data + data,
        "lines backwards": lambda data, stream: b"\n".join(reversed(data.split(b"\n"))),
        "a merge that was left": lambda data, stream: b"<<<<<<< HEAD\n" + data + b"=======\n" + data + b">>>>>>> x\n",
        "a page": lambda data, stream: b"<!doctype html><title>Not found</title>",
        "a pointer of LFS": lambda data, stream: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
        "brackets": lambda data, stream: b"[" * 20_000,
        "JSON of JSON": lambda data, stream: b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        "one long line": lambda data, stream: b"a" * 1_000_000,
        "digits": lambda data, stream: b"seed = " + b"9" * 5_000,
        "escapes": lambda data, stream: data.replace(b"a", b"\x1b[2Ja", 3),
        "half a character": lambda data, stream: data.replace(b'"', b'"\\ud800', 1),
        "other keys": lambda data, stream: data.replace(b'":', b'x":', 1).replace(b" = ", b"x = ", 1),
        "other types": lambda data, stream: data.replace(b'":"', b'":["', 1).replace(b'","', b'"],"', 1),
        "numbers below nothing": lambda data, stream: data.replace(b"1", b"-1", 2),
    }  # fmt: skip


DAMAGES = damages()
PLACES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link out of it": lambda path: path.symlink_to("/etc/hostname"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "nothing at all": lambda path: None,
}  # fmt: skip
CASES: dict[str, tuple[str, str]] = {f"{target}: {name}": (target, name) for target in TARGETS for name in (*DAMAGES, *PLACES)}
ASKED: tuple[tuple[str, ...], ...] = (
    ("status",), ("check",), ("show",), ("cost", "--estimate"), ("sources",), ("history",), ("export", "--preview"),
    ("pilot", "-n", "2"), ("prepare",), ("status", "--json"),
)  # fmt: skip


@contextmanager
def in_time() -> Iterator[None]:
    """Nothing is waited for that never comes."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError("it waits for what never comes")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(int(HUNG))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def typed(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> Shown:
    with in_time():
        shown = Terminal(capsys)("--project", str(folder), *arguments)
    assert shown.code in CODES, shown
    assert shown.code == 0 or shown.out.strip() or shown.err.strip(), "it ends without a word"
    assert_next(shown)
    return shown


@pytest.fixture(scope="module")
def finished(accepted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An accepted project with a source, a prompt of its own, and a pilot at its end."""
    folder = tmp_path_factory.mktemp("finished") / "shop"
    capsys: Any = None

    class Quiet(Terminal):
        def __call__(self, *arguments: str) -> Shown:
            from finetune_prep.cli import main

            with pytest.raises(SystemExit) as left:
                main(["--project", str(folder), *arguments])
            return Shown(int(left.value.code or 0), "", "")

    with trial(accepted, folder, lambda where: Quiet(capsys), lambda call, good: good) as tried:
        (folder / "sources").mkdir(exist_ok=True)
        (folder / "sources" / "kiln.md").write_text("# Kiln\n\nThe kiln is hot.\n", "utf-8")
        assert tried("pilot", "-n", "2").code == 0
    shutil.copytree(Path(__file__).parents[2] / "src" / "finetune_prep" / "phases" / "pilot", folder / "phase-prompts")
    for path in (folder / "phase-prompts").iterdir():
        if path.suffix != ".md":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


@members("case", CASES, 8)
def test_a_damaged_file_is_a_sentence(
    case: tuple[str, str], finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is done with the project; and what was paid for is there when the file is well again."""
    target, name = case
    folder = tmp_path / "shop"
    shutil.copytree(finished, folder)
    path = folder / target
    sound = path.read_bytes() if path.is_file() else b"x\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if name in DAMAGES:
        path.write_bytes(DAMAGES[name](sound, random.Random(f"{target} {name}")))
    else:
        PLACES[name](path)
    before = {"ledger": (folder / ".finetune-prep" / "ledger.sqlite").stat().st_size}
    for command in ASKED:
        typed(capsys, folder, *command)
    assert (folder / ".finetune-prep" / "ledger.sqlite").stat().st_size >= before["ledger"]
    assert Path("/etc/hostname").read_bytes() != sound


@members("name", NAMES, 3)
def test_a_source_of_any_name_is_read_or_named(
    name: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(finished, folder)
    for suffix in (".md", ".html"):
        path = os.fsencode(folder / "sources") + b"/" + os.fsencode(name)[:200] + suffix.encode()
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(b"# Glaze\n\nThe glaze is green.\n")
    for command in (("sources",), ("sources", "glaze"), ("sources", "--json"), ("prepare",), ("status",)):
        shown = typed(capsys, folder, *command)
        assert shown.code != 2, shown
    hidden = name.startswith(".")
    assert ("green" in typed(capsys, folder, "sources", "glaze").out) != hidden


@members("name", NAMES, 2)
def test_a_project_in_a_folder_of_any_name(name: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / name
    shutil.copytree(finished, folder)
    for command in (("status",), ("check",), ("show",), ("export", "--preview"), ("status", "--json")):
        shown = typed(capsys, folder, *command)
        assert shown.code in (0, 1) or (shown.code == 2 and "not UTF-8" in shown.out + shown.err)


ROLE, PROVIDER, TOP = "[roles.judge]\n", "[providers.larch]\n", "seed = 1"
SETTINGS: dict[str, tuple[str, str]] = {
    **{f"top: {line}": (TOP, line) for line in (
        "seed = -1", "seed = 1.5", 'seed = "x"', "seed = true", "seed = 99999999999999999999999", "seed = nan", "seed = []",
        "seed = 1\nyear = -5", "seed = 1\nyear = 99999", "seed = 1\nbudget = -1.0", "seed = 1\nbudget = inf", "seed = 1\nbudget = nan",
        'seed = 1\nbudget = "20"', "seed = 1\nbudget = 0", "seed = 1\nsittings = 0", "seed = 1\nsittings = 1000000",
        "seed = 1\nrevisions = -1", "seed = 1\nrevisions = 1.5", "seed = 1\nseed = 2", "seed = 1\nunknown = 1", "sed = 1",
        "seed = 1\nname = 5", 'seed = 1\n"" = 1', "seed = 1\n[search]\nprovider = \"x\"", "seed = 1\n[search]\npages = -1",
        "seed = 1\n[search]\nresults = 10000000", "seed = 1\n[search]\nbase_url = \"::\"", "seed = 1\n[[roles]]", "seed = 1\n[a.b.c]",
        "seed = 1\n[prices.x]\ninput = -1.0\noutput = 1.0", "seed = 1\n[prices.x]\ninput = nan\noutput = 1.0", "seed = 1\n[prices]\nx = 1",
        "seed = {a = 1}", "seed = 1979-05-27", "seed = '''", "seed = 1 = 2", "seed", "= 1", "[", "seed = " + "[" * 5_000,
    )},
    **{f"role: {line}": (ROLE, f"{ROLE}{line}\n") for line in (
        "temperature = nan", "temperature = -1", "temperature = 1e308", 'temperature = "hot"', "top_p = 5", "top_p = -0.1",
        "max_tokens = 0", "max_tokens = -5", "max_tokens = 10000000000000", "max_tokens = 1.5", 'reasoning_effort = "huge"',
        "reasoning_effort = 5", "unknown = 1", "[roles.judge.extra]\nmodel = 1", "[roles.judge.extra]\nmessages = []",
        "[roles.judge.extra]\nseed = nan", "[roles.judge.extra]\nstop = [[[[1]]]]", "[roles.nobody]\nmodel = \"x/y\"",
    )},
    **{f"provider: {line}": (PROVIDER, f"{PROVIDER}{line}\n") for line in (
        "timeout = 0", "timeout = -1", "timeout = nan", "timeout = 1e300", "concurrency = 0", "concurrency = -1",
        "concurrency = 1000000000000000000000000000000", "concurrency = 1.5", 'structured = "yes"', "structured = 1", "price_factor = -1",
        'key_env = ""', 'key_env = "sk-proj-4711abcdef"', 'key_env = "A B"', 'headers = {"X\\n" = "1"}', 'headers = {X = "$"}',
        'headers = {X = "$NOWHERE_SET"}', "headers = {Host = \"evil\"}", "headers = 5", "unknown = 1",
    )},
}  # fmt: skip
ADDRESSES = (
    "", "x", "localhost:8000", "http://", "http://[::1:8000/v1", "http://user:pw@127.0.0.1/v1", "http://127.0.0.1:99999/v1",
    "http://127.0.0.1:x/v1", "ftp://127.0.0.1/v1", "file:///etc/passwd", "http://127.0.0.1/v1 v2", "http://127.0.0.1/\\n",
    "http://\\u202e127.0.0.1/v1", "http://xn--/v1", "http://" + "a" * 300 + "/v1", "http://127.0.0.1:1/v1?api-version=1#x",
)  # fmt: skip


@members("setting", SETTINGS, 4)
def test_a_setting_that_nobody_means_is_a_sentence(
    setting: tuple[str, str], finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(finished, folder)
    path = folder / "finetune-prep.toml"
    text = path.read_text("utf-8")
    old, new = setting
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    for command in (("status",), ("doctor", "--no-ask"), ("cost", "--estimate"), ("pilot", "-n", "2"), ("status", "--json")):
        shown = typed(capsys, folder, *command)
        assert "sk-proj-4711" not in shown.out + shown.err


@members("address", {address or "nothing": address for address in ADDRESSES}, 2)
def test_an_address_that_is_none_is_a_sentence(
    address: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finetune_prep.models.providers.reach.UNREACHED_SECONDS", 0.1)
    folder = tmp_path / "shop"
    shutil.copytree(finished, folder)
    path = folder / "finetune-prep.toml"
    kept = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("base_url")]
    at = kept.index("[providers.larch]") + 1
    path.write_text("\n".join([*kept[:at], f'base_url = "{address}"', "timeout = 1", *kept[at:]]) + "\n", "utf-8")
    for command in (("status",), ("doctor", "--no-ask"), ("pilot", "-n", "3")):
        shown = typed(capsys, folder, *command)
        assert "user:pw" not in shown.out + shown.err
    assert shown.code != 0
