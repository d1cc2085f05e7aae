"""User agents of laptops, telephones, service accounts and attack tools."""

from __future__ import annotations

from typing import Final

from faker import Faker

LAPTOP_PLATFORMS: Final = (
    "Windows NT 10.0; Win64; x64",
    "Windows NT 10.0; Win64; x64",
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
)
ATTACK_AGENTS: Final = (
    "python-requests/2.31.0",
    "Go-http-client/1.1",
    "curl/7.88.1",
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
)
PROBE_AGENTS: Final = ("SSH-2.0-Go", "SSH-2.0-libssh2_1.9.0", "SSH-2.0-PuTTY", "libssh-0.6.3")


def laptop_agent(fake: Faker) -> str:
    """A current desktop browser: Chrome, Edge, Firefox or Safari."""
    platform: str = fake.random_element(LAPTOP_PLATFORMS)
    version = fake.random_int(128, 142)
    safari = f"{fake.random_int(16, 18)}.{fake.random_int(0, 6)}"
    chrome = f"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    firefox = f"Mozilla/5.0 ({platform}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    choices = [f"Mozilla/5.0 ({platform}) {chrome}"] * 4 + [firefox] * 3
    if platform.startswith("Windows"):
        choices += [f"Mozilla/5.0 ({platform}) {chrome} Edg/{version}.0.0.0"] * 3
    if platform.startswith("Macintosh"):
        webkit = f"AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{safari} Safari/605.1.15"
        choices += [f"Mozilla/5.0 ({platform}) {webkit}"] * 5
    chosen: str = fake.random_element(choices)
    return chosen


def phone_agent(fake: Faker) -> str:
    """A current telephone: an iPhone with Safari or an Android with Chrome."""
    major, minor = fake.random_int(16, 18), fake.random_int(0, 6)
    version, android = fake.random_int(128, 142), fake.random_int(12, 15)
    choices = (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS {major}_{minor} like Mac OS X) AppleWebKit/605.1.15 "
        f"(KHTML, like Gecko) Version/{major}.{minor} Mobile/15E148 Safari/604.1",
        f"Mozilla/5.0 (Linux; Android {android}; K) AppleWebKit/537.36 "
        f"(KHTML, like Gecko) Chrome/{version}.0.0.0 Mobile Safari/537.36",
    )
    chosen: str = fake.random_element(choices)
    return chosen
