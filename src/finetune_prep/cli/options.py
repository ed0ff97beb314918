"""Options that several commands share. They rest on nothing, so that a command that asks no model is there at once."""

from __future__ import annotations

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
provider_option = click.option(
    "--provider",
    metavar="NAME",
    help="Ask every role through this provider instead: batch, recording, openai-batch, or one of finetune-prep.toml.",
)
yes_option = click.option(
    "--yes", is_flag=True, help="Agree to what it costs, and to keys that go to hosts to which they were never sent."
)
