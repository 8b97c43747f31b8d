"""Search that knows Chinese: neither SQLite's FTS5 nor PostgreSQL's `simple` split it into words.

A product's searchable text is one column of tokens between spaces: Latin words in lower case, and for Chinese every
character and every pair of neighbours. A query becomes the same tokens; all of them must occur.

Each engine's own inverted index over that column answers (migration 0008): FTS5 in SQLite, which triggers keep in step with
the table, and GIN in PostgreSQL. Both take the tokens as they stand here and split nothing themselves.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db.models import BooleanField, F, Func, Q

_CHINESE = "\u3400-\u9fff\uf900-\ufaff"
#: Chinese and the rest part even where no space does: “LED灯” is a lamp.
_RUN = re.compile(rf"[{_CHINESE}]+|[^\W_{_CHINESE}]+")
_CJK = re.compile(rf"[{_CHINESE}]")
MAX_QUERY_TOKENS = 12
#: Characters of a token that count. No word is longer, and an index takes no entry of any length.
LONGEST_TOKEN = 100
#: Of a row's tokens in UTF-8, with the spaces. PostgreSQL takes no row of more than 1 MiB into its index, nor at all.
MOST_BYTES = 512 * 1024
#: Stands before the number of a product's shop among its tokens in FTS5. No token begins with it.
SHOP_MARK = "§"


def tokens_of(text: str) -> list[str]:
    """Tokens in order of appearance, without repetition."""
    found: dict[str, None] = {}
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if _CJK.match(run):
            found.update(dict.fromkeys(run))
            found.update(dict.fromkeys(run[i : i + 2] for i in range(len(run) - 1)))
        else:
            found[run[:LONGEST_TOKEN]] = None
    return list(found)


def searchable(*texts: str) -> str:
    """The value of a ``search_text`` column for a row with these texts: their first ``MOST_BYTES`` of tokens."""
    tokens = tokens_of(" ".join(filter(None, texts)))
    text = f" {' '.join(tokens)} " if tokens else ""
    if len(text) * 4 <= MOST_BYTES:  # so no counting is needed for nearly all
        return text
    encoded = text.encode()
    return text if len(encoded) <= MOST_BYTES else encoded[: encoded.rindex(b" ", 0, MOST_BYTES) + 1].decode()


def matches(query: str, *, shop: int | None = None) -> Q:
    """A filter for products that hold every token of ``query``; a Latin token also matches the beginning of a word.

    ``shop``: the id of the merchant whose products are asked for. It changes nothing that is found (the queryset says whose
    they are), but spares a shop the other shops' words.
    """
    tokens = _query_tokens(query)
    return Q(_Holds(tokens, shop)) if tokens else Q()


class _Holds(Func):
    """Whether a product's row holds all tokens, as the index of the engine at hand says."""

    output_field = BooleanField()

    def __init__(self, tokens: list[str], shop: int | None) -> None:
        super().__init__(F("pk"))
        self._tokens, self._shop = tokens, shop

    @property
    def identity(self) -> tuple[Any, ...]:
        """Also the tokens: without them, two searches would count as the same expression."""
        return (*super().identity, tuple(self._tokens), self._shop)

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, tuple[str | int, ...]]:
        key, _parameters = compiler.compile(self.source_expressions[0])
        words = [f'"{token}"' if _CJK.match(token) else f'"{token}"*' for token in self._tokens]
        if self._shop is not None:
            words.append(f'"{SHOP_MARK}{self._shop}"')
        found = "SELECT rowid FROM catalog_product_search WHERE catalog_product_search MATCH %s"
        return f"{key} IN ({found})", (" AND ".join(words),)

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, tuple[str | int, ...]]:
        key, _parameters = compiler.compile(self.source_expressions[0])
        words = [f"'{token}'" if _CJK.match(token) else f"'{token}':*" for token in self._tokens]
        found = "SELECT id FROM catalog_product WHERE search_tokens @@ %s::tsquery"
        parameters: tuple[str | int, ...] = (" & ".join(words),)
        if self._shop is not None:
            found, parameters = f"{found} AND merchant_id = %s", (*parameters, self._shop)
        # An array is found first, by the index. Else, where few are wanted in some order, the planner walks that order and
        # reads the words of every product on its way: it thinks any beginning of a word to be common.
        return f"{key} = ANY(ARRAY({found}))", parameters


def _query_tokens(query: str) -> list[str]:
    """Pairs say more than single characters: a single one counts only where it stands alone in the query."""
    tokens = tokens_of(query)
    paired = {character for token in tokens if len(token) == 2 and _CJK.match(token) for character in token}
    return [token for token in tokens if token not in paired][:MAX_QUERY_TOKENS]
