"""What every form and door of the admin reads, found out by watching, and what a foreign key in each place does.

Nothing here knows a page: a door is asked with an empty body, and whatever names it looks for are given to it, one after
another, with the keys of another shop. A name that nobody has explained fails the test, so that a new field cannot
come in unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.apps import apps
from django.db import connection, models, transaction
from django.http import QueryDict
from django.test import Client

from tests.security.possessions import ROOMS, Possessions, models_of_rooms, pointers
from tests.security.routes import Route, routes
from tests.security.test_roles import Written
from tests.security.walking import text_of, traces

#: Names of keys that are no field's name, and whose row each one is.
KEYS = {
    "shop": "catalog.Merchant",
    "source_category": "catalog.Category",
    "creative": "creatives.Creative",
    "products": "catalog.Product",
    "images": "catalog.ProductImage",
    "run": "styling.TrainingRun",
    "model": "styling.StyleModel",
    "missing": "styling.Style",
}
#: Names that no row's key stands behind, besides the models' own plain columns.
PLAIN = frozenset(
    """_addanother _continue _popup _save _saveasnew _selected_action _to_field csrfmiddlewaretoken action select_across
    next post s extended q list code username preset algorithm minutes steps cycle_end identity learning_rate
    color_keep image_size keep_background strength full_detail outline accent background ink formats layout logo
    logo-clear headline show_name show_price sign language day table table-clear pictures pictures-clear
    least_edges_kept most_color_shift least_text_legibility only_missing reviewed
    old_password new_password1 new_password2 days key file files selected_actions _changelist_filters term app_label
    model_name field_name page p o e all status flagged after version clicks shopper
    dataset _facets taking_part margin guardrails uplift metric hypothesis subject start seed n strategy_a strategy_b
    rendering_a rendering_b diversity_a diversity_b beside_a beside_b sure""".split()  # noqa: SIM905 - read as words
)
#: Somebody who works for nobody yet.
STRANGER = "stranger-7"
#: Doors that no foreign key can be given to; lists and their actions are walked in ``test_tenant_lists.py``.
SKIPPED = ("admin:logout", "admin:password_change")
WALKED_ELSEWHERE = ("_changelist", "_history", "_delete")


def form_routes() -> list[Route]:
    """Every route of the admin that may take a form."""
    return [
        route
        for route in routes()
        if not (route.is_public or route.is_operators or route.is_api)
        and not route.name.startswith(SKIPPED)
        and not route.name.endswith(WALKED_ELSEWHERE)
    ]


def key_models(name: str) -> list[type[models.Model]] | None:
    """The models whose keys may stand under a name; none for a plain one, None where nobody has said."""
    if "-" in name and name not in PLAIN:
        name = "n" if name.startswith("n-") else name.rpartition("-")[2]  # a count per link, or a row of a formset
    if name in KEYS:
        return [apps.get_model(KEYS[name])]
    found = {
        pointer.related_model
        for model in models_of_rooms()
        for pointer in [*pointers(model), *model._meta.many_to_many]
        if pointer.name == name and pointer.related_model._meta.app_label in ROOMS
    }
    if found:
        return sorted(found, key=lambda model: model._meta.label)
    columns = {column.name for model in models_of_rooms() for column in model._meta.fields}
    is_plain = name in PLAIN or name in columns or name.rpartition("_")[0] in columns  # the halves of a moment
    return [] if is_plain else None


@dataclass
class Watched:
    """The names that a request looked for."""

    names: set[str] = field(default_factory=set)


@contextmanager
def watching(monkeypatch: Any) -> Iterator[Watched]:
    """Write down every name that is looked for in a query or a form."""
    watched = Watched()
    with monkeypatch.context() as patch:
        for verb in ("get", "getlist", "__getitem__", "__contains__"):
            patch.setattr(QueryDict, verb, _noting(watched, getattr(QueryDict, verb)), raising=False)
        yield watched


def _noting(watched: Watched, really: Any) -> Any:
    def look(self: Any, key: Any, *rest: Any) -> Any:
        watched.names.add(str(key))
        return really(self, key, *rest)

    return look


def forms_of(response: Any) -> list[forms.BaseForm]:
    """Every form that a page was made with."""
    found: list[forms.BaseForm] = []
    for layer in response.context or []:
        for values in getattr(layer, "dicts", [layer]):
            for value in values.values():
                value = getattr(value, "form", value)
                if isinstance(value, forms.BaseForm) and value not in found:
                    found.append(value)
    return found


def rows_offered(response: Any, theirs: Possessions) -> list[str]:
    """Fields that would take a foreign row."""
    offered = []
    for form in forms_of(response):
        for name, choice in form.fields.items():
            model = getattr(getattr(choice, "queryset", None), "model", None)
            row = theirs.rows.get(model) if model else None
            if model is getattr(getattr(form, "_meta", None), "model", None):
                continue  # the key of a formset's row, which the formset itself looks for among its own
            if row is not None and choice.queryset.filter(pk=row.pk).exists():  # type: ignore[attr-defined]
                offered.append(f"{type(form).__name__}.{name}")
    return offered


def crossings(theirs: Possessions) -> set[str]:
    """Foreign keys and many-to-many rows that lead from somebody else's row to one of theirs."""
    found = set()
    for model in models_of_rooms():
        own = theirs.rows.get(model)
        for pointer in [*pointers(model), *model._meta.many_to_many]:
            target = theirs.rows.get(pointer.related_model)
            if target is None:
                continue
            rows = model._base_manager.filter(**{pointer.name: target.pk}).exclude(pk=own.pk if own else None)
            if rows.exists():
                found.add(f"{model._meta.label}.{pointer.name}")
    return found


@dataclass
class Walk:
    """One person's walk over every form; ``found`` says what they should not have got."""

    client: Client
    ours: Possessions
    theirs: Possessions
    monkeypatch: Any
    found: list[str] = field(default_factory=list)
    unexplained: set[str] = field(default_factory=set)
    #: ``route name`` of every key that was tried.
    tried: set[str] = field(default_factory=set)
    #: The fields that each page's forms have.
    editable: dict[str, set[str]] = field(default_factory=dict)
    #: Doors that wrote something when all that they were given was our own.
    opened: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._before = crossings(self.theirs)
        self._theirs_before = self.theirs.snapshot()

    def over(self, walked: Iterable[Route], query: str = "") -> Walk:
        """Several doors."""
        for route in walked:
            self.through(route, query)
        return self

    def through(self, route: Route, query: str = "") -> None:
        """One door: what it reads, and each of it foreign."""
        address = route.address(lambda name, model: self.ours.rows[model].pk) + query
        shown = self._ask("get", address)
        self._look_at(route, shown)
        self.editable[route.name] = {name for form in forms_of(shown) for name in form.fields}
        names, own = self._names_read(address, self._filled(shown))
        if names is None:
            return
        for name in sorted(names):
            of = key_models(name)
            if of is None:
                self.unexplained.add(f"{name} ({route.pattern})")
            for model in of or []:
                if model in self.theirs.rows:
                    self.tried.add(f"{route.name} {name}")
                    self._try(route, address, own, name, self.theirs.rows[model].pk)

    def _names_read(self, address: str, filled: dict[str, Any]) -> tuple[set[str] | None, dict[str, Any]]:
        """What a door looks for, when it is given what it looked for before; None where it takes no post."""
        names: set[str] = set()
        own: dict[str, Any] = {}
        for _round in range(3):
            with watching(self.monkeypatch) as watched:
                response = self._ask("post", address, own)
            if response.status_code in {405, 403, 404}:
                return None, {}
            new = watched.names - names
            if not new:
                break
            names |= new
            own = {name: filled.get(name, self._own_value(name)) for name in names}
            own = {name: value for name, value in own.items() if value not in (None, "")}
        return names, own

    def _try(self, route: Route, address: str, own: dict[str, Any], name: str, key: Any) -> None:
        where = f"{route.pattern} {name}={key}"
        asked = f"{address}{'&' if '?' in address else '?'}{name}={key}"
        written = Written()
        with transaction.atomic():
            with connection.execute_wrapper(written):
                response = _read(self.client.post(asked, {**own, name: key}))
            if written.labels:
                self._compare(where)
            transaction.set_rollback(True)
        if response.status_code >= 500:
            self.found.append(f"{where}: {response.status_code} {response.exc_info[1]!r}")
        leaked = [trace for trace in traces(text_of(response), self.theirs) if trace != str(key)]
        if leaked:
            self.found.append(f"{where}: shows {leaked}")
        self._look_at(route, response)

    def _compare(self, where: str) -> None:
        crossed = crossings(self.theirs) - self._before
        if crossed:
            self.found.append(f"{where}: {sorted(crossed)} leads to them")
        if self.theirs.snapshot() != self._theirs_before:
            self.found.append(f"{where}: changed a row of theirs")

    def _look_at(self, route: Route, response: Any) -> None:
        offered = rows_offered(response, self.theirs)
        if offered:
            self.found.append(f"{route.pattern}: offers rows of theirs in {offered}")

    def _ask(self, method: str, address: str, body: Any = None) -> Any:
        written = Written()
        with transaction.atomic():
            with connection.execute_wrapper(written):
                response = _read(getattr(self.client, method)(address, body or {}))
            transaction.set_rollback(True)
        if method == "post" and written.labels and response.status_code < 400:
            self.opened.add(address.partition("?")[0])
        return response

    def _filled(self, shown: Any) -> dict[str, Any]:
        """What the page's forms hold already."""
        values: dict[str, Any] = {}
        for form in forms_of(shown):
            for bound in form:
                value = bound.value()
                values[bound.html_name] = value() if callable(value) else value
                if value in (None, "") and isinstance(bound.field, forms.ChoiceField):
                    choices = [key for key, _label in bound.field.choices if key not in (None, "")]
                    values[bound.html_name] = str(choices[0]) if choices else ""
        return {name: value for name, value in values.items() if value not in (None, "")}

    def _own_value(self, name: str) -> Any:
        """Something that a field of this name may take."""
        of = key_models(name)
        if of:
            row = self.ours.rows.get(of[0])
            return row.pk if row is not None else None
        return {
            "name": "Changed", "sku": "CHANGED-1", "price": "1.00", "stock": "1", "position": "1", "minutes": "3",
            "username": STRANGER, "post": "yes", "headline": "New", "effect": "hide",
            "url": "https://shop.example/hook", "currency": "EUR", "role": "viewer", "scope": "read",
            "status": "draft",
        }.get(name)  # fmt: skip


def _read(response: Any) -> Any:
    """Read a stream to its end, which closes its file."""
    response.whole = b"".join(response.streaming_content) if response.streaming else response.content
    return response
