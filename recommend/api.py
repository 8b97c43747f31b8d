"""Resources of this room."""

ROUTES: list[tuple[str, type, str]] = []
