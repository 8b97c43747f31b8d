"""Drawing an advertising picture: product, words, price and logo on one canvas. Pillow and numpy, no Django.

Where to look: ``formats`` (sizes and safe areas), ``subject`` (where the product is), ``backdrop`` (the picture made to
fit, never through the product), ``fonts`` and ``typesetting`` (text in Latin, Chinese, Arabic and Hebrew), ``colour``
(contrast), ``layouts`` (the three templates), ``creative`` (all of it together).
"""
