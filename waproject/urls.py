"""The root URL configuration; each app has its own."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

admin.site.site_header = admin.site.site_title = "WhatsApp pipeline"
admin.site.index_title = "Operations"

handler400 = "waproject.web.error_pages.bad_request"
handler403 = "waproject.web.error_pages.forbidden"
handler404 = "waproject.web.error_pages.not_found"
handler500 = "waproject.web.error_pages.server_error"

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="home"),
    path("", include("messaging.urls")),
    path("", include("analytics.urls")),
    path("", include("monitoring.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # The page's former address, in old notices and bookmarks.
    path(
        "admin/monitoring/move/<path:rest>",
        RedirectView.as_view(url="/admin/monitoring/redrivejob/%(rest)s", query_string=True),
    ),
    path("admin/monitoring/move/", RedirectView.as_view(url="/admin/monitoring/redrivejob/")),
    path("admin/", admin.site.urls),
]
