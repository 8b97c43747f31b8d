"""``manage.py create_api_token``: a token for the API, printed this once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from catalog.models import ApiToken, Merchant
from catalog.tokens import create_token
from jobs.errors import UserError


class Command(BaseCommand):
    help = "Make an API token of a user at a shop and print it. It is shown this once; only its digest is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shop", required=True, help="the shop's address, such as kiln")
        parser.add_argument("--user", required=True, help="log-in name of a member of the shop")
        parser.add_argument("--scope", choices=ApiToken.Scope.values, default=ApiToken.Scope.READ)
        parser.add_argument("--name", default="command line", help="what the token is for")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = Merchant.objects.filter(slug=options["shop"]).first()
        user = get_user_model().objects.filter(username=options["user"]).first()
        if merchant is None or user is None:
            raise CommandError(f"There is no {'shop' if merchant is None else 'user'} of this name.")
        try:
            _token, secret = create_token(merchant=merchant, user=user, name=options["name"], scope=options["scope"])
        except UserError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
