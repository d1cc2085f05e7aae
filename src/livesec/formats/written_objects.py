"""Objects written as the text of a CSV field: fields of all of them at once.

They may be JSON (`{"a": 1}`), what Python prints of a dict (`{'a': None}`), or what Athena prints of a row
(`{a=1, b=null}`, names in lower case). An empty text is an object without fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.formats.json_scan import Path, scanned

_NOTHING: Final = ["", "null", "None", "-", "{}"]
_ATHENA: Final = r"^\{[a-z0-9_]+="
_PYTHON: Final = "{'"
# In a text without these every quote is one around a text, and nothing is written otherwise than in JSON.
_CAREFUL: Final = re.compile(r'["\\]|None|True|False')
_TOKEN: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(None|True|False)")
_ESCAPE: Final = re.compile(r"\\(x[0-9a-f]{2}|.)|\"")
_WORDS: Final = {"None": "null", "True": "true", "False": "false"}


def object_fields(texts: pl.Series, wanted: Mapping[str, Path]) -> tuple[dict[str, pl.Series], NDArray[np.bool_]]:
    """Each `wanted` (column name to path) as a String series, and which `texts` are no object that can be read.

    >>> texts = pl.Series(['{"a": {"b": 1}}', "{'a': {'b': 'it'}}", "{a={b=2, c=3}}", "", "{'a': "])
    >>> found, bad = object_fields(texts, {"b": ("a", "b")})
    >>> found["b"].to_list(), bad.tolist()
    (['1', 'it', '2', None, None], [False, False, False, False, True])
    """
    found = scanned(texts, wanted)
    left = texts.set(pl.Series(found.whole), None)
    places = (left.is_not_null() & ~left.is_in(_NOTHING)).arg_true()
    fields, bad = found.fields.to_dict(), np.zeros(len(texts), dtype=np.bool_)
    if len(places):
        others = pl.DataFrame({"text": left.gather(places)})
        known = _not_as_json(others["text"].unique(), wanted).with_columns(is_known=True)
        read = others.join(known, on="text", how="left", maintain_order="left")
        for name in wanted:
            fields[name] = fields[name].scatter(places, read[name])
        bad[places.filter(read["is_known"].is_null())] = True
    return fields, bad


def _not_as_json(texts: pl.Series, wanted: Mapping[str, Path]) -> pl.DataFrame:
    """Those of `texts` that Python or Athena wrote, as column text, and the `wanted` fields of each."""
    dicts = texts.filter(texts.str.starts_with(_PYTHON))
    found = scanned(pl.Series([_as_json(text) for text in dicts], dtype=pl.String), wanted)
    read = found.fields.insert_column(0, dicts.alias("text")).filter(pl.Series(found.whole))
    rows = pl.DataFrame({"text": texts.filter(texts.str.contains(_ATHENA))})
    return pl.concat([read, rows.with_columns(_of_row(path).alias(name) for name, path in wanted.items())])


def _of_row(path: Path) -> pl.Expr:
    """The first field that has the name at the end of `path`, as those of the row itself come before nested ones."""
    value = pl.col("text").str.extract(r"(?:\{|, )" + re.escape(path[-1].lower()) + r"=(.*?)(?:, [a-z0-9_]+=|\}*$)")
    return value.replace("null", None)


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
