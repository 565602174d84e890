"""What the clinic's staff sees and changes; the next dial shows it."""
from django.contrib import admin, messages
from django.db import transaction

from .clock import now
from .models import Appointment, Clinic, Profile, Slot, Type, TypeName
from .sms import Unreachable, staff_cancelled


class TypeNames(admin.TabularInline):
    model = TypeName
    extra = 0


@admin.register(Type)
class TypeAdmin(admin.ModelAdmin):
    inlines = [TypeNames]


@admin.register(Slot)
class SlotAdmin(admin.ModelAdmin):
    list_display = ["starts_at", "clinic", "type"]
    list_filter = ["clinic", "type"]
    date_hierarchy = "starts_at"


@admin.register(Appointment)
class AppointmentAdmin(admin.ModelAdmin):
    """To look at, and to cancel: a booking is the subscriber's."""

    list_display = ["slot", "status"]
    list_filter = ["status"]
    actions = ["cancel_visits"]

    @admin.action(description="Cancel the visits and tell the subscribers")
    def cancel_visits(self, request, visits):
        for visit in visits.filter(status=Appointment.BOOKED, slot__starts_at__gt=now()):
            profile = Profile.objects.filter(msisdn=visit.msisdn).first()
            try:
                # If the connector does not take it, nothing has changed, and the action can be repeated.
                with transaction.atomic():
                    Appointment.objects.filter(pk=visit.pk).update(status=Appointment.CANCELLED)
                    staff_cancelled(visit, profile.language if profile else "en")
            except Unreachable as why:
                messages.error(request, f"{visit.slot} stays booked: {why}")
                return
            messages.success(request, f"{visit.slot} is cancelled, and the subscriber is told")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


admin.site.register(Clinic)
