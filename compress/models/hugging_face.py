"""Calls of transformers that fail in one way and print nothing."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compress.errors import ModelError

AUTO = {  # the class of transformers for a kind of task; every other kind answers once for a text
    "tokens": "AutoModelForTokenClassification",
    "qa": "AutoModelForQuestionAnswering",
    "mlm": "AutoModelForMaskedLM",
    "embedding": "AutoModel",  # an encoder without a head
}
SENTENCES = "AutoModelForSequenceClassification"


def from_pretrained(cls: Any, source: str, **options: object) -> Any:
    """`cls.from_pretrained(source)`. Raises ModelError, whatever fails in it."""
    try:
        return cls.from_pretrained(source, **options)
    except Exception as error:  # transformers, safetensors and the Hub client raise many unrelated types
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        remedy = "correct its files" if Path(source).is_dir() else "check the name and the network"
        raise ModelError(f"the model can't be loaded ({first})", where=source, remedy=remedy) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hide transformers' load reports and bars: a user need not act on them."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
