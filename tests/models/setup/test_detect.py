"""What is found on a machine, and how `doctor` tells it; over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from finetune_prep.cli.app import app
from finetune_prep.cli.commands import doctor as doctoring
from finetune_prep.http.secrets import Secret
from finetune_prep.models.setup import detect
from finetune_prep.project import config as configuration
from finetune_prep.project.beginning import scaffold
from finetune_prep.project.config import INSTALL_NATIVE, ProviderSettings
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Stall, Status
from tests.waiting import skip, until

KEY = "sk-canary-0123456789"
# what llama-cpp-python 0.3.36 says to a schema, with HTTP 500
LLAMA_CPP_PYTHON = (
    "1 validation error:\n  {'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), "
    "'msg': \"Input should be 'text' or 'json_object'\", 'input': 'json_schema'}"
)
FOLLOWED = json.dumps({"colour": detect.UNGUESSABLE})


def listing(*models: str, **headers: str) -> Status:
    return Status(200, raw=json.dumps({"data": [{"id": model} for model in models]}).encode(), headers=headers)


def endpoint_that(answers: Behaviour, models: Behaviour | None = None) -> FakeEndpoint:
    """An endpoint with a list of models that answers every question in one way."""
    listed = models or listing("larch-1")
    return FakeEndpoint(lambda call: listed if call.path.endswith("/models") else answers)


def settings(endpoint: FakeEndpoint) -> ProviderSettings:
    return ProviderSettings(kind="openai-compatible", base_url=endpoint.base_url)


@pytest.mark.parametrize(
    ("answer", "honoured"),
    [
        (Completion(FOLLOWED), "yes"),
        (Completion("Blue."), "no"),
        (Completion('{"colour": "blue"}'), "no"),
        (Status(400, error={"message": "unknown field", "param": "response_format"}), "no"),
        (Status(400, error={"message": "json_schema is not supported"}), "no"),
        (Status(422, error={"message": "response_format"}), "no"),
        (Status(500, error={"message": LLAMA_CPP_PYTHON, "type": "internal_server_error"}), "no"),
        (Status(401), "unknown"),
        (Status(500), "unknown"),
        (Completion("", finish="length"), "unknown"),
    ],
)
async def test_a_schema_is_tried_and_not_assumed(answer: Behaviour, honoured: str) -> None:
    """Only an answer that the prompt could not have suggested shows that the schema is enforced."""
    with endpoint_that(answer) as endpoint:
        trial = await detect.try_schema("larch", settings(endpoint), None, "larch-1")
        assert endpoint.calls[0].body["response_format"]["type"] == "json_schema"
        assert detect.UNGUESSABLE not in endpoint.calls[0].text
    assert trial.honoured == honoured
    assert bool(trial.detail) == (honoured != "yes")


@pytest.mark.parametrize("installed", [True, False])
async def test_keys_of_native_providers_need_the_extra(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it they are told of, and not chosen."""
    monkeypatch.setattr(detect, "find_spec", lambda name: object() if installed else None)
    found = await detect.look_around({"ANTHROPIC_API_KEY": KEY, "GEMINI_API_KEY": KEY, "GROQ_API_KEY": KEY}, {})
    native = (("anthropic", "ANTHROPIC_API_KEY"), ("google", "GEMINI_API_KEY"))
    assert (found.keys, found.unusable) == ((native, ()) if installed else ((), native))


async def test_keys_and_local_servers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of keys, never their values; servers that list models, in no time."""
    with endpoint_that(Completion(), listing("willow:7b", "willow:70b")) as there, FakeEndpoint(Stall()) as silent:
        known = {
            "openai": configuration.WELL_KNOWN["openai"],
            "ollama": (there.base_url, ""),
            "vllm": (silent.base_url, ""),
            "llamacpp": ("http://127.0.0.1:1/v1", ""),
        }
        monkeypatch.setattr(detect, "LOOK_SECONDS", 3600)
        looking = asyncio.create_task(detect.look_around({"OPENAI_API_KEY": KEY, "GROQ_API_KEY": " "}, known))
        await until(lambda: silent.at_once == 1 and len(there.calls) == 1 and there.at_once == 0)
        await asyncio.sleep(0.05)  # what has been sent is read
        skip(3600)
        found = await looking
    assert found.keys == (("openai", "OPENAI_API_KEY"),)
    assert [server.name for server in found.servers] == ["ollama"]
    assert found.servers[0].models == ("willow:7b", "willow:70b")
    assert KEY not in repr(found)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 3}', b'{"data": [1, {"id": 2}]}', b"[" * 100_000])
async def test_a_list_of_models_may_be_anything(body: bytes) -> None:
    with endpoint_that(Completion(), Status(200, raw=body)) as endpoint:
        assert set((await detect.look_at("larch", endpoint.base_url)).models) <= {"2"}


async def test_an_endpoint_that_is_not_there_is_told_without_the_key() -> None:
    found = await detect.look_at("larch", "http://127.0.0.1:1/v1", Secret("LARCH_API_KEY", KEY))
    assert found.status == 0
    assert found.trouble
    assert KEY not in repr(found)


def project(folder: Path, base_url: str, key_env: str = "") -> Path:
    text = scaffold.config_text("bicycles", "larch/larch-1", base_url, key_env, year=2026)
    scaffold.create(folder, "# Bicycles\n\nHow to mend small faults.\n", text)
    return folder


def doctor(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["--project", str(folder), "doctor", *options])


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor` looks at no ports of the machine that runs the tests."""
    monkeypatch.setattr(detect, "WELL_KNOWN", {})


def test_doctor_when_all_is_well(tmp_path: Path) -> None:
    with endpoint_that(Completion(FOLLOWED)) as endpoint:
        done = doctor(project(tmp_path / "p", endpoint.base_url))
        assert len(endpoint.calls) == 2
    assert done.exit_code == 0, done.output
    assert "✓ JSON schema, larch/larch-1: enforced (110 tokens used to try)" in done.output


def with_setting(folder: Path, line: str) -> Path:
    path = folder / "finetune-prep.toml"
    path.write_text(path.read_text("utf-8").replace('kind = "openai-compatible"', f'kind = "openai-compatible"\n{line}'), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("", 0, "not enforced; it is told in the prompt and followed there, found out by its first answers"),
        ("structured = false", 0, "not enforced; it is told in the prompt and followed there, as structured = false says"),
        ("structured = true", 1, "take out structured = true under [providers.larch]"),
    ],
)
@pytest.mark.parametrize("refuses", [True, False])
def test_doctor_says_how_a_schema_gets_through(line: str, code: int, words: str, refuses: bool, tmp_path: Path) -> None:
    """An endpoint that refuses or ignores response_format, and a model that does what the prompt says."""

    def behave(call: Call) -> Behaviour:
        if call.path.endswith("/models"):
            return listing("larch-1")
        if "response_format" in call.body:
            return Status(400, error={"message": "response_format is not supported"}) if refuses else Completion("Blue.")
        return Completion(FOLLOWED if detect.UNGUESSABLE in call.text else "Blue.")

    with FakeEndpoint(behave) as endpoint:
        done = doctor(with_setting(project(tmp_path / "p", endpoint.base_url), line))
    assert done.exit_code == code, done.output
    assert words in done.output


def test_doctor_learns_what_an_endpoint_calls_the_limit(tmp_path: Path) -> None:
    """As a run does: gateways of newer models refuse the usual name and give the other one."""
    refusal = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    error = {"message": refusal, "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}

    def behave(call: Call) -> Behaviour:
        if not call.body:
            return listing("larch-1")
        return Status(400, error=error) if "max_tokens" in call.body else Completion(FOLLOWED)

    with FakeEndpoint(behave) as endpoint:
        done = doctor(project(tmp_path / "p", endpoint.base_url))
    assert done.exit_code == 0, done.output
    assert "✓ JSON schema, larch/larch-1: enforced" in done.output


def test_doctor_asks_nothing_when_told_so(tmp_path: Path) -> None:
    with endpoint_that(Completion(FOLLOWED)) as endpoint:
        assert doctor(project(tmp_path / "p", endpoint.base_url), "--no-ask").exit_code == 0
        assert [call.path for call in endpoint.calls] == ["/v1/models"]


@pytest.mark.parametrize(
    ("answer", "models", "words"),
    [
        (Completion("Blue."), None, "neither enforced (it answered “Blue.”) nor followed when told in the prompt"),
        (Completion(FOLLOWED), Status(401), "it wants a key (HTTP 401)\n    key_env = "),
        (Status(402), None, "a question could not be put"),
    ],
)
def test_doctor_names_what_is_wrong_and_the_mend(answer: Behaviour, models: Behaviour | None, words: str, tmp_path: Path) -> None:
    with endpoint_that(answer, models) as endpoint:
        done = doctor(project(tmp_path / "p", endpoint.base_url))
    assert done.exit_code == 1
    assert words in done.output


@pytest.mark.parametrize(("context", "told"), [(8_192, True), (1_000_000, False)])
def test_doctor_notes_a_context_that_does_not_hold_the_questions_to_come(context: int, told: bool, tmp_path: Path) -> None:
    """As llama.cpp says it; the first long question would be refused, after hours of short ones."""
    row = {"id": "larch-1", "meta": {"n_ctx": context}}
    with endpoint_that(Completion(FOLLOWED), Status(200, raw=json.dumps({"data": [row]}).encode())) as endpoint:
        done = doctor(project(tmp_path / "p", endpoint.base_url))
    assert done.exit_code == 0, done.output
    assert (f"· context of larch/larch-1: {context:,} tokens, and the longest question" in done.output) == told


def test_doctor_tells_a_key_that_is_refused_from_one_that_nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARCH_KEY", "sk-wrong")
    with endpoint_that(Completion(FOLLOWED), Status(401)) as endpoint:
        done = doctor(project(tmp_path / "p", endpoint.base_url, "LARCH_KEY"), "--yes")
    assert done.exit_code == 1
    assert "it does not accept the key (HTTP 401)\n    copy the key again: export LARCH_KEY=…" in done.output


@pytest.mark.parametrize("status", [404, 500])
def test_doctor_notes_that_an_endpoint_lists_no_models(status: int, tmp_path: Path) -> None:
    """It may be a wrong address or a server without a list; a question tells."""
    with endpoint_that(Completion(FOLLOWED), Status(status)) as endpoint:
        done = doctor(project(tmp_path / "p", endpoint.base_url))
    assert done.exit_code == 0, done.output
    assert f"it does not list its models (HTTP {status})" in done.output
    assert "✓ JSON schema, larch" in done.output


def test_doctor_without_the_key_or_the_server(tmp_path: Path) -> None:
    """Each with the command that helps."""
    done = doctor(project(tmp_path / "a", "http://127.0.0.1:1/v1", "LARCH_API_KEY"))
    assert done.exit_code == 1
    assert "export LARCH_API_KEY=…" in done.output
    done = doctor(project(tmp_path / "b", "http://127.0.0.1:1/v1"))
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


def test_doctor_notes_a_wrong_clock_and_an_unlisted_model(tmp_path: Path) -> None:
    """Neither keeps a project from running."""
    late = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    with endpoint_that(Completion(FOLLOWED), listing("willow", Date=late)) as endpoint:
        done = doctor(project(tmp_path / "p", endpoint.base_url), "--json")
    checks = {check["about"]: check for check in json.loads(done.stdout)}
    assert done.exit_code == 0
    assert checks["clock"]["state"] == checks["model larch-1"]["state"] == "note"
    assert "120 minutes" in checks["clock"]["found"]


def test_doctor_outside_a_project_and_in_a_new_one(tmp_path: Path) -> None:
    """Batch files need nothing; without a project it tells what is on the machine."""
    done = doctor(tmp_path)
    assert done.exit_code == 0
    assert "finetune-prep new" in done.output
    scaffold.create(tmp_path / "p", "# B\n\nB.\n", scaffold.config_text("b", scaffold.DEFAULT_MODEL, "", "", year=2026))
    done = doctor(tmp_path / "p")
    assert done.exit_code == 0
    assert "batch files" in done.output


async def test_a_date_that_is_none_tells_no_clock() -> None:
    with endpoint_that(Completion(), listing("larch-1", Date="not a date")) as endpoint:
        assert (await detect.look_at("larch", endpoint.base_url)).clock is None


def test_doctor_and_a_native_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key and extra first; then the same question in the provider's own words."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    body = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": FOLLOWED}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": 10},
    }
    with FakeEndpoint(Status(200, raw=json.dumps(body).encode())) as endpoint:
        text = scaffold.config_text("b", "anthropic/claude-haiku-4-5", "", "", year=2026)
        text += f'[providers.anthropic]\nkind = "anthropic"\nbase_url = "http://127.0.0.1:{endpoint.port}"\n'
        scaffold.create(tmp_path, "# B\n\nB.\n", text)
        with monkeypatch.context() as patched:
            patched.setattr(doctoring, "find_spec", lambda name: None)
            missing = doctor(tmp_path, "--no-ask")
        assert missing.exit_code == 1
        assert INSTALL_NATIVE in missing.output
        pytest.importorskip("pydantic_ai")
        done = doctor(tmp_path)
    assert done.exit_code == 0, done.output
    assert "✓ JSON schema, anthropic/claude-haiku-4-5: enforced (110 tokens used to try)" in done.output
    assert KEY not in done.output


THOUGHT = "<think>\nThe sky is blue.\n</think>\n\n"
ONLY_THOUGHT = {"role": "assistant", "content": "", "reasoning_content": "The sky is blue."}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Completion(THOUGHT + FOLLOWED), "its thoughts came before the answer"),
        (Completion("<think>\nThe sky", finish="length"), "<think> in the answer"),
        (Completion(message=ONLY_THOUGHT), "only reasoning came back"),
        (Completion(message=ONLY_THOUGHT, finish="length"), "only reasoning came back"),
    ],
)
def test_doctor_names_the_setting_of_a_model_that_reasons(answer: Completion, found: str, tmp_path: Path) -> None:
    """With the line that keeps it from that; and where the line is there, it is sent, and there is nothing to say."""

    def reply(call: Call) -> Behaviour:
        if call.path.endswith("/models"):
            return listing("larch-1")
        off = call.body.get("chat_template_kwargs") == {"enable_thinking": False}
        return Completion(FOLLOWED) if off else answer

    with FakeEndpoint(reply) as endpoint:
        folder = project(tmp_path / "p", endpoint.base_url)
        output = doctor(folder).output
        assert f"reasoning, larch/larch-1: {found}" in " ".join(output.split())
        line = "chat_template_kwargs = { enable_thinking = false }"
        assert "# the same for user, assistant, judge" in output
        begun, end = output.index("[roles.expert.extra]"), "with its reasoning parser\n"
        pasted = output[begun : output.index(end, begun) + len(end)]
        assert tomllib.loads(pasted) == {"roles": {"expert": {"extra": {"chat_template_kwargs": {"enable_thinking": False}}}}}
        path = folder / "finetune-prep.toml"
        tables = "".join(f"\n[roles.{role}.extra]\n{line}\n" for role in ("expert", "user", "assistant", "judge"))
        path.write_text(path.read_text("utf-8") + tables, "utf-8")
        done = doctor(folder)
        assert (done.exit_code, "reasoning" in done.output) == (0, False), done.output


def test_roles_that_reason_in_different_ways_are_tried_apart(tmp_path: Path) -> None:
    """An endpoint far away is told by reasoning_effort; here nothing is sent to it."""
    text = scaffold.config_text("bicycles", "openai/gpt-5-mini", "", "", year=2026)
    config = configuration.parse(f"{text}\n[roles.judge.extra]\nseed = 1\n")
    ways = doctoring._ways(config, "openai", "gpt-5-mini")
    assert [way.roles for way in ways] == [["expert", "user", "assistant"], ["judge"]]
    said = doctoring._less_reasoning(config.provider("openai"), ways[1])
    assert said == '# under [roles.judge]:\nreasoning_effort = "low"'
    assert tomllib.loads(said) == {"reasoning_effort": "low"}


def test_a_table_that_is_there_is_not_opened_twice() -> None:
    """A second [roles.judge.extra] would make the whole file unreadable."""
    text = scaffold.config_text("bicycles", "larch/larch-1", "http://127.0.0.1:1/v1", "", year=2026)
    config = configuration.parse(f"{text}\n[roles.judge.extra]\nseed = 1\n")
    way = doctoring._ways(config, "larch", "larch-1")[1]
    said = doctoring._less_reasoning(config.provider("larch"), way)
    assert said.startswith("# under [roles.judge.extra], which is there:\n")
    assert tomllib.loads(said) == {"chat_template_kwargs": {"enable_thinking": False}}


def test_where_every_role_has_its_provider_no_other_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch files need a key or a server from somewhere, in the end; a server that answers needs nothing beside it."""
    for name in [*os.environ]:
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    with endpoint_that(Completion(FOLLOWED)) as endpoint:
        assert "models: no key" not in doctor(project(tmp_path / "p", endpoint.base_url)).output
    scaffold.create(
        tmp_path / "b", "# Bicycles\n\nHow to mend small faults.\n", scaffold.config_text("b", "batch/any", "", "", year=2026)
    )
    assert "models: no key" in doctor(tmp_path / "b").output


@pytest.mark.parametrize(
    ("row", "size"),
    [
        ({"max_model_len": 4096}, 4096),  # vLLM
        ({"meta": {"n_ctx_train": 8192}}, 8192),  # llama.cpp
        ({"meta": {"n_ctx": 2048, "n_ctx_train": 8192}}, 2048),
        ({"context_length": 131072}, 131072),  # OpenRouter
        ({"max_model_len": "many", "meta": None}, 0),
        ({}, 0),
    ],
)
async def test_the_list_may_say_how_much_fits_into_a_context(row: dict[str, Any], size: int) -> None:
    listed = Status(200, raw=json.dumps({"data": [{"id": "larch-1", **row}]}).encode())
    with endpoint_that(Completion(), listed) as endpoint:
        found = await detect.look_at("larch", endpoint.base_url)
    assert (found.models, dict(found.contexts)) == (("larch-1",), {"larch-1": size} if size else {})
