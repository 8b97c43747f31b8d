"""A part of a page that is kept is drawn once for the same values, and knows nothing else of the page."""

from __future__ import annotations

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation
from django.utils.safestring import mark_safe

from recommend.templatetags import frame
from recommend.templatetags.frame import KeptNode


def drawn(template: Template, **values: object) -> str:
    return template.render(Context(values))


def test_nothing_of_the_page_gets_in_but_what_is_named():
    template = Template(
        "{% load frame %}{% kept name=shop.name %}[{{ name }}|{{ shopper }}|{{ shop.name }}]{% endkept %}"
    )
    assert drawn(template, shop={"name": "Kiln"}, shopper="Ada") == "[Kiln||]"


def test_the_same_values_are_drawn_once_and_others_anew(monkeypatch):
    template = Template("{% load frame i18n %}{% kept n=n %}{% translate 'Bag' %}{{ n }}{% endkept %}")
    (node,) = template.nodelist.get_nodes_by_type(KeptNode)
    first = drawn(template, n=1)
    assert (drawn(template, n=1), drawn(template, n=2), len(node._drawn)) == (first, "Bag2", 2)
    with translation.override("zh-hans"):
        drawn(template, n=1)
    assert len(node._drawn) == 3, "another language is another drawing"
    monkeypatch.setattr(frame, "MOST_KEPT", 3)
    drawn(template, n=3)
    assert len(node._drawn) == 1


def test_a_safe_text_does_not_stand_in_for_an_equal_one_that_is_not():
    template = Template("{% load frame %}{% kept text=text %}{{ text }}{% endkept %}")
    assert drawn(template, text=mark_safe("<b>")) == "<b>"
    assert drawn(template, text="<b>") == "&lt;b&gt;"
    assert drawn(template, text=mark_safe("<b>")) == "<b>"


def test_a_value_without_a_name_is_refused():
    with pytest.raises(TemplateSyntaxError):
        Template("{% load frame %}{% kept shop %}{% endkept %}")
