"""The sentences of a report: the result in one line, the verdict, and what can be concluded from the interval."""

from typing import Any

from compress.report import formats as f
from compress.report.schema import reason_for

Report = dict[str, Any]
SIZE_WORDS = ("smaller", "larger", "as large")
SPEED_WORDS = ("faster", "slower", "as fast")
_LIMITS = {"max_drop": "at most {:g} points lost", "max_size": "at most {}", "max_latency": "at most {} tokens"}


def metric_format(report: Report) -> f.MetricFormat:
    """How this report's metric is printed."""
    return f.MetricFormat(report["task"]["metric"], report["task"].get("metric_scale", 100))


def headline(report: Report) -> str:
    """The result in one sentence: smaller, faster, accuracy difference with its interval."""
    programs = report["programs"]
    if programs["ticket"] is None:
        return f"No phone program was made: {reason_for(report, 'programs', 'ticket')}."
    clauses = [*_size_clause(report), *_speed_clause(report)]
    start = f"The phone program is {_join(clauses)}" if clauses else "The phone program was made"
    return f"{start}; {_accuracy_clause(report)}."


def _size_clause(report: Report) -> list[str]:
    ratio, programs = report["verdict"]["size_ratio"], report["programs"]
    if ratio is None:
        return [f"{f.size(programs['ticket']['bytes'])} in size"]
    sizes = f"{f.size(programs['ticket']['bytes'])} instead of {f.size(programs['dense']['bytes'])}"
    return [f"{' '.join(compared(ratio, *SIZE_WORDS))} ({sizes})"]


def _speed_clause(report: Report) -> list[str]:
    speed = report["verdict"]["speed_ratio"] or {}
    measured = [(length, ratio) for length, ratio in _by_length(speed) if ratio is not None]
    return [f"{' '.join(compared(ratio, *SPEED_WORDS))} at {length} tokens" for length, ratio in measured]


def _accuracy_clause(report: Report) -> str:
    name, split = metric_format(report).name, report["task"]["eval_split"]
    reached = report["programs"]["ticket"]["metric"][split]
    drop, interval = report["verdict"]["drop_points"], report["verdict"]["ci95"]
    value = "" if reached is None else f" of {metric_format(report).value(reached)}"
    if drop is None:
        return f"its {split} {name}{value} was not compared with the unpruned model\u2019s"
    words = drop_words(drop, report)
    certainty = "" if interval is None else f" (95 % interval of the drop: {metric_format(report).between(interval)})"
    return f"its {split} {name}{value} is {words} the unpruned model\u2019s{certainty}"


def drop_words(drop: float, report: Report) -> str:
    """A drop as "0.4 points below", "1.2 points above" or "the same as" (the dense model)."""
    amount = metric_format(report).points(abs(drop))
    if float(amount) == 0:
        return "the same as"
    worse, better = ("below", "above") if report["task"].get("higher_is_better", True) else ("above", "below")
    return f"{amount} {'point' if amount == '1.0' else 'points'} {worse if drop > 0 else better}"


def compared(ratio: float, better: str, worse: str, same: str) -> tuple[str, str]:
    """A ratio and its word, the ratio turned so that it is at least one: (3.8×, smaller), (1.2×, slower)."""
    text = f.times(max(ratio, 1 / ratio))
    return text, same if text == f.times(1.0) else better if ratio > 1 else worse


def verdict_title(report: Report) -> str:
    """The verdict as a heading."""
    verdict = report["verdict"]
    if verdict["winning_ticket"] is not None:
        return "A winning ticket" if verdict["winning_ticket"] else "Not a winning ticket"
    drop, interval = verdict["drop_points"], verdict["ci95"]
    if drop is None or interval is None:
        return "Too few texts to judge the accuracy"
    if interval[0] <= 0 <= interval[1]:
        return "No measurable loss of accuracy"
    amount = metric_format(report).points(abs(drop))
    return f"{amount} {'point' if amount == '1.0' else 'points'} {'lost' if drop > 0 else 'gained'}"


def verdict_sentences(report: Report) -> list[str]:
    """The verdict in sentences: what was found, by which rule, and what the test split can say about the program."""
    return [
        _finding(report),
        f"The rule: {report['verdict']['rule'].rstrip('.')}.",
        *_seeds(report),
        _certainty(report),
    ]


def budget_sentence(report: Report) -> str | None:
    """Whether the budget was kept, on dev where it was chosen and on test where it was looked at once."""
    budget = report.get("budget")
    if not budget:
        return None
    limits, chosen = budget["asked"], next(trial for trial in budget["tried"] if trial["chosen"])
    wanted = _join([text.format(limits[key]) for key, text in _LIMITS.items() if key in limits])
    shown, verdict = metric_format(report), report["verdict"]
    reached = f"{f.size(chosen['bytes'])}, {_points(chosen['drop_dev'], report)} on dev"
    result = "met" if budget["met_on_dev"] else "not met by any program that was tried; this is the most accurate one"
    on_test = (
        ""
        if verdict["drop_points"] is None
        else f"; on test, evaluated once, {_points(verdict['drop_points'], report)}"
    )
    interval = "" if verdict["ci95"] is None else f" (95 % interval {shown.between(verdict['ci95'])})"
    return f"The budget ({wanted}) is {result}: {reached}{on_test}{interval}."


def _points(drop: float, report: Report) -> str:
    return f"{drop_words(drop, report)} the dense model"


def _finding(report: Report) -> str:
    winning = report["verdict"]["winning_ticket"]
    if winning is None:
        reason = reason_for(report, "verdict", "winning_ticket")
        return f"Whether this is a winning ticket in the sense of the papers is open: {reason}."
    ticket = next((stage for stage in report["stages"] if stage["name"] == "ticket"), None)
    share = ticket and ticket["sparsity_prunable"]
    where = f" with {f.percent(share)} of its prunable weights at zero" if share else ""
    if winning:
        return f"Trained like the dense model{where}, the ticket matches it."
    return (
        f"Trained like the dense model{where}, the ticket does not match it. That is a normal result, not an error: "
        "on this task this sparsity costs some accuracy. Less sparsity, longer rounds or "
        "distillation may close the gap, and the program below can still be the right one for your app."
    )


def _seeds(report: Report) -> list[str]:
    seeds = report["verdict"].get("seeds")
    if not seeds:
        return []
    shown = metric_format(report)

    def words(name: str) -> str:
        summary = seeds[name]
        number = len(summary["values"])
        spread = "" if summary["std"] is None else f" \u00b1 {shown.bare(summary['std'])}"
        each = ", ".join(shown.bare(value) for value in summary["values"])
        return f"{shown.bare(summary['mean'])}{spread} over {number} {'seed' if number == 1 else 'seeds'} ({each})"

    return [f"Test {shown.heading}: dense {words('dense')}, ticket {words('ticket')}."]


def _certainty(report: Report) -> str:
    """What can be concluded from the paired interval of the programs' difference."""
    interval, task = report["verdict"]["ci95"], report["task"]
    if interval is None:
        reason = reason_for(report, "verdict", "ci95")
        return f"The uncertainty of the drop was not measured: {reason}."
    examples = f"{f.count(task['eval_examples'])} {task['eval_split']} examples"
    spread = f"the 95 % interval of the drop, {metric_format(report).between(interval)} points,"
    start = f"On the {examples} the exported"
    low, high = interval
    if low <= 0 <= high:
        return f"{start} programs do not differ measurably: {spread} contains zero."
    word, side = ("worse", "above") if low > 0 else ("better", "below")
    return f"{start} ticket is {word} than the dense program, more than chance explains: {spread} is {side} zero."


def _by_length(table: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(table.items(), key=lambda item: int(item[0]))


def _join(clauses: list[str]) -> str:
    return " and ".join((", ".join(clauses[:-1]), clauses[-1])) if len(clauses) > 1 else clauses[0]
