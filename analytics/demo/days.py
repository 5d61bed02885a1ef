"""The messages of one day of the demonstration data: the same for a seed and a day. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from analytics.demo.shop import ANSWERS, CAMPAIGNS, FAILURES, QUESTIONS, SERVICE, TEMPLATES, Person, Template

DAYS = 91
# Messages of Monday to Sunday, and of each hour (UTC), compared with others.
WEEK = (1.1, 1.1, 1.05, 1.05, 1.2, 0.9, 0.6)
HOURS = (0, 0, 0, 0, 0, 1, 3, 6, 9, 11, 11, 10, 8, 8, 9, 9, 10, 11, 10, 7, 4, 2, 0, 0)
# From the first day to the last one the shop grows by this much.
GROWTH = 0.4
# Of the messages beside campaigns: notices by template; the rest are conversations.
NOTICES = 0.45
LATE = timedelta(days=3)
# Shares: of phones that are off for hours, or for good; of questions that nobody answers, and of conversations that end
# with the first answer; of our answers that are read.
OFF, NEVER_ON = 0.12, 0.03
UNANSWERED, ENDED, READ = 0.1, 0.6, 0.93


@dataclass(frozen=True, slots=True)
class Planned:
    """A message with its trail: (status, time). `category` is empty for inbound and failed ones."""

    at: datetime
    person: Person
    number: int
    inbound: bool
    type: str
    text: str
    template: str = ""
    campaign: str = ""
    category: str = ""
    error_code: int | None = None
    trail: tuple[tuple[str, datetime], ...] = ()


def plan(day: date, nth: int, messages: float, people: Sequence[Person], seed: int) -> list[Planned]:
    """The messages of the nth day, by time; `messages` is how many an average day has beside campaigns."""
    chance = random.Random(f"{seed} {day}")  # noqa: S311 - to be repeated
    count = messages * WEEK[day.weekday()] * (1 - GROWTH / 2 + GROWTH * nth / DAYS)
    made = _Day(day, chance, people)
    for campaign in CAMPAIGNS:
        if campaign.first <= nth < campaign.first + campaign.days:
            for _ in range(round(count * campaign.size)):
                at = made.at(campaign.hour + chance.expovariate(1.2))
                made.notice(at, TEMPLATES[campaign.template], campaign.name, campaign.failed, campaign.number)
    notices = [one for one in TEMPLATES.values() if one.weight]
    for one in chance.choices(notices, [one.weight for one in notices], k=round(count * NOTICES)):
        made.notice(made.some_time(), one, "", 0.015, one.number)
    # A conversation has three messages in the mean.
    for _ in range(round(count * (1 - NOTICES) / 3)):
        made.talk(made.some_time(), chance.choice(people), SERVICE)
    return sorted(made.messages, key=lambda one: one.at)


class _Day:
    """Gathers the messages of a day."""

    def __init__(self, day: date, chance: random.Random, people: Sequence[Person]) -> None:
        self.messages: list[Planned] = []
        self._midnight = datetime.combine(day, time(), UTC)
        self._chance, self._people = chance, people

    def at(self, hour: float) -> datetime:
        """A time of this day."""
        return self._midnight + timedelta(hours=min(hour, 23.9), milliseconds=self._chance.randrange(1000))

    def some_time(self) -> datetime:
        """A time of the shop's day."""
        return self.at(self._chance.choices(range(24), HOURS)[0] + self._chance.random())

    def notice(self, at: datetime, template: Template, campaign: str, failed: float, number: int) -> None:
        """A template, and perhaps what its recipient writes back."""
        chance, person = self._chance, self._chance.choice(self._people)
        code = chance.choices(list(FAILURES), list(FAILURES.values()))[0] if chance.random() < failed else None
        trail = tuple(self._failure(at) if code else self._statuses(at, template.read))
        self.messages.append(
            Planned(
                at,
                person,
                number,
                inbound=False,
                type="template",
                text=template.text,
                template=template.name,
                campaign=campaign,
                category="" if code else template.category,
                error_code=code,
                trail=trail,
            )
        )
        if trail[-1][0] in {"delivered", "read"} and chance.random() < template.answered:
            self.talk(trail[-1][1] + timedelta(minutes=chance.expovariate(1 / 25)), person, number)

    def talk(self, at: datetime, person: Person, number: int) -> None:
        """A question of a user, most often our answer, and sometimes another word."""
        chance = self._chance
        n = chance.randrange(len(QUESTIONS))
        end = self._midnight + timedelta(days=1)
        while at < end:
            kind = chance.choices(("text", "image", "audio"), (9, 1, 1))[0]
            text = QUESTIONS[n] if kind == "text" else ""
            self.messages.append(Planned(at, person, number, True, kind, text, trail=(("received", at),)))
            if chance.random() < UNANSWERED:
                return
            at += timedelta(minutes=0.5 + chance.expovariate(1 / 14))
            if at >= end:
                return
            trail = tuple(self._statuses(at, READ))
            self.messages.append(
                Planned(at, person, number, False, "text", ANSWERS[n], category="service", trail=trail)
            )
            if chance.random() < ENDED:
                return
            at, n = at + timedelta(minutes=1 + chance.expovariate(1 / 8)), 6

    def _failure(self, at: datetime) -> Iterator[tuple[str, datetime]]:
        yield "pending", at
        yield "failed", at + timedelta(seconds=0.3 + self._chance.expovariate(2))

    def _statuses(self, at: datetime, read: float) -> Iterator[tuple[str, datetime]]:
        """Accepted and sent within seconds; delivered soon, or when the phone is on again; read within hours."""
        chance = self._chance
        yield "pending", at
        accepted = at + timedelta(seconds=0.15 + chance.expovariate(4))
        yield "accepted", accepted
        sent = accepted + timedelta(seconds=0.4 + chance.expovariate(2))
        yield "sent", sent
        if chance.random() < NEVER_ON:
            return
        slow = chance.random() < OFF
        delivered = sent + timedelta(seconds=0.5 + chance.expovariate(1 / (9000 if slow else 3)))
        yield "delivered", delivered
        if chance.random() < read:
            yield "read", min(delivered + timedelta(minutes=chance.lognormvariate(2.5, 1.6)), delivered + LATE)
