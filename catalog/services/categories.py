"""Categories: the shelves of a shop. Products are found under their shelf's names too."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from catalog import audit
from catalog.access import require_role
from catalog.models import Category, Membership, Merchant, Product
from catalog.services.products import search_text_of

FIELDS = ("name", "name_zh", "slug", "position")


def save_category(*, category: Category, by: Any) -> Category:
    """Create or change a category; its products are then found under the new names."""
    require_role(by, category.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        before = Category.objects.filter(pk=category.pk).values(*FIELDS).first() or {}
        if not category.slug:
            category.slug = free_slug(category.merchant, category.name or category.name_zh)
        category.save()
        after = {name: getattr(category, name) for name in FIELDS}
        if before != after:
            audit.record(
                merchant=category.merchant,
                actor=by,
                action="category-changed" if before else "category-created",
                target=category,
                before=before,
                after=after,
            )
        if before:
            _refresh_search(category)
    return category


def delete_category(*, category: Category, by: Any) -> None:
    """Remove a shelf; its products stay, on no shelf."""
    require_role(by, category.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        products = list(category.products.values_list("pk", flat=True))
        before = {name: getattr(category, name) for name in FIELDS} | {"products": products}
        audit.record(merchant=category.merchant, actor=by, action="category-deleted", target=category, before=before)
        category.delete()
        _refresh(Product.objects.filter(pk__in=products))


class Shelves:
    """A shop's categories by whatever names them in a table: their name in either language, or their address."""

    def __init__(self, merchant: Merchant) -> None:
        self._merchant = merchant
        self._known: dict[str, Category] = {}
        for category in Category.objects.filter(merchant=merchant):
            self._remember(category)

    def find(self, text: str) -> Category | None:
        """The category that ``text`` names, if there is one."""
        return self._known.get(text.casefold()) or self._known.get(slug_of(text))

    def find_or_make(self, text: str) -> Category:
        """The category that ``text`` names, made where it is missing."""
        found = self.find(text)
        if found is None:
            position = Category.objects.filter(merchant=self._merchant).count()
            found, _created = Category.objects.get_or_create(
                merchant=self._merchant, slug=slug_of(text), defaults={"name": text[:120], "position": position}
            )
            self._remember(found)
        return found

    def _remember(self, category: Category) -> None:
        for name in filter(None, (category.slug, category.name.casefold(), category.name_zh.casefold())):
            self._known.setdefault(name, category)


def slug_of(name: str) -> str:
    """The address that a category of this name gets first."""
    return slugify(name, allow_unicode=True)[:110] or "category"


def free_slug(merchant: Merchant, name: str) -> str:
    """An address for a category of this name that no other of the shop has."""
    base = slug_of(name)
    taken = set(Category.objects.filter(merchant=merchant, slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (base, *numbered) if slug not in taken)


def _refresh_search(category: Category) -> None:
    _refresh(category.products.all())


def _refresh(products: Any) -> None:
    rows = list(products.select_related("category"))
    for product in rows:
        product.search_text = search_text_of(product)
    Product.objects.bulk_update(rows, ["search_text"], batch_size=500)
