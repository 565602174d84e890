"""Clinics, what can be booked there, and who booked it."""
from django.db import models


class Clinic(models.Model):
    id = models.SlugField(primary_key=True)
    name = models.CharField(max_length=40)
    zone = models.CharField(max_length=40, default="Pacific/Port_Moresby", help_text="IANA time zone")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self):
        return self.name


class Type(models.Model):
    id = models.SlugField(primary_key=True)
    name = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self):
        return self.name


class TypeName(models.Model):
    """The name of a type in one more language."""

    type = models.ForeignKey(Type, on_delete=models.CASCADE, related_name="names")
    language = models.CharField(max_length=8)
    name = models.CharField(max_length=30)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "language"], name="one_name_a_language")]


class Slot(models.Model):
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    type = models.ForeignKey(Type, on_delete=models.PROTECT)
    starts_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at", "clinic__position", "id"]
        constraints = [models.UniqueConstraint(fields=["clinic", "type", "starts_at"], name="one_slot_a_time")]

    def __str__(self):
        return f"{self.type} at {self.clinic}, {self.starts_at:%Y-%m-%d %H:%M} UTC"


class Profile(models.Model):
    msisdn = models.CharField(max_length=15, primary_key=True)
    name = models.CharField(max_length=40)
    language = models.CharField(max_length=8, default="en")


class Hold(models.Model):
    """A slot that a subscriber is being asked about. The primary key lets one hold it."""

    slot = models.OneToOneField(Slot, primary_key=True, on_delete=models.CASCADE)
    epoch = models.CharField(max_length=64, db_index=True)
    msisdn = models.CharField(max_length=15)
    expires_at = models.DateTimeField()


class Appointment(models.Model):
    BOOKED, CANCELLED = "booked", "cancelled"

    msisdn = models.CharField(max_length=15, db_index=True)
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT)
    status = models.CharField(max_length=10, choices=[(BOOKED, "booked"), (CANCELLED, "cancelled")], default=BOOKED)
    # The connector's Idempotency-Key: the same for every repetition of one wish.
    intention = models.CharField(max_length=100, unique=True)
    cancel_intention = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slot"], condition=models.Q(status="booked"), name="one_booking_a_slot")]
