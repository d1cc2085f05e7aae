"""The ordinary file transfers of one day: people at work, their tidying up, and automation."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.simulate.dayplan import DayPlan
from livesec.simulate.files import FILES_PER_ROLE, FileCatalogue
from livesec.simulate.frames import transfer_rows
from livesec.simulate.people import FINANCE, MARKETING
from livesec.simulate.places import UTC_OFFSET_H
from livesec.simulate.randomness import FloatArray, IntArray, chance, generator, hashed_uniform
from livesec.simulate.rhythm import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SATURDAY,
    SECOND_US,
    WORKDAY,
    is_month_end,
    periodic_times,
    positions,
    weekday_of,
)
from livesec.simulate.services import PARTNER_FEEDS

ACTIONS: Final = ("download", "upload", "copy", "move", "rename", "delete")
_ACTION_SHARES: Final = (0.40, 0.28, 0.12, 0.08, 0.07, 0.05)
UPLOAD, COPY, RENAME = ACTIONS.index("upload"), ACTIONS.index("copy"), ACTIONS.index("rename")

DESTINATIONS: Final = (
    "internal_server",
    "shared_drive",
    "cloud_storage",
    "email",
    "external_drive",
    "ftp_server",
)
_INSIDE: Final = 2  # the first two leave the organisation by nobody's hand
_EMAIL, _CLOUD = DESTINATIONS.index("email"), DESTINATIONS.index("cloud_storage")
_LARGEST_MAIL_BYTES: Final = 2e7  # a usual limit of mail servers; larger things go to the cloud
_NEW_NAME_ENDINGS: Final = ("_v2", "_v3", "_final", "_old", "_signed", "_2025")
_HABIT_EXPONENT: Final = 1.15  # of the Zipf law by which people return to their files
_TIDY_UP_PER_USER_DAY: Final = 0.006  # a project folder renamed in one go
_ZIPF: Final = np.arange(1, FILES_PER_ROLE + 1, dtype=np.float64) ** -_HABIT_EXPONENT
_ZIPF_CUMULATIVE: Final = np.cumsum(_ZIPF) / _ZIPF.sum()


def transfers_of_day(plan: DayPlan, rate: float) -> list[pl.DataFrame]:
    """Frames of file-transfer rows; `rate` multiplies the number of what people do."""
    random = generator(plan.world.seed, "transfers", plan.day)
    frames = [_work(plan, rate, random), _tidy_up(plan, random), _on_call_bundles(plan, random)]
    frames.append(_partner_feeds(plan.day, random))
    frames.append(_dumps(plan.day, random))
    if is_month_end(plan.day):
        frames.append(_closing_archive(plan, random))
    return frames


def _work(plan: DayPlan, rate: float, random: np.random.Generator) -> pl.DataFrame:
    people, files = plan.world.people, plan.world.files
    user = np.repeat(np.arange(len(people)), random.poisson(people.transfers_per_day * plan.activity * rate))
    size = len(user)
    span = (plan.end_us - plan.start_us)[user]
    times = plan.start_us[user] + (positions(WORKDAY, size, random) * span).astype(np.int64)
    rank = np.searchsorted(_ZIPF_CUMULATIVE, random.random(size))
    file = files.personal(people.role[user], user, rank)
    action = np.searchsorted(np.cumsum(_ACTION_SHARES)[:-1], random.random(size))
    grown = files.bytes[file] * np.exp(random.normal(0.0, 0.05, size))
    names = files.names.gather(file)
    renamed = new_names(files, file, random)
    destination = _destinations(plan, user, action, random)
    destination = np.where((destination == _EMAIL) & (grown > _LARGEST_MAIL_BYTES), _CLOUD, destination)
    return transfer_rows(
        times,
        people.usernames.gather(user),
        pl.select(pl.when(pl.Series(action == RENAME)).then(renamed).otherwise(names)).to_series(),
        grown.astype(np.int64),
        pl.Series(ACTIONS).gather(action),
        pl.Series(DESTINATIONS).gather(destination),
    )


def new_names(files: FileCatalogue, file: IntArray, random: np.random.Generator) -> pl.Series:
    """The names files get when people rename them."""
    ending = pl.Series(_NEW_NAME_ENDINGS).gather(random.integers(len(_NEW_NAME_ENDINGS), size=len(file)))
    return files.stems.gather(file) + ending + "." + files.extensions.gather(file)


def _destinations(plan: DayPlan, user: IntArray, action: IntArray, random: np.random.Generator) -> IntArray:
    """Mostly inside; what goes out goes where this user usually sends things."""
    people = plan.world.people
    outgoing = (action == UPLOAD) | (action == COPY)
    likes_outside = 0.06 + 0.3 * hashed_uniform(plan.world.seed, "outside", np.arange(len(people))) ** 3
    likes_outside = np.where(people.role == MARKETING, 0.35, likes_outside)
    outside = outgoing & chance(random, likes_outside[user], len(user))
    inside = chance(random, 0.4, len(user)).astype(np.int64)
    habit = (hashed_uniform(plan.world.seed, "favourite", np.arange(len(people))) ** 1.6 * 4).astype(np.int64)
    strays = chance(random, 0.15, len(user))
    favourite = np.where(strays, random.integers(4, size=len(user)), habit[user])
    return np.where(outside, _INSIDE + favourite, inside)


def _tidy_up(plan: DayPlan, random: np.random.Generator) -> pl.DataFrame:
    """Somebody renames a whole folder within minutes: a mass change that is none."""
    chosen = plan.present & chance(random, _TIDY_UP_PER_USER_DAY, len(plan.present))
    users = np.flatnonzero(chosen)
    user = np.repeat(users, random.integers(18, 42, size=len(users)))
    begin = random.integers(HOUR_US, 3 * HOUR_US, size=len(plan.present))
    times = plan.start_us[user] + begin[user] + random.integers(5 * MINUTE_US, size=len(user))
    people, files = plan.world.people, plan.world.files
    file = files.personal(people.role[user], user, np.arange(len(user)) % FILES_PER_ROLE)
    sizes = files.bytes[file].astype(np.int64)
    return transfer_rows(
        times, people.usernames.gather(user), new_names(files, file, random), sizes, "rename", "shared_drive"
    )


def _on_call_bundles(plan: DayPlan, random: np.random.Generator) -> pl.DataFrame:
    """Logs that somebody on call fetches in the night."""
    people = plan.world.people
    user = np.repeat(np.flatnonzero(plan.on_call), 3)
    local_us = int(2.5 * HOUR_US) + random.integers(int(1.4 * HOUR_US), size=len(user))
    times = plan.day * DAY_US + local_us - (UTC_OFFSET_H[plan.place[user]] * HOUR_US).astype(np.int64)
    names = pl.Series([f"ops/logs/incident_{plan.day}_{number}.log" for number in range(len(user))], dtype=pl.String)
    sizes = random.lognormal(np.log(4e6), 1.0, len(user)).astype(np.int64)
    return transfer_rows(times, people.usernames.gather(user), names, sizes, "download", "internal_server")


def _partner_feeds(day: int, random: np.random.Generator) -> pl.DataFrame:
    """Hourly files of nearly equal size to a partner's FTP server: a drip that is none."""
    times = periodic_times(day, 3600.0, 20.0, 300.0, random)
    hour, feed = np.divmod(np.arange(len(times) * len(PARTNER_FEEDS)), len(PARTNER_FEEDS))
    names = pl.Series(
        [f"outbound/{PARTNER_FEEDS[f]}_{day}_{h:02d}.csv" for h, f in zip(hour.tolist(), feed.tolist(), strict=True)]
    )
    sizes = (1.8e6 + 4e5 * feed) * random.normal(1.0, 0.01, len(feed))
    return transfer_rows(
        times[hour] + feed * 4 * SECOND_US, "svc-etl", names, sizes.astype(np.int64), "upload", "ftp_server"
    )


def _dumps(day: int, random: np.random.Generator) -> pl.DataFrame:
    """The nightly dumps, and on Saturdays their copy outside: large, external, and every week the same."""
    subjects = ("files01", "files02", "db01", "db02", "git01", "mail")
    order = np.arange(len(subjects))
    usual = 1e9 + 3e9 * hashed_uniform(0, "dump bytes", order)
    off_site = weekday_of(day) == SATURDAY
    who = np.tile(order, 2 if off_site else 1)
    outside = np.arange(len(who)) >= len(subjects)
    times = day * DAY_US + HOUR_US + who * 25 * MINUTE_US + np.where(outside, 3 * HOUR_US, 0)
    times = times + random.integers(3 * MINUTE_US, size=len(who))
    names = pl.Series([f"backup/{subjects[number]}_{day}.dump.zst" for number in who.tolist()])
    sizes: FloatArray = usual[who] * (1.0 + 0.03 * hashed_uniform(1, "dump growth", who, day))
    target = pl.Series([DESTINATIONS[0], "cloud_storage"]).gather(outside.astype(np.int64))
    return transfer_rows(times, "svc-backup", names, sizes.astype(np.int64), "upload", target)


def _closing_archive(plan: DayPlan, random: np.random.Generator) -> pl.DataFrame:
    """One bookkeeper moves the closed month into the archive."""
    people, files = plan.world.people, plan.world.files
    present = np.flatnonzero(plan.present & (people.role == FINANCE))
    user = present[:1].repeat(60)
    times = plan.start_us[user] + 6 * HOUR_US + random.integers(20 * MINUTE_US, size=len(user))
    file = files.personal(people.role[user], user, np.arange(len(user)))
    sizes = files.bytes[file].astype(np.int64)
    names = (
        "finance/archive/" + files.stems.gather(file).str.split("/").list.last() + "." + files.extensions.gather(file)
    )
    return transfer_rows(times, people.usernames.gather(user), names, sizes, "move", "internal_server")
