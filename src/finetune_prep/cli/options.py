"""Options that several commands share. They rest on nothing, so that a command that asks no model is there at once."""

from __future__ import annotations

from typing import Any

import click


class Share(click.ParamType[float]):
    """A share from 0 to 1, written as 10% or 0.1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"“{text}” is not a share: write it as 10% or 0.1", param, ctx)
        return share


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
provider_option = click.option(
    "--provider",
    metavar="NAME",
    help="Use this provider for every role instead: batch, recording, openai-batch, or one defined in finetune-prep.toml.",
)
yes_option = click.option(
    "--yes", is_flag=True, help="Accept the cost, and allow API keys to be sent to hosts that have not received them before."
)
