"""Options that several commands share. They rest on nothing, so that a command that asks no model is there at once."""

from __future__ import annotations

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
provider_option = click.option(
    "--provider",
    metavar="NAME",
    help="Use this provider for every role instead: batch, recording, openai-batch, or one defined in finetune-prep.toml.",
)
yes_option = click.option(
    "--yes", is_flag=True, help="Accept the cost, and allow API keys to be sent to hosts that have not received them before."
)
