"""Background work in the admin: progress, log, cancel, retry. Nothing here is edited by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from jobs import services
from jobs.admin_times import took, with_moments
from jobs.errors import UserError
from jobs.models import Job, JobEvent, WorkerPresence
from jobs.presence import SEEN_WITHIN, workers_seen
from jobs.registry import kind_name, page_of
from jobs.tenancy import tenancy

STATUS_COLORS = {
    Job.Status.QUEUED: "info",
    Job.Status.RUNNING: "warning",
    Job.Status.SUCCEEDED: "success",
    Job.Status.FAILED: "danger",
    Job.Status.DEAD: "danger",
    Job.Status.CANCELLED: "",
}


#: How the kinds of jobs end that make the smaller copies of one picture.
SMALL = ".renditions"


class ReadOnlyAdmin(ModelAdmin):
    """A page to look at: what it shows is written by the verbs, not by hand."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return with_moments(self.model, super().get_list_display(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    has_module_permission = has_view_permission


class KindFilter(admin.AllValuesFieldListFilter):
    """The kinds that there are, in words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": kind_name(str(choice["display"]))}


class SmallJobsFilter(admin.SimpleListFilter):
    """Whether finished jobs for single pictures are listed: a shop has thousands of them, and nobody looks for one."""

    title = _("small jobs that are done")
    parameter_name = "small"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("shown", _("Shown"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Left out")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "shown" or SMALL in request.GET.get("kind", ""):
            return queryset
        return queryset.exclude(status=Job.Status.SUCCEEDED, kind__endswith=SMALL)


class JobEventInline(TabularInline):
    model = JobEvent
    fields = readonly_fields = ["at", "name", "message"]
    extra = 0
    can_delete = False
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        "kind_shown",
        "status_shown",
        "progress_shown",
        "attempt",
        "created_by",
        "created_at",
        "finished_at",
        "page_shown",
    ]
    list_filter = ["status", ("kind", KindFilter), SmallJobsFilter, "queue"]
    list_select_related = ["created_by"]
    search_fields = ["id", "kind", "error_message"]
    date_hierarchy = "created_at"
    inlines = [JobEventInline]
    actions = ["cancel_selected", "retry_selected"]
    fields = [
        "kind_in_words",
        "page_shown",
        "status_in_words",
        "progress_shown",
        "error_message",
        "error_hint",
        "error_code",
        "attempt",
        "worker",
        "created_by",
        "created_at",
        "started_at",
        "finished_at",
        "parameters",
        "result",
    ]
    readonly_fields = fields

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        request.__dict__["_listed_merchant_id"] = tenancy().listed_merchant_id(request)
        return super().get_changelist_instance(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs = Job.objects.visible_to(request.user)
        merchant_id = request.__dict__.get("_listed_merchant_id")
        return jobs.filter(merchant_key=merchant_id) if merchant_id else jobs

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        job: Job | None = super().get_object(request, object_id, from_field)
        if job is not None and job.merchant_key is not None:  # the site's own jobs belong to none
            tenancy().opened(request, job.merchant_key)
        return job

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        waiting = Job.objects.visible_to(request.user).filter(status=Job.Status.QUEUED)
        if merchant_id := tenancy().listed_merchant_id(request):
            waiting = waiting.filter(merchant_key=merchant_id)
        for queue in waiting.order_by().values_list("queue", flat=True).distinct():
            if not workers_seen(queue):
                self.message_user(
                    request,
                    _(
                        "Jobs wait in the queue “%(queue)s”, but no worker has listened to it for %(seconds)d seconds. "
                        "Start one with: celery -A stylerec_site worker -Q %(queue)s"
                    )
                    % {"queue": queue, "seconds": SEEN_WITHIN.total_seconds()},
                    messages.WARNING,
                )
        return super().changelist_view(request, extra_context)

    @display(description=_("Job"), ordering="kind")
    def kind_shown(self, job: Job) -> str:
        return format_html('<span title="{}">{}</span>', job.pk, kind_name(job.kind))

    @display(description="")
    def page_shown(self, job: Job) -> str:
        """The way to the page where the job is watched and its outcome is used."""
        address = page_of(job)
        if not address:
            return ""
        return format_html('<a style="text-decoration: underline" href="{}">{}</a>', address, _("Open"))

    @display(description=_("kind"))
    def kind_in_words(self, job: Job) -> str:
        return str(kind_name(job.kind))

    @display(description=_("status"))
    def status_in_words(self, job: Job) -> str:
        return str(job.get_status_display())

    @display(description=_("Status"), label=STATUS_COLORS, ordering="status")
    def status_shown(self, job: Job) -> tuple[str, Any]:
        return job.status, job.get_status_display()

    @display(description=_("Progress"))
    def progress_shown(self, job: Job) -> str:
        if job.status == Job.Status.SUCCEEDED:  # a full bar says nothing, and an unfinished message would be wrong
            return took(job.started_at, job.finished_at)
        percent = round(100 * job.fraction)
        return format_html(
            '<progress value="{}" max="100" aria-label="{}%"></progress> {}% {}',
            percent,
            percent,
            percent,
            job.progress_message,
        )

    @action(description=_("Cancel"))
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.request_cancel)

    @action(description=_("Retry"))
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.retry)

    def _each(self, request: HttpRequest, queryset: QuerySet[Job], verb: Any) -> None:
        done = 0
        for job in queryset:
            try:
                tenancy().require_steering(request.user, job.merchant_key)
                verb(job=job, by=request.user)
                done += 1
            except UserError as error:
                self.message_user(request, f"{job}: {error}", messages.ERROR)
        if done:
            text = ngettext("Done for %(count)d job.", "Done for %(count)d jobs.", done) % {"count": done}
            self.message_user(request, text, messages.SUCCESS)


@admin.register(WorkerPresence)
class WorkerPresenceAdmin(ReadOnlyAdmin):
    """Names of machines: the operator's to see, not every shop's."""

    list_display = ["name", "queues", "started_at", "seen_at"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    has_module_permission = has_view_permission
