from tools.catalogue import CARD, card_table
from tools.nano.card import END, START, setting


def test_a_table_of_the_card_is_taken_whole():
    steps = setting("Steps, guidance 4", {"prompts": 48, "top1": {"10": 0.5, "20": 1.0}})
    other = setting("Sampler, 20 steps", {"prompts": 32, "top1": {"Euler": 1.0}})
    card = f"| Steps, of training | |\n{START}\n{other}\n\n{steps}\n\nText.\n{END}\n"
    assert card_table(card, "Steps") == steps.splitlines()


def test_the_shipped_card_says_what_was_measured_by_sampler_and_steps():
    card = CARD.read_text("utf-8")
    for head in ("Sampler", "Steps"):
        assert all(line.count("|") == 3 for line in card_table(card, head)), head
        assert "%" in card_table(card, head)[-1]
