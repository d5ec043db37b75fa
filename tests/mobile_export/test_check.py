"""A manifest that is wrong anywhere ends in one sentence, or is accepted; never in another exception."""

import copy
import json
import random
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from compress.errors import ExportError
from mobile_export.bundle import check
from mobile_export.bundle.check import check_bundle
from mobile_export.verify import verify_bundle

from .conftest import edit_json

VALUES = (
    None,
    True,
    0,
    -1,
    1,
    3,
    2.5,
    64.0,
    10**30,
    float("nan"),
    "",
    "x",
    "wordpiece",
    [],
    ["input_ids"],
    {},
    {"a": 1},
)
KINDS = ("pair", "qa", "mlm", "embedding", "tokens", "regression")
NAMES = (
    ["logits"],
    ["embedding"],
    ["start_logits", "end_logits"],
    ["input_ids", "token_type_ids"],
    "[UNK]",
    "model.pte",
)


@pytest.fixture(scope="module")
def small(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle with four golden texts."""
    bundle = Path(shutil.copytree(made, tmp_path_factory.mktemp("small") / "android"))
    edit_json(bundle / "golden.json", lambda golden: golden.update(examples=golden["examples"][:4]))
    record(bundle)
    return bundle


def record(bundle: Path) -> None:
    """Make the manifest believe in the golden texts as they are."""
    digest = sha256((bundle / "golden.json").read_bytes()).hexdigest()
    edit_json(bundle / "manifest.json", lambda manifest: manifest["golden"].update(sha256=digest))


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a JSON value; of long lists the first two."""
    yield path
    keys = value if isinstance(value, dict) else range(min(2, len(value))) if isinstance(value, list) else ()
    for key in keys:
        yield from paths(value[key], (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any, *, drop: bool = False) -> Any:
    """A copy in which the value at a path is another, or gone."""
    if not path:
        return new
    value = copy.deepcopy(value)
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    if drop:
        parent.pop(path[-1])
    else:
        parent[path[-1]] = new
    return value


def mutations(content: Any) -> Iterator[Any]:
    """Every path dropped, of every other type and value, and under another name."""
    for path in paths(content):
        for value in (*VALUES, *KINDS, *NAMES):
            yield changed(content, path, value)
        if path:
            yield changed(content, path, None, drop=True)
            yield changed(content, (*path[:-1], "another") if isinstance(path[-1], str) else path, 5)


def one_sentence(checks: Any, bundle: Path) -> bool:
    """Whether the bundle is refused, in one sentence with place and remedy; another exception fails the test."""
    try:
        checks(bundle)
    except ExportError as error:
        assert error.where and error.remedy and len(str(error).splitlines()) == 1 and len(str(error)) < 600
        return True
    return False


def test_every_change_of_a_manifest_is_a_sentence_or_accepted(small: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(small, tmp_path / "android"))
    manifest = json.loads((bundle / "manifest.json").read_text())
    refused, accepted = 0, []
    for change in mutations(manifest):
        (bundle / "manifest.json").write_text(json.dumps(change))
        if one_sentence(check_bundle, bundle):
            refused += 1
        else:
            accepted.append(change)
    assert refused > 1000 and accepted
    for change in random.Random(0).sample(accepted, 60):
        (bundle / "manifest.json").write_text(json.dumps(change))
        one_sentence(verify_bundle, bundle)


@pytest.mark.parametrize("key", ["model", "tokenizer", "golden"])
def test_what_the_program_disagrees_with_is_a_sentence(small: Path, tmp_path: Path, key: str) -> None:
    """Each value that the schema accepts of the settings that the program and the tokenizer depend on."""
    bundle = Path(shutil.copytree(small, tmp_path / "android"))
    manifest = json.loads((bundle / "manifest.json").read_text())
    for path in paths(manifest[key]):
        for value in (*VALUES, *NAMES, 65536):
            (bundle / "manifest.json").write_text(json.dumps(changed(manifest, (key, *path), value)))
            one_sentence(verify_bundle, bundle)


def test_every_change_of_the_golden_texts_is_a_sentence_or_accepted(small: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(small, tmp_path / "android"))
    golden = json.loads((bundle / "golden.json").read_text())
    found = []
    for change in mutations(golden):
        (bundle / "golden.json").write_text(json.dumps(change))
        record(bundle)
        found.append(one_sentence(verify_bundle, bundle))
    assert sum(found) > 0.5 * len(found)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "3", "[" * 100_000, "{", '{"format":1}', "\ufffd"])
@pytest.mark.parametrize("name", ["manifest.json", "golden.json"])
def test_a_file_that_is_something_else_is_a_sentence(small: Path, tmp_path: Path, name: str, text: str) -> None:
    bundle = Path(shutil.copytree(small, tmp_path / "android"))
    (bundle / name).write_text(text)
    if name == "golden.json":
        record(bundle)
    assert one_sentence(verify_bundle, bundle)
    assert one_sentence(check_bundle, bundle) or name == "golden.json"


def test_labels_that_the_program_has_no_logits_for_are_refused(small: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(small, tmp_path / "android"))
    edit_json(bundle / "manifest.json", lambda manifest: manifest["task"]["labels"].append("more"))
    with pytest.raises(ExportError, match="the manifest has 4 labels, and the program 3 logits"):
        verify_bundle(bundle)


def test_every_key_has_a_meaning() -> None:
    text = (Path(check.__file__).parent / "manifest.schema.json").read_text(encoding="utf-8")

    def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for key, value in schema.get("properties", {}).items():
            yield key, value
            yield from keys(value)

    assert [key for key, value in keys(json.loads(text)) if not value.get("description")] == []
