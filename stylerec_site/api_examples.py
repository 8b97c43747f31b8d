"""One worked example for each request that carries JSON, and for the answers that are asked for most."""

from __future__ import annotations

from typing import Any

_PRODUCT = {
    "sku": "VA-001",
    "name": "Tall vase",
    "name_zh": "高花瓶",
    "price": "45.00",
    "stock": 5,
    "category": "vases",
}

#: By operation. Those that stand with their view are not repeated here.
REQUESTS: dict[str, Any] = {
    "categories_create": {"slug": "vases", "name": "Vases", "name_zh": "花瓶"},
    "categories_partial_update": {"position": 2},
    "creative_sets_create": {"products": ["VA-001"], "style": "ink-drawing", "brief": {"headline": "New: tall vases"}},
    "creative_sets_again_create": {"creatives": [12]},
    "creatives_impressions_create": {"days": [{"code": "k3v9xq2m", "day": "2026-11-24", "impressions": 1200}]},
    "experiments_create": {
        "name": "Personal or popular?",
        "subject": "strategy",
        "variants": [{"value": "popular", "share": 0.5}, {"value": "personal", "share": 0.5}],
        "metric": "clicked",
        "uplift": 0.2,
        "guardrails": {"bought": 0.1},
    },
    "experiments_roll_out_create": {"variant": 8},
    "products_create": _PRODUCT,
    "products_partial_update": {"price": "42.00", "status": "published"},
    "shelf_consent_update": {"visitor": "8c1f0f52c9a84e6d9c3b7a1e5d2f4b60", "granted": True},
    "shelf_events_create": {
        "visitor": "8c1f0f52c9a84e6d9c3b7a1e5d2f4b60",
        "events": [{"id": "5b0f7a53-6d3c-4f3c-9f0e-1c5b2f5c8f11", "kind": "click", "product": "VA-001"}],
    },
    "shoppers_update": {"personalisation": True},
    "styled_images_publish_create": {"accept_flagged": False},
    "styled_images_regenerate_create": {"strength": 0.7, "keep_product": True},
    "styled_images_reject_create": {"reason": "The handle is gone."},
    "styled_images_review_create": {"action": "approve", "ids": [31, 32, 33]},
    "styled_images_undo_create": {"batch": "2f1f3c1e-8b61-4f0b-9a2e-0a4f8a0f9d11"},
    "styles_create": {"name": "Ink drawing", "name_zh": "水墨", "description": "Black ink on paper"},
    "styles_partial_update": {"name": "Ink wash"},
    "stylisations_create": {"style": "ink-drawing", "products": [7, 8], "options": {"strength": 0.8}},
    "style_models_train_further_create": {"steps": 350},
    "training_runs_create": {"style": "ink-drawing", "preset": "draft", "source_category": "vases"},
    "webhook_endpoints_partial_update": {"is_active": True},
}

#: By operation and status.
ANSWERS: dict[tuple[str, str], Any] = {
    ("recommendations_retrieve", "200"): {
        "slate": "c5d8c1f4-51a4-4b55-9d3a-6f0a2b0a7e21",
        "slot": "home",
        "personal": True,
        "items": [
            {
                "sku": "VA-001",
                "name": "Tall vase",
                "price": "45.00",
                "image": "https://stylerec.example/media/renderings/1/ab/cd.jpg",
                "style": "ink-drawing",
                "rendering": 31,
                "score": 1.24173,
                "reason_code": "because-you-viewed",
                "reason": "Because you looked at “Round vase”",
            }
        ],
    },
    ("recommendations_email_retrieve", "200"): {
        "slate": "c5d8c1f4-51a4-4b55-9d3a-6f0a2b0a7e21",
        "personal": True,
        "html": '<table role="presentation">…</table>',
        "text": "Tall vase · €45\nBecause you looked at “Round vase”\nhttps://shop.example/p/VA-001",
    },
    ("jobs_retrieve", "200"): {
        "id": "7e0f2a52-2f6d-4a86-9a55-3f2d8e6b1c90",
        "kind": "styling.train",
        "status": "running",
        "fraction": 0.42,
        "progress_done": 420,
        "progress_total": 1000,
        "progress_message": "Step 420 of 1,000",
        "eta_seconds": 61.5,
        "attempt": 1,
        "error": None,
        "result": {},
        "created_at": "2026-11-24T09:00:00Z",
        "started_at": "2026-11-24T09:00:02Z",
        "finished_at": None,
    },
    ("products_bulk_create", "200"): {
        "created": 1,
        "changed": 0,
        "refused": 1,
        "results": [
            {
                "index": 0,
                "sku": "VA-001",
                "outcome": "created",
                "id": 7,
                "code": "",
                "message": "",
                "details": {},
            },
            {
                "index": 1,
                "sku": "MU-002",
                "outcome": "refused",
                "id": None,
                "code": "invalid",
                "message": "Some fields are not right.",
                "details": {"price": ["A valid number is required."]},
            },
        ],
    },
}
