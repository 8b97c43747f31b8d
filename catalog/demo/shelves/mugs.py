"""Mugs and cups."""

from __future__ import annotations

from dataclasses import replace

from catalog.demo import brushwork, sets, shapes
from catalog.demo.glazes import Glaze
from catalog.demo.products import Piece, Shelf
from catalog.demo.solids import Wall
from catalog.demo.studio import StillLife

MUGS = Shelf(
    "mugs",
    "Mugs & cups",
    "马克杯与茶杯",
    "MU",
    (
        Piece(
            "Shoreline mug",
            "海岸线马克杯",
            "28.00",
            "Dipped twice, cobalt over cream, so that every mug has a coast of its own. Holds 350 ml.",
            "先奶白、后钴蓝，两次浸釉，每只杯子都有自己的海岸线。容量 350 毫升。",
            StillLife(
                [Wall(shapes.MUG_STRAIGHT)],
                [replace(sets.COBALT, dip="#ece4d2", dip_height=0.58, inside="#efe8d8", breaking="#9a7a58")],
                sets.OAK,
                rods=(shapes.ear(0.3, 0.5),),
                elevation=20,
            ),
            sets.WARM,
        ),
        Piece(
            "Oatmeal mug",
            "燕麦马克杯",
            "26.00",
            "Speckled stoneware, a round belly to warm both hands, an iron rim. The one you will reach for.",
            "斑点陶土，圆腹暖手，铁锈色口沿。你每天都会先拿起它。",
            StillLife(
                [Wall(shapes.MUG_ROUND)], [sets.OATMEAL], sets.LINEN, rods=(shapes.ear(0.36, 0.46),), elevation=20
            ),
            sets.SAGE,
        ),
        Piece(
            "Tenmoku espresso cup",
            "天目浓缩杯",
            "34.00",
            "Deep brown-black breaking to amber at the lip, with a saucer to match. 90 ml of night.",
            "深褐近黑，口沿流金，配同釉小碟。一杯九十毫升的夜色。",
            StillLife(
                [
                    Wall(shapes.SAUCER),
                    Wall(tuple((r, z + 0.04) for r, z in shapes.ESPRESSO)),
                ],
                [replace(sets.TENMOKU, bare_foot=None)],
                sets.WARM,
                rods=(shapes.ear(0.24, 0.36, size=0.62, low=0.17),),
                elevation=26,
            ),
            sets.WALNUT,
        ),
        Piece(
            "Bamboo yunomi",
            "竹影汤吞",
            "38.00",
            "A tall Japanese tea cup without a handle: when you can hold it, the tea is ready to drink.",
            "无把日式茶杯：能握住的时候，茶正好入口。竹叶以青花写就。",
            StillLife(
                [Wall(shapes.YUNOMI)],
                [replace(sets.PORCELAIN, motif=brushwork.bamboo, motif_colour="#31506e")],
                sets.SAGE,
                elevation=18,
            ),
            sets.OAK,
        ),
        Piece(
            "Tulip mug",
            "郁金香马克杯",
            "32.00",
            "A flared lip and a small foot in rose glaze. Made for hot chocolate and slow Sundays.",
            "敞口小足，玫瑰粉釉。为热可可和慢悠悠的星期天而做。",
            StillLife(
                [Wall(shapes.MUG_TULIP)],
                [Glaze("#dba3a0", mottled="#cf8a8b", breaking="#f2e3d8", pooling="#c47d80", gloss=0.9)],
                sets.COOL,
                rods=(shapes.ear(0.3, 0.45, size=0.9),),
                elevation=20,
            ),
            sets.BLUSH,
        ),
        Piece(
            "Finger Dot cup",
            "指点杯",
            "24.00",
            "Six rows of dots, each set with a fingertip dipped in slip. They are not straight, and that is the point.",
            "六行圆点，皆以指尖蘸泥浆点成。并不整齐，妙处正在于此。",
            StillLife(
                [Wall(shapes.MUG_TAPER)],
                [Glaze("#2f6f73", gloss=0.88, motif=brushwork.dots, motif_colour="#f0e6d2", inside="#f0e8d8")],
                sets.OCHRE,
                elevation=20,
            ),
            sets.WHITE,
        ),
        Piece(
            "Lighthouse tall mug",
            "灯塔高杯",
            "30.00",
            "Red bands on chalk white, tall as a good morning. The handle takes four fingers.",
            "粉白杯身，朱红环带，高挑如一个好早晨。杯把容得下四根手指。",
            StillLife(
                [Wall(shapes.MUG_TALL)],
                [replace(sets.CHALK, gloss=0.7, bands=((0.2, 0.36, "#b9372b"), (0.56, 0.72, "#b9372b")))],
                sets.SKY,
                rods=(shapes.ear(0.25, 0.62, low=0.22),),
                elevation=18,
            ),
            sets.GREY_LINEN,
        ),
        Piece(
            "Shino tea cup",
            "志野茶杯",
            "46.00",
            "Thick white feldspar glaze scorched orange by the flame. A cup that asks for both hands.",
            "厚厚的长石白釉，被火焰灼成橙红。请用双手捧起。",
            StillLife([Wall(shapes.BOWL_TEA)], [replace(sets.SHINO, breaking="#c9703e")], sets.WALNUT, elevation=22),
            sets.STONE,
        ),
    ),
)
