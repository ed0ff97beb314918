"""`completion`: what a shell needs to complete commands, options and documents."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from finetune_prep.cli import screen
from finetune_prep.cli.options import json_option

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_FINETUNE_PREP_COMPLETE"  # by which the shell's script asks the program


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
@click.pass_context
def completion(context: click.Context, shell: str, as_json: bool) -> None:
    """Print the completion script of a SHELL. Once and for all:

    bash: eval "$(finetune-prep completion bash)" in ~/.bashrc; zsh: the same with zsh in ~/.zshrc; fish: finetune-prep completion
    fish > ~/.config/fish/completions/finetune-prep.fish
    """
    program = context.find_root().command
    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(shell)
    script = kind(program, {}, "finetune-prep", VARIABLE).source()
    if as_json:
        screen.json({"shell": shell, "script": script})
    else:
        click.echo(script)
