import json

from nodeforge.formats.node_lines import node_lines


def test_nodes_are_found_by_path_also_in_subgraphs_and_not_in_values():
    made = {
        "format": 3,
        "lock": {"nodes": {"false": {}}},
        "nodes": {
            "first": {"type": "text.encode", "values": {"text": 'a {"nodes": {"x": {}}} b'}},
            "group": {
                "type": "subgraph",
                "nodes": {"inner": {"type": "values.integer", "values": {"value": 1}}},
                "links": {},
            },
        },
        "view": {"positions": {"first": [0, 1]}},
    }
    text = json.dumps(made, indent=2)
    lines = text.splitlines()
    found = node_lines(text)
    assert set(found) == {"first", "group", "group/inner"}
    for path, line in found.items():
        assert lines[line - 1].strip() == f'"{path.rpartition("/")[2]}": {{'


def test_what_is_no_json_gives_what_could_be_read():
    assert node_lines('{"nodes": {"a": {') == {"a": 1}
    assert node_lines("}}}") == {}
