"""Pairs of samplers and schedules are refused before a run as a run would refuse them."""

from itertools import product

import pytest
import tiny_transformers

from nodeforge.diffusion import CONVENTIONS, SAMPLERS, SCHEDULES, UnsupportedPairError
from nodeforge.diffusion.samplers.pairs import kind_for
from nodeforge.formats import load
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.lint import Severity, lint
from nodeforge.lint.context import LintContext
from nodeforge.lint.registry import rules_by_key
from nodeforge.models import ModelFolders, SamplingSettings, resolve
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue
from nodeforge.values import Sampler, Schedule
from nodeforge.values.custom_sigmas import ScheduleError
from nodeforge.values.sampling_labels import SAMPLER_LABELS

CATALOGUE = Catalogue.shipped()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return ModelFolders(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture
def document():
    return load(shipped("workflows") / "text_to_image.json")


def found(document: Document, folders: ModelFolders | None):
    return [p for p in lint(document, CATALOGUE, folders) if p.rule == "samplers"]


def refused(document: Document, folders: ModelFolders) -> bool:
    """By the one rule, as asking all of them of thousands of pairs takes long."""
    scene, rule = LintContext(document.graph, CATALOGUE, folders), rules_by_key()["samplers"]
    scene.rule, scene.rules = rule, rules_by_key()
    return any(rule.check(scene))


def set_pair(document, sampler, schedule, eta=None, rho=None, convention="diffusers"):
    document.node("sampler").values.update(name=sampler, eta=eta, convention=convention)
    document.node("schedule").values.update(name=schedule, rho=rho)


def runs(sampler, schedule, eta, rho, convention) -> bool:
    try:
        kind_for(Sampler(sampler, eta, convention), Schedule(schedule, 4, rho=rho), flow=False)
    except (UnsupportedPairError, ScheduleError):
        return False
    return True


def test_what_is_refused_is_what_a_run_refuses(document, folders):
    named = [name for name in SCHEDULES if name != "custom"]
    for sampler, schedule, (eta, rho), convention in product(
        SAMPLERS, named, [(None, None), (0.5, None), (None, 5.0)], CONVENTIONS
    ):
        pair = (sampler, schedule, eta, rho, convention)
        set_pair(document, *pair)
        assert (not refused(document, folders)) == runs(*pair), pair


def test_a_pair_that_does_not_exist_is_named_at_the_sampler(document, folders):
    set_pair(document, "pndm", "karras")
    (problem,) = found(document, folders)
    assert (problem.node, problem.port, problem.severity) == ("sampler", "name", Severity.ERROR)
    assert problem.fact == "'PNDM' cannot walk the schedule 'Karras'."
    assert problem.way_out.endswith("one of its schedules: Normal, DDIM Uniform.")


@pytest.mark.parametrize(
    ("values", "place"),
    [({"sampler": "euler", "eta": 0.5}, "eta"), ({"schedule": "normal", "rho": 7.0}, "rho")],
)
def test_a_setting_that_is_not_taken_is_emptied_by_its_fix(document, folders, values, place):
    set_pair(document, **({"sampler": "euler", "schedule": "karras"} | values))
    (problem,) = found(document, folders)
    assert problem.port == place
    document.perform(problem.fix)
    assert found(document, folders) == []


def test_a_custom_schedule_is_asked_for_too(document, folders):
    document.graph.nodes["own"] = Node("sampling.custom_schedule")
    document.graph.links[Input("denoise", "schedule")] = Output("own", "schedule")
    document.node("sampler").values["name"] = "tcd"
    assert found(document, folders)[0].fact == "'TCD' cannot walk the schedule 'Custom'."
    document.node("sampler").values["name"] = "euler"
    assert found(document, folders) == []


def test_samplers_of_flow_go_with_models_of_flow_alone(document, folders):
    set_pair(document, "flow_euler", "normal")
    (problem,) = found(document, folders)
    assert problem.fact == "'Flow Euler' is for flow-matching models alone, which this one is not."
    assert found(document, None) == []  # without folders nobody knows the model
    document.node("model").values["prediction"] = "flow_prediction"
    assert found(document, folders) == []
    document.node("sampler").values["name"] = "heun"
    assert found(document, folders)[0].fact == "'Heun' is not for flow-matching models."


@pytest.mark.parametrize(
    ("sampler", "convention", "whose"),
    [("tcd", "comfyui", "ComfyUI"), ("sa_solver_pece", "diffusers", "diffusers")],
)
def test_a_sampler_of_the_other_convention_is_named_and_mended(
    document, folders, sampler, convention, whose
):
    set_pair(document, sampler, "normal", convention=convention)
    (problem,) = found(document, folders)
    assert problem.port == "convention"
    assert problem.fact == f"'{SAMPLER_LABELS[sampler]}' is not in {whose}'s convention."
    document.perform(problem.fix)
    assert found(document, folders) == []


def test_models_of_flow_have_fewer_samplers_in_comfyui_s_convention(document, folders):
    document.node("model").values["prediction"] = "flow_prediction"
    set_pair(document, "euler", "normal", convention="comfyui")
    assert found(document, folders) == []
    set_pair(document, "euler_a", "normal", convention="comfyui")
    (problem,) = found(document, folders)
    assert problem.fact == "'Euler a' is not for flow-matching models."
    assert "Euler" in problem.way_out


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A model of flow: Z-Image's folder, tiny."""
    folder = tmp_path_factory.mktemp("z_image")
    tiny_transformers.PIPELINES["z_image"]().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("values", "port", "fact"),
    [
        ({"sampler": "ddim"}, "name", "'DDIM' is not for flow-matching models."),
        ({"schedule": "ays"}, "name", "No sampler walks 'Align Your Steps' with this model"),
        ({"eta": 0.5}, "eta", "'Flow Euler' has none."),
        ({"rho": 5.0}, "rho", "'Simple' has none."),
        ({"sampler": "euler", "convention": "comfyui"}, "", ""),
        ({"sampler": "dpmpp_2m"}, "", ""),
        ({"schedule": "karras", "rho": 5.0}, "", ""),
        ({"schedule": "flux2"}, "", ""),
        ({}, "", ""),
    ],
)
def test_what_is_left_to_a_model_is_asked_for_as_a_run_resolves_it(
    document, folders, straight, values, port, fact
):
    document.node("model").values["file"] = str(straight)
    set_pair(document, **({"sampler": "auto", "schedule": "auto"} | values))
    problems = [
        problem
        for problem in lint(document, CATALOGUE, folders, granted=[straight])
        if problem.rule == "samplers"
    ]
    try:
        told = resolve(
            SamplingSettings(
                values.get("sampler", "auto"), values.get("schedule", "auto"),
                convention=values.get("convention", "diffusers"),
            ),
            "z_image",
        )  # fmt: skip
        sampler = Sampler(told.sampler, values.get("eta"), told.convention)
        kind_for(sampler, Schedule(told.schedule, 4, rho=values.get("rho")), flow=True)
    except (UnsupportedPairError, ScheduleError):
        (problem,) = problems
        assert problem.port == port
        assert fact in str(problem)
    else:
        assert not problems
        assert not fact


def test_a_schedule_for_flow_is_walked_by_no_sampler_of_other_models(document, folders):
    set_pair(document, "auto", "flux2")
    (problem,) = found(document, folders)
    assert (problem.node, problem.port) == ("schedule", "name")


def test_a_loop_without_sampler_or_schedule_takes_the_model_s(document, folders):
    set_pair(document, "euler", "karras")
    del document.graph.links[Input("denoise", "schedule")]
    assert found(document, folders) == []
    document.node("sampler").values["name"] = "flow_euler"
    assert found(document, folders)[0].port == "name"
    del document.graph.links[Input("denoise", "sampler")]
    document.graph.links[Input("denoise", "schedule")] = Output("schedule", "schedule")
    assert found(document, folders) == []
    document.node("schedule").values["name"] = "flux2"
    assert found(document, folders)[0].port == "name"


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A model of sigmas: Stable Audio's folder, tiny."""
    folder = tmp_path_factory.mktemp("stable_audio")
    tiny_transformers.PIPELINES["stable_audio"]().save_pretrained(folder)
    return folder


def test_a_model_of_sigmas_refuses_what_its_run_refuses(document, folders, sounds):
    document.node("model").values["file"] = str(sounds)
    schedules = ["normal", "karras", "exponential"]
    for sampler, schedule, convention in product(SAMPLERS, schedules, CONVENTIONS):
        set_pair(document, sampler, schedule, convention=convention)
        told = [
            each
            for each in lint(document, CATALOGUE, folders, granted=[sounds])
            if each.rule == "samplers"
        ]
        try:
            recipes = Sampler(sampler, None, convention), Schedule(schedule, 4)
            kind_for(*recipes, flow=False, sigmas=True)
        except UnsupportedPairError:
            assert len(told) == 1
        else:
            assert not told, (sampler, schedule, convention)


@pytest.mark.parametrize(
    ("sampler", "convention", "port", "fact"),
    [
        ("pndm", "diffusers", "name", "'PNDM' cannot walk this model's noise levels"),
        ("er_sde", "comfyui", "name", "cannot walk this model's noise levels"),
        ("euler", "comfyui", "convention", "in diffusers's convention alone"),
    ],
)
def test_a_sampler_that_is_not_for_sigmas_is_told(
    document, folders, sounds, sampler, convention, port, fact
):
    document.node("model").values["file"] = str(sounds)
    set_pair(document, sampler, "exponential", convention=convention)
    found = lint(document, CATALOGUE, folders, granted=[sounds])
    (problem,) = (each for each in found if each.rule == "samplers")
    assert (problem.node, problem.port) == ("sampler", port)
    assert fact in str(problem)
    assert (problem.fix is not None) == (port == "convention")
