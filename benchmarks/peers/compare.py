"""The whole comparison in one process: load everyone, check what they answer, time them, score them."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.peers.contestants import Contestant, contestants, set_threads
from benchmarks.peers.engines import Engine
from benchmarks.peers.goals import GOALS
from benchmarks.peers.models import Subject, texts_of
from benchmarks.peers.programs import versions
from benchmarks.peers.quality import Test, answers, differences, read_test, score
from benchmarks.peers.timing import Times, measure
from compress.console import Console

CHECKED_TEXTS = 8  # of each length, on which logits are compared
FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")  # what int8 kernels ask for


@dataclass(frozen=True)
class Settings:
    """What is compared, and how often."""

    subjects: tuple[Subject, ...]
    families: tuple[str, ...]
    lengths: tuple[int, ...]
    threads: tuple[int, ...]
    rounds: int
    runs: int
    data: Path | None


def compare(settings: Settings, console: Console) -> dict[str, Any]:
    """Everything that the page shows, as plain JSON values."""
    load = os.getloadavg()[0]
    tests = {s.name: read_test(s, settings.data) for s in settings.subjects} if settings.data else {}
    everyone = build(settings, console)
    rows = {c.name: _row(c) for c in everyone}
    ratios: list[dict[str, Any]] = []
    for threads in settings.threads:
        set_threads(threads)
        with console.step(f"loading, threads: {threads}", 1) as advance:
            engines = {c.name: c.load(threads) for c in everyone}
            advance(1)
        for length in settings.lengths:
            with console.step(f"{length} tokens, threads: {threads}", 1) as advance:
                times = _at(settings, everyone, engines, length, rows)
                advance(1)
            for name, found in times.items():
                rows[name]["latency_ms"].setdefault(str(threads), {})[str(length)] = found.summary()
            ratios += _ratios(times, threads, length)
    _score(tests, everyone, engines, rows, console)
    data = next(({"name": test.name, "texts": len(test.texts)} for test in tests.values()), None)
    about = {"date": date.today().isoformat(), "machine": machine(load), "versions": versions()}
    about |= {"rounds": settings.rounds, "runs": settings.runs, "threads": settings.threads}
    about |= {"lengths": settings.lengths, "data": data, "quality_threads": settings.threads[-1]}
    models = {s.name: "/".join(s.folder.resolve().parts[-2:]) for s in settings.subjects}
    return {**about, "models": models, "contestants": list(rows.values()), "ratios": ratios}


def build(settings: Settings, console: Console) -> list[Contestant]:
    """Every contestant of every model, built where it is not there yet."""
    everyone = []
    for subject in settings.subjects:
        for family in (f for f in settings.families if subject.families is None or f in subject.families):
            with console.step(f"{subject.name} model, {family}", 1) as advance:
                everyone += contestants(subject, family, settings.lengths)
                advance(1)
    return everyone


def machine(load: float) -> dict[str, Any]:
    """Processor, cores that this process may use, what its int8 kernels can use, and how busy it was before."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = (known.get("flags") or known.get("Features") or "").split()
    return {
        "processor": known.get("model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "features": [feature for feature in FEATURES if feature in flags],
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "load_before": round(load, 2),
    }


def _row(contestant: Contestant) -> dict[str, Any]:
    """What is known of a contestant before it runs."""
    size = contestant.size or (None, None)
    names = {"model": contestant.model, "family": contestant.family, "precision": contestant.precision}
    sizes = {"bytes": size[0], "deflated": size[1], "files": len(contestant.files)}
    return {**names, **sizes, "facts": contestant.facts, "latency_ms": {}, "logits_off": 0.0, "test": None}


def _at(
    settings: Settings,
    everyone: Sequence[Contestant],
    engines: Mapping[str, Engine],
    length: int,
    rows: dict[str, dict[str, Any]],
) -> dict[str, Times]:
    """Time all at one length, after their logits were compared with those of their model in eager PyTorch."""
    calls = {}
    for subject in settings.subjects:
        texts = texts_of(subject, length, CHECKED_TEXTS)
        mine = {c.name: engines[c.name] for c in everyone if c.model == subject.name}
        for name, off in differences(mine, engines[f"{subject.name} eager fp32"], texts).items():
            rows[name]["logits_off"] = max(rows[name]["logits_off"], off)
        calls |= {name: engine.prepare(texts[0]) for name, engine in mine.items()}
    return measure(calls, rounds=settings.rounds, runs=settings.runs)


def _ratios(times: Mapping[str, Times], threads: int, length: int) -> list[dict[str, Any]]:
    """The program's time ÷ the peer's, for each goal whose two sides are here."""
    return [
        {"goal": goal.name, "threads": threads, "length": length, "ratio": times[goal.program].ratio(times[goal.peer])}
        for goal in GOALS
        if goal.program in times and goal.peer in times
    ]


def _score(
    tests: Mapping[str, Test],
    everyone: Sequence[Contestant],
    engines: Mapping[str, Engine],
    rows: dict[str, dict[str, Any]],
    console: Console,
) -> None:
    """Let every program answer the test split as its model reads it."""
    for model, test in tests.items():
        mine = [c.name for c in everyone if c.model == model]
        expected = answers(engines[f"{model} eager fp32"], test.texts).argmax(1)
        with console.step(f"{model} model on {test.name}'s test", len(mine)) as advance:
            for name in mine:
                rows[name]["test"] = score(engines[name], test, expected)
                advance(1)
