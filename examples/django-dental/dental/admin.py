"""What the clinic's staff sees and changes; the next dial shows it."""
from django.contrib import admin

from .models import Appointment, Clinic, Slot, Type, TypeName


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
    """To look at: a booking is the subscriber's."""

    list_display = ["slot", "status"]
    list_filter = ["status"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


admin.site.register(Clinic)
