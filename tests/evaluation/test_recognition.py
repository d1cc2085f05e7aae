"""Each real log is recognised as what it is, alone and among the lines of all others, and its lines are used."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.evaluation.test_labelled_logs import DATA

from livesec.core.batch import RawBatch, StreamInfo, batch_of_bytes
from livesec.formats import known_formats
from livesec.formats.stream_parser import StreamParser
from livesec.sources.whole_file import WholeFile

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no labelled data: set LIVESEC_EVAL_DATA, or put it in shared/data beside the checkout"
)

_ZEEK = {"zeek_other"}  # the first lines of headers, and logs that are not read
# Glob to the formats that must be found, and no others; the first has rows unless it is marked with "-".
EXPECTED: dict[str, set[str]] = {
    "auth/elastic_auth.log": {"openssh", "pam_logins", "su", "sudo"},
    "auth/secrepo_auth_head.log": {"openssh", "pam_logins"},
    "aws_s3/AWS_S3_*.csv": {"cloudtrail_csv"},
    "aws_s3/*.json": {"cloudtrail"},
    "aws_stratus_detonation/*.json": {"cloudtrail"},
    "crowdsec_hub/aws-*/*.log": {"cloudtrail"},
    "crowdsec_hub/iptables-*/*.log": {"netfilter"},
    "crowdsec_hub/pam-logs/*.log": {"sudo"},
    "crowdsec_hub/proftpd-bf/*.log": {"proftpd_log"},
    "crowdsec_hub/proftpd-logs/*.log": {"proftpd", "proftpd_log"},
    "crowdsec_hub/sftpgo-logs/*.log": {"sftpgo"},
    "crowdsec_hub/smb-logs/*.log": {"samba_auth"},
    "crowdsec_hub/ssh*/*.log": {"openssh"},
    "crowdsec_hub/suricata-*/*.log": {"suricata_eve"},
    "crowdsec_hub/vsftpd-*/*.log": {"vsftpd"},
    "crowdsec_hub/windows-bf/*.log": {"windows_security_xml"},
    "windows_logon/*.jsonl": {"windows_security"},
    "zeek_apt29_day1/*.log": {*_ZEEK, "zeek_conn", "zeek_dns", "zeek_files", "zeek_notice", "zeek_smb_files"},
    **{f"zeek_wrccdc/json/{log}.json.gz": {f"zeek_{log}"} for log in ("ftp", "notice", "smb_files", "ssh")},
    **{f"zeek_wrccdc/tsv/{log}.log.gz": {*_ZEEK, f"zeek_{log}"} for log in ("ftp", "notice", "smb_files", "ssh")},
    **{f"zeek_wrccdc/tsv/{log}.log.gz": _ZEEK for log in ("kerberos", "ntlm", "rdp", "smb_mapping", "syslog")},
    "zeek_wrccdc/tsv/known_services.log.gz": _ZEEK,
}
TORN = {"auth/secrepo_auth_head.log": 1}
"""Lines that are broken in the file itself."""
USED = 0.999
MAX_LINES = 2_000  # of a file in the mixture


def logs_of(pattern: str) -> list[Path]:
    return sorted(DATA.glob(pattern))


def batches(path: Path) -> list[RawBatch]:
    file = WholeFile(str(path), StreamInfo(1, "0" * 16, path.name, int(path.stat().st_mtime * 1e6)))
    try:
        return list(file.batches())
    finally:
        file.close()


@pytest.mark.parametrize("pattern", EXPECTED)
def test_a_log_is_recognised_and_its_lines_are_used(pattern: str) -> None:
    found = logs_of(pattern)
    assert found, f"{pattern}: nothing in the data fits"
    for path in found:
        formats: dict[str, int] = {}
        rejects: list[str] = []
        lines = 0
        parts = batches(path)
        parser = StreamParser(parts[0].stream, known_formats())
        for batch in parts:
            parsed = parser.parse(batch)
            lines += parsed.lines
            rejects += parsed.rejects["reason"].to_list()
            for name, count in parsed.formats.items():
                formats[name] = formats.get(name, 0) + count
        name = str(path.relative_to(DATA))
        assert set(formats) == EXPECTED[pattern], f"{name}: read as {formats}"
        torn = TORN.get(name, 0)
        assert len(rejects) - torn <= (1 - USED) * lines, f"{name}: {rejects[:5]}"


def test_a_mixture_of_all_logs_is_read_line_by_line() -> None:
    """Lines that stand for themselves give, one from each log in turn, what they give in their own log."""
    single = [pattern for pattern, formats in EXPECTED.items() if formats & {"openssh", "netfilter", "suricata_eve"}]
    single += [pattern for pattern, formats in EXPECTED.items() if formats & {"windows_security", "vsftpd"}]
    logs = [path for pattern in single for path in logs_of(pattern)]
    lines_of = [[line for batch in batches(path) for line in lines_in(batch)][:MAX_LINES] for path in logs]
    apart: dict[str, int] = {}
    info = StreamInfo(1, "0" * 16, "mixture", int(logs[0].stat().st_mtime * 1e6))
    for lines in lines_of:
        alone = StreamParser(info, known_formats()).parse(
            batch_of_bytes(info, b"".join(line + b"\n" for line in lines))
        )
        for name, count in alone.formats.items():
            apart[name] = apart.get(name, 0) + count
    longest = max(map(len, lines_of))
    mixed = [lines[turn] for turn in range(longest) for lines in lines_of if turn < len(lines)]
    together = StreamParser(info, known_formats()).parse(batch_of_bytes(info, b"".join(line + b"\n" for line in mixed)))
    assert together.formats == apart


def lines_in(batch: RawBatch) -> list[bytes]:
    return [batch.line_bytes(index) for index in range(len(batch))]
