"""Forms of the catalogue's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from catalog.models import Merchant


class ImportForm(forms.Form):
    """A table or a ZIP, and perhaps a ZIP of pictures beside it."""

    merchant = forms.ModelChoiceField(
        label=_("Shop"),
        queryset=Merchant.objects.none(),
        empty_label=None,
        error_messages={
            "invalid_choice": _("You may not import into the shop that this page was opened for. Reload the page.")
        },
    )
    table = forms.FileField(
        label=_("Table (CSV, XLSX), or a ZIP with the table and its pictures"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.xlsx,.zip"}),
    )
    pictures = forms.FileField(
        label=_("ZIP of pictures, if they are not in the first file"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".zip"}),
    )

    def __init__(self, *args: Any, shops: list[Merchant], permitted: list[Merchant], **kwargs: Any) -> None:
        """``shops`` are offered; ``permitted`` also those that the page may have been opened for before a switch."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["merchant"]
        field.queryset = Merchant.objects.filter(pk__in=[shop.pk for shop in permitted])
        if len(shops) == 1:
            field.required, field.initial, field.widget = False, shops[0], forms.HiddenInput()
        self._only = shops[0] if len(shops) == 1 else None

    def clean_merchant(self) -> Merchant:
        """Whoever works for one shop need not say which; a page says which one it was opened for."""
        chosen: Merchant | None = self.cleaned_data["merchant"] or self._only
        assert chosen is not None  # the field is required where there are several
        return chosen
