"""What an ATT&CK tactic means to those who read an explanation: no figures, no names, nothing of any log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from livesec.core.attack import TACTICS

_IN_BRACKETS = re.compile(r"\(([a-z-]+(?:, [a-z-]+)*)\)\s*$")


@dataclass(frozen=True, slots=True)
class TacticText:
    """Sentences about one tactic."""

    impact: str
    """How bad it is if it is true: limited, considerable or severe."""
    at_stake: str
    business: str
    """For people without technical knowledge."""
    before: str
    """What usually comes before it."""
    after: str
    """What usually follows."""
    contain: str
    recover: str


TACTIC_TEXTS: Mapping[str, TacticText] = MappingProxyType(
    {
        "reconnaissance": TacticText(
            impact="limited",
            at_stake="nothing yet: somebody learns which names and services there are to attack.",
            business="Somebody outside is looking us over. Nothing is lost by that alone; it can be the first step of "
            "an attack.",
            before="nothing that a log of ours would show: targets are chosen elsewhere.",
            after="guessing at the accounts that were found, or use of a service that answered.",
            contain="Block the source at the firewall if it is foreign; an address of your own is asked about first.",
            recover="Close what need not be seen from outside.",
        ),
        "initial-access": TacticText(
            impact="considerable",
            at_stake="the confidentiality of all that this account or service may reach, and the integrity of what it "
            "may change.",
            business="Somebody may be using a colleague's account, or a service of ours, without being allowed to. "
            "What that account can see and change is open to them for as long as it lasts.",
            before="guessed, leaked or fished passwords: failed logins, a list of names tried, a scan of the service.",
            after="a way to come back (keys, jobs, further accounts), a look around inside, then collecting of files.",
            contain="End the account's sessions and lock it; close the service to the outside if it was the way in.",
            recover="Change its password and keys, ask for a second factor, and remove what was added under its name.",
        ),
        "execution": TacticText(
            impact="considerable",
            at_stake="the integrity of the machine on which it runs.",
            business="A program that nobody here started may be running on one of our machines.",
            before="a login, a mail or a download that brought it.",
            after="a way to come back, and more rights.",
            contain="Take the machine off the network, still running.",
            recover="Set the machine up anew from a known state.",
        ),
        "persistence": TacticText(
            impact="considerable",
            at_stake="control of the machine: whoever left something there can come back after passwords are changed.",
            business="Somebody may have left a back door on one of our systems, so that they can return at any time.",
            before="a login or an upload by somebody who had no business there.",
            after="orders through what was left, more rights, and a look around inside.",
            contain="Keep what was left from being called, without deleting it.",
            recover="Set the machine up anew, or undo every change since the first sign.",
        ),
        "privilege-escalation": TacticText(
            impact="considerable",
            at_stake="everything on the machine, as its administrator sees it.",
            business="Somebody may have given themselves more rights than they should have.",
            before="a login with few rights.",
            after="reading of stored passwords, and steps to further machines.",
            contain="Take the rights away and end the sessions that have them.",
            recover="Change every password and key that the machine held.",
        ),
        "defense-evasion": TacticText(
            impact="considerable",
            at_stake="the evidence itself: what the log does not say cannot be found later.",
            business="Something that records what happens on our systems stopped, or somebody tries to mislead those "
            "who read it. By itself it harms nobody; it may hide what does.",
            before="a login with enough rights to stop a log.",
            after="what was meant to be hidden.",
            contain="Take the machine off the network before its logging is started again, if somebody stopped it.",
            recover="Start the logging again, and send logs to a second machine that the first cannot change.",
        ),
        "credential-access": TacticText(
            impact="considerable",
            at_stake="the accounts aimed at, and with them all that they may read and change.",
            business="Somebody is trying to get hold of passwords of ours. While none fits, nothing is lost; one that "
            "fits opens whatever its owner can open.",
            before="a list of names: found on the web, bought, or tried out one by one.",
            after="a login that succeeds, often from another address, then use of the account.",
            contain="Block the source at the firewall if it is foreign, and lock an account that it got into.",
            recover="Change the passwords of accounts that it got into, and ask for a second factor or keys alone.",
        ),
        "discovery": TacticText(
            impact="limited",
            at_stake="the map of the network: which machines and services there are to attack next.",
            business="A machine is trying the doors of others in our network. If nobody ordered that, somebody may "
            "be in it already.",
            before="access to the machine that asks, if it is one of your own.",
            after="logins to what answered, and steps from one machine to the next.",
            contain="Take the asking machine off the network if it is yours and nobody scans on purpose.",
            recover="Close what need not be open, and look after the machines that answered.",
        ),
        "lateral-movement": TacticText(
            impact="severe",
            at_stake="more than one machine: whoever goes from one to the next looks for the most valuable one.",
            business="Somebody may be moving from one of our machines to the next.",
            before="one machine or account taken over, and a look around from there.",
            after="collecting of files, or encryption of many machines at once.",
            contain="Part the machines from each other, and lock the account that goes between them.",
            recover="Change the account's password everywhere, and set up anew the machines it reached.",
        ),
        "collection": TacticText(
            impact="considerable",
            at_stake="the confidentiality of the files that were read.",
            business="Unusually many of our files were read or gathered. Once they are gathered they are easily taken "
            "away.",
            before="use of an account that may read them.",
            after="packing into an archive, and sending it out.",
            contain="Lock the account and hold back transfers to the outside until its owner has answered.",
            recover="Find out what was read, and treat secrets among it as known to others.",
        ),
        "command-and-control": TacticText(
            impact="severe",
            at_stake="the machine that talks, and what its user may reach: it may act on somebody else's orders.",
            business="One of our computers may be taking orders from outside.",
            before="a mail, a download or a login that brought the program in.",
            after="orders carried out: a look around, passwords read, files sent, or encryption.",
            contain="Block the destination, then take the machine off the network, still running.",
            recover="Set the machine up anew, and change the passwords that were used on it.",
        ),
        "exfiltration": TacticText(
            impact="severe",
            at_stake="the confidentiality of what was sent; where personal data is among it, a duty to report.",
            business="Data of ours may be leaving the organisation. What has left cannot be called back; what it was "
            "decides whether customers or authorities have to be told.",
            before="use of an account or machine, collecting of files, often an archive.",
            after="a demand for money, a sale, or silence; sometimes deletion of what was taken.",
            contain="Block the destination, and lock the account or take the machine off the network.",
            recover="Find out what left, ask the receiving provider to hold it, and change secrets among it.",
        ),
        "impact": TacticText(
            impact="severe",
            at_stake="availability: the service or the files that people work with.",
            business="A service or files that people work with may be slowed down, blocked or made unreadable.",
            before="control of many machines that send, or of an account that may write to many files.",
            after="a demand for money, or a second attack that nobody watches meanwhile.",
            contain="Limit or filter the source upstream; take away the writing account's access to the share.",
            recover="Bring the service back step by step, and files from a copy that is older than the first sign.",
        ),
    }
)


def tactics_in(techniques: Sequence[str]) -> tuple[str, ...]:
    """The tactics that lines such as those of `Explanation.techniques` name in brackets, each once, in ATT&CK order.

    >>> tactics_in(["T1048 Exfiltration (exfiltration)", "T1110 Brute Force (credential-access)", "free text"])
    ('credential-access', 'exfiltration')
    """
    named = {tactic for line in techniques if (found := _IN_BRACKETS.search(line)) for tactic in found[1].split(", ")}
    return tuple(tactic for tactic in TACTICS if tactic in named)
