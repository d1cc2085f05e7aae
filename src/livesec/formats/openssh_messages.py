"""The messages of OpenSSH's server: what each says, and what it means for the attempts of its session.

Names of users and of clients are written by whoever connects, with spaces, addresses and whole messages in them. Every
form below is therefore anchored where sshd itself writes: at the end of a message where foreign text comes before the
address, at its start where it comes after. Where it may stand on both sides (certificates, host-based authentication)
a message is used only if it holds a single address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from livesec.formats.word_patterns import WordPattern


class Kind(IntEnum):
    """What a message means; `openssh_sessions` says what follows from it."""

    NOTHING = 0
    """No event."""
    PART = 1
    """Belongs to an attempt that other lines tell of."""
    START = 2
    """A connection came in (logged at VERBOSE only)."""
    OPENS = 3
    """A failed attempt whose `Failed` line may still come: unknown user, user not allowed."""
    FAILED = 4
    """A wrong password or the like."""
    PAM_FAILED = 5
    """The same in a line about PAM, which a `Failed keyboard-interactive` may follow."""
    INTERACTIVE_FAILED = 6
    """`Failed keyboard-interactive`."""
    OFFER_FAILED = 7
    """Something that clients offer by themselves (keys, `none`), for a user that does not exist."""
    LIMIT = 8
    """Too many tries in one session."""
    CLOSED = 9
    """The connection ended before a login."""
    CLOSED_EARLY = 10
    """The same if the exchange of versions failed; otherwise a login session ended."""
    VERSIONS_FAILED = 11
    """The exchange of versions failed; sshd names the address only when it closes the connection."""
    ACCEPTED = 12
    DROPPED = 13
    """Turned away before there was a session."""


_NOT_A_USER = (" invalid user ", " illegal user ")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a message: its named parts are columns."""

    pattern: WordPattern | str
    """Words, or a regular expression. Forms of words come first."""
    kind: Kind
    reason: str | None = None
    unmarked: Kind | None = None
    """Its kind where sshd did not mark it [preauth], if that makes a difference."""
    one_address: bool = False
    """Cannot be used if it holds a second `from <address> port <number>`."""

    @property
    def unknown_user(self) -> bool:
        """Whether the words themselves say that the user does not exist."""
        return isinstance(self.pattern, WordPattern) and any(who in self.pattern.text for who in _NOT_A_USER)

    def kind_of(self, *, marked: bool) -> Kind:
        """The kind of a message of this form."""
        return self.kind if marked or self.unmarked is None else self.unmarked

    def reason_of(self, *, unknown_user: bool) -> str | None:
        """The reason in the row of such a message."""
        if self.kind == Kind.ACCEPTED:
            return None
        return "invalid_user" if unknown_user else self.reason or "bad_credentials"


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages that start alike, with their forms in the order in which they are tried."""

    start: str
    forms: tuple[Form, ...]
    claims: str | None = None
    """A message that matches this and none of the forms is rejected; other unknown ones are no events."""

    @property
    def worded(self) -> tuple[tuple[WordPattern, Form], ...]:
        """The forms of words, with their patterns."""
        return tuple((form.pattern, form) for form in self.forms if isinstance(form.pattern, WordPattern))

    @property
    def others(self) -> tuple[tuple[str, Form], ...]:
        """The forms of regular expressions, with these."""
        return tuple((form.pattern, form) for form in self.forms if isinstance(form.pattern, str))


_NO_USER = "invalid_user"
_IP_PORT = r"(?P<src_ip>[^ ]+) port (?P<src_port>[0-9]+)"
_IP_MAYBE_PORT = r"(?P<src_ip>[^ ]+)(?: port (?P<src_port>[0-9]+))?"
_UNKNOWN = r"(?P<unknown>invalid user |illegal user )?"
_OTHER_HOST = (
    r"(?P<user>.*) with correct key but not from a permitted host \(host=[^ ,]*, ip=(?P<src_ip>[^ ,)]+)"
    r"(?:, required=.*)?\)\.?$"
)
"""Of a user that exists, whose key is limited to other hosts; what is required stands in the user's own file."""
_FROM = " from {src_ip+} port {src_port#}"
_KEY = r": (?P<key_type>[^ ]+) (?P<key_id>[^ ,]+)"
_WHO = r"(?:invalid|authenticating) user"
_OWN_WORDS = r"[A-Za-z ,.'-]*"
"""Words of sshd's own behind foreign text: nothing that could be an address."""


def _of_anyone(start: str, end: str, kind: Kind, reason: str | None = None) -> tuple[Form, ...]:
    """Forms for a user of any name between `start` and `end`, unknown or not."""
    unknown = (f"{start}{who.lstrip()}" for who in _NOT_A_USER)
    return tuple(Form(WordPattern(f"{begun}{{user*}}{end}"), kind, reason) for begun in (*unknown, start))


def _of_address(start: str, kind: Kind, reason: str | None = None) -> Messages:
    """Messages that end with an address, perhaps with its port."""
    words = (start + "{src_ip+} port {src_port#}", start + "{src_ip+}")
    return Messages(start, tuple(Form(WordPattern(text), kind, reason) for text in words))


def _told(verb: str, kind: Kind) -> Messages:
    words = verb + " {auth_method} for {user} from {src_ip} port {src_port} ssh2"
    unknown = words.replace("{user}", "invalid user {user}")
    start = rf"^{verb} (?P<auth_method>[^ ]+) for {_UNKNOWN}"
    return Messages(
        verb + " ",
        (
            Form(WordPattern(words), kind),
            Form(WordPattern(unknown), kind),
            Form(WordPattern(words + ": {key_type} {key_id}"), kind),
            *_of_anyone(verb + " {auth_method+} for ", _FROM + " ssh2", kind),
            # The last address, nothing but a key behind it; then a user of one word, foreign text behind the key.
            Form(rf"{start}(?P<user>.*) from {_IP_PORT} ssh2(?:{_KEY})?$", kind),
            # Shortened, or of SSH 1, whose remote user stood behind the address: only with a name of one word.
            Form(rf"{start}(?P<user>[^ ]*) from {_IP_MAYBE_PORT}(?: ssh[0-9]?)?(?:{_KEY})?$", kind),
            # Before OpenSSH 7, a certificate's own fingerprint was not logged.
            Form(rf"{start}(?P<user>[^ ]+) from {_IP_PORT} ssh2: [^ ]+ ID .* CA ", kind, one_address=True),
            Form(rf"{start}(?P<user>[^ ]+) from {_IP_PORT} ssh2{_KEY},? ", kind, one_address=True),
            # Kerberos names its principal.
            Form(
                rf"^{verb} (?P<auth_method>gssapi-[^ ]+) for {_UNKNOWN}(?P<user>.*) from {_IP_PORT} ssh2: [^ ]+$", kind
            ),
        ),
        claims=rf"^{verb} [^ ]+ for ",
    )


def _ended(start: str, unmarked: Kind) -> Messages:
    plain = WordPattern(start + "{src_ip} port {src_port}")
    unknown = WordPattern(start + "invalid user {user} {src_ip} port {src_port}")
    known = WordPattern(start + "authenticating user {user} {src_ip} port {src_port}")
    return Messages(
        start,
        (
            Form(plain, Kind.CLOSED, "preauth_close", unmarked),
            Form(unknown, Kind.CLOSED, "preauth_close"),
            Form(known, Kind.CLOSED, "preauth_close"),
            Form(WordPattern(start + "{src_ip}"), Kind.CLOSED, "preauth_close", Kind.NOTHING),
            Form(WordPattern(start + "user *"), Kind.NOTHING),  # logged in
            Form(rf"^{start}{_WHO} (?P<user>.*) {_IP_PORT}$", Kind.CLOSED, "preauth_close"),
        ),
    )


def _received(start: str) -> Messages:
    words = WordPattern(start + "{src_ip} port {src_port} ...")
    regex = rf"^{start}(?P<src_ip>[^ ]+): [0-9]+: "
    return Messages(
        start,
        tuple(Form(pattern, Kind.CLOSED, "preauth_close", Kind.NOTHING) for pattern in (words, regex)),
    )


def _broken(tag: str) -> Messages:
    """What sshd says under a function's name when it gives a connection up; the error, its own words, is the end."""
    start = tag + "Connection from "
    regex = rf"^{start}(?:{_WHO} (?P<user>.*) )?{_IP_PORT}: {_OWN_WORDS}$"
    return Messages(start, (Form(regex, Kind.CLOSED, "bad_protocol", Kind.NOTHING),))


def _one(start: str, regex: str, kind: Kind, reason: str | None = None) -> Messages:
    return Messages(start, (Form(rf"^{start}{regex}", kind, reason),))


def _words(start: str, words: str, kind: Kind, reason: str) -> Messages:
    return Messages(start, (Form(WordPattern(start + words), kind, reason),))


def _all(start: str, kind: Kind) -> Messages:
    return Messages(start, (Form(WordPattern(start + "*"), kind),))


MESSAGES = (
    _told("Failed", Kind.FAILED),
    _all("pam_unix(sshd:auth): ", Kind.PART),
    Messages(
        "Invalid user ",
        (
            Form(WordPattern("Invalid user {user} from {src_ip} port {src_port}"), Kind.OPENS, _NO_USER),
            Form(WordPattern("Invalid user {user} from {src_ip}"), Kind.OPENS, _NO_USER),
            Form(WordPattern("Invalid user {user*} from {src_ip+} port {src_port#}"), Kind.OPENS, _NO_USER),
            Form(WordPattern("Invalid user {user*} from {src_ip+}"), Kind.OPENS, _NO_USER),
        ),
        claims="^",
    ),
    _all("pam_unix(sshd:session): ", Kind.NOTHING),
    _ended("Connection closed by ", unmarked=Kind.CLOSED_EARLY),
    _received("Received disconnect from "),
    _ended("Disconnected from ", unmarked=Kind.NOTHING),
    _told("Accepted", Kind.ACCEPTED),
    _ended("Connection reset by ", unmarked=Kind.CLOSED_EARLY),
    _all("input_userauth_request: invalid user ", Kind.PART),
    Messages(
        "Connection from ",
        (
            *(
                Form(WordPattern("Connection from " + words), Kind.START)
                for words in (
                    "{src_ip+} port {src_port#} on *",
                    "{src_ip+} port {src_port#}",
                    "{src_ip+} on *",
                    "{src_ip+}",
                )
            ),
            Form(
                rf"^Connection from (?:{_WHO} (?P<user>.*) )?{_IP_PORT} timed out$",
                Kind.CLOSED,
                "timeout",
                Kind.NOTHING,
            ),
            *_broken("").forms,
        ),
    ),
    _of_address("Did not receive identification string from ", Kind.CLOSED, "no_identification"),
    Messages(
        "maximum authentication attempts exceeded for ",
        _of_anyone("maximum authentication attempts exceeded for ", _FROM + " ssh2", Kind.LIMIT, "too_many_failures"),
    ),
    Messages(
        "Disconnecting",
        (
            Form(WordPattern("Disconnecting: Too many authentication failures*"), Kind.PART),
            Form(
                rf"^Disconnecting {_WHO} (?P<user>.*) {_IP_PORT}: Too many authentication failures$",
                Kind.LIMIT,
                "too_many_failures",
            ),
            Form(
                rf"^Disconnecting {_WHO} (?P<user>[^ ]*) {_IP_PORT}: Change of username or service not allowed: "
                r"[^ ]*(?: -> [^ ]*)?$",
                Kind.CLOSED,
                "preauth_close",
            ),
            Form(rf"^Disconnecting {_WHO} (?P<user>[^ ]*) {_IP_PORT}: {_OWN_WORDS}$", Kind.CLOSED, "preauth_close"),
            Form(rf"^Disconnecting {_IP_PORT}: {_OWN_WORDS}$", Kind.CLOSED, "preauth_close", Kind.NOTHING),
        ),
    ),
    _one("User ", rf"(?P<user>.*) from {_IP_MAYBE_PORT} not allowed because ", Kind.OPENS, "not_allowed"),
    _of_address("ROOT LOGIN REFUSED FROM ", Kind.OPENS, "not_allowed"),
    Messages(
        "PAM: ",
        (
            *_of_anyone("PAM: Authentication failure for ", " from {src_ip+}", Kind.PAM_FAILED),
            Form(rf"^PAM: .+? for {_UNKNOWN}(?P<user>.*) from (?P<src_ip>[^ ]+)(?: via [^ ]+)? ?$", Kind.PAM_FAILED),
        ),
    ),
    Messages(
        "PAM ",
        (
            Form(WordPattern("PAM {tries#} more authentication failure*"), Kind.PART),
            Form(WordPattern("PAM service(sshd) ignoring max retries*"), Kind.PART),
        ),
    ),
    _one("pam_", r"[a-z0-9_]+\(sshd:auth\): ", Kind.PART),
    _all("kex_exchange_identification: ", Kind.VERSIONS_FAILED),
    _all("ssh_exchange_identification: ", Kind.VERSIONS_FAILED),
    _words("banner exchange: Connection from ", "{src_ip+} port {src_port#}: *", Kind.CLOSED, "bad_protocol"),
    Messages(
        "Bad protocol version identification ",
        tuple(
            Form(WordPattern("Bad protocol version identification '{client*}'" + source), Kind.CLOSED, "bad_protocol")
            for source in (_FROM, " from {src_ip+}")
        ),
    ),
    _words("Protocol major versions differ for ", "{src_ip+} port {src_port#}: *", Kind.CLOSED, "bad_protocol"),
    _words("Magic value check failed ", "{check*} on obfuscated handshake" + _FROM, Kind.CLOSED, "bad_protocol"),
    _broken("ssh_dispatch_run_fatal: "),
    _broken("packet_write_wait: "),
    _broken("packet_write_poll: "),
    _one(
        "Unable to negotiate with ",
        r"(?P<src_ip>[^ ]+?)(?: port (?P<src_port>[0-9]+))?: ",
        Kind.CLOSED,
        "no_common_algorithm",
    ),
    Messages(
        "Timeout before authentication for ",
        (
            *_of_address("Timeout before authentication for ", Kind.CLOSED, "timeout").forms,
            Form(
                r"^Timeout before authentication for connection from (?P<src_ip>[^ ]+) to [^ ]+, "
                r"pid = (?P<pid>[0-9]+)(?: \(early\))?$",
                Kind.CLOSED,
                "timeout",
            ),
        ),
    ),
    _one(
        "drop connection #",
        r"[0-9]+ from \[(?P<src_ip>[^ \]]+)\]:(?P<src_port>[0-9]+) on ",
        Kind.DROPPED,
        "dropped",
    ),
    _words(
        "Session process ",
        "{pid#} unpriv child crash for connection from {src_ip+} to *",
        Kind.CLOSED,
        "crash",
    ),
    Messages(
        "administratively prohibited connection for ",
        _of_anyone("administratively prohibited connection for ", _FROM, Kind.LIMIT, "not_allowed"),
    ),
    _one("Authentication tried for ", _OTHER_HOST, Kind.LIMIT, "not_allowed"),
    _one("/", rf".*: Authentication tried for {_OTHER_HOST}", Kind.LIMIT, "not_allowed"),
    *(
        _one(verb, rf"{_IP_PORT} with (?P<client>.*)\.  Don't panic\.$", Kind.CLOSED, "bad_protocol")
        for verb in ("probed from ", "scanned from ")
    ),
    _one("refused connect from ", r"(?:.*\()?(?P<src_ip>[^ ()]+)\)?$", Kind.DROPPED, "refused"),
)
"""In the order of their frequency in the logs of attacked servers."""

OFFERS = ("none", "publickey", "hostbased", "gssapi-with-mic", "gssapi-keyex")
"""Methods that clients try by themselves before they ask their user."""
