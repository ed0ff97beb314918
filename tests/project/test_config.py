"""finetune-prep.toml: what it says is read, and a mistake is named with its line and the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.request import Parameters
from finetune_prep.errors import ConfigError
from finetune_prep.project.config import (
    FILE,
    NEEDED_ROLES,
    WELL_KNOWN,
    WELL_KNOWN_BATCHES,
    ProviderSettings,
    SearchSettings,
    load,
    parse,
)
from finetune_prep.project.toml_lines import line_of
from tests.soak import examples

ROLES = "".join(f'[roles.{role}]\nmodel = "batch/any"\n' for role in NEEDED_ROLES)  # lines 2 to 9
SOUND = f'name = "shop"\n{ROLES}'


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value


def test_the_least_that_a_configuration_needs_is_a_name_and_four_roles() -> None:
    config = parse(SOUND)
    assert (config.name, config.seed, config.budget, config.prices) == ("shop", 1, None, {})
    assert config.role("judge").provider == "batch"
    assert config.provider("batch") == ProviderSettings(kind="batch")


def test_the_reviser_is_the_expert_unless_it_is_named() -> None:
    assert parse(SOUND).role("reviser") == parse(SOUND).role("expert")
    named = parse(f'{SOUND}[roles.reviser]\nmodel = "batch/other"\n')
    assert named.role("reviser").model_name == "other"


def test_only_the_first_slash_divides_provider_and_model() -> None:
    role = parse(SOUND.replace('"batch/any"', '"openrouter/larch/larch-1:free"', 1)).role("expert")
    assert (role.provider, role.model_name) == ("openrouter", "larch/larch-1:free")


def test_sampling_parameters_are_those_of_the_role() -> None:
    role = parse(f"{SOUND}temperature = 1\ntop_p = 0.9\nmax_tokens = 400\nreasoning_effort = 'low'\n").role("judge")
    assert role.parameters == Parameters(temperature=1.0, top_p=0.9, max_tokens=400, reasoning_effort="low")


def test_how_the_web_is_searched() -> None:
    assert parse(SOUND).search == SearchSettings()
    table = '[search]\nprovider = "searxng"\nbase_url = "http://10.0.0.7:8888"\npages = 20\n'
    assert parse(SOUND + table).search == SearchSettings(provider="searxng", base_url="http://10.0.0.7:8888", pages=20)


@pytest.mark.parametrize(
    ("table", "line", "what", "hint"),
    [
        ('[search]\nprovider = "google"\n', 11, "search.provider: Invalid enum value 'google'", "fix this line"),
        ("[search]\npages = 51\n", 11, "search.pages: Expected `int` <= 50", "fix this line"),
        ("[search]\nresults = 0\n", 11, "search.results: Expected `int` >= 1", "fix this line"),
        ("[search]\nresult = 3\n", 11, "unknown key “result”", "write “results”"),
        ('[search]\napi_key = "tvly-canary"\n', 11, "unknown key “api_key”", "key_env, pages"),
    ],
)
def test_a_mistake_about_searching_is_named_with_its_line(table: str, line: int, what: str, hint: str) -> None:
    error = refusal(SOUND + table)
    assert (error.where, "canary" in str(error)) == (f"finetune-prep.toml:{line}", False)
    assert error.what.startswith(what)
    assert hint in error.next


def test_searching_is_a_table() -> None:
    assert refusal(f'search = "tavily"\n{SOUND}').what == "“search” is not a table"


@pytest.mark.parametrize("name", sorted(WELL_KNOWN))
def test_well_known_providers_need_no_table(name: str) -> None:
    settings = parse(SOUND.replace("batch/", f"{name}/")).provider(name)
    assert (settings.kind, settings.base_url, settings.key_env) == ("openai-compatible", *WELL_KNOWN[name])


@pytest.mark.parametrize("name", sorted(WELL_KNOWN_BATCHES))
def test_batch_apis_need_no_table(name: str) -> None:
    """Their name is their kind; they cost half unless the project says otherwise."""
    settings = parse(SOUND.replace("batch/", f"{name}/")).provider(name)
    assert (settings.kind, (settings.base_url, settings.key_env)) == (name, WELL_KNOWN_BATCHES[settings.kind])
    assert settings.price_factor == 0.5
    text = f'{SOUND}[providers.mine]\nkind = "{name}"\nbase_url = "http://gpu.example/v1"\nprice_factor = 0.4\n'
    assert parse(text).provider("mine").price_factor == 0.4


@pytest.mark.parametrize(
    ("name", "table", "hosted"),
    [
        *((name, "", address.startswith("https://")) for name, (address, _) in WELL_KNOWN.items()),
        *((name, "", True) for name in WELL_KNOWN_BATCHES),
        *((name, f'kind = "{name}"', True) for name in ("anthropic", "google", "bedrock")),
        ("anthropic", 'kind = "anthropic"\nbase_url = "https://larch.example"', False),
        ("bedrock", 'kind = "bedrock"\nbase_url = "https://larch.example"', False),
        ("openai", 'kind = "openai-compatible"\nbase_url = "https://gpu.example/v1"', False),
        ("mine", 'kind = "openai-compatible"\nbase_url = "https://api.openai.com/v1/"', True),
        ("batch", "", False),
        ("recording", "", False),
    ],
)
def test_which_providers_are_hosted(name: str, table: str, hosted: bool) -> None:
    """By the address and not by the name, which a table may give to a server of somebody's own."""
    text = SOUND.replace("batch/", f"{name}/") + (f"[providers.{name}]\n{table}\n" if table else "")
    assert parse(text).provider(name).is_hosted is hosted


def test_a_table_goes_before_what_is_well_known() -> None:
    text = SOUND.replace("batch/", "vllm/") + '[providers.vllm]\nkind = "openai-compatible"\nbase_url = "http://gpu.example/v1"\n'
    assert parse(text).provider("vllm").base_url == "http://gpu.example/v1"


def test_no_value_of_a_key_that_somebody_put_into_the_file_is_shown() -> None:
    error = refusal(f'{SOUND}[providers.larch]\nkind = "openai-compatible"\napi_key = "sk-larch-1234"\n')
    assert "sk-larch" not in str(error)
    assert error.where == "finetune-prep.toml:12"


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        (f"{SOUND}temprature = 1\n", 10, "unknown key “temprature”", "write “temperature”"),
        (f"{SOUND}colour = 1\n", 10, "unknown key “colour”", "use one of: extra, max_tokens, model"),
        (f"sead = 3\n{SOUND}", 1, "unknown key “sead”", "write “seed”"),
        (f'{SOUND}[roles.juge]\nmodel = "batch/x"\n', 10, "unknown role “juge”", "write “judge”"),
        (f'{SOUND}temperature = "hot"\n', 10, "roles.judge.temperature: Expected `float`, got `str`", "fix this line"),
        (f"{SOUND}max_tokens = 0\n", 10, "roles.judge.max_tokens: Expected `int` >= 1", "fix this line"),
        (f"budget = -1\n{SOUND}", 1, "budget: Expected `float` >= 0", "fix this line"),
        (f'budget = "ten dollars"\n{SOUND}', 1, "budget: Expected `float`, got `str`", "fix this line"),
        (f'{SOUND}[prices."larch.1 [new]"]\ninput = 1\nouput = 2\n', 12, "unknown key “ouput”", "write “output”"),
        (f'{SOUND}[ prices . "larch.1" ]\n"input" = "x"\n', 11, "prices.larch.1.input: Expected `float`", "fix this line"),
        (f"{SOUND}[prices.'a=b']\ninput = 1\n", 10, "prices.a=b: missing required field `output`", "add it"),
        (f"{SOUND}[prices]\nx = {{ input = 1, outputs = 2 }}\n", 11, "unknown key “outputs”", "write “output”"),
        (f'{SOUND}[providers.mine]\nkind = "openai"\n', 11, "providers.mine.kind: Invalid enum value 'openai'", "fix this line"),
        (f'{SOUND}[providers.mine]\nkind = "batch"\nconcurrency = 0\n', 12, "concurrency: Expected `int` >= 1", "fix this line"),
        (f'{SOUND}[providers.mine]\nkind = "batch"\ntimeout = inf\n', 12, "timeout: Expected `float` <= 86400", "fix this line"),
        (f'{SOUND}[providers.mine]\nkind = "batch"\ntimeout = nan\n', 12, "timeout: Expected `float`", "fix this line"),
        ('name = "x"\nroles = 3\n', 2, "“roles” is not a table", "write a table [roles.NAME] for each"),
        ('name = "x"\n[roles]\njudge = "batch/x"\n', 3, "“judge” is not a table", "write a table [roles.judge]"),
        ('name = "x"\nroles.judge.modle = "batch/x"\n', 2, "unknown key “modle”", "write “model”"),
        (ROLES, 1, "missing required field `name`", "add it"),
        (SOUND.replace("batch/any", "any", 1), 3, "“any” is not provider/model", "openai/gpt-5-mini"),
        (SOUND.replace("batch/any", "batch/", 1), 3, "“batch/” is not provider/model", "openai/gpt-5-mini"),
        (SOUND.replace("batch/any", "larch/any", 1), 3, "provider “larch” is not defined", "[providers.larch]"),
        (f'{SOUND}model = "twice"\n', 10, "not valid TOML", "fix this line"),
        (f'{SOUND}"open = 1\n', 10, "not valid TOML", "fix this line"),
        (f"{SOUND}[prices\n", 10, "not valid TOML", "fix this line"),
        (f"{SOUND}open = [1,\n", 10, "not valid TOML", "fix this line"),
        # figures that nobody means
        (f"{SOUND}temperature = nan\n", 10, "roles.judge.temperature: Expected `float` >= 0", "fix this line"),
        (f"{SOUND}temperature = inf\n", 10, "roles.judge.temperature: Expected `float` <= 5", "fix this line"),
        (f"{SOUND}top_p = 5\n", 10, "roles.judge.top_p: Expected `float` <= 1", "fix this line"),
        (f"{SOUND}max_tokens = 1e30\n", 10, "roles.judge.max_tokens: Expected `int`", "fix this line"),
        (f"year = -5\n{SOUND}", 1, "year: Expected `int` >= 1900", "fix this line"),
        (f"year = 2026-01-01\n{SOUND}", 1, "year: Expected `int`", "fix this line"),
        (f"seed = 0x{'f' * 5000}\n{SOUND}", 1, "seed: Expected `int` <= 9223372036854775807", "fix this line"),
        (f"budget = nan\n{SOUND}", 1, "budget: Expected `float` >= 0", "fix this line"),
        (f"budget = 1e999\n{SOUND}", 1, "budget: Expected `float` <= 1000000000", "fix this line"),
        (f'{SOUND}[providers.m]\nkind = "batch"\nconcurrency = 1{"0" * 30}\n', 12, "concurrency: Expected `int` <= 10000", "fix"),
        (f"{SOUND}[prices.m]\ninput = inf\noutput = 1\n", 11, "prices.m.input: Expected `float` <=", "fix this line"),
        (f"{SOUND}[search]\npages = 1000\n", 11, "search.pages: Expected `int` <= 50", "fix this line"),
        # what TOML's own reader stumbles over
        (f"{SOUND}open = {'[' * 20_000}\n", 10, "nested too deeply", "write a plain value"),
        (f"{SOUND}# [[[ and ]\nopen = '[[['\ndeep = {'{a = ' * 5_000}\n", 12, "nested too deeply", "write a plain value"),
        (f"{SOUND}lines = [\n" + "[[[[\n" * 1_000, 35, "nested too deeply", "write a plain value"),
        (f"{SOUND}seed = {'9' * 5_000}\n", 10, "thousands of digits", "write one that is meant"),
        (f"{SOUND}{'a.' * 3_000}b = 1\n", 10, "unknown key “a”", "use one of"),
        # addresses
        (f'{SOUND}[search]\nbase_url = "localhost:8888"\n', 11, "base_url cannot be used", "http://localhost"),
        *(
            (
                f'{SOUND}[providers.m]\nkind = "openai-compatible"\nbase_url = "{url}"\n',
                12,
                "base_url cannot be used",
                "http://localhost:8000/v1",
            )
            for url in (
                "localhost:8000",
                "http://[::1:8000/v1",
                "http:/localhost/v1",
                "https//api.example/v1",
                "http://",
                " ",
                "http://a b/v1",
                "http://a:99999/v1",
                "http://a:port/v1",
                "ftp://a/v1",
                "http://..a../v1",
                "http://user:secret-word@host/v1",
            )
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_write(text: str, line: int, what: str, hint: str) -> None:
    error = refusal(text)
    assert error.where == f"finetune-prep.toml:{line}"
    assert what in error.what
    assert hint in error.next
    assert "secret-word" not in str(error)


def test_a_role_that_nobody_plays_is_named() -> None:
    error = refusal('name = "x"\n[roles.expert]\nmodel = "batch/x"\n')
    assert "no model plays the role “user”" in error.what
    assert "[roles.user]" in error.next


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "finetune-prep.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode())
    assert load(path) == parse(SOUND)


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "finetune-prep.toml"
    path.write_bytes(b'name = "x"\nseed = 1\n# Gr\xfc\xdfe\n')
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.where == "finetune-prep.toml:3"


keys = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True),
    st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=8),
)


@settings(max_examples=examples(40))
@given(st.lists(keys, min_size=1, max_size=3, unique=True), st.lists(keys, min_size=1, max_size=3, unique=True))
def test_the_line_of_any_key_is_found_however_it_is_written(tables: list[str], names: list[str]) -> None:
    """Dots, quotes, brackets, equals signs and hashes in a key are part of it."""
    lines, places = [], {}
    for table in tables:
        lines += [f"[prices.{_basic(table)}]  # a comment"]
        for name in names:
            lines.append(f"  {_basic(name)} = 1")
            places[table, name] = len(lines)
    for (table, name), line in places.items():
        assert line_of("\n".join(lines), ["prices", table, name]) == line


def _basic(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_a_key_that_is_not_written_out_is_at_its_table() -> None:
    text = '[roles]\n[roles.judge]\nmodel = "x"\n[prices]\ny = { input = 1 }\n'
    assert line_of(text, ["roles", "judge", "temperature"]) == 2
    assert line_of(text, ["roles", "user"]) == 1
    assert line_of(text, ["prices", "y", "input"]) == 5
    assert line_of(text, ["name"]) == 1
    assert line_of('[roles.judge]\nmodel = "x"\n[roles]\n', ["roles", "judge", "temperature"]) == 1


PLACED = f'{SOUND}[providers.m]\nkind = "openai-compatible"\nbase_url = "http://localhost:8000/v1"\n'


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (f"{SOUND}[roles.judge.extra]\nseed = nan\n", 11, "roles.judge.extra.seed is no number: nan"),
        (f"{SOUND}[roles.judge.extra]\nmin_p = 0.1\nstop = [1, {{ y = -inf }}]\n", 12, "roles.judge.extra.stop.y is no number"),
        (f"{SOUND}extra = {{ a = {{ b = inf }} }}\n", 10, "roles.judge.extra.a.b is no number: inf"),
        (f"{SOUND}extra = {{ a = {'[' * 90}{']' * 90} }}\n", 10, "roles.judge.extra.a is nested more than 20 deep"),
        (f"{SOUND}extra = {{ since = 2026-01-01 }}\n", 10, "roles.judge.extra.since is a date"),
        (f"{SOUND}extra = {{ at = 07:30:00 }}\n", 10, "roles.judge.extra.at is a date"),
        (f'{PLACED}headers = {{ "X-Team" = 3 }}\n', 13, "the value of the header “X-Team” is no text"),
        (f'{PLACED}[providers.m.headers]\n"X-A" = "a"\n"X-B" = ["sk-0123"]\n', 15, "the value of the header “X-B” is no text"),
        (f'{PLACED}headers = {{ "X-Team" = "a\\nb" }}\n', 13, "the value of the header “X-Team” holds special characters"),
        (f"{PLACED}headers = 3\n", 13, "providers.m.headers: Expected `table`"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.where == f"finetune-prep.toml:{line}"
    assert what in caught.value.what
    assert caught.value.next
    assert "sk-0123" not in str(caught.value)


def test_fields_that_endpoints_have_are_sent_as_they_are() -> None:
    text = f"{SOUND}[roles.judge.extra]\nseed = 7\nstop = ['a', 'b']\nchat_template_kwargs = {{ enable_thinking = false }}\n"
    assert parse(text).role("judge").extra["chat_template_kwargs"] == {"enable_thinking": False}


def test_all_keys_that_nothing_reads_are_named_at_once() -> None:
    text = f"sead = 3\n{SOUND}temprature = 1\n[roles.juge]\nmodel = 'x/y'\n[search]\nresult = 3\n"
    with pytest.raises(ConfigError) as refused:
        parse(text)
    assert (refused.value.what, refused.value.where, refused.value.next) == ("unknown key “sead”", f"{FILE}:1", "write “seed”")
    lines = [f"{number}: {line}" for number, line in enumerate(text.splitlines(), start=1)]
    assert [*refused.value.details] == [
        f"  {FILE}:{next(line.partition(':')[0] for line in lines if what in line)}: unknown {noun} “{what}”; write “{near}”"
        for noun, what, near in (("role", "juge", "judge"), ("key", "temprature", "temperature"), ("key", "result", "results"))
    ]
