"""The dental service as a Django application."""
from django.apps import AppConfig


class DentalConfig(AppConfig):
    name = "dental"
    verbose_name = "Dental appointments"
