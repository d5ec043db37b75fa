"""Tasks of text vectors: what the files say is read, and what is wrong with them is one sentence with its place."""

from pathlib import Path

import pytest

from compress.data.embeddings import form_of, training_texts, with_prefixes, without_prefix
from compress.data.load import load_task
from compress.data.task import Relevant, Task
from compress.errors import DataError
from compress.recipe.sections import DataSection

SEARCH = {
    "corpus.tsv": ["id\ttext", "a\tthe sun is warm", "b\tfish swim", "c\tbirds fly", "d\tstones lie"],
    "queries.tsv": ["id\ttext", "q1\theat", "q2\tswimmers", "q3\twings", "q4\tnothing"],
    "qrels.tsv": ["query_id\tcorpus_id\trelevance", "q1\ta\t2", "q1\td\t1", "q2\tb\t1", "q3\tc\t1", "q4\td\t0"],
    "splits.tsv": ["query_id\tsplit", "q1\ttrain", "q2\tdev", "q3\ttest"],
}


def write(folder: Path, files: dict[str, list[str]]) -> Path:
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def load(folder: Path, **settings: object) -> Task:
    return load_task(DataSection(source=str(folder), **settings), seed=0)


def test_a_folder_with_a_corpus_is_a_search(tmp_path: Path) -> None:
    task = load(write(tmp_path, SEARCH))
    assert (task.kind, task.metric, form_of(task.dev)) == ("embedding", "ndcg_at_10", "search")
    assert task.corpus == ("the sun is warm", "fish swim", "birds fly", "stones lie")
    assert [(e.text_a, e.text_b) for e in task.train] == [("heat", "the sun is warm"), ("heat", "stones lie")]
    assert [(e.text_a, e.label) for e in (*task.dev, *task.test)] == [
        ("swimmers", (Relevant(1),)),
        ("wings", (Relevant(2),)),
    ]
    assert any("1 of 4 queries have no relevant passage and are left out: q4" in note for note in task.notes)


def test_without_splits_queries_are_divided_and_training_is_the_corpus(tmp_path: Path) -> None:
    task = load(write(tmp_path, {name: lines for name, lines in SEARCH.items() if name != "splits.tsv"}))
    assert [e.text_a for e in task.train] == list(task.corpus)
    assert len(task.dev) + len(task.test) == 3 and any("no file of splits" in note for note in task.notes)


WRONG = {
    "an unknown passage": ("qrels.tsv", 3, "q2\tzz\t1", "the id zz is not in corpus.tsv"),
    "an unknown query": ("qrels.tsv", 3, "q9\tb\t1", "the id q9 is not in queries.tsv"),
    "a relevance twice": ("qrels.tsv", 2, "q1\ta\t1", "is given twice"),
    "a relevance below 0": ("qrels.tsv", 1, "q1\ta\t-1", "is no number of at least 0"),
    "a relevance in words": ("qrels.tsv", 1, "q1\ta\tvery", "is no number of at least 0"),
    "a passage twice": ("corpus.tsv", 2, "a\tfish swim", "the id a occurs twice"),
    "a query twice": ("queries.tsv", 3, "q1\twings", "the id q1 occurs twice"),
    "an empty passage": ("corpus.tsv", 4, "d\t ", "the text in column text is empty"),
    "an empty query": ("queries.tsv", 3, "q3\t", "the text in column text is empty"),
    "a strange split": ("splits.tsv", 3, "q3\tlater", "the split 'later' is none of train, dev, test"),
    "a query in two splits": ("splits.tsv", 3, "q2\ttest", "the query q2 is in dev and in test"),
    "an unknown query in splits": ("splits.tsv", 3, "q7\ttest", "the query q7 is not in the file of queries"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, name: str) -> None:
    file, line, text, sentence = WRONG[name]
    lines = list(SEARCH[file])
    lines[line] = text
    with pytest.raises(DataError) as caught:
        load(write(tmp_path, {**SEARCH, file: lines}))
    assert sentence in str(caught.value)
    assert f"{file}, line {line + 1}" in str(caught.value) and "\n" not in str(caught.value)


def pairs(header: str, *rows: str) -> dict[str, list[str]]:
    return {f"{split}.tsv": [header, *rows] for split in ("train", "dev", "test")}


def test_pairs_with_a_score_are_compared(tmp_path: Path) -> None:
    task = load(write(tmp_path, pairs("score\ttext_a\ttext_b", "4.5\ta b\tc d", "0\te\tf")), kind="embedding")
    assert (task.metric, form_of(task.dev)) == ("spearman", "pairs")
    assert [(e.text_a, e.text_b, e.label) for e in task.dev] == [("a b", "c d", 4.5), ("e", "f", 0.0)]


@pytest.mark.parametrize(
    ("cell", "sentence"), [("nan", "is no number"), ("", "is no number"), ("9", "outside the range")]
)
def test_a_score_that_is_none_is_refused(tmp_path: Path, cell: str, sentence: str) -> None:
    files = pairs("score\ttext_a\ttext_b", "4.5\ta b\tc d", "0\te\tf")
    files["test.tsv"][2] = f"{cell}\te\tf"
    with pytest.raises(DataError, match=sentence) as caught:
        load(write(tmp_path, files), kind="embedding")
    assert "test.tsv, line 3" in str(caught.value)


def test_queries_with_passages_are_searched_among_all_passages(tmp_path: Path) -> None:
    files = pairs("query\tpassage\tnegative", "heat\tthe sun\tthe moon", "heat\tan oven\t")
    files["test.tsv"] = ["query\tpassage\tnegative", "cold\tsnow\t"]
    task = load(write(tmp_path, files), kind="embedding")
    assert (task.metric, task.corpus) == ("ndcg_at_10", ("the sun", "an oven", "snow"))
    assert task.train[0].negatives == ("the moon",) and task.train[1].negatives == ()
    assert [(e.text_a, e.relevant) for e in task.dev] == [("heat", (Relevant(0), Relevant(1)))]


def test_plain_texts_are_masked_words_unless_vectors_are_wanted(tmp_path: Path) -> None:
    lines = [f"text number {i}" for i in range(40)]
    write(tmp_path, {"train.txt": lines})
    assert load(tmp_path).kind == "mlm"
    task = load(tmp_path, kind="embedding")
    assert (task.metric, form_of(task.dev)) == ("neighbors_kept", "neighbors")
    assert len(task.train) + len(task.dev) + len(task.test) == 40


def test_a_metric_of_other_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the metric spearman does not fit these texts"):
        load(write(tmp_path, SEARCH), metric="spearman")


def test_prefixes_are_put_before_queries_and_passages(tmp_path: Path) -> None:
    task = with_prefixes(load(write(tmp_path, SEARCH)), "query: ", "passage: ")
    assert task.train[0].text_a == "query: heat" and task.train[0].text_b == "passage: the sun is warm"
    assert task.test[0].text_a == "query: wings" and task.corpus[1] == "passage: fish swim"
    assert {without_prefix(task, text) for text in task.corpus} == {
        "the sun is warm",
        "fish swim",
        "birds fly",
        "stones lie",
    }
    assert [e.text_a for e in training_texts(task)] == ["query: heat", *(task.corpus[i] for i in (0, 3, 1, 2))]
