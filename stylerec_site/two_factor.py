"""Optional second factor for staff: a time-based code (RFC 6238) from any authenticator app.

Whoever has a confirmed device must give a code to log in; who has none logs in with the password alone.
"""

from __future__ import annotations

import base64
from typing import Any

import qrcode
import qrcode.image.svg
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django_otp import devices_for_user, match_token
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

_CODE_INPUT = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 8}


class LoginForm(AuthenticationForm):
    """The admin's log-in with room for a code."""

    code = forms.CharField(
        label=_("Code from your app"),
        required=False,
        help_text=_("Only if you have switched the second factor on."),
        widget=UnfoldAdminTextInputWidget(attrs=_CODE_INPUT),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        user = self.get_user()
        if user is not None and any(devices_for_user(user)):
            device = match_token(user, cleaned.get("code", ""))
            if device is None:
                raise forms.ValidationError(
                    _("Give the code that your authenticator app shows now."), code="code-missing-or-wrong"
                )
            user.otp_device = device
        return cleaned


class CodeForm(forms.Form):
    """One code, to show that the app and we agree."""

    code = forms.CharField(label=_("Code from your app"), widget=UnfoldAdminTextInputWidget(attrs=_CODE_INPUT))


@staff_member_required
def two_factor(request: HttpRequest) -> HttpResponse:
    """Switch the second factor on (scan, then confirm with a code) or off (with a code)."""
    assert request.user.is_authenticated
    active = TOTPDevice.objects.filter(user=request.user, confirmed=True).first()
    device = (
        active
        or TOTPDevice.objects.get_or_create(
            user=request.user, confirmed=False, defaults={"name": request.user.get_username()}
        )[0]
    )
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if device.verify_token(form.cleaned_data["code"]):
            return _switch(request, device, on=active is None)
        form.add_error("code", _("This code is not right. Check the clock of your phone, and use the newest code."))
    context = {
        **admin.site.each_context(request),
        "title": _("Second factor"),
        "form": form,
        "is_active": active is not None,
        "qr": "" if active else _qr_code(device.config_url),
        "secret": "" if active else base64.b32encode(device.bin_key).decode(),
    }
    return render(request, "admin/two_factor.html", context)


def _switch(request: HttpRequest, device: TOTPDevice, *, on: bool) -> HttpResponse:
    if on:
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        messages.success(request, _("The second factor is on. You will be asked for a code at the next log-in."))
    else:
        device.delete()
        messages.success(request, _("The second factor is off."))
    return redirect("two_factor")


def _qr_code(text: str) -> str:
    """An SVG that authenticator apps can scan, as a data address."""
    picture = qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage, border=2)
    return "data:image/svg+xml;base64," + base64.b64encode(picture.to_string()).decode()
