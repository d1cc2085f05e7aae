"""Writes docs/detections/: a page per detector, from its own words, parameters and fixture; none is written by hand.

python -m benchmarks.detector_pages
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.explain.found_in_fixtures import anomaly_of, found_of

from livesec.core.anomaly import Anomaly
from livesec.core.attack import tactics_of, technique_name
from livesec.core.commands import COMMANDS
from livesec.core.protocols import Correlator, Detector, param_infos
from livesec.core.severity import severity_of
from livesec.pipeline.assembly import Judge, correlator_classes, detector_classes

FOLDER = Path(__file__).parent.parent / "docs" / "detections"
_INDEX = """# What LiveSec looks for

A page per detector: what it sees and misses, where its rules come from, what else it could be, what to do. The pages
are made by `python -m benchmarks.detector_pages` from the detectors' own words; `livesec detectors` lists them with the
parameters as your settings have them. How well they find things stands in [detection.md](../detection.md).
"""


def judges() -> list[Judge]:
    """Every detector and correlator with its defaults, by log type and name."""
    parts: list[Judge] = [kind(kind.params()) for kind in detector_classes().values()]
    parts += [kind(kind.params()) for kind in correlator_classes().values()]
    return sorted(parts, key=lambda part: (part.log_type, part.name))


def description(part: Judge) -> str:
    """The docstring of its module."""
    return (sys.modules[type(part).__module__].__doc__ or "").strip()


def example(part: Judge) -> Anomaly | None:
    """The anomaly that the first finding in its fixture becomes; one of seed_mode where it knows no other."""
    found = sorted(found_of(part.name), key=lambda item: item.case.startswith("seed_"))
    return anomaly_of(found[0]) if found else None


def page(part: Judge) -> str:
    """The page of one detector or correlator."""
    key = (
        " and ".join(f"`{name}`" for name in part.key) if isinstance(part, Detector) else "findings and events together"
    )
    kind = "correlator" if isinstance(part, Correlator) else "statistical" if part.statistical else "rule"
    techniques = [f"{item} {technique_name(item)} ({', '.join(tactics_of([item]))})" for item in part.technique]
    severity = f"{part.base_severity / 10:.1f} ({severity_of(part.base_severity)})"
    lines = [
        f"# {part.name}",
        "",
        _markdown(description(part)),
        "",
        "| | |",
        "| --- | --- |",
        f"| log | {part.log_type} |",
        f"| judged by | {key} |",
        f"| kind | {kind} |",
        f"| severity at full confidence | {severity} |",
        f"| ATT&CK | {'; '.join(techniques)} |",
        "",
        *_parameters(part),
        "## Could also be",
        "",
        *(f"- {text}" for text in part.guidance.benign),
        "",
        "## What to do",
        "",
        *(f"{number}. {text}" for number, text in enumerate(_steps(part), 1)),
        "",
        "## What would change it",
        "",
        *(f"- {_plain(text)}" for text in part.guidance.would_change),
        "",
    ]
    if (shown := example(part)) is not None:
        lines += [
            f"## As it reads (score {shown.score / 10:.1f})",
            "",
            "```text",
            shown.explanation.to_text(),
            "```",
            "",
        ]
    return "\n".join(lines)


def _markdown(text: str) -> str:
    """A docstring's paragraphs; those that are indented as code."""
    blocks = [f"```text\n{block}\n```" if block.startswith("    ") else block for block in text.split("\n\n")]
    return "\n\n".join(blocks)


def _parameters(part: Judge) -> Iterator[str]:
    infos = param_infos(part.params)
    if not infos:
        return
    yield from ("## Parameters", "", "| name | default | unit | source |", "| --- | --- | --- | --- |")
    for info in infos:
        default = ", ".join(map(str, info.default)) if isinstance(info.default, tuple) else info.default
        setting = f"; setting `{info.setting}`" if info.setting else ""
        yield f"| `{info.name}` | {default} | {info.unit} | {_cell(info.source)}{setting} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _plain(template: str) -> str:
    """A template with the names of what is filled in, in braces."""
    return template.replace("{{", "{").replace("}}", "}")


def _steps(part: Judge) -> Iterator[str]:
    """The commands, by platform, then what to do in words."""
    for name in part.guidance.commands:
        command = COMMANDS[name]
        texts: dict[str, list[str]] = {}
        for platform, text in command.texts.items():
            texts.setdefault(_plain(text), []).append(platform)
        told = "; ".join(f"{', '.join(where)}: `{_cell(text)}`" for text, where in texts.items())
        yield f"{command.purpose[0].upper()}{command.purpose[1:]} {told}"
    yield from map(_plain, part.guidance.next_steps)


def index(parts: list[Judge]) -> str:
    """The list of all pages."""
    rows = [
        f"| [{part.name}]({part.name}.md) | {part.log_type} | {part.base_severity / 10:.1f} | "
        f"{' '.join(part.technique)} | {_cell(description(part).partition(chr(10))[0])} |"
        for part in parts
    ]
    return "\n".join([_INDEX, "| detector | log | severity | ATT&CK | what it sees |", "|" + " --- |" * 5, *rows, ""])


def pages() -> dict[str, str]:
    """Text of each file, by name."""
    parts = judges()
    return {"README.md": index(parts)} | {f"{part.name}.md": page(part) for part in parts}


def main() -> int:
    """Write them all, and delete those of detectors that are no more."""
    wanted = pages()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(wanted)} pages in {FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
