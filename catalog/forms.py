"""Forms of the catalogue's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from catalog.models import Merchant


class ImportForm(forms.Form):
    """A table or a ZIP, and perhaps a ZIP of pictures beside it."""

    merchant = forms.ModelChoiceField(label=_("Shop"), queryset=Merchant.objects.none(), empty_label=None)
    table = forms.FileField(
        label=_("Table (CSV, XLSX), or a ZIP with the table and its pictures"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.xlsx,.zip"}),
    )
    pictures = forms.FileField(
        label=_("ZIP of pictures, if they are not in the first file"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".zip"}),
    )

    def __init__(self, *args: Any, shops: list[Merchant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["merchant"]
        field.queryset = Merchant.objects.filter(pk__in=[shop.pk for shop in shops])
        if len(shops) == 1:
            field.required, field.initial, field.widget = False, shops[0], forms.HiddenInput()
        self._only = shops[0] if len(shops) == 1 else None

    def clean_merchant(self) -> Merchant:
        """Whoever works for one shop need not say which."""
        return self._only or self.cleaned_data["merchant"]
