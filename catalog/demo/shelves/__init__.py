"""The six shelves of the shop."""

from __future__ import annotations

from catalog.demo.shelves.bowls import BOWLS
from catalog.demo.shelves.glassware import GLASSWARE
from catalog.demo.shelves.lamps import LAMPS
from catalog.demo.shelves.mugs import MUGS
from catalog.demo.shelves.teapots import TEAPOTS
from catalog.demo.shelves.vases import VASES

SHELVES = (VASES, MUGS, BOWLS, TEAPOTS, GLASSWARE, LAMPS)
