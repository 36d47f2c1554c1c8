import pytest

from tools.catalogue import CARD, card_table
from tools.nano.card import END, START, guidance, samplers
from tools.nano.samplers import SUITABLE


def test_a_table_of_the_card_is_taken_whole():
    row = {"euler": [0.5, 1.0]}
    grid = {"prompts": 32, "steps": [4, 8], "top1": row, "calls": {"euler": [4.0, 8.0]}}
    other = guidance({"prompts": 48, "top1": {"3": 1.0}})
    card = f"| Sampler, of old | |\n{START}\n{other}\n\n{samplers(grid)}\n\nText.\n{END}\n"
    assert card_table(card, "Sampler") == samplers(grid).splitlines()
    assert card_table(card, "None") == []
    assert card_table(card, "Sampler")[-1] == "| euler | 50.0 % | 100.0 % | 4, 8 |"


def test_the_shipped_card_says_what_every_sampler_draws_by_steps():
    if not (table := card_table(CARD.read_text("utf-8"), "Sampler")):
        pytest.skip("new weights: their samplers are not measured yet")
    head, _, *rows = table
    assert [cell.strip() for cell in head.split("|")[2:-2]] == [
        f"{steps} steps" for steps in (4, 8, 16, 32)
    ]
    assert [row.split()[1] for row in rows] == list(SUITABLE)
    assert all(row.count("%") == 4 for row in rows)
