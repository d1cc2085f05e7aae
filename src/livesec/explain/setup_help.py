"""How a model is set up: what to write into `.env` for each kind of server."""

from __future__ import annotations

from livesec.core.settings import Settings

_SERVERS = (
    ("Ollama", "ollama pull gemma3:4b", "http://127.0.0.1:11434/v1", "gemma3:4b"),
    ("vLLM", "vllm serve MODEL", "http://127.0.0.1:8000/v1", "MODEL"),
    ("llama.cpp", "llama-server -m MODEL.gguf", "http://127.0.0.1:8080/v1", "MODEL"),
    ("LM Studio", "lms server start", "http://127.0.0.1:1234/v1", "MODEL, as `lms ls` names it"),
)
"""Name, command that starts it, its usual base URL, model."""


def setup_lines(settings: Settings) -> tuple[str, ...]:
    """What is not set, and the lines that set it; none where a key or a base URL is there.

    >>> setup_lines(Settings(openai_api_key="k"))
    ()
    """
    if settings.openai_api_key or settings.openai_base_url:
        return ()
    local = [
        f"{name} ({command}): OPENAI_BASE_URL={base_url} and LIVESEC_EXPLAIN_MODEL={model}"
        for name, command, base_url, model in _SERVERS
    ]
    return (
        "Neither OPENAI_API_KEY nor OPENAI_BASE_URL is set; LiveSec explains by itself. For a model, write into .env:",
        "OpenAI: OPENAI_API_KEY=sk-..., and LIVESEC_EXPLAIN_MODEL=... for another than " + settings.explain_model,
        *local,
        "A model on this machine needs no key and nothing leaves it; choose one that does not think at length.",
    )
