"""All subjects of reference pictures, nothing that the shop sells among them; one kind after another."""

from __future__ import annotations

from collections.abc import Callable

from styling.demo import creatures, places, plants
from styling.demo.outlines import Motif, Random

SUBJECTS: tuple[Callable[[Random], Motif], ...] = (
    plants.apple,
    creatures.fish,
    places.house,
    plants.leaf_spray,
    plants.pear,
    creatures.bird,
    places.mountain,
    plants.lemon,
    plants.mushroom,
    plants.tree,
    plants.cherries,
    places.boat,
    plants.flower,
    plants.pumpkin,
    creatures.butterfly,
    plants.cactus,
    creatures.shell,
)
