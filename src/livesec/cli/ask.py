"""`livesec ask`: questions to the store, in words where a model is configured, as typed commands always."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from livesec.cli.context import (
    DbOption,
    JsonOption,
    SetOption,
    SettingsOption,
    fail,
    readable_store,
    require,
    settings_from,
)

if TYPE_CHECKING:
    from livesec.copilot.chat import Turn
    from livesec.copilot.conversation import Conversation
    from livesec.core.settings import Settings

EPILOG = 'Examples: livesec ask "top ips 24h"; livesec ask "what did svc-backup do last night?"; livesec ask help'
_ENDS = ("quit", "exit", "bye")


def ask(
    question: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUESTION", help="A typed command (`help` lists them) or, with a model, a question."),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    no_model: Annotated[bool, typer.Option("--no-model", help="Typed commands alone; nothing is sent.")] = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Ask about what was found: read-only tools over the store, with the ids that each answer is about.

    Without a question it asks for them on the terminal, until Ctrl-D.
    """
    from livesec.copilot.conversation import open_conversation
    from livesec.copilot.typed_commands import help_text
    from livesec.store.reader import StoreReader

    used = settings_from(settings, assignments)
    if no_model:
        used = used.model_copy(update={"openai_api_key": None, "openai_base_url": None})
    text = " ".join(question or [])
    is_prompt = not question and sys.stdin.isatty() and not as_json
    require(bool(text.strip()) or is_prompt, "ask what? livesec ask help lists what can be asked")
    if text.strip().lower() == "help" and not as_json:  # also where there is no store yet
        typer.echo(help_text())
        return
    reader = StoreReader(readable_store(db, used))
    try:
        conversation = open_conversation(used, reader)
        if is_prompt:
            _converse(conversation, _greeting(used))
        else:
            _say(conversation.ask(text), as_json)
    finally:
        reader.close()


def _greeting(settings: Settings) -> str:
    import os

    from livesec.explain.endpoint import where_text_goes

    return f"Text goes: {where_text_goes(settings, os.environ)}\n`help` lists the typed commands; Ctrl-D ends."


def _say(turn: Turn, as_json: bool) -> None:
    """Print `turn`; ends with 1 where nothing at all came of it."""
    from livesec.cli.ask_text import print_turn, turn_record

    if as_json:
        import json

        typer.echo(json.dumps(turn_record(turn)))
    else:
        print_turn(turn)
    if turn.text is None and not turn.answers:
        raise typer.Exit(1)


def _converse(conversation: Conversation, greeting: str) -> None:
    """Ask until the end of input. Ctrl-C leaves a line or an answer, not the prompt."""
    import readline  # noqa: F401 - gives `input` its editing and the history of this session

    from livesec.copilot.answer import ToolError

    typer.echo(greeting)
    while True:
        try:
            text = input("ask> ").strip()
            if not text:
                continue
            if text.lower() in _ENDS:
                return
            _say(conversation.ask(text), as_json=False)
        except ToolError as error:
            fail(str(error))
        except KeyboardInterrupt:
            typer.echo()
        except EOFError:
            typer.echo()
            return
        except typer.Exit:
            continue  # an answer without any result; it has said why
