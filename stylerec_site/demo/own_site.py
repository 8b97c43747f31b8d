"""``make site``: the same parts without the demo shop, for a shop of one's own."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model

from stylerec_site.demo.steps import say

FIRST_ACCOUNT = "admin"


def open_site(address: str) -> None:
    """Say where to log in; a site without people gets a first account, whose password is shown this once."""
    users = get_user_model().objects
    say(f"\n  The workbench  {address}/admin/")
    if not users.exists():
        password = secrets.token_urlsafe(12)
        users.create_superuser(username=FIRST_ACCOUNT, password=password)
        say(f"                 {FIRST_ACCOUNT} / {password}   (shown this once; change it after the first log-in)")
    say(f"  The API        {address}/api/v1/docs/")
    say("\n  Log in and open your shop there. Ctrl-C closes the site; the next `make site` goes on with it.")
