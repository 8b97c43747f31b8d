"""The shoppers' data keys in a file of their own, and back.

Kept apart from the site's archives and not for long: while such a file exists, an erasure has not reached it. The keys in
it are wrapped by the site's keys (STYLEREC_PRIVACY_KEYS), without which it opens nothing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.errors import UserError
from recommend.privacy import key_store
from recommend.services import erasures

FORMAT = 1


def backup_keys(target: Path) -> int:
    """Write all keys to ``target``, readable by this user alone; how many."""
    rows = key_store.rows()
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    content = {"format": FORMAT, "made_at": timezone.now().isoformat(), "shopper_keys": rows}
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    return len(rows)


def restore_keys(source: Path) -> dict[str, int]:
    """Add the keys that are missing here; those of shoppers who were erased since stay away."""
    try:
        content: dict[str, Any] = json.loads(source.read_text(encoding="ascii"))
        rows = [(str(name), str(wrapped), int(made)) for name, wrapped, made in content["shopper_keys"]]
        known = content["format"] <= FORMAT
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            "keys-broken", _("This is no whole backup of shoppers' keys."), _("Use another one; nothing was changed.")
        ) from error
    if not known:
        raise UserError(
            "keys-foreign",
            _("This backup of shoppers' keys is of a newer version."),
            _("Restore it with the version that it was made with."),
        )
    erased = {key_id.hex for key_id in erasures.erased_keys()}
    kept = [row for row in rows if row[0] not in erased]
    return {"added": key_store.add(kept), "erased": len(rows) - len(kept), "here": key_store.count()}
