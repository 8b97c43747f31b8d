"""Bowls and plates."""

from __future__ import annotations

from dataclasses import replace

from catalog.demo import brushwork, sets, shapes
from catalog.demo.glazes import Glaze
from catalog.demo.products import Piece, Shelf
from catalog.demo.solids import Wall
from catalog.demo.studio import StillLife

BOWLS = Shelf(
    "bowls",
    "Bowls & plates",
    "碗与盘",
    "BO",
    (
        Piece(
            "Everyday rice bowl",
            "日常饭碗",
            "22.00",
            "Oatmeal stoneware with iron freckles, light enough to lift to your lips. Stacks, microwaves, lasts.",
            "燕麦色陶碗，点点铁斑，轻可举箸。可叠放，可微波，经年耐用。",
            StillLife([Wall(shapes.BOWL_RICE)], [sets.OATMEAL], sets.LINEN, elevation=26),
            sets.OAK,
        ),
        Piece(
            "Lake serving bowl",
            "湖面大碗",
            "74.00",
            "Wide and low, reactive blue running into green. Salad, oranges, or nothing at all.",
            "宽而浅，窑变蓝绿相融。盛沙拉、盛橙子，或只是空着。",
            StillLife(
                [Wall(shapes.BOWL_WIDE)],
                [
                    Glaze(
                        "#2e7f8f",
                        mottled="#1d4c78",
                        mottling=0.9,
                        breaking="#c9a878",
                        pooling="#123f66",
                        gloss=0.95,
                        mottle_scale=3,
                        bare_foot="#a98863",
                    )
                ],
                sets.WHITE,
                elevation=30,
            ),
            sets.WALNUT,
        ),
        Piece(
            "Hare's Fur tea bowl",
            "兔毫建盏",
            "128.00",
            "The bowl of Song-dynasty tea contests: black glaze streaked like a hare's coat, best seen under foam.",
            "宋人斗茶之盏：黑釉细纹如兔毫，宜映白沫。",
            StillLife([Wall(shapes.BOWL_TEA)], [sets.TENMOKU], sets.STONE, elevation=26),
            sets.OCHRE,
        ),
        Piece(
            "Seigaiha ramen bowl",
            "青海波拉面碗",
            "36.00",
            "Overlapping waves, a very old wish for calm seas, around a bowl deep enough for a storm of noodles.",
            "青海波纹层层相叠，是祈愿风平浪静的古老图案。碗深，足以盛下一场面条的风浪。",
            StillLife(
                [Wall(shapes.BOWL_RAMEN)],
                [replace(sets.PORCELAIN, motif=brushwork.waves, motif_colour="#26509c", breaking="#26509c")],
                sets.COOL,
                elevation=22,
            ),
            sets.OAK,
        ),
        Piece(
            "Twin Carp plate",
            "双鲤盘",
            "58.00",
            "Two carp turn around each other in cobalt. A plate for the middle of the table.",
            "青花双鲤首尾相逐。为餐桌中央而作。",
            StillLife(
                [Wall(shapes.PLATE)],
                [replace(sets.PORCELAIN, motif=brushwork.carp, motif_flat=True, motif_colour="#23438f")],
                sets.OAK,
                elevation=56,
                fill=0.8,
            ),
            sets.SKY,
        ),
        Piece(
            "Enso coupe plate",
            "圆相浅盘",
            "34.00",
            "One breath, one brushstroke, one circle on matte chalk. Food looks better inside it.",
            "一息一笔一圆相，落在哑光白底上。食物放在圆中，格外好看。",
            StillLife(
                [Wall(shapes.COUPE)],
                [replace(sets.CHALK, motif=brushwork.enso, motif_flat=True, motif_colour="#2b2a2c", gloss=0.4)],
                sets.WALNUT,
                elevation=54,
                fill=0.8,
            ),
            sets.GREY_LINEN,
        ),
        Piece(
            "Fern dinner plate",
            "蕨叶餐盘",
            "32.00",
            "Fern leaves pressed and painted in forest green, edge left raw. Sold singly, collected in sixes.",
            "森林绿绘蕨叶，盘边留素。单只出售，总是凑成六只。",
            StillLife(
                [Wall(shapes.COUPE)],
                [
                    Glaze(
                        "#efe9da",
                        motif=brushwork.fern,
                        motif_flat=True,
                        motif_colour="#2f5b3f",
                        gloss=0.8,
                        breaking="#a9794e",
                        speckles="#8d7a60",
                        speckling=0.4,
                    )
                ],
                sets.LINEN,
                elevation=54,
                fill=0.8,
            ),
            sets.BLUSH,
        ),
        Piece(
            "Persimmon bowl",
            "柿红钵",
            "44.00",
            "Iron-saturate red outside, pale cream within: a fruit cut open.",
            "外施柿红铁釉，内里奶白，像一枚切开的柿子。",
            StillLife(
                [Wall(shapes.BOWL_RICE)],
                [
                    Glaze(
                        "#b5482a",
                        mottled="#8c2f1c",
                        inside="#f1e4cb",
                        breaking="#5a2a1a",
                        gloss=0.92,
                        bare_foot="#7d5a42",
                    )
                ],
                sets.SAGE,
                elevation=28,
            ),
            sets.WHITE,
        ),
    ),
)
