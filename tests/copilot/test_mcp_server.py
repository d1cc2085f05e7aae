"""A real client of the MCP SDK against `livesec mcp` as a process, over its standard input and output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.dashboard.invented_store import make_store

from livesec.copilot.mcp_server import is_available
from livesec.copilot.questions import QUESTIONS
from livesec.core.clock import now_us

CHECKOUT = Path(__file__).parents[2]
CLIENT = """
import asyncio, json, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main(db, path):
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "livesec.cli.main", "mcp", "--db", db], env={"PYTHONPATH": path}
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        known = await session.initialize()
        tools = (await session.list_tools()).tools
        answers = [
            await session.call_tool("count_by", {"column": "severity", "since": "all"}),
            await session.call_tool("count_by", {"column": "password"}),
            await session.call_tool("drop", {}),
        ]
        print(json.dumps({
            "server": known.server_info.name,
            "tools": {tool.name: tool.input_schema for tool in tools},
            "read_only": all(tool.annotations.read_only_hint for tool in tools),
            "answers": [(bool(answer.is_error), answer.content[0].text) for answer in answers],
        }))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.skipif(not is_available(), reason="the optional MCP SDK is not installed (pip install 'mcp>=2.3')")
def test_a_client_lists_the_tools_and_calls_them(tmp_path: Path) -> None:
    db = tmp_path / "asked.db"
    make_store(db, now_us())
    path = os.pathsep.join([str(CHECKOUT / "src"), *filter(None, sys.path)])
    words = [sys.executable, "-c", CLIENT, str(db), path]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True, env={"PYTHONPATH": path})
    told = json.loads(ended.stdout)
    assert told["server"] == "livesec" and told["read_only"]
    assert set(told["tools"]) == set(QUESTIONS)
    assert told["tools"]["count_by"]["required"] == ["column"]
    (failed, text), (bad, why), (unknown, names) = told["answers"]
    assert (failed, bad, unknown) == (False, True, True)
    assert json.loads(text)["facts"] == {"anomalies": 68, "values": 4}
    assert why.startswith("count_by: column: ")
    assert "no tool is called drop" in names
