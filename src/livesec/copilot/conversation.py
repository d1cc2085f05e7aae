"""What is typed goes to the right place: a typed command to the tools, anything else to the model, if there is one."""

from __future__ import annotations

from collections.abc import Callable

from livesec.copilot.budget import Budget, StoreBudget
from livesec.copilot.chat import Call, Chat, Turn
from livesec.copilot.chat_model import ChatModel
from livesec.copilot.questions import QUESTIONS, Question
from livesec.copilot.tools import Tools
from livesec.copilot.typed_commands import CommandError, help_text, is_command, parse
from livesec.core.clock import now_us
from livesec.core.json_text import ascii_json
from livesec.core.settings import Settings
from livesec.explain.endpoint import endpoint_of
from livesec.store.reader import StoreReader

SUGGESTIONS = ("anomalies high 24h", "top ips 24h", "top users 7d", "count by type 24h", "incidents", "health")
"""What to begin with."""
_ONLY_COMMANDS = "no model is configured, so only typed commands are understood"


class Conversation:
    """One person's questions to one store.

    Parameters
    ----------
    tools : over the store
    chat : with a model; None where none is configured
    """

    def __init__(self, tools: Tools, chat: Chat | None) -> None:
        self._tools = tools
        self._chat = chat

    @property
    def has_model(self) -> bool:
        """Whether questions in words are understood."""
        return self._chat is not None

    def needs_model(self, text: str) -> bool:
        """Whether `text` would be asked of the model, which may take long."""
        text = text.strip()
        return self._chat is not None and bool(text) and not is_command(text, self._tools.known_detectors())

    def ask(self, text: str) -> Turn:
        """What came of `text`. Raises CommandError for words that nobody understands, ToolError as the tools do."""
        text = text.strip()
        if self._chat is not None and self.needs_model(text):
            return self._chat.ask(text)
        try:
            question = parse(text, self._tools.known_detectors())
        except CommandError as error:
            if self._chat is not None:
                raise
            raise CommandError(f"{_ONLY_COMMANDS}: {error}") from None
        return Turn(text, help_text(), "") if question is None else self._typed(text, question)

    def _typed(self, text: str, question: Question) -> Turn:
        name = next(name for name, kind in QUESTIONS.items() if kind is type(question))
        arguments = ascii_json(question.model_dump(exclude_defaults=True))
        return Turn(text, None, "", (Call(name, arguments, self._tools.ask(question)),))


def open_conversation(
    settings: Settings, reader: StoreReader, *, budget: Budget | None = None, clock: Callable[[], int] = now_us
) -> Conversation:
    """A conversation over `reader`'s store, with the model of `settings` if they name one."""
    tools = Tools(reader, clock)
    endpoint = endpoint_of(settings)
    if endpoint is None:
        return Conversation(tools, None)
    model = ChatModel(endpoint, settings.explain_max_tokens, settings.explain_temperature)
    return Conversation(
        tools, Chat(tools, model, budget or StoreBudget(str(reader.path), settings, clock), settings.explain_language)
    )
