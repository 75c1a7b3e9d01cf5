"""What the figures of a page say, in the sentence that is its title. Pure."""

from __future__ import annotations

from engine.queries.figures.outlook import Furthest, Outlook
from engine.rules.words import number_words, short_day
from engine.text import Text


def finding(found: Outlook) -> Text:
    """How what is overdue has changed since last week, and who is furthest behind: «Quá hạn giảm từ 69 xuống 21 việc;
    nhiều nhất: 4 cơ quan, mỗi cơ quan 4 việc»."""
    furthest = found.furthest
    if furthest is None:
        return _overdue(found)
    return Text.joined("; ", (_overdue(found), _furthest(furthest)))


def _overdue(found: Outlook) -> Text:
    now = found.now.total.overdue
    was = found.then.total.overdue if found.week is not None else now
    after, before = (Text(number_words(n, "vi"), number_words(n, "en")) for n in (now, was))
    if was == now:
        words = Text("{now} việc quá hạn", "{now} overdue") if now else Text("Không có việc quá hạn", "Nothing overdue")
    elif not now:
        words = Text("Hết quá hạn, tuần trước {was} việc", "Nothing overdue any more, {was} a week ago")
    elif now < was:
        words = Text("Quá hạn giảm từ {was} xuống {now} việc", "Overdue down from {was} to {now}")
    else:
        words = Text("Quá hạn tăng từ {was} lên {now} việc", "Overdue up from {was} to {now}")
    return words.filled(now=after, was=before)


def _furthest(furthest: Furthest) -> Text:
    """Who has been overdue for longest; of several that have been since the same day, who has most: never one of equals
    by the alphabet."""
    one, since = furthest.most[0], short_day(furthest.most[0].since)
    if furthest.tied:
        words = Text("lâu nhất: {n} cơ quan, đều từ {since}", "longest: {n} agencies, all since {since}")
        return words.filled(n=len(furthest.agencies), since=since)
    if len(furthest.most) > 1:
        words = Text("nhiều nhất: {n} cơ quan, mỗi cơ quan {each} việc", "most: {n} agencies with {each} each")
        return words.filled(n=len(furthest.most), each=one.overdue)
    if len(furthest.agencies) > 1:
        return Text("nhiều nhất: {name}, {n} việc", "most: {name}, {n}").filled(name=one.name, n=one.overdue)
    words = Text("lâu nhất: {name}, {n} việc từ {since}", "longest: {name}, {n} since {since}")
    return words.filled(name=one.name, n=one.overdue, since=since)
