from tools.catalogue import generated


def test_catalogue_and_reference_page_say_what_the_packs_declare():
    for file, text in generated().items():
        assert file.read_text("utf-8") == text, f"run: python -m tools.catalogue ({file.name})"
