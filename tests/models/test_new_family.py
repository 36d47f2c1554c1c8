"""A new family is one file of facts, one of behaviour, and a folder of configs."""

import ast
from pathlib import Path

import pytest

import nodeforge
from nodeforge.models import FAMILIES, TEXT_ENCODER_KINDS

PACKAGE = Path(nodeforge.__file__).parent
NODES = PACKAGE.parent / "nodes"


def texts(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is str}


def test_nothing_but_the_families_own_files_names_one():
    files = [file for root in (PACKAGE, NODES) for file in root.rglob("*.py")]
    named = {
        file.name for file in files if "families" not in file.parts and texts(file) & {*FAMILIES}
    }
    assert named == set()


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_has_facts_behaviour_and_configs(name):
    for part in ("models", "diffusion"):
        assert (PACKAGE / part / "families" / f"{name}.py").is_file()
    facts = FAMILIES[name]
    assert (facts.config_folder / "model_index.json").is_file()
    assert (facts.latent_space.config_folder / "config.json").is_file()
    for kind in facts.text_encoders.values():
        assert (TEXT_ENCODER_KINDS[kind].config_folder / "config.json").is_file()
