import json
import subprocess
import sys
from pathlib import Path

import httpx2
import openai
import pytest
from tests.explain.fake_endpoint import FakeEndpoint, redirecting

from livesec.core.errors import SettingsError
from livesec.core.settings import Settings, load_settings
from livesec.explain.endpoint import DUMMY_KEY, endpoint_of, openai_client, where_text_goes

LOCAL = "http://127.0.0.1:11434/v1"


def test_neither_key_nor_base_url_is_no_endpoint_and_nothing_goes_anywhere() -> None:
    assert endpoint_of(Settings()) is None
    assert where_text_goes(Settings(), {}) == "deterministic: no key and no base URL, nothing is sent anywhere"


def test_a_key_alone_means_openai_with_pseudonyms_and_twenty_seconds() -> None:
    endpoint = endpoint_of(Settings(openai_api_key="sk-1"))
    assert endpoint is not None
    assert (endpoint.base_url, endpoint.is_local, endpoint.redacts, endpoint.timeout_s) == (None, False, True, 20.0)
    assert endpoint.address == "https://api.openai.com/v1"


def test_a_base_url_alone_gets_a_dummy_key_and_on_this_machine_more_time_and_no_pseudonyms() -> None:
    endpoint = endpoint_of(Settings(openai_base_url=LOCAL))
    assert endpoint is not None
    assert (endpoint.key, endpoint.is_local, endpoint.redacts, endpoint.timeout_s) == (DUMMY_KEY, True, False, 180.0)


def test_settings_decide_over_both() -> None:
    endpoint = endpoint_of(Settings(openai_base_url=LOCAL, explain_redact=True, explain_timeout_s=7.0))
    assert endpoint is not None
    assert (endpoint.redacts, endpoint.timeout_s) == (True, 7.0)


@pytest.mark.parametrize(
    ("base_url", "warns"),
    [
        (LOCAL, False),
        ("http://[::1]:8000/v1", False),
        ("http://192.168.1.9:8000/v1", False),
        ("http://gpu-box:8000/v1", False),
        ("http://gpu.lan/v1", False),
        ("https://models.example.org/v1", False),
        ("http://models.example.org/v1", True),
        ("http://203.0.113.9:8000/v1", True),
    ],
)
def test_plain_http_warns_where_others_could_read_it(base_url: str, warns: bool) -> None:
    assert ("WARNING: plain http" in where_text_goes(Settings(openai_base_url=base_url), {})) is warns


def test_what_the_shell_alone_has_is_named_and_not_used_nor_shown() -> None:
    environ = {"OPENAI_API_KEY": "sk-shell", "OPENAI_BASE_URL": "https://elsewhere.example.org/v1"}
    line = where_text_goes(Settings(), environ)
    assert "OPENAI_API_KEY of the environment is not used: to enable it, put it into .env" in line
    assert "OPENAI_BASE_URL of the environment is not used" in line
    assert "sk-shell" not in line and "elsewhere" not in line
    assert "not used" not in where_text_goes(Settings(openai_api_key="sk-shell"), {"OPENAI_API_KEY": "sk-shell"})


def test_no_text_shows_credentials_or_query_of_a_base_url() -> None:
    settings = Settings(openai_base_url="https://me:hush@models.example.org/v1?key=hidden", openai_api_key="sk-quiet")
    texts = [where_text_goes(settings, {}), repr(endpoint_of(settings)), str(endpoint_of(settings)), repr(settings)]
    for text in texts:
        assert not any(secret in text for secret in ("hush", "hidden", "sk-quiet"))
    assert "https://models.example.org/v1" in texts[0]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/v1",
        "example.org/v1",
        "http://",
        "http://a b/v1",
        "http://h:99999/v1",
        "http://[::1/v1",
        "file:///etc",
    ],
)
def test_what_is_no_base_url_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match=r"openai_base_url.*expected one such as"):
        load_settings(assignments=[f"openai_base_url={url}"], environ={"": ""})


@pytest.mark.parametrize(
    "text",
    [
        "OPENAI_API_KEY = 31415926535",
        "OPENAI_API_KEY = ['sk-31415926535']",
        "OPENAI_API_KEY = 'sk 31415926535'",
        "OPENAI_BASE_URL = 'ftp://me:31415926535@h/v1'",
        "OPENAI_API_KEY = 'sk-31415926535'\nNO_SUCH_SETTING = 1",
    ],
)
def test_no_settings_error_shows_a_key_or_password(tmp_path: Path, text: str) -> None:
    config = tmp_path / "config.py"
    config.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(config, environ={"": ""})
    assert "31415926535" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(SettingsError) as caught:
        load_settings(assignments=["openai_api_key sk-31415926535"], environ={"": ""})
    assert "31415926535" not in str(caught.value)


def test_a_key_of_digits_and_one_with_blanks_around_it_are_texts(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("OPENAI_API_KEY= 12345 \n")
    assert load_settings(dotenv=dotenv, environ={"": ""}).openai_api_key == "12345"
    assert load_settings(environ={"LIVESEC_OPENAI_API_KEY": "12345"}).openai_api_key == "12345"
    assert load_settings(assignments=["openai_api_key=12345"], environ={"": ""}).openai_api_key == "12345"


def test_nothing_of_the_environment_leads_the_client_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeEndpoint() as server:
        for name, value in {
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "OPENAI_API_KEY": "sk-shell",
            "OPENAI_ORG_ID": "org-shell",
            "OPENAI_PROJECT_ID": "project-shell",
            "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-other\nX-Shell: yes",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "ALL_PROXY": "http://127.0.0.1:9",
        }.items():
            monkeypatch.setenv(name, value)
        endpoint = endpoint_of(Settings(openai_base_url=server.base_url, openai_api_key="sk-own"))
        assert endpoint is not None
        with openai_client(endpoint) as client:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
        [headers] = server.headers
    assert headers["authorization"] == "Bearer sk-own"
    assert "shell" not in json.dumps(headers) and "sk-other" not in json.dumps(headers)
    assert set(headers) == {
        "host", "accept", "content-type", "content-length", "user-agent", "accept-encoding", "authorization"
    }  # fmt: skip


def test_a_key_alone_goes_to_openai_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    endpoint = endpoint_of(Settings(openai_api_key="sk-own"))
    assert endpoint is not None
    with openai_client(endpoint) as client:
        assert str(client.base_url) == "https://api.openai.com/v1/"


def test_the_query_of_a_base_url_goes_along_and_its_password_becomes_basic_authentication() -> None:
    with FakeEndpoint() as server:
        url = server.base_url.replace("http://", "http://me:hush@") + "?api-version=1"
        endpoint = endpoint_of(Settings(openai_base_url=url))
        assert endpoint is not None
        with openai_client(endpoint) as client:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
        assert server.paths == ["/v1/chat/completions"]
        assert server.headers[0]["authorization"].startswith("Basic ")


def test_no_redirect_is_followed() -> None:
    with FakeEndpoint() as elsewhere, FakeEndpoint(redirecting(f"{elsewhere.base_url}/chat/completions")) as server:
        endpoint = endpoint_of(Settings(openai_base_url=server.base_url, openai_api_key="sk-own"))
        assert endpoint is not None
        with openai_client(endpoint) as client, pytest.raises(openai.APIStatusError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
        assert elsewhere.requests == [] and len(server.requests) == 1


@pytest.mark.parametrize("seconds", [0.5, 5.0, 180.0])
def test_the_time_limit_reaches_the_client_whatever_it_is(seconds: float) -> None:
    endpoint = endpoint_of(Settings(openai_base_url=LOCAL, explain_timeout_s=seconds))
    assert endpoint is not None
    with openai_client(endpoint) as client:  # which takes httpx's own default of 5 s for "not set", and then 600 s
        assert isinstance(client.timeout, httpx2.Timeout)
        assert (client.timeout.read, client.timeout.connect, client.max_retries) == (seconds, min(seconds, 5.0), 0)


def test_the_official_client_is_imported_only_when_it_is_needed() -> None:
    code = "import sys, livesec.explain.client, livesec.explain.endpoint_test; print('openai' in sys.modules)"
    source = str(Path(__file__).parents[2] / "src")
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env={"PYTHONPATH": source}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
