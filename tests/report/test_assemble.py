"""What a structured ticket's report says of what is left."""

from compress.report.assemble import _shrunk_note


def numbers(**structure: object) -> dict:
    units = {"layers": [0, 2], "heads": [6, 6], "neurons": [512, 512]}
    return {"structure": units | structure, "vocabulary": {"words": 8000}}


def test_the_note_says_what_stays_and_where_tokens_merge() -> None:
    assert _shrunk_note(numbers()) == "layers 1, 3, 6 heads and 512 neurons in each; 8,000 words"
    assert "half as many behind layer 1 of them; 8,000" in _shrunk_note(numbers(merge_after=[1]))
