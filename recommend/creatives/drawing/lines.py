"""Where a line of text may end, by the rules of its script.

Latin, Arabic, Hebrew: at spaces, and after hyphens and slashes. Chinese, Japanese: between any two characters, but no
line begins with closing punctuation or ends with opening punctuation (GB/T 15834, JIS X 4051), and words and numbers
inside Chinese text stay whole.
"""

from __future__ import annotations

import unicodedata

#: Characters that no line begins with, and that no line ends with.
NEVER_FIRST = frozenset("，。！？、；：）》」』】〉〕”’…—·～％%‰℃,.!?;:)]}»›")
NEVER_LAST = frozenset("（《「『【〈〔“‘￥$¥€£#([{«‹")
_JOINER = "\u200d"
#: Characters that direct or join others without being seen; the joiners alone are kept, shaping needs them.
_KEPT_FORMAT = frozenset("\u200c\u200d")


def cleaned(text: str) -> str:
    """One line of composed, visible characters: no controls, no directional overrides, single spaces."""
    text = unicodedata.normalize("NFC", text)
    kept = [
        " " if character.isspace() else character
        for character in text
        if character.isspace()
        or character in _KEPT_FORMAT
        or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    ]
    return " ".join("".join(kept).split())


def clusters(text: str) -> list[str]:
    """The text in pieces that are never parted: a character with its marks, joined emoji, pairs of flag letters."""
    pieces: list[str] = []
    for character in text:
        previous = pieces[-1] if pieces else ""
        joins = (
            unicodedata.combining(character)
            or unicodedata.category(character) in {"Mn", "Me", "Mc"}
            or character in _KEPT_FORMAT
            or "\ufe00" <= character <= "\ufe0f"
            or "\U0001f3fb" <= character <= "\U0001f3ff"
            or (previous.endswith(_JOINER) and previous)
            or (_is_flag(character) and len(previous) == 1 and _is_flag(previous))
        )
        if joins and pieces and previous != " ":
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def is_ideograph(cluster: str) -> bool:
    """Whether lines may end on both sides of it: Han, kana, and the full-width forms that go with them."""
    code = ord(cluster[0])
    return (
        0x2E80 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFE30 <= code <= 0xFE4F
        or 0xFF00 <= code <= 0xFF60
        or 0xFFE0 <= code <= 0xFFE6
        or 0x20000 <= code <= 0x3FFFF
    )


def has_ideographs(text: str) -> bool:
    """Whether Chinese typography applies."""
    return any(is_ideograph(character) for character in text)


def units(text: str) -> list[str]:
    """The pieces between which a line may end; joined they are the text. A space belongs to the piece before it."""
    found: list[str] = []
    previous = ""
    for cluster in clusters(text):
        if previous and _may_part(previous, cluster):
            found.append(cluster)
        elif found:
            found[-1] += cluster
        else:
            found.append(cluster)
        previous = cluster
    return found


def _may_part(before: str, after: str) -> bool:
    if after == " " or after[0] in NEVER_FIRST or before[0] in NEVER_LAST:
        return False
    if before == " ":
        return True
    if before in {"-", "/", "–"}:
        return after.isalpha()
    # After closing Chinese punctuation a line may end; “—” and “…” come in pairs that stay together.
    return is_ideograph(before) or is_ideograph(after) or (before in NEVER_FIRST and is_ideograph(after))
