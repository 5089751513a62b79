"""The page on one's own data: an export to download, and the end of the account."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit import record
from accounts.models import AuditAction, DataExport
from accounts.personal_data.deletion import delete_person, refuse_last_admin
from accounts.personal_data.exports import request_export
from articles.exceptions import InvalidState
from articles.views.requests import StudioRequest


@require_safe
@login_required
@never_cache
def personal_data(request: StudioRequest) -> HttpResponse:
    """HTMX, which looks whether an export is ready, gets that part alone."""
    export = request.user.data_exports.first()
    template = "_data_export" if request.htmx else "personal_data"
    return render(request, f"accounts/{template}.html", {"export": export})


@require_POST
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def export_data(request: StudioRequest) -> HttpResponse:
    request_export(request.user, by=request.user)
    return redirect("personal_data")


@require_safe
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@never_cache
def download_data(request: StudioRequest, pk: int) -> FileResponse:
    """One's own export; superusers may download all. 404 once it has expired."""
    visible = DataExport.objects.all() if request.user.is_superuser else request.user.data_exports.all()
    export = get_object_or_404(visible.select_related("user"), pk=pk)
    if not export.is_ready or not storages["uploads"].exists(export.file):
        raise Http404("This export has expired.")
    record(AuditAction.DATA_DOWNLOADED, account=export.user.get_username())
    name = f"content-studio-{export.user.get_username()}.zip"
    return FileResponse(storages["uploads"].open(export.file), as_attachment=True, filename=name)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@never_cache
def delete_account(request: StudioRequest) -> HttpResponse:
    """Ask for the user name, then delete everything at once."""
    user, problem = request.user, ""
    name = user.get_username()
    try:
        refuse_last_admin(user)
        if request.method == "POST":
            if request.POST.get("name", "").strip() == name:
                delete_person(user, by=user)
                request.session.flush()
                request.user = AnonymousUser()  # type: ignore[assignment]
                return render(request, "accounts/account_deleted.html")
            problem = f"Type {name} to confirm."
    except InvalidState as error:
        problem = str(error)
    context = {"problem": problem, "articles": user.articles.count(), "name": name}
    return render(request, "accounts/delete_account.html", context)
