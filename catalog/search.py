"""Search that knows Chinese: neither SQLite's FTS5 nor PostgreSQL's `simple` split it into words.

A product's searchable text is one column of tokens between spaces: Latin words in lower case, and for Chinese every
character and every pair of neighbours. A query becomes the same tokens; all of them must occur.
"""

from __future__ import annotations

import re
import unicodedata

from django.db.models import Q

_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W_]+")
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
MAX_QUERY_TOKENS = 12


def tokens_of(text: str) -> list[str]:
    """Tokens in order of appearance, without repetition."""
    found: dict[str, None] = {}
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if _CJK.match(run):
            found.update(dict.fromkeys(run))
            found.update(dict.fromkeys(run[i : i + 2] for i in range(len(run) - 1)))
        else:
            found[run] = None
    return list(found)


def searchable(*texts: str) -> str:
    """The value of a ``search_text`` column for a row with these texts."""
    tokens = tokens_of(" ".join(filter(None, texts)))
    return f" {' '.join(tokens)} " if tokens else ""


def matches(query: str, *, column: str = "search_text") -> Q:
    """A filter for rows that hold every token of ``query``; a Latin token also matches the beginning of a word."""
    condition = Q()
    for token in _query_tokens(query):
        needle = f" {token} " if _CJK.match(token) else f" {token}"
        condition &= Q(**{f"{column}__contains": needle})
    return condition


def _query_tokens(query: str) -> list[str]:
    """Pairs say more than single characters: a single one counts only where it stands alone in the query."""
    tokens = tokens_of(query)
    paired = {character for token in tokens if len(token) == 2 and _CJK.match(token) for character in token}
    return [token for token in tokens if token not in paired][:MAX_QUERY_TOKENS]
