"""Table lamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from catalog.demo import brushwork, sets, shapes
from catalog.demo.backdrops import Backdrop
from catalog.demo.curves import Points
from catalog.demo.glazes import Glaze
from catalog.demo.products import Piece, Shelf
from catalog.demo.solids import Wall
from catalog.demo.studio import StillLife


def _lamp(
    base: Points,
    glaze: Glaze,
    backdrop: Backdrop,
    *,
    shade: Sequence[float] = (0.76, 1.26, 0.5, 0.32),
    fabric: Glaze = sets.LINEN_SHADE,
) -> StillLife:
    """A lamp, lit: ``shade`` is its lower and upper height, its lower and upper radius."""
    low, high, bottom, top = shade
    walls = (Wall(base), *shapes.shade_of_lamp(low, high, bottom, top))
    bulb = ((low + high) / 2, "#ffb56b")
    return StillLife(walls, [glaze, fabric, sets.BRASS], backdrop, elevation=8, fill=0.78, lamp=bulb)


LAMPS = Shelf(
    "lamps",
    "Lamps",
    "灯具",
    "LA",
    (
        Piece(
            "Ginger Jar lamp",
            "将军罐台灯",
            "165.00",
            "A cobalt ginger jar turned into light, under a linen shade. Reading made blue.",
            "钴蓝将军罐化作一盏灯，上覆亚麻灯罩。让阅读也染上一点蓝。",
            _lamp(shapes.LAMP_GINGER, sets.COBALT, sets.DUSK),
            sets.WARM,
        ),
        Piece(
            "Globe lamp",
            "圆球台灯",
            "142.00",
            "A perfect globe in oatmeal stoneware. It looks like the moon's less serious brother.",
            "燕麦色陶土圆球，像月亮那位不太严肃的弟弟。",
            _lamp(shapes.LAMP_GLOBE, replace(sets.OATMEAL, breaking=None), sets.STONE, shade=(0.74, 1.2, 0.46, 0.46)),
            sets.DUSK,
        ),
        Piece(
            "Column lamp",
            "圆柱台灯",
            "118.00",
            "Slim matte black with a drum shade. Fits where nothing else does.",
            "纤细哑黑灯柱，鼓形灯罩。别的灯放不下的地方，它刚好。",
            _lamp(shapes.LAMP_COLUMN, sets.MATTE_BLACK, sets.TERRACOTTA, shade=(0.74, 1.14, 0.42, 0.42)),
            sets.DUSK,
        ),
        Piece(
            "Pebble lamp",
            "卵石台灯",
            "96.00",
            "Low and river-smooth, celadon over grey clay. A night light for grown-ups.",
            "低矮而光滑，如河中卵石，青釉覆灰胎。给大人的小夜灯。",
            _lamp(
                shapes.LAMP_PEBBLE, replace(sets.CELADON, breaking=None), sets.DEEP_GREEN, shade=(0.52, 0.98, 0.52, 0.3)
            ),
            sets.OAK,
        ),
        Piece(
            "Double Gourd lamp",
            "葫芦台灯",
            "158.00",
            "Oxblood red in a lucky shape; the shade is pleated silk. For the end of the hallway.",
            "郎红葫芦，寓意吉祥，配丝质灯罩。宜置于走廊尽头。",
            _lamp(shapes.LAMP_GOURD, replace(sets.OXBLOOD, breaking=None), sets.DUSK, shade=(0.78, 1.24, 0.46, 0.26)),
            sets.WARM,
        ),
        Piece(
            "Blossom lamp",
            "梅花台灯",
            "176.00",
            "Plum branches climb a white porcelain jar towards the light.",
            "梅枝攀着白瓷罐，向光而去。",
            _lamp(
                shapes.LAMP_GINGER,
                replace(sets.PORCELAIN, motif=brushwork.blossom, motif_colour="#2b4a95"),
                sets.INK_BLUE,
                shade=(0.76, 1.2, 0.48, 0.36),
            ),
            sets.BLUSH,
        ),
        Piece(
            "Ember lamp",
            "余烬台灯",
            "134.00",
            "Raw terracotta under a rust shade: the last of the fire, kept.",
            "赤陶素胎，锈红灯罩：留住最后一点炉火。",
            _lamp(
                shapes.LAMP_GLOBE,
                sets.CLAY,
                sets.CHARCOAL,
                shade=(0.74, 1.22, 0.54, 0.3),
                fabric=Glaze("#e8a06a", gloss=0.05, glow=0.85),
            ),
            sets.OCHRE,
        ),
        Piece(
            "Lagoon lamp",
            "潟湖台灯",
            "149.00",
            "Chun blue drifting to violet, a wide cream shade. It makes a corner feel like late summer.",
            "钧釉由蓝入紫，宽大的米色灯罩。让角落像夏末。",
            _lamp(shapes.LAMP_GOURD, replace(sets.CHUN, breaking=None), sets.OCHRE, shade=(0.78, 1.2, 0.52, 0.4)),
            sets.DUSK,
        ),
    ),
)
