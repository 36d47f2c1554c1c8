"""What the model can draw: one concept per emoji, with the words that may name it.

Skin tones, clock faces and flags stay out: hundreds of pictures that differ in a detail.
A tag serves as a synonym only where it names a single concept of the preset.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.nano.packages import NAMES, TAGS, fetch, read_json

SKIN_TONES = frozenset(range(0x1F3FB, 0x1F400))
CLOCK_FACES = frozenset(range(0x1F550, 0x1F568))
# Names with a side or with lettering are wrong when mirrored.
ONE_SIDED = re.compile(
    r"\b(left|right|quarter|crescent|waning|waxing|tilted|button|post|letter|input|ABC|keycap)\b"
)

# The small preset: the emoji, the plain word where the official name is not what one says, and
# those of its tags that are synonyms (most tags are only related: "baa", "pirate", "happy").
WELL_KNOWN = {
    "🐶": "dog puppy", "🐱": "cat kitten kitty", "🦊": "fox", "🦝": "raccoon", "🦁": "lion",
    "🐯": "tiger", "🐴": "horse", "🦄": "unicorn", "🦓": "zebra", "🦌": "deer", "🐮": "cow",
    "🐷": "pig", "🐑": "sheep", "🦒": "giraffe", "🐘": "elephant", "🐭": "mouse",
    "🐰": "rabbit bunny", "🐻": "bear grizzly", "🐼": "panda", "🐨": "koala", "🐵": "monkey",
    "🐔": "chicken", "🐧": "penguin", "🦆": "duck", "🦉": "owl", "🦜": "parrot", "🐸": "frog",
    "🐢": "turtle tortoise", "🦖": "dinosaur tyrannosaurus", "🐳": "whale", "🐬": "dolphin",
    "🐠": "fish", "🦈": "shark", "🐙": "octopus", "🦀": "crab", "🦋": "butterfly",
    "🐝": "bee bumblebee", "🐞": "ladybug ladybird",
    "🍎": "apple", "🍌": "banana", "🍓": "strawberry", "🍒": "cherries cherry",
    "🍇": "grapes grape", "🍍": "pineapple", "🍋": "lemon", "🍉": "watermelon", "🍅": "tomato",
    "🥑": "avocado", "🥕": "carrot", "🍄": "mushroom toadstool", "🍞": "bread loaf",
    "🥐": "croissant", "🧀": "cheese", "🍔": "hamburger burger", "🍟": "fries", "🍕": "pizza",
    "🍳": "fried_egg egg", "🍩": "doughnut donut", "🎂": "birthday_cake cake", "🧁": "cupcake",
    "🍦": "ice_cream",
    "🚗": "car", "🚌": "bus", "🚒": "fire_truck truck", "🚕": "taxi cab", "🚜": "tractor",
    "✈️": "airplane plane", "🚁": "helicopter", "🚀": "rocket", "🛸": "ufo",
    "⛵": "sailboat boat", "🚂": "train",
    "🌻": "sunflower", "🌹": "rose", "🌷": "tulip", "🌵": "cactus", "🌴": "palm_tree palm",
    "🌲": "evergreen_tree pine", "🍁": "maple_leaf leaf", "⭐": "star", "☀️": "sun",
    "🌙": "moon", "🌈": "rainbow", "🔥": "fire flame", "⛄": "snowman", "🌋": "volcano",
    "🏠": "house home", "🏰": "castle", "🎈": "balloon", "🎁": "gift present",
    "🧸": "teddy_bear teddy", "⚽": "football soccer", "🏀": "basketball", "👑": "crown",
    "☂️": "umbrella", "🔑": "key", "💡": "light_bulb bulb", "⏰": "alarm_clock alarm",
    "📷": "camera", "🎸": "guitar", "🏆": "trophy",
}  # fmt: skip


@dataclass(frozen=True)
class Concept:
    """One thing: `code` is the file name of its picture, `names[0]` the word users learn."""

    code: str
    names: tuple[str, ...]
    may_flip: bool = True

    @property
    def name(self) -> str:
        return self.names[0]


def emoji_code(emoji: str) -> str:
    """Code points in hexadecimal, as the picture packages name their files."""
    return "-".join(f"{ord(char):04x}" for char in emoji)


def is_left_out(emoji: str, group: str) -> bool:
    points = {ord(char) for char in emoji}
    return group == "Flags" or bool(points & (SKIN_TONES | CLOCK_FACES))


def plain_name(name: str) -> str:
    """'T-Rex' -> 't-rex', '“new” button' -> 'new button'."""
    return re.sub(r"[^a-z0-9'\- ]+", "", name.lower().replace("’", "'")).strip()


def read_tables(cache: Path) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Names and groups by emoji, and tags by code."""
    names = read_json(fetch(NAMES, cache), "data-by-emoji.json")
    rows = read_json(fetch(TAGS, cache), "/en/data.json")
    return names, {row["hexcode"].lower(): row.get("tags", []) for row in rows}


def concepts_from(
    names: dict[str, Any], tags: dict[str, list[str]], chosen: dict[str, str] | None = None
) -> list[Concept]:
    """Concepts in the order of the table; `chosen` selects emoji and gives their own words."""
    kept = {
        emoji: plain_name(row["name"])
        for emoji, row in names.items()
        if not is_left_out(emoji, row["group"]) and (chosen is None or emoji in chosen)
    }
    if chosen is None:
        words = {emoji: [name, *tags.get(bare_code(emoji), [])] for emoji, name in kept.items()}
    else:
        own = {emoji: [word.replace("_", " ") for word in chosen[emoji].split()] for emoji in kept}
        words = {emoji: [*own[emoji], name] for emoji, name in kept.items()}
    unique = unique_words(words)
    return [
        Concept(emoji_code(emoji), (words[emoji][0], *unique[emoji]), may_flip(name))
        for emoji, name in kept.items()
    ]


def may_flip(name: str) -> bool:
    return not ONE_SIDED.search(name)


def bare_code(emoji: str) -> str:
    """The tag table names a single character without its variation selector."""
    points = emoji_code(emoji).split("-")
    return points[0] if points[1:] == ["fe0f"] else "-".join(points)


def unique_words(words: dict[str, list[str]]) -> dict[str, list[str]]:
    """The words after each emoji's first that no other emoji has, four at most."""
    plain = {emoji: dict.fromkeys(map(plain_name, row)) for emoji, row in words.items()}
    count = Counter(word for row in plain.values() for word in row)
    return {
        emoji: [word for word in list(row)[1:] if word and count[word] == 1][:4]
        for emoji, row in plain.items()
    }


def load_concepts(cache: Path, well_known: bool) -> list[Concept]:
    """The concepts of a preset: about a hundred plain things, or all that are drawn."""
    names, tags = read_tables(cache)
    return concepts_from(names, tags, WELL_KNOWN if well_known else None)
