"""A whole report with every key, for tests of what reads reports."""

from typing import Any


def _metric(dev: float, test: float, half: float = 0.016) -> dict[str, Any]:
    return {"dev": dev, "test": test, "ci95": [round(test - half, 4), round(test + half, 4)]}


def _stage(name: str, nonzero: int, prunable: float, total: float, metric: dict, seconds: float, **more: Any) -> dict:
    return {
        "name": name,
        "parameters": 22_713_216,
        "nonzero_parameters": nonzero,
        "sparsity_prunable": prunable,
        "sparsity_total": total,
        "metric": metric,
        "seconds": seconds,
        **more,
    }


def _latency(median: float) -> dict[str, Any]:
    return {"median": median, "p10": round(median * 0.95, 3), "p90": round(median * 1.17, 3), "runs": 120}


def _program(name: str, size: int, download: int, short: float, long: float, metric: dict, **more: Any) -> dict:
    return {
        "file": f"{name}/model.pte",
        "bytes": size,
        "download_bytes": download,
        "latency_ms": {"12": _latency(short), "64": _latency(long)},
        "threads": 1,
        "metric": metric,
        **more,
    }


def _tried(rung: int, scheme: str, size: int, latency: float, metric: float, drop: float, chosen: bool = False) -> dict:
    shape = {"layers": 0.67, "heads": 0.5, "neurons": 0.34, "vocabulary": 16000, "embedding_rank": 96}
    found = {"bytes": size, "milliseconds": latency, "metric_dev": metric, "drop_dev": drop, "chosen": chosen}
    return {"rung": rung, "scheme": scheme, **shape, **found}


def sample() -> dict[str, Any]:
    """A report with every key, required and additive. Its numbers are invented, of the size that runs have."""
    return {
        "schema_version": 1,
        "created": "2026-11-21T11:30:00Z",
        "task": {
            "name": "phone_commands",
            "kind": "classification",
            "metric": "accuracy",
            "train_examples": 1987,
            "eval_split": "test",
            "eval_examples": 412,
            "dev_examples": 401,
            "labels": 19,
            "higher_is_better": True,
            "metric_scale": 100,
            "baseline": {"name": "bag of words", "metric": _metric(0.7132, 0.7063)},
            "notes": ["No near-duplicate crosses the splits."],
        },
        "model": {
            "name": "all-MiniLM-L6-v2",
            "parameters": 22_713_216,
            "prunable_parameters": 10_764_288,
            "licence": "Apache-2.0",
        },
        "stages": [
            _stage("dense", 22_713_216, 0.0, 0.0, {**_metric(0.9251, 0.9223), "ci95_dev": [0.8978, 0.9476]}, 73.2),
            _stage("ticket", 19_483_929, 0.3, 0.1422, _metric(0.9127, 0.9102), 204.7, note="3 rounds of 10 points"),
            _stage("distilled", 19_483_929, 0.3, 0.1422, _metric(0.9227, 0.9199), 61.4),
            _stage(
                "quantized", 19_483_929, 0.3, 0.1422, _metric(0.9202, 0.9175), 3.8, note="int8, embeddings included"
            ),
            _stage("program", 19_483_929, 0.3, 0.1422, _metric(0.9201, 0.9174), 11.2),
        ],
        "programs": {
            "dense": _program(
                "dense",
                91_012_345,
                83_401_000,
                2.31,
                9.84,
                _metric(0.9252, 0.9224),
                label="stock fp32",
                peak_rss_bytes=214_958_080,
                peak_rss_growth_bytes=116_200_000,
                agreement_with_eager=1.0,
                delegated_fraction=0.7125,
                delegated_pieces=44,
                leftover_ops={"aten::layer_norm": 13, "aten::where": 6, "aten::any": 6, "aten::view_copy": 24},
                sha256="ab" * 32,
            ),
            "ticket": _program(
                "android",
                23_702_001,
                19_310_777,
                1.02,
                2.37,
                _metric(0.9203, 0.9173),
                label="phone int8",
                peak_rss_bytes=None,
                agreement_with_eager=0.9951,
                delegated_fraction=0.9821,
                delegated_pieces=2,
                idle_neurons=1_344,
                leftover_ops={"quantized_decomposed::embedding_byte": 1},
                first_answer_ms={"cold": 31.4, "warm": 8.7},
                storage_bytes={"8": 22_600_000, "32": 260_000},
            ),
        },
        "verdict": {
            "winning_ticket": False,
            "rule": "a ticket wins if its mean over the seeds is within one standard deviation of the dense model's",
            "drop_points": 0.49,
            "ci95": [-0.73, 1.71],
            "size_ratio": 3.8399,
            "download_ratio": 4.3189,
            "memory_ratio": None,
            "speed_ratio": {"12": 2.2647, "64": 4.1519},
            "seeds": {
                "dense": {"values": [0.9223, 0.9199, 0.9248], "mean": 0.92233, "std": 0.00245},
                "ticket": {"values": [0.9102, 0.9078, 0.9126], "mean": 0.9102, "std": 0.0024},
            },
            "controls": {"random_mask": _metric(0.8603, 0.8544), "random_init": None},
        },
        "environment": {"python": "3.12", "threads": 2, "versions": {"torch": "2.15.0"}, "gpu": None},
        "not_measured": {
            "programs.ticket.peak_rss_bytes": "the machine gives no resident memory of a finished process",
            "verdict.memory_ratio": "one of the two was not measured",
            "verdict.controls.random_init": "run with --controls",
        },
        "target": {"name": "android", "limits": "The app asks for the known answers on the phone itself."},
        "budget": {
            "asked": {"max_drop": 1.0, "max_latency": "1ms@12"},
            "met_on_dev": True,
            "tried": [
                _tried(2, "int8", 6_012_345, 0.41, 0.9088, 0.29),
                _tried(2, "int4", 3_412_345, 0.43, 0.9052, 0.65),
                _tried(4, "int8", 3_812_345, 0.33, 0.9012, 1.05),
                _tried(4, "int4", 2_112_345, 0.34, 0.9027, 0.90, chosen=True),
            ],
        },
        "search": [
            {"round": 0, "sparsity_prunable": 0.0, "metric_dev": 0.9253, "seconds": 73.2, "ci95": [0.8979, 0.9477]},
            {"round": 1, "sparsity_prunable": 0.1, "metric_dev": 0.9226, "seconds": 66.1, "ci95": [0.8953, 0.9452]},
            {"round": 2, "sparsity_prunable": 0.2, "metric_dev": 0.9177, "seconds": 69.3, "ci95": [0.8903, 0.9402]},
            {"round": 3, "sparsity_prunable": 0.3, "metric_dev": 0.9128, "seconds": 69.4, "chosen": True},
        ],
        "training_curves": {
            "dense": [{"step": 60 * i, "metric_dev": m, "loss": loss} for i, m, loss in _curve(0.9254)],
            "ticket": [{"step": 60 * i, "metric_dev": m, "loss": loss} for i, m, loss in _curve(0.9129)],
        },
        "recipe": {
            "command": "python -m compress.run --target android --seeds 3",
            "yaml": "target: android\nseeds: 3\n",
        },
        "apk": {
            "file": "android/ticket-demo-debug.apk",
            "bytes": 31_204_112,
            "parts": {"model": 23_702_001, "app": 902_111},
        },
        "licences": [{"name": "all-MiniLM-L6-v2", "licence": "Apache-2.0"}],
    }


def _curve(end: float) -> list[tuple[int, float, float]]:
    return [(i, round(end - 0.31 * 0.45**i, 4), round(0.11 + 2.4 * 0.5**i, 4)) for i in range(1, 7)]
