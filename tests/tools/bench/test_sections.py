from tools.bench.sections import find_section, replace_section

PAGE = "# Page\n\nText.\n\n## First\n\n### Part\n\nOne.\n\n## Last\n\nTwo.\n"


def test_section_ends_before_the_next_heading_of_its_level() -> None:
    assert find_section(PAGE, "First") == "## First\n\n### Part\n\nOne."
    assert find_section(PAGE, "Last") == "## Last\n\nTwo."
    assert find_section(PAGE, "Fir") == ""


def test_replaced_section_leaves_the_others_as_they_are() -> None:
    assert replace_section(PAGE, "First", "New.") == "# Page\n\nText.\n\n## First\n\nNew.\n\n## Last\n\nTwo.\n"
    assert replace_section(PAGE, "Last", "New.") == PAGE.replace("Two.", "New.")


def test_new_section_comes_last() -> None:
    page = replace_section(PAGE, "New", "Three.")
    assert page == f"{PAGE}\n## New\n\nThree.\n"
    assert replace_section(page, "New", "Three.") == page
