"""Blown glass."""

from __future__ import annotations

from catalog.demo import sets, shapes
from catalog.demo.glass import Glass
from catalog.demo.products import Piece, Shelf
from catalog.demo.solids import Wall
from catalog.demo.studio import StillLife

GLASSWARE = Shelf(
    "glass",
    "Blown glass",
    "吹制玻璃",
    "GL",
    (
        Piece(
            "Sea Glass bottle",
            "海玻璃瓶",
            "54.00",
            "The green of glass that the sea has kept for years. Free-blown, with a thick, calm foot.",
            "像被大海收藏多年的绿玻璃。手工吹制，厚底沉静。",
            StillLife([Wall(shapes.BOTTLE, 0.036)], [Glass("#6db59c")], sets.WARM),
            sets.COOL,
        ),
        Piece(
            "Amber carafe",
            "琥珀醒酒壶",
            "62.00",
            "Honey light for water or for wine. The waist is where your hand goes.",
            "蜜色的光，盛水盛酒皆宜。束腰处，正好一握。",
            StillLife([Wall(shapes.CARAFE, 0.034)], [Glass("#d9963c")], sets.WHITE),
            sets.BLUSH_SUN,
        ),
        Piece(
            "Low Tide decanter",
            "落潮醒酒器",
            "96.00",
            "A wide, shallow belly that lets a young wine breathe. Smoke grey, nearly clear at the neck.",
            "宽浅的瓶腹让年轻的酒呼吸。烟灰色，至颈处近乎透明。",
            StillLife([Wall(shapes.DECANTER, 0.034)], [Glass("#c4c9cc", foot="#7f8a94")], sets.BLUSH),
            sets.WHITE,
        ),
        Piece(
            "Cobalt globe vase",
            "钴蓝圆瓶",
            "78.00",
            "A deep blue fishbowl of a vase. Put it in a window and watch the wall.",
            "深蓝的圆腹花瓶。放在窗边，看看墙上的光。",
            StillLife([Wall(shapes.FISHBOWL, 0.034)], [Glass("#4a6fd0")], sets.COOL, elevation=18),
            sets.WARM,
        ),
        Piece(
            "Rose bud vase",
            "玫瑰小花瓶",
            "36.00",
            "Gold-pink glass for one stem. On a grey day it makes its own light.",
            "金红玻璃，只插一枝。阴天里，它自己会发光。",
            StillLife([Wall(shapes.GLASS_BUD, 0.034)], [Glass("#e58fa0")], sets.WHITE),
            sets.BLUSH,
        ),
        Piece(
            "Sunset flare vase",
            "落日敞口瓶",
            "88.00",
            "Violet at the foot, orange at the lip: two gathers of colour blown into one.",
            "足部紫，口沿橙：两团色料吹合为一。",
            StillLife([Wall(shapes.GLASS_FLARE, 0.034)], [Glass("#f0a45e", foot="#8a5bb8")], sets.WARM, elevation=18),
            sets.SKY,
        ),
        Piece(
            "Moss tumbler",
            "苔绿水杯",
            "18.00",
            "A heavy-bottomed tumbler with a bubble or two left in. Dishwasher-proof, toast-proof.",
            "厚底水杯，留着一两个气泡。可进洗碗机，经得起碰杯。",
            StillLife([Wall(shapes.TUMBLER, 0.034)], [Glass("#a9b95a")], sets.LINEN, elevation=22),
            sets.SAGE,
        ),
        Piece(
            "Beaded vase",
            "叠珠瓶",
            "69.00",
            "Two bubbles caught one on top of the other, in the blue-green of deep ice.",
            "两个气泡上下相叠，颜色如深处的冰。",
            StillLife([Wall(shapes.BEADED, 0.034)], [Glass("#5cb0c4")], sets.WHITE),
            sets.COOL,
        ),
    ),
)
