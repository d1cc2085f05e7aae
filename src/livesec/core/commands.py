"""The commands that explanations may name: read-only, from this table, filled with checked values.

Detectors and models name a command by its id; nobody else writes one. A value that is not what its parameter must be
leaves the command out: text of a log becomes at most one quoted word of a command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from ipaddress import ip_address
from string import Formatter
from types import MappingProxyType

NAME_CHARACTERS = 128

# S3's paths are s3://bucket/key
_BUCKET = '--bucket="$(printf %s {path} | cut -d/ -f3)"'
_KEY = "printf %s {path} | cut -d/ -f4-"


class Platform(StrEnum):
    """Where the log was written, and so which commands look further into it."""

    UNIX = "unix"
    WINDOWS = "windows"
    AWS = "aws"
    CLOUD = "cloud"
    """Another cloud account, identity provider or appliance: what it offers is not a shell."""


@dataclass(frozen=True, slots=True)
class Command:
    """A read-only command. `texts` are templates per platform; without an entry it is not offered there."""

    purpose: str
    """What it answers, as the comment behind the command."""
    texts: Mapping[Platform, str]


def _everywhere(text: str) -> Mapping[Platform, str]:
    return MappingProxyType(dict.fromkeys(Platform, text))


def _on(unix: str = "", windows: str = "", aws: str = "") -> Mapping[Platform, str]:
    texts = {Platform.UNIX: unix, Platform.WINDOWS: windows, Platform.AWS: aws}
    return MappingProxyType({platform: text for platform, text in texts.items() if text})


# Parameters: src_ip, dst_ip, user, host, port, path, since, until (RFC 3339, UTC, about an hour around the anomaly).
_SSHD = "journalctl -t sshd -t sshd-session --since {since} --until {until}"
_MOST = "sort | uniq -c | sort -rn | head -30"


def _security_log(ids: str, named: str = "", then: str = "") -> str:
    """Windows events that name the value `named` as a whole, not within a longer one; then the pipeline `then`."""
    events = f"Get-WinEvent -FilterHashtable @{{{{LogName='Security';Id={ids};StartTime={{since}};EndTime={{until}}}}}}"
    # addresses stand there as ::ffff:192.0.2.1, too
    where = f" | Where-Object {{{{ ($_.Properties.Value -replace '^::ffff:') -contains {named} }}}}" if named else ""
    return events + where + (f" | {then}" if then else "")


def _grouped(place: int) -> str:
    """Windows events counted by the property at `place`."""
    return f"Group-Object {{{{ $_.Properties[{place}].Value }}}} -NoElement | Sort-Object Count -Descending"


def _cloudtrail(attribute: str, then: str, fields: str = "CloudTrailEvent", during: bool = True) -> str:
    """Events of CloudTrail's history (90 days, this region), one a line; then the pipeline `then`."""
    return (
        "aws cloudtrail lookup-events"
        + (f" --lookup-attributes {attribute}" if attribute else "")
        + (" --start-time {since} --end-time {until}" if during else "")
        + f" --query 'Events[].[{fields}]' --output text"
        + (f" | {then}" if then else "")
    )


_CONSOLE_LOGINS = "AttributeKey=EventName,AttributeValue=ConsoleLogin"
_OF_USER = "AttributeKey=Username,AttributeValue={user}"
COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "logins_of_address": Command(
            "did it ever log in?",
            _on(
                "last -iw | grep -wF -- {src_ip}",
                _security_log("4624", "{src_ip}"),
                _cloudtrail(_CONSOLE_LOGINS, "grep -wF -- {src_ip} | grep -F Success"),
            ),
        ),
        "logins_of_user": Command(
            "from where, when, for how long?",
            _on(
                "last -iw -- {user} | head -30",
                _security_log("4624,4625", "{user}"),
                _cloudtrail(
                    _OF_USER,
                    'grep -F ConsoleLogin | grep -oE \'"(eventTime|sourceIPAddress|ConsoleLogin)":"[^"]*"\'',
                    during=False,
                ),
            ),
        ),
        "log_of_address": Command(
            "what else does the log say of it?",
            _on(
                "journalctl --since {since} --until {until} | grep -wF -- {src_ip}",
                _security_log("4624,4625,4648,4768,4771", "{src_ip}"),
                _cloudtrail("", "grep -wF -- {src_ip}", fields="EventTime,EventName,Username,CloudTrailEvent"),
            ),
        ),
        "sshd_of_address": Command(
            "which accounts, by password or key?",
            _on(_SSHD + " | grep -wF -- {src_ip}"),
        ),
        "accounts_tried": Command(
            "which accounts did it try, and how often each?",
            _on(
                _SSHD + " | grep -wF -- {src_ip} | grep -oE '(for|user) [^ ]+ (from|[0-9a-fA-F.:]+ port)'"
                " | cut -d' ' -f2 | " + _MOST,
                _security_log("4625", "{src_ip}", _grouped(5)),
                _cloudtrail(
                    _CONSOLE_LOGINS,
                    "grep -wF -- {src_ip} | grep -F Failure | cut -f1 | " + _MOST,
                    fields="Username,CloudTrailEvent",
                ),
            ),
        ),
        "addresses_of_account": Command(
            "from which addresses was it tried, and how often from each?",
            _on(
                _SSHD + " | grep -wF -- {user} | grep -oE '[0-9a-fA-F.:]+ port' | " + _MOST,
                _security_log("4625", "{user}", _grouped(19)),
                _cloudtrail(_OF_USER, 'grep -oE \'"sourceIPAddress":"[^"]*"\' | ' + _MOST),
            ),
        ),
        "failures_by_address": Command(
            "which addresses fail most in that hour?",
            _on(
                _SSHD + " | grep -E 'Failed|\\[preauth\\]' | grep -oE '[0-9a-fA-F.:]+ port' | " + _MOST,
                _security_log("4625", then=_grouped(19)),
                _cloudtrail(_CONSOLE_LOGINS, 'grep -F Failure | grep -oE \'"sourceIPAddress":"[^"]*"\' | ' + _MOST),
            ),
        ),
        "failures_by_account": Command(
            "which accounts fail most in that hour?",
            _on(
                _SSHD + " | grep -E 'Failed|\\[preauth\\]' | grep -oE '(for|user) [^ ]+ (from|[0-9a-fA-F.:]+ port)'"
                " | cut -d' ' -f2 | " + _MOST,
                _security_log("4625", then=_grouped(5)),
                _cloudtrail(_CONSOLE_LOGINS, "grep -F Failure | cut -f1 | " + _MOST, fields="Username,CloudTrailEvent"),
            ),
        ),
        "successes": Command(
            "do logins still succeed in that hour, and whose?",
            _on(
                _SSHD + " | grep -F Accepted",
                _security_log("4624", then=_grouped(5)),
                _cloudtrail(
                    _CONSOLE_LOGINS, "grep -F Success | cut -f1,2", fields="EventTime,Username,CloudTrailEvent"
                ),
            ),
        ),
        "days_of_address": Command(
            "on which days did it come, and how often?",
            _on(
                "journalctl --since -7d -o short-iso | grep -wF -- {src_ip} | cut -c1-10 | sort | uniq -c",
                "Get-WinEvent -FilterHashtable @{{LogName='Security';Id=4624,4625;StartTime=(Get-Date).AddDays(-7)}}"
                " | Where-Object {{ ($_.Properties.Value -replace '^::ffff:') -contains {src_ip} }}"
                " | Group-Object {{ $_.TimeCreated.Date }} -NoElement",
                _cloudtrail(
                    _CONSOLE_LOGINS,
                    'grep -wF -- {src_ip} | grep -oE \'"eventTime":"[^T]*\' | sort | uniq -c',
                    during=False,
                ),
            ),
        ),
        "blocked": Command(
            "does the firewall block it already?",
            _on(
                "sudo nft list ruleset | grep -wF -- {src_ip}",
                "Get-NetFirewallAddressFilter | Where-Object {{ $_.RemoteAddress -contains {src_ip} }}"
                " | Get-NetFirewallRule",
            ),
        ),
        "login_timeouts": Command(
            "how many of its sessions ran into the time limit?",
            _on(_SSHD + " | grep -wF -- {src_ip} | grep -ciF 'timeout before authentication'"),
        ),
        "login_rules": Command(
            "which version, and may root or a password log in?",
            _on(
                "ssh -V; sudo sshd -T"
                " | grep -iE '^(permitrootlogin|passwordauthentication|logingracetime|maxstartups) '",
                "ssh -V; net accounts",
                "aws iam get-account-summary --query 'SummaryMap.[AccountMFAEnabled,AccountAccessKeysPresent]';"
                " aws iam get-account-password-policy",
            ),
        ),
        "acts_of_user": Command(
            "what did it do with more than its own rights?",
            _on(
                "journalctl -t sudo -t su --since {since} --until {until} | grep -wF -- {user}",
                _security_log("4672,4688,4697,4720,4732", "{user}"),
                "aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue={user} "
                "--start-time {since} --end-time {until} "
                "--query \"Events[?ReadOnly=='false'].[EventTime,EventSource,EventName]\" --output text",
            ),
        ),
        "log_of_user": Command(
            "what else does the log say of the account?",
            _on(
                "journalctl --since {since} --until {until} | grep -wF -- {user}",
                _security_log("4624,4625,4648,4672", "{user}"),
                _cloudtrail(_OF_USER, "", fields="EventTime,EventSource,EventName"),
            ),
        ),
        "account": Command(
            "does it exist, has it a shell, when was its password changed?",
            _on(
                "getent passwd -- {user}; sudo passwd -S -- {user}",
                "Get-LocalUser -Name {user} | Format-List",
                "aws iam get-user --user-name {user}; aws iam list-mfa-devices --user-name {user}",
            ),
        ),
        "keys_of_user": Command(
            "which keys may log in, and since when?",
            _on(
                'sudo sh -c \'ls -la "$(getent passwd "$1" | cut -d: -f6)/.ssh"\' sh {user}',
                aws="aws iam list-access-keys --user-name {user}",
            ),
        ),
        "processes_of_user": Command(
            "what runs now?",
            _on(
                "ps -u {user} -o lstart,pid,ppid,cmd",
                "Get-Process -IncludeUserName | Where-Object {{ ($_.UserName -split '\\\\')[-1] -eq {user} }}",
            ),
        ),
        "outgoing_logins": Command(
            "on the source: which program opens the sessions?",
            _on(
                "ss -tnp '( dport = :22 )'",
                "Get-NetTCPConnection -RemotePort 22,445,3389,5985"
                " | Select-Object RemoteAddress,RemotePort,OwningProcess",
            ),
        ),
        "who_is_on": Command("which sessions are open?", _on("w -i", "query user")),
        "restarts": Command(
            "was the machine switched off or restarted?",
            _on(
                "last -xw -n 10 reboot shutdown; journalctl --list-boots | tail -3",
                "Get-WinEvent -FilterHashtable @{{LogName='System';Id=41,1074,6006,6008}} -MaxEvents 10",
                "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=StopInstances"
                " --start-time {since} --end-time {until}",
            ),
        ),
        "sockets_of_source": Command(
            "is it still connected, and to which program?",
            _on("ss -tnp | grep -wF -- {src_ip}", "Get-NetTCPConnection -RemoteAddress {src_ip}"),
        ),
        "sockets_to_destination": Command(
            "on the source: which program talks to it?",
            _on("ss -tunp dst {dst_ip}", "Get-NetTCPConnection -RemoteAddress {dst_ip}"),
        ),
        "sockets_of_port": Command(
            "on the source: which program uses this port?",
            _on(
                "ss -tunp '( dport = :{port} or sport = :{port} )'",
                "Get-NetTCPConnection | Where-Object {{ $_.RemotePort -eq {port} -or $_.LocalPort -eq {port} }};"
                " Get-NetUDPEndpoint | Where-Object LocalPort -eq {port}",
            ),
        ),
        "listeners": Command(
            "on the target: what listens there?", _on("ss -tulpn", "Get-NetTCPConnection -State Listen")
        ),
        "busiest_programs": Command(
            "on the source: which program sends the most?", _on("ss -tinp | grep -B1 bytes_sent")
        ),
        "half_open": Command("on the source: which program asks?", _on("ss -tnp state syn-sent")),
        "scheduled": Command(
            "on the source: what starts by itself at these times?",
            _on("systemctl list-timers --all; sudo crontab -l", "Get-ScheduledTask | Where-Object State -ne Disabled"),
        ),
        "firewall_log_of_source": Command(
            "which ports did it ask for?",
            _on("journalctl -k --since {since} --until {until} | grep -F -- SRC={src_ip}"),
        ),
        "owner_of_source": Command("an access network, a hosting provider, a VPN?", _everywhere("whois {src_ip}")),
        "owner_of_destination": Command("a known partner, or a rented server?", _everywhere("whois {dst_ip}")),
        "name_of_destination": Command("what is it called?", _everywhere("dig +short -x {dst_ip}")),
        "file": Command(
            "is it still there: owner, size, times?",
            _on(
                "stat -- {path}",
                "Get-Item -LiteralPath {path} | Format-List",
                f'aws s3api list-object-versions {_BUCKET} --prefix="$({_KEY})" --max-items 20 '
                "--query 'Versions[].[LastModified,Size,IsLatest,Owner.DisplayName,Key]'",
            ),
        ),
        "open_files_of_user": Command("which program holds files of the share?", _on("sudo lsof -u {user} -nP")),
        "s3_events_of_user": Command(
            "which buckets did it touch? Reads of objects are in the trail's own files alone",
            _on(
                aws="aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue={user} "
                "--start-time {since} --end-time {until} --query 'Events[].Resources'"
            ),
        ),
        "log_daemons": Command(
            "does logging run, and who stopped it?",
            _on(
                "systemctl status rsyslog systemd-journald auditd; journalctl -n 20",
                "Get-Service EventLog; Get-WinEvent -ListLog Security | Format-List;"
                " Get-WinEvent -FilterHashtable @{{LogName='Security';Id=1102}}",
                "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=StopLogging;"
                " aws cloudtrail describe-trails",
            ),
        ),
        "disk": Command("is there space, and what was written last?", _on("df -h; ls -lt /var/log | head")),
        # Of network and file transfers:
        "machine_of_source": Command(
            "which machine has this address?",
            _on(
                "getent hosts {src_ip}; ip neigh show {src_ip}",
                "Resolve-DnsName {src_ip}; Get-NetNeighbor -IPAddress {src_ip}",
                "aws ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values={src_ip} "
                "--query 'NetworkInterfaces[].[Attachment.InstanceId,InterfaceType,Description,Groups[].GroupName]'",
            ),
        ),
        "machine_of_destination": Command(
            "which machine has this address?",
            _on(
                "getent hosts {dst_ip}; ip neigh show {dst_ip}",
                "Resolve-DnsName {dst_ip}; Get-NetNeighbor -IPAddress {dst_ip}",
                "aws ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values={dst_ip} "
                "--query 'NetworkInterfaces[].[Attachment.InstanceId,InterfaceType,Description,Groups[].GroupName]'",
            ),
        ),
        "busiest_peers": Command(
            "on the machine: with whom has it most connections?",
            _on(
                "ss -Htan | awk '{{print $5}}' | sort | uniq -c | sort -rn | head -20",
                "Get-NetTCPConnection | Group-Object RemoteAddress,RemotePort -NoElement"
                " | Sort-Object Count -Descending | Select-Object -First 20",
            ),
        ),
        "newest_programs": Command(
            "on the source: which programs were started last, by whom?",
            _on(
                "ps -eo lstart,pid,ppid,user,args --sort=-start_time | head -30",
                "Get-Process -IncludeUserName | Sort-Object StartTime -Descending"
                " | Select-Object -First 30 StartTime,Id,UserName,Path",
            ),
        ),
        "newest_packages": Command(
            "on the source: what was installed last?",
            _on(
                "grep -hs ' install ' /var/log/dpkg.log | tail -20; rpm -qa --last | head -20",
                "Get-WinEvent -MaxEvents 20 -FilterHashtable @{{LogName='Application';ProviderName='MsiInstaller'}}",
            ),
        ),
        "open_at_port": Command(
            "on the server: who is connected now, and do bytes flow?",
            _on(
                "ss -tinp state established '( sport = :{port} )'",
                "Get-NetTCPConnection -State Established -LocalPort {port}",
            ),
        ),
        "rules_at_port": Command(
            "which firewall rule names this port?",
            _on(
                "sudo nft list ruleset | grep -nw -- {port}",
                "Get-NetFirewallPortFilter | Where-Object LocalPort -eq {port} | Get-NetFirewallRule",
                "aws ec2 describe-security-groups --query 'SecurityGroups[?IpPermissions[?FromPort<=`{port}` && "
                "ToPort>=`{port}`]].[GroupId,GroupName]'",
            ),
        ),
        "packets_at_port": Command(
            "on the machine: who talks at this port, and what do the packets hold?",
            _on("sudo timeout 60 tcpdump -ni any -c 20 -X 'port {port}'"),
        ),
        "offloading": Command(
            "where the log is written: does the network card join packets?",
            _on(
                "ls /sys/class/net | xargs -n1 ethtool -k | grep -E '^Features|(segmentation|receive)-offload: on'",
                "Get-NetAdapterRsc; Get-NetAdapterLso",
            ),
        ),
        "load": Command(
            "on the target: does it keep up?",
            _on("uptime; ss -s", r"Get-Counter '\Processor(_Total)\% Processor Time','\TCPv4\Connections Established'"),
        ),
        "jobs_of_user": Command(
            "which jobs run under this name?",
            _on(
                "sudo crontab -l -u {user}; systemctl list-timers --all",
                "Get-ScheduledTask | Where-Object {{ $_.Principal.UserId -match [regex]::Escape({user}) }}",
            ),
        ),
        "large_files_of_user": Command(
            "which large files has it made in the last two days?",
            _on("sudo find /home /tmp /var/tmp -xdev -user {user} -type f -size +50M -mtime -2 -ls"),
        ),
        "content": Command(
            "what is in it by its first bytes, and is its hash known?",
            _on(
                "file -- {path}; sha256sum -- {path}",
                "Get-FileHash -LiteralPath {path}; Get-AuthenticodeSignature -LiteralPath {path}",
            ),
        ),
        "files_beside": Command(
            "what was changed beside it, and when?",
            _on(
                'ls -lat -- "$(dirname -- {path})" | head -30',
                "Get-ChildItem -LiteralPath (Split-Path -LiteralPath {path}) | Sort-Object LastWriteTime -Descending"
                " | Select-Object -First 30 LastWriteTime,Length,Name",
                f"aws s3api list-object-versions {_BUCKET} --prefix=\"$({_KEY} | sed 's|[^/]*$||')\" --max-items 50 "
                "--query '[Versions[].[LastModified,Key],DeleteMarkers[].[LastModified,Key]]'",
            ),
        ),
        "calls_of_file": Command(
            "was it called over the web, by whom?",
            _on(
                'sudo grep -rhsF -- "$(basename -- {path})" /var/log/nginx /var/log/apache2 /var/log/httpd | tail -20',
                "Select-String -SimpleMatch -Pattern (Split-Path -Leaf {path})"
                r" -Path C:\inetpub\logs\LogFiles\*\*.log | Select-Object -Last 20",
            ),
        ),
        "bucket_access": Command(
            "may strangers read the bucket?",
            _on(aws=f"aws s3api get-bucket-policy-status {_BUCKET}; aws s3api get-public-access-block {_BUCKET}"),
        ),
        "share_of_user": Command(
            "from which machine does the account hold the share?",
            _on(
                "sudo smbstatus -u {user}",
                "Get-SmbOpenFile | Where-Object ClientUserName -Match ([regex]::Escape({user}))"
                " | Select-Object ClientComputerName,ClientUserName,Path",
            ),
        ),
        "snapshots": Command(
            "is there a copy from before?",
            _on(
                "zfs list -t snapshot; sudo lvs -o lv_name,origin,lv_time",
                "Get-CimInstance Win32_ShadowCopy | Select-Object InstallDate,VolumeName",
                "aws ec2 describe-snapshots --owner-ids self --query "
                "'reverse(sort_by(Snapshots,&StartTime))[:10].[StartTime,VolumeId,State]'",
            ),
        ),
    }
)

_QUOTES = re.compile("['\u2018-\u201b]")  # PowerShell takes all of these for single quotes
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+$ -]*")  # no leading dash: never an option


def _word(platform: Platform, text: str) -> str:
    """`text` as one word of the platform's shell."""
    if platform is Platform.WINDOWS:
        return "'" + _QUOTES.sub(lambda match: match.group() * 2, text) + "'"
    return shlex.quote(text)


@lru_cache(maxsize=1 << 14, typed=True)  # 1, 1.0 and True are not the same port
def _checked(name: str, value: object, platform: Platform) -> str | None:
    """`value` as the parameter `name` may stand in a command, or None."""
    if name == "port":
        return str(value) if isinstance(value, int) and 0 < value < 1 << 16 else None
    if not isinstance(value, str) or not value or len(value) > NAME_CHARACTERS or not value.isprintable():
        return None
    if name in ("src_ip", "dst_ip"):
        try:
            address = str(ip_address(value))
        except ValueError:
            return None
        return _word(platform, address)
    if name in ("since", "until"):
        # journalctl before version 255 knows no T and Z
        return _word(platform, value.replace("T", " ").replace("Z", " UTC") if platform is Platform.UNIX else value)
    if name != "path" and not _PLAIN_NAME.fullmatch(value):
        return None
    return _word(platform, value)


def parameters(command_id: str, platform: Platform) -> frozenset[str]:
    """The parameters of a command there. Raises KeyError for an unknown id or one that is not offered there."""
    return frozenset(name for _, name, _, _ in Formatter().parse(COMMANDS[command_id].texts[platform]) if name)


@cache
def _pieces(command_id: str, platform: Platform) -> tuple[tuple[str, str | None], ...] | None:
    """The text of a command, its purpose behind it, as (literal, the parameter behind it); None: not offered there."""
    command = COMMANDS[command_id]
    if platform not in command.texts:
        return None
    parsed = [(literal, name) for literal, name, _, _ in Formatter().parse(command.texts[platform])]
    return (*parsed, (f"    # {command.purpose}", None))


def fill(command_id: str, platform: Platform, values: Mapping[str, object]) -> str | None:
    """The command with `values`, and its purpose behind it; None where it is not offered or a value is missing or bad.

    Raises KeyError for an id that is not in COMMANDS.

    >>> fill("owner_of_source", Platform.UNIX, {"src_ip": "192.0.2.1"})
    'whois 192.0.2.1    # an access network, a hosting provider, a VPN?'
    >>> fill("owner_of_source", Platform.UNIX, {"src_ip": "$(reboot)"})
    """
    pieces = _pieces(command_id, platform)
    if pieces is None:
        return None
    text = ""
    for literal, name in pieces:
        text += literal
        if name is not None:
            value = values.get(name)
            word = None if value is None else _checked(name, value, platform)
            if word is None:
                return None
            text += word
    return text
