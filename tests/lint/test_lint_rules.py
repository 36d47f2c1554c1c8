import pytest

from nodeforge.formats import load
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph
from nodeforge.lint import Problem, Severity, all_rules, lint
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from support.graphs import end_of, graph, start_of, text_to_image
from support.small_catalogue import CATALOGUE
from support.timing import best


@pytest.fixture
def whole() -> Graph:
    return text_to_image()


def found(whole: Graph, rule: str | None = None, **more) -> list[Problem]:
    """Without hints, of which the examples of the rules are the tests."""
    problems = lint(whole, CATALOGUE, **more)
    return [p for p in problems if rule in (None, p.rule) and p.severity is not Severity.HINT]


def only(whole: Graph, rule: str, **more) -> Problem:
    (problem,) = found(whole, **more)
    assert problem.rule == rule
    return problem


def mended(whole: Graph, problem: Problem) -> Graph:
    """`whole` with the problem's fix, after which the problem is gone and undo brings it back."""
    document = Document(whole)
    assert problem.fix is not None
    document.perform(problem.fix)
    assert problem.fact not in [other.fact for other in lint(document, CATALOGUE)]
    return whole


def test_the_main_workflow_is_clean(whole):
    assert found(whole) == []


def test_every_rule_has_an_id_and_says_what_should_hold():
    ids = [rule.code for rule in all_rules()]
    assert ids == sorted(set(ids))
    assert len(ids) >= 12
    assert all(rule.summary.endswith(".") for rule in all_rules())


def test_a_link_between_types_that_do_not_fit_is_named(whole):
    whole.links[end_of("denoise.model")] = start_of("model.vae")
    problem = only(whole, "types")
    assert str(problem) == (
        "sampling.denoise (denoise), port 'model': takes model, 'models.load · vae' gives VAE.\n"
        "    Link an output that gives model."
    )
    assert problem.severity is Severity.ERROR


def test_the_window_is_told_of_a_problem_by_titles_alone(whole):
    whole.links[end_of("denoise.positive")] = start_of("model.text_encoder")
    whole.nodes["denoise"].title, whole.nodes["model"].title = "Paint", "My model"
    assert only(whole, "types").told == (
        "Paint · positive: takes conditioning, 'My model · text encoder' gives text encoder."
        " Link an output that gives conditioning."
    )


def test_nodes_of_one_title_are_told_apart_by_their_paths(whole):
    whole.nodes["prompt"].title = whole.nodes["negative"].title = "Words"
    del whole.links[end_of("negative.text_encoder")]
    problem = only(whole, "missing_inputs")
    assert problem.title == "Words (negative)"
    assert problem.place == "Words (negative), port 'text_encoder'"


def test_a_word_in_a_name_that_stands_for_nothing_is_named(whole):
    whole.nodes["save"].values["prefix"] = "{date}/{seed}"
    assert found(whole, "output_names") == []
    whole.nodes["save"].values["prefix"] = "{modle}_{seed}"
    problem = only(whole, "output_names")
    assert (problem.node, problem.port) == ("save", "prefix")
    assert problem.fact == "{modle} stands for nothing."
    assert problem.way_out.startswith("Did you mean {model}? Use {date}, {time}, {prompt},")


def test_types_are_seen_through_reroutes_and_subgraphs(whole):
    whole.nodes["dot"] = Node("graph.reroute")
    whole.links[end_of("dot.value")] = start_of("model.vae")
    whole.links[end_of("denoise.model")] = start_of("dot.value")
    assert only(whole, "types").node == "denoise"


def test_a_cycle_names_its_nodes():
    whole = graph(
        {"a": "values.sum", "b": "values.sum", "c": "values.sum"},
        "a.value > b.a",
        "b.value > a.a",
        "b.value > c.a",
    )
    problem = found(whole, "cycles")[0]
    assert problem.fact == (
        "waits for its own result: values.sum (a) > values.sum (b) > values.sum (a)."
    )
    assert problem.severity is Severity.ERROR


def test_a_cycle_through_a_subgraph_or_reroutes_is_a_cycle():
    box = Subgraph(
        graph=graph({"sum": "values.sum"}),
        inputs={"a": [Input("sum", "a")]},
        outputs={"value": Output("sum", "value")},
    )
    whole = graph(
        {"box": box, "dot": "graph.reroute"}, "box.value > dot.value", "dot.value > box.a"
    )
    assert "values.sum > graph.reroute > values.sum" in found(whole, "cycles")[0].fact


def test_a_long_cycle_is_shortened():
    count = 500
    whole = Graph({f"n{i}": Node("values.sum") for i in range(count)})
    for i in range(count):
        whole.links[Input(f"n{i}", "a")] = Output(f"n{(i + 1) % count}", "value")
    assert len(found(whole, "cycles")[0].fact) < 200


def test_an_input_that_nothing_feeds_is_named(whole):
    del whole.links[end_of("denoise.model")]
    problem = only(whole, "missing_inputs")
    assert (problem.node, problem.port, problem.fact) == ("denoise", "model", "is missing.")
    assert "gives model" in problem.way_out


def test_a_file_that_is_not_chosen_is_named(whole):
    whole.nodes["model"].values = {}
    assert only(whole, "missing_inputs").way_out == "Choose a model."


def test_where_a_picture_is_shown_a_model_that_reads_it_is_missing():
    document = load(shipped("workflows") / "edit_by_instruction.json")
    del document.node("model").values["file"]
    problems = lint(document, Catalogue.shipped())
    (problem,) = (p for p in problems if (p.rule, p.port) == ("missing_inputs", "file"))
    assert problem.way_out.startswith("Choose an edit model, such as")
    document = load(shipped("workflows") / "canvas_layers.json")
    problems = lint(document, Catalogue.shipped())
    (problem,) = (p for p in problems if (p.rule, p.port) == ("missing_inputs", "file"))
    assert "takes a picture apart" in problem.way_out


def test_an_input_behind_a_reroute_that_nothing_feeds_is_missing(whole):
    whole.nodes["dot"] = Node("graph.reroute")
    whole.links[end_of("denoise.model")] = start_of("dot.value")
    assert only(whole, "missing_inputs").node == "denoise"


def test_what_is_muted_needs_nothing(whole):
    whole.nodes["extra"] = Node("image.save", mode=Mode.MUTE)
    assert found(whole) == []


def test_what_no_saved_picture_needs_is_only_a_warning(whole):
    whole.nodes["extra"] = Node("latent.decode")
    assert {p.severity for p in found(whole, "missing_inputs")} == {Severity.WARNING}


@pytest.mark.parametrize(
    ("node", "port", "value", "fact", "fixed"),
    [
        ("schedule", "steps", 0, "is 0; 1 to 10000 is allowed.", 1),
        ("schedule", "steps", 20.0, "is 20.0, not a whole number.", 20),
        ("schedule", "steps", 20.5, "is 20.5, not a whole number.", None),
        ("schedule", "steps", True, "is true, not a whole number.", None),
        ("schedule", "steps", "20", 'is "20", not a whole number.', None),
        ("guidance", "scale", 1000, "is 1000; 0 to 100 is allowed.", 100),
        ("guidance", "scale", [1], "is [1], not a number.", None),
        ("noise", "seed", -1, "is -1; 0 to 9223372036854775807 is allowed.", 0),
        ("noise", "seed", 2**63, f"is {2**63}; 0 to {2**63 - 1} is allowed.", 2**63 - 1),
        ("sampler", "name", "eular", 'is "eular", which is no choice.', None),
        ("sampler", "name", 3, "is 3, which is no choice.", None),
        ("prompt", "text", 3, "is 3, not text.", "3"),
        ("prompt", "text", None, "is null, not text.", None),
        ("model", "file", 3, "is 3, not a file's name.", None),
    ],
)
def test_a_wrong_value_is_named(whole, node, port, value, fact, fixed):
    whole.nodes[node].values[port] = value
    problem = next(p for p in found(whole, "ranges"))
    assert (problem.node, problem.port, problem.fact) == (node, port, fact)
    if fixed is None:
        assert problem.fix is None
    else:
        assert mended(whole, problem).nodes[node].values[port] == fixed


def test_a_wrong_value_from_a_value_node_is_named_where_it_matters_and_mended_there(whole):
    whole.nodes["number"] = Node("values.integer", {"value": 0})
    whole.nodes["dot"] = Node("graph.reroute")
    whole.links[end_of("dot.value")] = start_of("number.value")
    whole.links[end_of("schedule.steps")] = start_of("dot.value")
    problems = found(whole, "ranges")
    assert [(p.node, p.port) for p in problems] == [("schedule", "steps")]
    assert mended(whole, problems[0]).nodes["number"].values == {"value": 1}


def test_value_nodes_in_a_ring_are_no_endless_work(whole):
    whole.nodes["a"] = Node("values.integer")
    whole.nodes["b"] = Node("values.integer")
    whole.links |= {
        end_of("a.value"): start_of("b.value"),
        end_of("b.value"): start_of("a.value"),
        end_of("schedule.steps"): start_of("a.value"),
    }
    assert only(whole, "cycles").fact.endswith("(a) > values.integer (b) > values.integer (a).")


def test_a_near_choice_is_offered(whole):
    whole.nodes["sampler"].values["name"] = "eular"
    assert only(whole, "ranges").way_out.startswith("Did you mean 'euler'? Choose one of: euler,")


def test_a_value_where_only_a_link_goes_is_named_and_can_be_removed(whole):
    whole.nodes["save"].values["image"] = "x.png"
    del whole.links[end_of("save.image")]
    problem = found(whole, "ranges")[0]
    assert "image" not in mended(whole, problem).nodes["save"].values


def test_a_wrong_value_on_a_subgraphs_port_is_mended_there():
    box = Subgraph(
        graph=graph({"s": "sampling.schedule"}),
        inputs={"n": [Input("s", "steps")]},
        values={"n": 0},
    )
    whole = graph({"box": box})
    problem = found(whole, "ranges")[0]
    assert problem.node == "box/s"
    assert mended(whole, problem).nodes["box"].values == {"n": 1}


def test_an_unknown_node_type_is_named_with_one_like_it(whole):
    whole.nodes["denoise"].type = "sampling.denoice"
    problem = only(whole, "unknown_nodes")
    assert problem.fact == "there is no node type 'sampling.denoice'."
    assert problem.way_out.startswith("Did you mean 'sampling.denoise'?")
    assert problem.severity is Severity.ERROR


def test_an_unknown_node_that_feeds_nothing_may_be_what_saves(whole):
    whole.nodes["upload"] = Node("web.upload")
    assert only(whole, "unknown_nodes").severity is Severity.ERROR


def test_a_link_to_a_port_that_does_not_exist_moves_to_the_one_like_it(whole):
    whole.links[end_of("denoise.modl")] = whole.links.pop(end_of("denoise.model"))
    problem = found(whole, "unknown_ports")[0]
    assert "Did you mean 'model'?" in problem.way_out
    assert found(mended(whole, problem)) == []


def test_a_link_from_a_port_that_does_not_exist_is_named(whole):
    whole.links[end_of("denoise.negative")] = start_of("negative.conditionin")
    problem = only(whole, "unknown_ports")
    assert (
        problem.fact == "is linked to 'text.encode (negative) · conditionin', which does not exist."
    )
    assert found(mended(whole, problem)) == []


def test_links_from_and_to_nodes_that_do_not_exist_are_named(whole):
    whole.links[end_of("denoise.negative")] = start_of("nobody.conditioning")
    whole.links[end_of("ghost.image")] = start_of("decode.image")
    from_nobody, to_ghost = sorted(found(whole, "unknown_ports"), key=lambda p: p.node)
    assert "'nobody', which does not exist" in from_nobody.fact
    assert to_ghost.node == "ghost"
    mended(whole, from_nobody)
    assert found(mended(whole, to_ghost)) == []


def test_a_value_for_a_port_that_does_not_exist_moves_to_the_one_like_it(whole):
    whole.nodes["noise"].values["widht"] = whole.nodes["noise"].values.pop("width")
    problem = only(whole, "unknown_ports")
    assert mended(whole, problem).nodes["noise"].values["width"] == 256


def test_a_list_needs_a_place_and_nothing_else_has_one(whole):
    whole.nodes["grid"] = Node("image.grid")
    whole.links[end_of("grid.images")] = start_of("decode.image")
    whole.links[end_of("save.image[0]")] = whole.links.pop(end_of("save.image"))
    problems = found(whole, "unknown_ports")
    assert {p.node for p in problems} == {"grid", "save"}
    for problem in problems:
        mended(whole, problem)
    assert {str(end) for end in whole.links} >= {"grid.images[0]", "save.image"}


def test_ports_of_subgraphs_are_checked_too():
    box = Subgraph(graph=graph({"s": "values.sum"}), values={"gone": 1})
    whole = graph({"a": "values.sum", "box": box}, "a.value > box.gone", "box.out > a.a")
    assert [(p.node, p.port) for p in found(whole, "unknown_ports")] == [
        ("a", "a"),
        ("box", "gone"),
        ("box", "gone"),
    ]


def test_a_model_that_is_nowhere_is_named(whole, models):
    whole.nodes["model"].values["file"] = "sd16"
    problem = only(whole, "missing_models", models=models)
    assert problem.fact == "there is no model 'sd16' in the model folders."
    assert "Did you mean 'sd15" in problem.way_out
    assert problem.fix is None


def test_a_model_in_another_folder_is_relinked(whole, models):
    whole.nodes["model"].values["file"] = "elsewhere/other.safetensors"
    problem = only(whole, "missing_models", models=models)
    assert mended(whole, problem).nodes["model"].values["file"] == "sub/other.safetensors"
    assert found(whole, models=models) == []


def test_a_path_out_of_the_folders_is_refused_unless_the_person_gave_it(whole, models, tmp_path):
    outside = models.find("checkpoint", "sd15")
    whole.nodes["model"].values["file"] = str(outside)
    assert only(whole, "missing_models", models=models).severity is Severity.ERROR
    assert found(whole, models=models, granted=[str(outside)]) == []


def test_an_embedding_that_a_prompt_names_and_is_not_there_is_named(whole, models):
    whole.nodes["model"].values["file"] = "sd15"
    whole.nodes["prompt"].values["text"] = "a (embedding:mood:1.2), [embedding:mod:0.5]"
    problem = only(whole, "named_models", models=models)
    assert problem.fact == "there is no embedding 'mod' in the model folders."
    assert problem.way_out.startswith("Did you mean 'mood.safetensors'?")
    assert (problem.node, problem.port) == ("prompt", "text")


def test_an_embedding_that_a_text_node_names_is_looked_for_too(whole, models):
    whole.nodes["model"].values["file"] = "sd15"
    whole.nodes["words"] = Node("values.text", {"value": "embedding:../../secret"})
    whole.links[end_of("prompt.text")] = start_of("words.value")
    assert "not the name of a model" in only(whole, "named_models", models=models).fact
    whole.nodes["words"].values["value"] = "embedding:mood."
    assert found(whole, models=models) == []


def test_an_embedding_may_be_loaded_under_another_name(whole, models):
    whole.nodes["model"].values["file"] = "sd15"
    whole.nodes["prompt"].values["text"] = "embedding:mine"
    whole.nodes["mine"] = Node("text.load_embedding", {"file": "mood", "name": "mine"})
    whole.links[end_of("mine.text_encoder")] = start_of("model.text_encoder")
    whole.links[end_of("prompt.text_encoder")] = start_of("mine.text_encoder")
    assert found(whole, models=models) == []
    whole.nodes["mine"].values["name"] = "yours"
    assert only(whole, "named_models", models=models).node == "prompt"


def test_two_text_encoders_apart_are_of_the_family_that_reads_with_both(whole, models):
    whole.nodes["model"].values["file"] = "sdxl"
    whole.nodes["text"] = Node("models.load_text_encoder", {"file": "clip_g", "second": "clip_l"})
    whole.links[end_of("prompt.text_encoder")] = start_of("text.text_encoder")
    assert found(whole, "families", models=models) == []
    whole.nodes["text"].values["second"] = "clip_g"
    whole.nodes["text"].values["file"] = "clip_l"
    assert found(whole, "families", models=models) == []
    whole.nodes["text"].values["second"] = None
    assert "made for SD 1.5" in found(whole, "families", models=models)[0].fact


@pytest.mark.parametrize(
    ("file", "fact"),
    [
        ("cut", "'cut' "),
        ("just_vae", "'just_vae' is a VAE, not a checkpoint."),
        ("sdxl", "'sdxl' is a unet, not a checkpoint."),
        ("flux", "'flux' cannot be used: Flux is not supported yet."),
    ],
)
def test_a_file_that_cannot_be_this_model_is_named(whole, models, file, fact):
    whole.nodes["model"].values["file"] = file
    problem = found(whole, "model_files", models=models)[0]
    assert problem.fact.startswith(fact)
    assert problem.severity is Severity.ERROR


def test_a_vae_of_another_family_is_named(whole, models):
    whole.nodes["model"].values["file"] = "small"
    whole.nodes["other"] = Node("models.load_vae", {"file": "vae"}, title="Better VAE")
    whole.links[end_of("decode.vae")] = start_of("other.vae")
    problem = only(whole, "families", models=models)
    assert (problem.node, problem.port) == ("decode", "latent")
    assert problem.fact == "made for nano, 'vae' is for SD 1.5."
    assert "'models.load' or 'Better VAE'" in problem.way_out


def test_a_vae_alone_that_fits_several_families_is_taken_for_each(whole, models):
    whole.nodes["model"].values["file"] = "sdxl"
    whole.nodes["other"] = Node("models.load_vae", {"file": "vae"})
    whole.links[end_of("decode.vae")] = start_of("other.vae")
    assert found(whole, "families", models=models) == []


def test_conditioning_of_another_encoder_is_named(whole, models):
    whole.nodes["model"].values["file"] = "sd15"
    whole.nodes["second"] = Node("models.load", {"file": "small"})
    whole.links[end_of("prompt.text_encoder")] = start_of("second.text_encoder")
    problem = only(whole, "families", models=models)
    assert (problem.node, problem.port) == ("denoise", "positive")


def test_a_lora_of_another_family_is_named(whole, models):
    whole.nodes["model"].values["file"] = "small"
    whole.nodes["lora"] = Node("models.load_lora", {"file": "style"}, title="Style")
    whole.links[end_of("lora.model")] = start_of("model.model")
    whole.links[end_of("denoise.model")] = start_of("lora.model")
    problem = only(whole, "families", models=models)
    assert (problem.node, problem.port) == ("lora", "file")
    assert problem.fact == "made for SD 1.5, 'model' is for nano."
    assert "'Style' or 'models.load'" in problem.way_out


def test_a_controlnet_of_another_family_and_a_missing_hint_are_named(whole, models):
    whole.nodes["model"].values["file"] = "small"
    whole.nodes["net"] = Node("control.load", {"file": "edges"})
    whole.nodes["control"] = Node("control.apply")
    whole.links[end_of("control.conditioning")] = start_of("prompt.conditioning")
    whole.links[end_of("control.controlnet")] = start_of("net.controlnet")
    whole.links[end_of("denoise.positive")] = start_of("control.conditioning")
    (other,) = found(whole, "families", models=models)
    assert (other.node, other.port) == ("control", "controlnet")
    assert other.fact == "made for SD 1.5, 'conditioning' is for nano."
    (missing,) = found(whole, "missing_inputs", models=models)
    assert (missing.node, missing.port) == ("control", "image")


def test_pictures_carry_no_family(whole, models):
    whole.nodes["model"].values["file"] = "small"
    whole.nodes["second"] = Node("models.load_vae", {"file": "vae"})
    whole.nodes["encode"] = Node("latent.encode")
    whole.nodes["decode_2"] = Node("latent.decode")
    whole.nodes["save_2"] = Node("image.save")
    for link in (
        "second.vae > encode.vae",
        "decode.image > encode.image",
        "second.vae > decode_2.vae",
        "encode.latent > decode_2.latent",
        "decode_2.image > save_2.image",
    ):
        start, end = link.split(" > ")
        whole.links[end_of(end)] = start_of(start)
    assert found(whole, models=models) == []


def test_a_size_that_the_family_cannot_make_is_named_and_mended(whole, models):
    whole.nodes["model"].values["file"] = "sd15"
    whole.nodes["noise"].values |= {"width": 260, "height": 255}
    height, width = found(whole, "sizes", models=models)
    assert height.fact == "is 255, which SD 1.5 cannot make: it must be divisible by 8."
    assert (height.port, width.port) == ("height", "width")
    assert mended(whole, height).nodes["noise"].values["height"] == 256


def test_the_multiple_is_the_familys(whole, models):
    whole.nodes["model"].values["file"] = "small"
    whole.nodes["noise"].values["width"] = 264
    assert "divisible by 16" in only(whole, "sizes", models=models).fact


def test_a_strength_that_leaves_no_step_is_named(whole):
    whole.nodes["schedule"].values |= {"steps": 20, "strength": 0.04}
    problem = only(whole, "steps")
    assert problem.fact == "20 steps at strength 0.04 leave no step to run."


def test_a_loop_that_stops_before_it_starts_is_named(whole):
    whole.nodes["denoise"].values = {"start_at": 5, "stop_at": 5}
    assert only(whole, "steps").fact == "starts at step 5 and stops at step 5: no step is run."


def test_a_loop_that_starts_behind_the_schedule_is_named(whole):
    whole.nodes["denoise"].values = {"start_at": 20}
    assert only(whole, "steps").fact.startswith("starts at step 20, but the schedule has 20")


def test_guidance_that_never_acts_is_a_warning(whole):
    whole.nodes["guidance"].values |= {"start": 0.5, "end": 0.5}
    assert only(whole, "steps").severity is Severity.WARNING


def test_a_switch_must_be_set_to_a_branch_that_is_fed():
    whole = graph(
        {"i": "image.load", "n": "values.integer", "s": Node("graph.switch", {"choice": 1})},
        "i.image > s.choices[0]",
    )
    assert found(whole, "switches")[0].fact == "nothing feeds branch 1."
    whole.links[end_of("s.choice")] = start_of("n.value")
    assert found(whole, "switches") == []  # 0, which is fed
    whole.nodes["n"].values = {"value": 3}
    assert found(whole, "switches")[0].fact == "nothing feeds branch 3."
    whole.nodes["t"] = Node("text.encode")
    whole.links[end_of("s.choice")] = start_of("t.conditioning")
    assert "only a run knows" in found(whole, "switches")[0].fact
    del whole.links[end_of("s.choice")]
    whole.nodes["s"].values = {}
    assert found(whole, "switches") == []


def test_an_empty_workflow_and_a_muted_one_have_nothing_to_run(whole):
    assert only(Graph(), "nothing_to_run").fact == "there is no node."
    whole.nodes["model"].mode = Mode.MUTE
    for name in ("noise", "sampler", "schedule", "guidance"):
        whole.nodes[name].mode = Mode.MUTE
    assert only(whole, "nothing_to_run").severity is Severity.ERROR


def test_a_workflow_that_saves_nothing_is_a_warning(whole):
    del whole.nodes["save"], whole.links[end_of("save.image")]
    assert only(whole, "nothing_to_run").severity is Severity.WARNING


def test_a_value_is_followed_through_a_long_chain_once():
    whole = Graph({f"n{i}": Node("values.integer") for i in range(10_000)})
    for i in range(1, 10_000):
        whole.links[Input(f"n{i}", "value")] = Output(f"n{i - 1}", "value")
    whole.nodes["n0"].values["value"] = 0
    whole.nodes["s"] = Node("sampling.schedule")
    whole.links[Input("s", "steps")] = Output("n9999", "value")
    assert [p.node for p in found(whole, "ranges")] == ["s"]


def test_errors_come_first_and_as_json(whole):
    whole.nodes["extra"] = Node("latent.decode")
    whole.nodes["schedule"].values["steps"] = 0
    problems = found(whole)
    assert [p.severity for p in problems] == sorted(p.severity for p in problems)
    assert problems[0].to_json()["fixable"]


def test_ten_times_the_nodes_take_about_ten_times_as_long():
    def seconds(count: int) -> float:
        whole = Graph({f"n{i}": Node("values.sum", {"b": i}) for i in range(count)})
        for i in range(1, count):
            whole.links[Input(f"n{i}", "a")] = Output(f"n{i - 1}", "value")
        return best(lambda: lint(whole, CATALOGUE))

    assert seconds(5000) < 40 * seconds(500)  # with the square it would be 100


def test_a_node_saved_with_a_later_version_of_its_type_is_named(whole):
    whole.nodes["sampler"].version = 1
    assert found(whole) == []
    whole.nodes["sampler"].version = 7
    problem = only(whole, "node_versions")
    assert (problem.node, problem.severity) == ("sampler", Severity.WARNING)
    assert "was saved with version 7 of this node type; here it is version 1" in problem.fact
    assert problem.way_out == "Update NodeForge, or check the values."
