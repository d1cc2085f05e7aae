"""Objects written as the text of a CSV field: fields of all of them at once.

They may be JSON (`{"a": 1}`), what Python prints of a dict (`{'a': None}`), or what Athena prints of a row
(`{a=1, b=null}`, names in lower case). An empty text is an object without fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path

_NOTHING: Final = ["", "null", "None", "-", "{}"]
_ATHENA: Final = r"^\{[a-z0-9_]+="
_PYTHON: Final = "{'"
# In a text without these every quote is one around a text, and nothing is written otherwise than in JSON.
_CAREFUL: Final = re.compile(r'["\\]|None|True|False')
_TOKEN: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(None|True|False)")
_ESCAPE: Final = re.compile(r"\\(x[0-9a-f]{2}|.)|\"")
_WORDS: Final = {"None": "null", "True": "true", "False": "false"}


def object_fields(texts: pl.Series, wanted: Mapping[str, Path]) -> tuple[pl.DataFrame, pl.Series]:
    """Each `wanted` (column name to path) as a String column, and which `texts` are no object that can be read.

    >>> texts = pl.Series(['{"a": {"b": 1}}', "{'a': {'b': 'it'}}", "{a={b=2, c=3}}", "", "{'a': "])
    >>> found, bad = object_fields(texts, {"b": ("a", "b")})
    >>> found["b"].to_list(), bad.to_list()
    (['1', 'it', '2', None, None], [False, False, False, False, True])
    """
    written = texts.is_not_null() & ~texts.is_in(_NOTHING).fill_null(True)
    distinct = texts.filter(written).unique()
    of_athena = distinct.str.contains(_ATHENA)
    others = distinct.filter(~of_athena)
    lines = pl.DataFrame({"line_index": pl.int_range(len(others), dtype=pl.UInt32, eager=True), "line": _json(others)})
    read = json_fields(lines, wanted).fields
    rows = distinct.filter(of_athena)
    known = pl.concat(
        [
            read.with_columns(text=others.gather(read["line_index"])).drop("line_index"),
            pl.DataFrame({**{name: _of_row(rows, path) for name, path in wanted.items()}, "text": rows}),
        ]
    )
    places = pl.DataFrame({"text": texts}).join(
        known.with_columns(is_known=True), on="text", how="left", maintain_order="left"
    )
    return places.select(*wanted), written & places["is_known"].is_null()


def _of_row(rows: pl.Series, path: Path) -> pl.Series:
    """The first field that has the name at the end of `path`, as those of the row itself come before nested ones."""
    values = rows.str.extract(r"(?:\{|, )" + re.escape(path[-1].lower()) + r"=(.*?)(?:, [a-z0-9_]+=|\}*$)")
    return values.replace("null", None)


def _json(texts: pl.Series) -> pl.Series:
    """`texts` with what Python wrote as JSON."""
    of_python = texts.str.starts_with(_PYTHON)
    if not of_python.any():
        return texts
    return pl.Series([_as_json(text) if text.startswith(_PYTHON) else text for text in texts], dtype=pl.String)


def _as_json(text: str) -> str:
    r"""A dict as Python writes it, as JSON; something that is no JSON where it is none.

    >>> print(_as_json(repr({"it's": 'say "x"', "b": [None, True, chr(27)]})))
    {"it's": "say \"x\"", "b": [null, true, "\u001b"]}
    """
    return _TOKEN.sub(_token, text) if _CAREFUL.search(text) else text.replace("'", '"')


def _token(found: re.Match[str]) -> str:
    if found[3] is not None:
        return _WORDS[found[3]]
    return f'"{_ESCAPE.sub(_escape, found[1] if found[1] is not None else found[2])}"'


def _escape(found: re.Match[str]) -> str:
    what = found[1]
    if what is None or what == '"':
        return '\\"'
    if what == "'":
        return "'"
    return json.dumps(chr(int(what[1:], 16)))[1:-1] if len(what) > 1 else found[0]
