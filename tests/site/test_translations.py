"""Every string of ours has a Chinese translation that a page can really use."""

from __future__ import annotations

import ast
import re

import polib
import pytest

from stylerec_site.translations.catalogues import CHINESE, compile_catalogues
from stylerec_site.translations.extraction import KEYWORDS, messages, sources, update

PLACEHOLDER = re.compile(r"%\(\w+\)\.?\d*[sdf]|%%|\{\w+\}")


@pytest.fixture(scope="module")
def book() -> polib.POFile:
    return polib.pofile(str(CHINESE))


def test_no_string_is_missing_and_none_is_left_over(book):
    translated = {(entry.msgctxt, entry.msgid) for entry in book.translated_entries()}
    assert translated == set(messages()), "run: python -m stylerec_site.translations --update, then translate"


def test_no_string_hides_in_another_where_nothing_collects_it():
    translators = set(KEYWORDS)
    for path in sources():
        if path.suffix == ".py":
            strings = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
            calls = {
                getattr(node.func, "id", "")
                for text in strings
                for node in ast.walk(text)
                if isinstance(node, ast.Call)
            }
            assert not calls & translators, path


def test_a_translation_fills_in_what_its_original_fills_in(book):
    for entry in book:
        original = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert set(PLACEHOLDER.findall(text)) == original, entry.msgid


def test_new_strings_are_collected_from_modules_and_templates(tmp_path):
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "words.py").write_text(
        "from django.utils.translation import gettext_lazy as _, ngettext, pgettext\n"
        "A = _('A vase')\nB = pgettext('verb', 'Order')\n"
        "def c(n):\n    return ngettext('%(n)d cup', '%(n)d cups', n)\n"
    )
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        '{% load i18n %}\n<ul>\n    <li>{% translate "It\'s here" %}</li>\n  <li>"quoted"\n'
        "{% blocktranslate with name=x.name %}Hello {{ name }}{% endblocktranslate %}\n</ul>"
    )
    (tmp_path / "catalogue.po").write_text('msgid ""\nmsgstr "Language: zh_Hans\\n"\n\nmsgid "Gone"\nmsgstr "没了"\n')

    assert update(tmp_path / "catalogue.po", root=tmp_path) == (5, 1)
    found = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in polib.pofile(str(tmp_path / "catalogue.po"))}
    assert found == {
        (None, "A vase", ""),
        ("verb", "Order", ""),
        (None, "%(n)d cup", "%(n)d cups"),
        (None, "It's here", ""),
        (None, "Hello %(name)s", ""),
    }


def test_catalogues_compile_without_gettext_installed(tmp_path):
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_bytes(CHINESE.read_bytes())
    assert compile_catalogues(tmp_path) == 1
    assert compile_catalogues(tmp_path) == 0
    assert polib.mofile(str(folder / "django.mo")).find("Your data").msgstr == "您的数据"
