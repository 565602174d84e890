"""The SMS about a visit: what the answer to a booking asks the connector for, and how the staff takes it back."""
import json
import urllib.error
import urllib.request
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from .clock import local
from .models import Appointment, Slot

# What is said, by language. A native speaker must review the second.
CONFIRMED = {"en": "Confirmed: {visit}.", "tpi": "Orait: {visit}."}
REMINDER = {"en": "Reminder: {visit}.", "tpi": "Tingim: {visit}."}
CANCELLED = {"en": "Cancelled: {visit}.", "tpi": "Mipela rausim: {visit}."}
VISIT = {"en": "{type} at {clinic} on {at}", "tpi": "{type} long {clinic} long {at}"}
# How long before the visit.
LEADS = ["24h", "2h"]


class Unreachable(Exception):
    """The connector did not take it; the message says why."""


def booked(visit: Appointment) -> list[dict]:
    """A confirmation now, and reminders before. The same booking again asks for the same, under the same keys."""
    confirmation = {"text": _said(CONFIRMED, visit.slot), "key": f"visit-{visit.id}", "class": "transactional"}
    starts = local(visit.slot.starts_at, visit.slot.clinic.zone)
    reminders = [{"text": _said(REMINDER, visit.slot), "key": f"visit-{visit.id}-{lead}", "before": {"of": starts, "by": lead}}
                 for lead in LEADS]
    return [confirmation, *reminders]


def reminders_of(visit: Appointment) -> list[str]:
    return [f"visit-{visit.id}-{lead}" for lead in LEADS]


def staff_cancelled(visit: Appointment, language: str) -> None:
    """No reminders any more, and an SMS that says so. Raises Unreachable; doing it again is harmless."""
    for key in reminders_of(visit):
        _ask("DELETE", f"?key={key}", allowed=(404, 409))
    _ask("POST", "", {"to": visit.msisdn, "text": _said(CANCELLED, visit.slot), "language": language,
                      "key": f"visit-{visit.id}-cancelled", "class": "transactional"})


def _ask(method: str, path: str, body: dict | None = None, allowed: tuple[int, ...] = ()) -> None:
    try:
        token = settings.CONNECTOR_TOKEN_FILE.read_text().strip()
        request = urllib.request.Request(
            f"{settings.CONNECTOR_URL}/v1/sms{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=3).close()
    except urllib.error.HTTPError as error:
        if error.code not in allowed:
            raise Unreachable(f"the connector answered {error.code}") from error
    except OSError as error:
        raise Unreachable(f"the connector cannot be reached: {error}") from error


def _said(texts: dict[str, str], slot: Slot) -> dict[str, str]:
    return {language: text.format(visit=VISIT[language].format(
        type=_named(slot, language), clinic=slot.clinic.name, at=_shown(slot.starts_at, slot.clinic.zone)))
        for language, text in texts.items()}


def _named(slot: Slot, language: str) -> str:
    return next((name.name for name in slot.type.names.all() if name.language == language), slot.type.name)


def _shown(moment: datetime, zone: str) -> str:
    """10/05/2025, 9 AM, as the screens of the flow have it."""
    at = moment.astimezone(ZoneInfo(zone))
    minutes = f":{at:%M}" if at.minute else ""
    return f"{at:%d/%m/%Y}, {at.hour % 12 or 12}{minutes} {'AM' if at.hour < 12 else 'PM'}"
