"""What is planted in a run, drawn from its seed before it begins, so that a failing run can be told, run again and
made shorter: ``17: host1@312:die email@36000:dead/7200``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from simulated.relay import Mood
from simulated.steps import Fault

DAY, HOUR = 86_400.0, 3_600.0
DAYS = 14
"""From Thursday 10 June 2021, a week before the due date, to two days after the first chasing."""
QUIET_DAYS = 3
"""At the end nothing is planted: what is owed must have gone by then."""
MONTH = 6
"""Seeds whose faults make a pessimistic fortnight."""
STEPS = 1500
"""Numbered steps of a process in which faults may fall; the busy days are among them."""


@dataclass(frozen=True)
class Planted:
    """``at``: the step of a host, or the second of the world. ``amount``: seconds it lasts, or of a clock its error."""

    where: str
    at: int
    what: str
    lasts: int = 0
    amount: int = 0

    def __str__(self) -> str:
        more = f"/{self.lasts}" if self.lasts or self.amount else ""
        return f"{self.where}@{self.at}:{self.what}{more}" + (f"/{self.amount}" if self.amount else "")


@dataclass(frozen=True)
class Script:
    """One run. ``seed`` chooses who goes on, too, and what people do."""

    seed: int
    hosts: int
    planted: tuple[Planted, ...]
    postgres: bool = False
    days: int = DAYS

    def __str__(self) -> str:
        return " ".join((f"{self.seed}:", *map(str, self.planted)))


def drawn(seed: int, *, postgres: bool = False) -> Script:
    dice = random.Random(f"script {seed}")
    hosts = dice.randint(2, 4)
    planted = [*_of_hosts(dice, hosts, postgres), *_of_relays(dice), *_of_clocks(dice, hosts, postgres)]
    planted += _of_the_database(dice, hosts, postgres)
    return Script(seed, hosts, tuple(planted), postgres)


def pessimistic(seed: int, *, postgres: bool = False) -> Script:
    """What befalls a fortnight in which everything comes together: the faults of six seeds, their clocks and their
    databases one after another."""
    scripts = [drawn(1000 + MONTH * seed + n, postgres=postgres) for n in range(MONTH)]
    hosts, until, kept = scripts[0].hosts, 0.0, []
    for each in sorted((each for script in scripts for each in script.planted), key=lambda each: each.at):
        alone = each.what in ("away", "put_back", "snapshot", "jump", "reboot")
        if alone and each.at < until:
            continue
        if alone:
            after = 8 * HOUR if each.what in ("put_back", "snapshot") else HOUR
            until = each.at + each.lasts + after
        if each.where != "people" and each.where.startswith("host") and int(each.where[4:]) >= hosts:
            each = replace(each, where=f"host{int(each.where[4:]) % hosts}")
        kept.append(each)
    return Script(seed, hosts, tuple(kept), postgres)


def read(text: str, *, postgres: bool = False) -> Script:
    """What ``str`` of a script says."""
    seed, *words = text.split()
    number = int(seed.rstrip(":"))
    return replace(drawn(number, postgres=postgres), planted=tuple(map(_read, words)))


def _read(word: str) -> Planted:
    where, _, rest = word.partition("@")
    at, _, told = rest.partition(":")
    what, *numbers = told.split("/")
    return Planted(where, int(at), what, *map(int, numbers))


def shortened(script: Script, fails: Callable[[Script], bool]) -> Script:
    """Without what the failure does not need: tried without each of what is planted, as often as that helps."""
    shorter = True
    while shorter:
        shorter = False
        for each in script.planted:
            without = replace(script, planted=tuple(other for other in script.planted if other is not each))
            if fails(without):
                script, shorter = without, True
                break
    return script


def _of_hosts(dice: random.Random, hosts: int, postgres: bool) -> Iterator[Planted]:
    kinds = [Fault.DIE, Fault.DIE, Fault.STALL, Fault.IO, Fault.LOCKED, Fault.LOST, Fault.UNTOLD]
    kinds += [] if postgres else [Fault.FULL]
    for host in range(hosts):
        for _ in range(dice.randint(0, 4)):
            yield Planted(f"host{host}", dice.randint(1, STEPS), dice.choice(kinds))
    for _ in range(dice.randint(0, 2)):
        yield Planted("people", dice.randint(1, STEPS // 3), dice.choice(kinds))


def _of_relays(dice: random.Random) -> Iterator[Planted]:
    moods = [each for each in Mood if each is not Mood.WELL]
    for relay, most in (("email", 3), ("sms", 2)):
        for _ in range(dice.randint(0, most)):
            yield Planted(relay, _moment(dice, working=0.7), dice.choice(moods), _lasting(dice, 600, 30 * HOUR))


def _of_clocks(dice: random.Random, hosts: int, postgres: bool) -> Iterator[Planted]:
    """An error that the guard has to see, by a jump or at a start; or one that no harm may come of."""
    machines = range(hosts) if postgres else range(1)
    for machine in machines:
        if postgres:  # each a little off, as machines are
            yield Planted(f"clock{machine}", 0, "skew", 0, dice.randint(-45, 45))
        if dice.random() < 0.4:
            ahead = dice.choice((1, 1, -1))
            error = ahead * int(dice.choice((9 * DAY, 40 * DAY, 730 * DAY)))
            if postgres and dice.random() < 0.5:
                error = ahead * dice.randint(120, 36_000)
            what = dice.choice(("jump", "reboot"))
            yield Planted(f"clock{machine}", _moment(dice), what, _lasting(dice, HOUR, 8 * HOUR), error)
        elif dice.random() < 0.3:
            yield Planted(f"clock{machine}", _moment(dice), "reboot", 60)


def _of_the_database(dice: random.Random, hosts: int, postgres: bool) -> Iterator[Planted]:
    """``put_back``: an older copy of the database. ``snapshot``: of all that a machine has on its disk; on PostgreSQL
    that is its folder alone, and may be ``full``, too: nothing is written there for a while."""
    if dice.random() < 0.5:
        yield Planted("database", _moment(dice, working=0.7), "away", _lasting(dice, 60, 3 * HOUR))
    if dice.random() < (0.6 if postgres else 0.3):
        at, lasts = _moment(dice, working=0.8), _lasting(dice, HOUR, 40 * HOUR)
        what = dice.choice(("full", "snapshot") if postgres else ("put_back", "snapshot"))
        yield Planted("database" if what == "put_back" else f"disk{dice.randrange(hosts)}", at, what, lasts)


def _moment(dice: random.Random, working: float = 0.4) -> int:
    """Any second; so often one of the hour in which a day's letters leave."""
    latest = (DAYS - QUIET_DAYS) * DAY
    if dice.random() < working:
        return int(dice.randrange(DAYS - QUIET_DAYS) * DAY + dice.uniform(0, HOUR))
    return int(dice.uniform(0, latest))


def _lasting(dice: random.Random, least: float, most: float) -> int:
    return int(min(most, least * (most / least) ** dice.random()))


def only(planted: Sequence[Planted], where: str) -> list[Planted]:
    return [each for each in planted if each.where == where]
