"""From a source (the bundled task, a file, a folder, the Hub) to tables of rows, one for each split there is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compress.data.arrow import HIDDEN, named_labels
from compress.data.files import SUFFIXES, read_rows, suffix_of
from compress.data.reading import Reading, Table
from compress.errors import DataError
from compress.hub import ask_hub

BUNDLED = {name: Path(__file__).parent / name for name in ("phone_commands", "phone_search")}
TEXTS_OF = {"phone_search": "phone_commands"}  # the bundled task whose texts another one is distilled on, too
UNLABELED = "unlabeled.txt"
_NAMED = 5  # files in a note
_SPLIT_NAMES = {
    "train": ("train", "training"),
    "dev": ("dev", "validation", "valid", "val", "devel", "development", "eval", "evaluation"),
    "test": ("test", "testing"),
}
_SHARD = re.compile(r"(?P<name>.+?)-(?P<number>\d+)-of-(?P<count>\d+)(-[0-9a-f]+)?")
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_HUB_PAGE = re.compile(r"https?://huggingface\.co/(?:datasets/)?([\w.-]+(?:/[\w.-]+)?)")
_BESIDE = (
    "readme",
    "license",
    "labels",
    "unlabeled",
    "dataset_info",
    "state",
    "dataset_dict",
)  # files that are no data


def tables_of(source: str, reading: Reading) -> tuple[str, dict[str, Table]]:
    """(name, split → rows); "train" is always there. Raises DataError with the file at fault."""
    if source.startswith(("http://", "https://")):
        page = _HUB_PAGE.match(source)
        remedy = f"use --data hf:{page[1]}" if page else "download the file, and give its path"
        raise DataError("data is not read from web addresses", where=source, remedy=remedy)
    if source.startswith("hf:"):
        name, tables = _from_hub(source.removeprefix("hf:"), reading)
    else:
        path = BUNDLED.get(source, Path(source))
        name = path.resolve().name
        if path.is_file():
            name, tables = name.removesuffix(".gz").removesuffix(suffix_of(path)), {"train": read_rows(path, reading)}
        elif not path.is_dir():
            raise DataError(
                "there is no such file or folder",
                where=str(path),
                remedy=f"give a file ({', '.join(SUFFIXES)}), a folder with train and dev, hf:NAME, "
                f"or {', '.join(BUNDLED)}",
            )
        elif (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
            tables = _saved_to_disk(path)
        else:
            tables = _from_folder(path, reading)
    _leave_out_hidden(tables, reading)
    return name, tables


def _from_folder(folder: Path, reading: Reading) -> dict[str, Table]:
    tables, used = {}, set()
    for split, names in _SPLIT_NAMES.items():
        files = _files(folder, names)
        used.update(files)
        if files:
            tables[split] = [row for file in files for row in read_rows(file, reading)]
        if len(files) > 1:
            reading.note(f"{split} was read from {len(files)} files")
    others = sorted(f for f in folder.iterdir() if suffix_of(f) in SUFFIXES and not f.name.lower().startswith(_BESIDE))
    if "train" in tables:
        if unused := [f.name for f in others if f not in used]:
            more = f" and {len(unused) - _NAMED:,} more" if len(unused) > _NAMED else ""
            reading.note(f"files that are not used: {', '.join(unused[:_NAMED])}{more}")
        return tables
    if len(others) == 1 and not tables:
        reading.note(f"{others[0].name} is the only data file of the folder")
        return {"train": read_rows(others[0], reading)}
    there = f"; it has {', '.join(f.name for f in others[:5])}" if others else ""
    raise DataError(
        f"there is no training file{there}",
        where=str(folder),
        remedy=f"call it train, with one of the endings {', '.join(SUFFIXES)}, or give a single file: --data FILE",
    )


def _files(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """A split's file, or its numbered parts: train.tsv, train.tsv.gz, data/train-00000-of-00002.parquet, train/*.

    Of SQuAD's JSON train-v1.1.json too. Raises DataError where two could be meant, or a part is missing.
    """
    endings = {f"{suffix}{packed}" for suffix in SUFFIXES for packed in ("", ".gz")}
    for name in names:
        for place in (folder, folder / "data"):
            there = sorted(place.iterdir()) if place.is_dir() else []
            files = [f for f in there if f.name.lower() in {f"{name}{ending}" for ending in endings} and f.is_file()]
            files += sorted(f for packed in ("", ".gz") for f in place.glob(f"{name}-*.json{packed}") if not _shard(f))
            if len(files) > 1:
                raise DataError(
                    f"two files for the {name} split ({files[0].name}, {files[1].name})",
                    where=str(place),
                    remedy="keep one",
                )
            if files := files or _parts(place, name):
                return files
        if files := sorted(f for f in (folder / name).glob("*") if f.is_file() and suffix_of(f) in SUFFIXES):
            return files
    return []


def _shard(file: Path) -> re.Match[str] | None:
    return _SHARD.fullmatch(file.name.removesuffix(".gz").removesuffix(suffix_of(file)))


def _parts(folder: Path, name: str) -> list[Path]:
    """The numbered parts of a split, in order."""
    found = sorted((int(match["number"]), int(match["count"]), file) for file, match in _matches(folder, name))
    if found and [number for number, _, _ in found] != list(range(found[0][1])):
        raise DataError(
            f"the {name} split has {len(found)} of {found[0][1]} parts",
            where=str(folder),
            remedy="add the missing files",
        )
    return [file for _, _, file in found]


def _matches(folder: Path, name: str) -> Iterator[tuple[Path, re.Match[str]]]:
    for file in folder.glob(f"{name}-*"):
        match = _shard(file)
        if match and match["name"] == name and suffix_of(file) in SUFFIXES:
            yield file, match


def _saved_to_disk(folder: Path) -> dict[str, Table]:
    """What `datasets` wrote with save_to_disk."""
    import datasets

    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:  # `datasets` and Arrow raise many unrelated types
        raise DataError(
            f"the data set that was saved here can't be read ({_first_line(error)})",
            where=str(folder),
            remedy="save it again with save_to_disk",
        ) from error
    return _tables(loaded if isinstance(loaded, dict) else {"train": loaded}, str(folder))


def _from_hub(name: str, reading: Reading) -> tuple[str, dict[str, Table]]:
    import datasets

    path, _, config = name.partition(":")
    if not path or not Path(path).exists():
        if not _HUB_ID.fullmatch(path):
            raise DataError(
                "this is not the id of a Hub data set", where=f"hf:{name}", remedy="write hf:NAME or hf:OWNER/NAME"
            )
        ask_hub(path, "dataset")
    try:
        loaded = datasets.load_dataset(path, config or None)
    except Exception as error:  # the Hub client raises many unrelated types
        raise DataError(
            f"the Hub data set can't be loaded ({_first_line(error)})",
            where=f"hf:{name}",
            remedy="check the name and the network",
        ) from error
    unused = [split for split in loaded if not any(split in names for names in _SPLIT_NAMES.values())]
    if unused:
        reading.note(f"splits that are not used: {', '.join(map(str, unused))}")
    return path.rsplit("/", 1)[-1] + (f"_{config}" if config else ""), _tables(loaded, f"hf:{name}")


def _tables(loaded: dict[str, Any], where: str) -> dict[str, Table]:
    """The splits of a `datasets` dictionary."""
    tables = {}
    for split, names in _SPLIT_NAMES.items():
        found = next((n for n in names if n in loaded), None)
        if found:
            rows = named_labels(loaded[found], loaded[found].features.arrow_schema.metadata)
            tables[split] = [(f"{where} {found}, row {i}", row) for i, row in enumerate(rows, 1)]
    if "train" not in tables:
        raise DataError(
            f"there is no train split (it has {', '.join(loaded)})", where=where, remedy="use another data set"
        )
    for split in [s for s, table in tables.items() if not table]:
        del tables[split]
    return tables


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _leave_out_hidden(tables: dict[str, Table], reading: Reading) -> None:
    """GLUE and others hide their test labels as -1."""
    if "test" in tables and all(row.get("label") == HIDDEN for _, row in tables["test"]):
        reading.note("the test split has no labels (all are -1); it is not used")
        del tables["test"]
