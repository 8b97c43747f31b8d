"""The merchant's pages of creatives under ``/admin/creatives/``, and the public address ``/c/<code>``."""
