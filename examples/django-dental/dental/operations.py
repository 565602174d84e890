"""What a dialogue may ask for. Each is safe to repeat: the connector does so when an answer was lost."""
import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Callable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from .clock import local, now
from .models import Appointment, Hold, Profile, Slot, Type
from .sms import booked, reminders_of

ROWS_MAX = 100


class Refusal(Exception):
    """A no with a name; the flow says what the subscriber reads."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Call:
    msisdn: str
    language: str
    epoch: str
    args: dict[str, Any]
    intention: str

    @staticmethod
    def of(body: dict[str, Any], intention: str) -> "Call":
        msisdn, language, epoch, args = (body.get(key) for key in ("msisdn", "language", "epoch", "args"))
        if not isinstance(msisdn, str) or not re.fullmatch(r"\d{1,15}", msisdn):
            raise ValueError("msisdn: up to 15 digits")
        if not isinstance(epoch, str) or not epoch:
            raise ValueError("epoch: a text")
        return Call(msisdn, language if isinstance(language, str) else "en", epoch, args if isinstance(args, dict) else {}, intention)


def profile(call: Call) -> dict:
    found = Profile.objects.filter(msisdn=call.msisdn).first()
    return {"known": bool(found), "name": found.name if found else "", "language": found.language if found else call.language}


def register(call: Call) -> dict:
    name = " ".join(str(call.args.get("name", "")).split())
    # Letters of any script with their marks, blanks, apostrophe, hyphen, full stop.
    if not 2 <= len(name) <= 40 or any(unicodedata.category(c)[0] not in "LM" and c not in " .'’-" for c in name):
        raise Refusal("bad-name")
    kept, _ = Profile.objects.update_or_create(msisdn=call.msisdn, defaults={"name": name, "language": call.language})
    return {"name": kept.name}


def language(call: Call) -> dict:
    wanted = str(call.args.get("language", ""))
    if not re.fullmatch(r"[a-z]{2,3}", wanted):
        raise Refusal("bad-language")
    Profile.objects.filter(msisdn=call.msisdn).update(language=wanted)
    return {}


def appointments(call: Call) -> dict:
    mine = Appointment.objects.filter(msisdn=call.msisdn, status=Appointment.BOOKED)
    if call.args.get("for") == "cancel":
        mine = mine.filter(slot__starts_at__gt=now())
    # The latest, if they are too many; shown by date ascending.
    rows = list(mine.select_related("slot__clinic", "slot__type").order_by("-slot__starts_at", "-id")[:ROWS_MAX])[::-1]
    return {"rows": [{
        "id": row.id, **_shown(row.slot, call.language),
        "status": "upcoming" if row.slot.starts_at > now() else "done",
    } for row in rows]}


def types(call: Call) -> dict:
    return {"rows": [{"id": one.id, "name": _named(one, call.language)} for one in Type.objects.prefetch_related("names")[:ROWS_MAX]]}


def slots(call: Call) -> dict:
    free = _free(call.msisdn).filter(type=str(call.args.get("type", ""))).select_related("clinic")[:ROWS_MAX]
    return {"rows": [{"id": one.id, "clinic": one.clinic.name, "at": local(one.starts_at, one.clinic.zone)} for one in free]}


def hold(call: Call) -> dict:
    slot = _slot(call)
    with transaction.atomic():
        # A write first: SQLite then waits for another writer instead of failing later.
        Hold.objects.filter(Q(epoch=call.epoch) | Q(slot=slot, msisdn=call.msisdn) | Q(slot=slot, expires_at__lte=now())).delete()
        if not _free(call.msisdn).filter(pk=slot.pk).exists():
            raise Refusal("slot-taken")
        try:
            with transaction.atomic():
                Hold.objects.create(slot=slot, epoch=call.epoch, msisdn=call.msisdn,
                                    expires_at=now() + timedelta(seconds=settings.DENTAL_HOLD_SECONDS))
        except IntegrityError:
            raise Refusal("slot-taken") from None
    return {"slot": slot.id, **_shown(slot, call.language)}


def release(call: Call) -> dict:
    slot = str(call.args.get("slot", ""))
    if slot.isdigit():
        Hold.objects.filter(slot=slot, msisdn=call.msisdn).delete()
    return {}


def ended(call: Call) -> dict:
    """The dialogue is over, whatever way: what it held is free again."""
    Hold.objects.filter(epoch=call.epoch).delete()
    return {}


def book(call: Call) -> dict:
    slot = _slot(call)
    before = Appointment.objects.filter(intention=call.intention, msisdn=call.msisdn).first()
    if before is None:
        try:
            with transaction.atomic():
                # The constraints decide: one booking an intention, one an open slot.
                before = Appointment.objects.create(msisdn=call.msisdn, slot=slot, intention=call.intention)
                if slot.starts_at <= now() or Hold.objects.filter(slot=slot, expires_at__gt=now()).exclude(msisdn=call.msisdn).exists():
                    raise Refusal("slot-taken")
                Hold.objects.filter(slot=slot).delete()
        except IntegrityError:
            before = Appointment.objects.filter(intention=call.intention, msisdn=call.msisdn).first()
            if before is None:
                raise Refusal("slot-taken") from None
    # `sms` is for the connector: it takes it out of the answer. A repeated booking asks for the same.
    return {"id": before.id, **_shown(before.slot, call.language), "sms": booked(before)}


def cancel(call: Call) -> dict:
    wanted = str(call.args.get("appointment", ""))
    if not wanted.isdigit():
        raise Refusal("not-upcoming")
    mine = Appointment.objects.filter(pk=wanted, msisdn=call.msisdn)
    changed = mine.filter(status=Appointment.BOOKED, slot__starts_at__gt=now()).update(
        status=Appointment.CANCELLED, cancel_intention=call.intention)
    if not changed and not mine.filter(cancel_intention=call.intention).exists():
        raise Refusal("not-upcoming")
    return {"cancel": [key for visit in mine for key in reminders_of(visit)]}


OPERATIONS: dict[str, Callable[[Call], dict]] = {run.__name__: run for run in (
    profile, register, language, appointments, types, slots, hold, release, ended, book, cancel)}


def _slot(call: Call) -> Slot:
    given = str(call.args.get("slot", ""))
    found = Slot.objects.select_related("clinic", "type").filter(pk=given).first() if given.isdigit() else None
    if found is None:
        raise Refusal("slot-taken")
    return found


def _free(msisdn: str):
    """Slots to come that nobody booked and nobody else holds, soonest first."""
    held = Hold.objects.filter(expires_at__gt=now()).exclude(msisdn=msisdn).values("slot")
    booked = Appointment.objects.filter(status=Appointment.BOOKED).values("slot")
    return Slot.objects.filter(starts_at__gt=now()).exclude(pk__in=held).exclude(pk__in=booked)


def _named(one: Type, wanted: str) -> str:
    return next((name.name for name in one.names.all() if name.language == wanted), one.name)


def _shown(slot: Slot, wanted: str) -> dict:
    return {"type": _named(slot.type, wanted), "clinic": slot.clinic.name, "at": local(slot.starts_at, slot.clinic.zone)}
