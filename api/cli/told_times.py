"""Times and dates as people of a language read them; machines get RFC 3339 in UTC."""

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.assertions.messages import Messages

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def rfc3339(moment: datetime) -> str:
    """Return a time in UTC, to the second."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="seconds") + "Z"


def told_time(moment: datetime, messages: "Messages") -> str:
    """Return a time in the zone and the words of a language."""
    words = messages["time"]
    zone = datetime.strptime(words["utc_offset"], "%z").tzinfo
    try:
        return words["moment"].format(moment.astimezone(zone))
    except OverflowError:  # the last hours of the year 9999
        return rfc3339(moment)


def told_seconds(seconds: int, messages: "Messages") -> str:
    """Return a NumericDate (RFC 7519 §2); beyond the calendar as the number that it is."""
    try:
        return told_time(datetime.fromtimestamp(seconds, UTC), messages)
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def told_claimed_time(value: Any, messages: "Messages") -> Any:
    """Return a claim that is a time of RFC 3339 in words, and anything else as it is."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        return value
    try:
        return told_time(datetime.fromisoformat(value), messages)
    except (OverflowError, ValueError):
        return value


def told_claimed_date(value: Any, messages: "Messages") -> Any:
    """Return a claim that is a date (YYYY-MM-DD) in words, and anything else as it is."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return value
    try:
        return messages["time"]["date"].format(date.fromisoformat(value))
    except ValueError:
        return value
