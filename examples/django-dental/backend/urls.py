"""`/ussd/<operation>` is for the connector, `/admin/` for the clinic's staff."""
from django.contrib import admin
from django.urls import path

from dental.views import operation

urlpatterns = [
    path("ussd/<slug:name>", operation),
    path("admin/", admin.site.urls),
]
