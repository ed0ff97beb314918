"""How the time that has passed before an exchange is written, in the language of the conversation."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError

from finetune_prep.core.scenarios.scenario import Elapsed


def gap_line(elapsed: Elapsed, language: str) -> str:
    """“[Thursday, 6 days later]”. language: a BCP 47 tag; in one whose days nobody has named, the day is left out."""
    said = elapsed.reads.replace("{days}", str(elapsed.days))
    day = weekdays(language)[elapsed.weekday] if elapsed.days and weekdays(language) else ""
    return f"[{', '.join(filter(None, (day, said)))}]"


@lru_cache(maxsize=16)
def weekdays(language: str) -> tuple[str, ...]:
    """The names of the days, Monday first; empty for a language that Unicode's locale data do not have."""
    try:
        names = Locale.parse(language, sep="-").days["stand-alone"]["wide"]
    except (UnknownLocaleError, ValueError):
        return ()
    return tuple(names[day] for day in range(7))
