"""A remote login of an account that belongs to a program, not to a person: www-data, postgres, nobody.

Sees a web shell's account given a key or password, a database account with a guessed password. Misses accounts of
programs that are not listed (`accounts` takes more) and logins at the console or by `su`, which have no address. A
rule: the first success of such an account on each host, whatever its history, and again when it was not seen there for
`forget_s`; a job that really logs in that way is one finding per host. Source: Elastic's detection rules for logins of
default Linux accounts; the list is Debian's and Red Hat's system users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import first_seen
from livesec.core.finding import Findings
from livesec.core.hashing import number_keys
from livesec.core.human_units import time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KEPT_HOSTS = 32
DAY_S = 86_400.0
SYSTEM_ACCOUNTS = (
    *(
        "_apt",
        "apache",
        "avahi",
        "backup",
        "bin",
        "chrony",
        "daemon",
        "dbus",
        "dnsmasq",
        "elasticsearch",
    ),
    *("games", "gnats", "grafana", "halt", "haproxy", "httpd", "irc", "list", "lp", "mail", "man", "memcached"),
    *("messagebus", "mongodb", "mysql", "named", "news", "nginx", "nobody", "ntp", "operator", "polkitd", "postfix"),
    *("postgres", "prometheus", "proxy", "rabbitmq", "redis", "rpc", "shutdown", "squid", "sshd", "sync", "sys"),
    *("syslog", "systemd-network", "systemd-resolve", "systemd-timesync", "tcpdump", "tomcat", "uucp", "www-data"),
)


@dataclass(frozen=True)
class Params:
    """Which accounts, and for how long a host is remembered."""

    accounts: tuple[str, ...] = param(SYSTEM_ACCOUNTS, "user names", "Debian and Red Hat system users")
    quiet_s: float = param(3600.0, "s", "our choice: many hosts in a row are one finding, then on growth", minimum=60)
    forget_s: float = param(90 * DAY_S, "s", "our choice: as long as anomalies are kept", minimum=DAY_S)


class SystemAccountLogin(Detector[Params]):
    """First success of a system account on each host."""

    name = "system_account_login"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("src_ip", "outcome")
    technique = ("T1078.003",)
    base_severity = 73
    columns = first_seen.columns(KEPT_HOSTS)
    params = Params
    max_keys = 1 << 12
    summary = "The system account {user} logged in from {src_ip}"
    guidance = Guidance(
        meaning="An account that only runs a program has been used to log in over the network. Nobody should know a "
        "password or hold a key of it.",
        usual="Such accounts have no password and no shell, and log in nowhere. {user} logged in from "
        "{src_ip}; other hosts where it did so in the last {remembered}: {hosts:,}; hosts new within this stretch: "
        "{episode_hosts:,}.",
        benign=(
            "a replication or backup job that connects under the program's own account, such as postgres",
            "an account of this name that was made for people or jobs, such as backup: take it out of `accounts`",
        ),
        commands=("account", "keys_of_user", "processes_of_user", "logins_of_user"),
        next_steps=(
            "Has {user} a shell or a password now, and who put a key there, and when?",
            "What runs under {user} that its program does not start: a shell, a download, a tunnel?",
            "Does a job connect from {src_ip} under this account? Ask who runs the machine there.",
            "If no job explains it: end its sessions, lock it, and look for the way in, such as a web shell in the "
            "program's folders.",
        ),
        would_change=(
            "a shell, a password or a key that {user} had not when it was installed: then somebody gave it one",
            "a shell or a download among the processes of {user}: then the program itself is broken into",
            "a replication or backup that connects from {src_ip} under {user}: then it is a job",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes of the accounts listed."""
        success = rows.is_value("outcome", "success")
        return np.asarray(success & rows.is_any("user", self.p.accounts)) if success.any() else success

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each login's host with those of the account; unknown hosts are one."""
        hosts = rows.key("host")[at]
        found = first_seen.first_times(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            np.where(hosts == 0, number_keys(np.zeros(1, dtype=np.int64)), hosts),
            learn_s=0,
            learn_hours=0,
            quiet_s=self.p.quiet_s,
            forget_s=self.idle_s(),
        )
        remembered = [time_text(self.idle_s())] * len(found.at)
        return Findings(
            at=at[found.at],
            details={"hosts": found.known, "episode_hosts": found.episode, "remembered": remembered},
        )

    def idle_s(self) -> float:
        """An account away for so long starts anew."""
        return max(self.p.forget_s, self.p.quiet_s)


DETECTOR = SystemAccountLogin
