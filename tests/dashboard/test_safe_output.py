"""Log text reaches the browser as text only.

Streamlit reads Markdown in most of what it shows, and Markdown can make a browser fetch an image of an attacker's
choice. So what goes through those functions must be written in the source: a literal, or numbers in an f-string.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[2] / "src" / "livesec" / "dashboard").glob("*.py"))

BANNED = {
    "html",
    "iframe",
    "write",
    "write_stream",
    "plotly_chart",
    "table",
    "components",
    "latex",
    "exception",
    "help",
}
BANNED_COLUMNS = {"LinkColumn", "ImageColumn", "MarkdownColumn", "VideoColumn", "AudioColumn"}
BANNED_ARGUMENTS = {"unsafe_allow_html", "unsafe_allow_javascript"}
MARKDOWN = {
    *("title", "header", "subheader", "markdown", "caption", "metric", "badge", "toast"),
    *("error", "warning", "info", "success", "expander", "popover", "status", "tabs", "button", "toggle", "selectbox"),
    *("pills", "segmented_control", "multiselect", "text_input", "checkbox", "radio", "chat_input", "chat_message"),
}
# Texts made in the source or from numbers, as a reader of these files can see; each is an attribute there.
OWN_TEXTS = {
    "card.label",
    "card.value",
    "card.beside",
    "card.about",
    "mark.label",
    "mark.icon",
    "heading",
    "suggestion",
    "VIEW_LABELS",
    "bold(section.heading)",
    "SOURCE_NAMES",
}


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def is_number(value: ast.FormattedValue) -> bool:
    """Whether formatting raises for anything but a number."""
    match value.format_spec:
        case ast.JoinedStr(values=[ast.Constant(value=str(text))]):
            return text[-1] in "dfg%"
    return False


def is_own(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr):
        return all(not isinstance(part, ast.FormattedValue) or is_number(part) for part in node.values)
    if isinstance(node, ast.List):
        return all(is_own(item) for item in node.elts)
    return ast.unparse(node).partition("[")[0] in OWN_TEXTS


def named(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr


def of_streamlit(call: ast.Call) -> bool:
    assert isinstance(call.func, ast.Attribute)
    return ast.unparse(call.func.value) in ("st", "st.sidebar", "st.column_config")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_that_runs_or_fetches_is_called(path: Path) -> None:
    for call in calls(path):
        assert not (of_streamlit(call) and named(call) in BANNED | BANNED_COLUMNS), f"{path.name}:{call.lineno}"
        assert not {keyword.arg for keyword in call.keywords} & BANNED_ARGUMENTS, f"{path.name}:{call.lineno}"
    assert "unsafe_allow" not in path.read_text()
    assert "components.v" not in path.read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_only_our_own_words_are_read_as_markdown(path: Path) -> None:
    for call in calls(path):
        if not of_streamlit(call) or named(call) not in MARKDOWN:
            continue
        shown = [*call.args[: 3 if named(call) == "metric" else 1]]
        shown += [keyword.value for keyword in call.keywords if keyword.arg in ("label", "help", "body", "delta")]
        for argument in shown:
            what = ast.unparse(argument)
            lists_names = what.startswith("[SOURCE_NAMES[") or what.startswith("[*labels")
            assert is_own(argument) or lists_names, f"{path.name}:{call.lineno}: {named(call)}({what})"


def test_the_rule_knows_a_text_from_a_number() -> None:
    def argument(source: str) -> ast.expr:
        return ast.parse(source, mode="eval").body

    assert is_own(argument("'fixed'"))
    assert is_own(argument("f'{count:,d} new, show'"))
    assert is_own(argument("f'{score / 10:.1f} of 10'"))
    assert not is_own(argument("f'{user} logged in'"))
    assert not is_own(argument("f'{user:>20}'"))
    assert not is_own(argument("row.description"))
    assert not is_own(argument("shown(row.description)"))
