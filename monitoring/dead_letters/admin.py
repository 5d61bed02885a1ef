"""Dead letters in the admin: a page per lane, and the redrive jobs.

Inspection receives the messages, so it runs only when someone opens a lane's page and no job of the lane is active.
"""

import re
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from messaging.access import record_action
from monitoring.access import READ_IN_FULL, REDRIVE
from monitoring.dead_letters import redrive_jobs
from monitoring.dead_letters.inspect import inspect_queue
from monitoring.models import RedriveJob
from monitoring.queue_depth import SqsUnavailable, lane_depths
from waproject.queues import LANES, Lane
from waproject.sqs.sampling import HIDE_S, MAX_SAMPLED
from waproject.web.admin.read_only_admin import ReadOnlyAdmin

COUNT_TIMEOUT_S = 1.0
_MESSAGE_ID = re.compile(r"[\w-]{1,100}", re.ASCII)


@admin.register(RedriveJob)
class RedriveJobAdmin(ReadOnlyAdmin):
    """The lanes with their dead letters, followed by the latest jobs."""

    list_display = ("requested_at", "lane", "action", "state", "progress", "requested_by", "finished_at", "error")
    fields = ("requested_at", "lane", "action", "state", "progress", "requested_by", "finished_at", "error", "by_sqs")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Viewing needs the permission to redrive, because an inspection receives the messages."""
        return bool(request.user.is_active and request.user.has_perm(REDRIVE))

    @admin.display(description="moved")
    def progress(self, job: RedriveJob) -> str:
        """The number of moved messages, of how many."""
        return f"{job.done} of {'?' if job.total is None else job.total}"

    def get_urls(self) -> list[URLPattern]:
        """The pages of the lanes, before the job's own pages."""
        wrap = self.admin_site.admin_view
        own = [
            path("lane/<str:lane>/", wrap(self.lane_view), name="monitoring_dead_letters"),
            path("lane/<str:lane>/progress/", wrap(self.progress_view), name="monitoring_dead_letters_progress"),
            path("lane/<str:lane>/move/", wrap(self.move_view), name="monitoring_dead_letters_move"),
            path("lane/<str:lane>/stop/", wrap(self.stop_view), name="monitoring_dead_letters_stop"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with the number of dead letters of each lane."""
        try:
            counts = {name: dlq.total for name, (_, dlq) in lane_depths(COUNT_TIMEOUT_S).items()}
        except SqsUnavailable:
            counts = {}
        lanes = [(name, counts.get(name)) for name in LANES]
        return super().changelist_view(request, {"title": "Dead letters", "lanes": lanes, **(extra_context or {})})

    @method_decorator([never_cache, require_safe])
    def lane_view(self, request: HttpRequest, lane: str) -> HttpResponse:
        """The dead letters of a lane, or the progress of its active job."""
        target = self._lane(request, lane)
        may_read = request.user.has_perm(READ_IN_FULL)
        in_full = may_read and "full" in request.GET
        page: dict[str, Any] = {
            "job": redrive_jobs.active_job(target), "last": redrive_jobs.latest(target),
            "may_read": may_read, "in_full": in_full,
            "hide_s": HIDE_S, "most": MAX_SAMPLED,
        }  # fmt: skip
        if page["job"] is None:
            try:
                page["inspection"] = inspect_queue(target, in_full)
            except SqsUnavailable as error:
                page["sqs_error"] = str(error)
            if in_full and page.get("inspection") and page["inspection"].messages:
                record_action(str(request.user), "read dead letters in full", f"dead letters {lane}")
        return self._page(request, "monitoring/dead_letters.html", target, page)

    @method_decorator([never_cache, require_safe])
    def progress_view(self, request: HttpRequest, lane: str) -> HttpResponse:
        """For htmx: the progress of the active job. When it has finished, the page reloads."""
        job = redrive_jobs.active_job(self._lane(request, lane))
        if job is None:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "monitoring/dead_letters_job.html", {"job": job, "lane": lane})

    @method_decorator(require_POST)
    def move_view(self, request: HttpRequest, lane: str) -> HttpResponse:
        """Redrive at once; discard after a confirmation page."""
        target = self._lane(request, lane)
        action, _, scope = request.POST.get("action", "").partition("-")
        if action not in RedriveJob.Action.values:
            raise Http404
        ids = None if scope == "all" else request.POST.getlist("message_id")[: redrive_jobs.MAX_IDS]
        if not all(map(_MESSAGE_ID.fullmatch, ids or ())):
            raise BadRequest
        if ids == []:
            self.message_user(request, "Select dead letters first.", messages.WARNING)
            return self._back(lane)
        if action == RedriveJob.Action.DISCARD and "confirmed" not in request.POST:
            return self._page(request, "monitoring/dead_letters_discard.html", target, {"ids": ids})
        try:
            redrive_jobs.request_job(target, RedriveJob.Action(action), ids, str(request.user))
        except redrive_jobs.JobInProgress:
            self.message_user(request, "This lane has an active job already.", messages.WARNING)
        return self._back(lane)

    @method_decorator(require_POST)
    def stop_view(self, request: HttpRequest, lane: str) -> HttpResponse:
        """Stop the active job."""
        job = redrive_jobs.active_job(self._lane(request, lane))
        if job is not None and redrive_jobs.stop(job.pk, str(request.user)):
            self.message_user(request, "The job stops after its current step.", messages.SUCCESS)
        return self._back(lane)

    def _lane(self, request: HttpRequest, name: str) -> Lane:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if name not in LANES:
            raise Http404
        return LANES[name]

    def _back(self, lane: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:monitoring_dead_letters", args=[lane]))

    def _page(self, request: HttpRequest, template: str, lane: Lane, page: dict[str, Any]) -> HttpResponse:
        shared = self.admin_site.each_context(request)
        title = f"Dead letters of {lane.name}"
        return render(
            request,
            template,
            {
                **shared,
                "title": title,
                "opts": cast(Any, RedriveJob)._meta,
                "lane": lane.name,
                "lanes": list(LANES),
                **page,
            },
        )
