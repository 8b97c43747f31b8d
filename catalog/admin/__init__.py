"""The catalogue in the admin, each user's own shops alone; the pages proper are in ``catalog.views``."""

from catalog.admin import categories, merchants, people, products, records

__all__ = ["categories", "merchants", "people", "products", "records"]
