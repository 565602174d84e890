"""What "now" is: the machine's, or DENTAL_FROZEN (ISO 8601) for a test of the documented screens."""
import os
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone


def now() -> datetime:
    frozen = os.environ.get("DENTAL_FROZEN")
    return datetime.fromisoformat(frozen) if frozen else timezone.now()


def local(moment: datetime, zone: str) -> str:
    """ISO 8601 with the zone's offset: what the flow shows as the clinic's own time."""
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
