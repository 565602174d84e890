"""`manage.py seed`: the sample data, laid relative to today (or to DENTAL_FROZEN). Again: adds only what is missing."""
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand
from django.db import transaction

from dental.clock import now
from dental.models import Appointment, Clinic, Profile, Slot, Type, TypeName

ZONE = "Pacific/Port_Moresby"
CLINICS = [("koki", "Koki Dental Clinic"), ("gerehu", "Gerehu Dental Clinic")]
# The Tok Pisin names need a native speaker's review.
TYPES = [("cleaning", "Cleaning", "Klinim tit"), ("checkup", "Checkup", "Sekim tit"), ("filling", "Filling", "Pasim hul")]
JOHN, MARY = "67570000001", "67570000002"


class Command(BaseCommand):
    help = "loads the sample clinics, types, slots and subscribers"

    @transaction.atomic
    def handle(self, *args, **options):
        for position, (key, name) in enumerate(CLINICS):
            Clinic.objects.get_or_create(id=key, defaults={"name": name, "zone": ZONE, "position": position})
        for position, (key, name, tpi) in enumerate(TYPES):
            one, _ = Type.objects.get_or_create(id=key, defaults={"name": name, "position": position})
            TypeName.objects.get_or_create(type=one, language="tpi", defaults={"name": tpi})
        for msisdn, name in ((JOHN, "John"), (MARY, "Mary")):
            Profile.objects.get_or_create(msisdn=msisdn, defaults={"name": name})
        self.slot("koki", "checkup", 9, time(9))
        self.slot("gerehu", "checkup", 11, time(14))
        if not Appointment.objects.filter(msisdn=JOHN).exists():
            for key, kind, days in (("koki", "cleaning", -52), ("gerehu", "checkup", 14)):
                Appointment.objects.create(msisdn=JOHN, slot=self.slot(key, kind, days, time(10)), intention=f"seed:{kind}")
        self.stdout.write("seeded")

    def slot(self, clinic: str, kind: str, days: int, at: time) -> Slot:
        today = now().astimezone(ZoneInfo(ZONE)).date()
        starts = datetime.combine(today + timedelta(days=days), at, ZoneInfo(ZONE))
        return Slot.objects.get_or_create(clinic_id=clinic, type_id=kind, starts_at=starts)[0]
