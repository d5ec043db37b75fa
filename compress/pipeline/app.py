"""What a run makes for an app: whether there can be a bundle, and the demo app around it."""

import tempfile
from pathlib import Path
from typing import Any

from compress.data.embeddings import vector_texts
from compress.data.task import SPLITS
from compress.errors import PocketTicketError
from compress.files import read_json, write_json
from compress.pipeline.run import Inputs, Run

APK = "ticket-demo-debug.apk"
_NO_SCREEN = {"mlm": "masked words", "embedding": "vectors; the library has TextModel.embed and VectorIndex"}


_CHECKED = 5000  # texts of each split that are tokenized as an app would


def why_no_bundle(inputs: Inputs) -> str | None:
    """Why a run of these inputs can make no bundle, known before it starts; None: it can.

    Then the run ends with the programs and the report alone.
    """
    from mobile_export.bundle import support
    from mobile_export.bundle.golden import Text

    task = inputs.task
    texts: list[tuple[Text, list[int] | None]] = []
    for split in SPLITS:
        encoded = inputs.texts.splits[split]
        ids, rows = encoded.columns()["input_ids"], encoded.rows_of()
        apart = (
            set(encoded.long) if inputs.long != "cut" else set()
        )  # their rows are not what a tokenizer that cuts gives
        if task.kind == "embedding":
            texts += [(Text(text), None) for text in vector_texts(task, split)[:_CHECKED]]
            continue
        for i, each in enumerate(task.split(split)[:_CHECKED]):
            # only where a text has one answer are its ids those that an app gets from the same text
            same = task.of_sentences and i not in apart
            texts.append((Text(each.text_a, each.text_b), ids[rows[i][0]] if same else None))
    with tempfile.TemporaryDirectory() as folder:
        inputs.texts.tokenizer.save_pretrained(folder)
        segments = "token_type_ids" in inputs.texts.splits["train"].columns()
        limit = inputs.recipe.model.max_tokens
        return support.why_no_bundle(Path(folder), texts, limit, pair=task.pair, segments=segments)


def why_no_app(inputs: Inputs) -> str | None:
    """Why a run of these inputs will build no app, as far as that is known before it starts; None: it will."""
    from mobile_export.app.tools import missing_tools
    from mobile_export.targets import TARGETS

    if inputs.task.kind in _NO_SCREEN:
        return f"the demo app has no screen for {_NO_SCREEN[inputs.task.kind]}"
    if not TARGETS[inputs.recipe.target].app:
        return f"the demo app is for android, and the target is {inputs.recipe.target}"
    return missing_tools()


def build_app(run: Run) -> dict[str, Any] | str:
    """Build the demo app around the bundle, unless that is done: report.json's "apk", or why there is none."""
    from mobile_export.apk import build_apk

    file, about = run.bundle / APK, run.bundle / "apk.json"
    if file.is_file() and about.is_file():
        found: dict[str, Any] = read_json(about)
        return found
    if reason := why_no_app(run):
        return reason
    try:
        with run.console.step("demo app", 1) as advance:
            apk = build_apk(run.bundle, file)
            advance(1)
    except PocketTicketError as error:
        return str(error)
    parts = {"model": apk.model_bytes, "native runtime": apk.native_bytes, "code": apk.code_bytes}
    found = {"file": f"android/{APK}", "bytes": apk.bytes, "parts": parts}
    write_json(about, found)
    return found
