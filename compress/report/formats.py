"""Numbers as people read them. Every function takes None for "not measured" and says so."""

MISSING = "not measured"
MINUS = "\u2212"
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))

METRIC_NAMES = {
    "accuracy": "accuracy",
    "f1": "F1",
    "agreement": "agreement with the given model",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "mean_average_precision": "mean average precision",
    "mean_absolute_error": "mean absolute error",
    "entity_f1": "entity F1",
    "answer_f1": "F1 of the answers' words",
    "exact_match": "exact match",
    "answerable_exact_match": "exact match of questions with an answer",
    "unanswerable_accuracy": "accuracy on questions without an answer",
    "masked_accuracy": "accuracy of masked words",
    "masked_loss": "loss of masked words, nats",
    "matthews": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "ndcg_at_10": "nDCG@10",
    "recall_at_1": "recall@1",
    "recall_at_10": "recall@10",
    "mrr": "mean reciprocal rank",
    "neighbors_kept": "nearest neighbors kept",
    "pearson_spearman": "mean of Pearson and Spearman correlation",
}
# "91.2 %"; other metrics in 0–1 are printed × 100
SHARES = {"accuracy", "agreement", "exact_match", "answerable_exact_match", "unanswerable_accuracy", "masked_accuracy"}
SHARES |= {"recall_at_1", "recall_at_10", "neighbors_kept"}
LOSSES = {"masked_loss", "mean_absolute_error"}  # printed as they are


def count(value: int | None) -> str:
    """6920 → "6,920"; 22713216 → "22.7 M"."""
    if value is None:
        return MISSING
    return f"{value:,}" if value < 100_000 else _scaled(value, "")


def size(value: int | None) -> str:
    """Bytes in decimal units, as stores print them: 23712345 → "23.7 MB"."""
    if value is None:
        return MISSING
    return f"{value} B" if value < 1000 else _scaled(value, "B")


def _scaled(value: float, unit: str) -> str:
    scale, prefix = next((pair for pair in UNITS if value >= pair[0] * 0.9995), UNITS[-1])
    return f"{_three_digits(value / scale)} {prefix}{unit}"


def _three_digits(value: float) -> str:
    """At most three significant digits without an exponent: 1.02, 10.3, 254."""
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}"


def milliseconds(value: float | None) -> str:
    """1.0234 → "1.02 ms"."""
    return MISSING if value is None else f"{_three_digits(value)} ms"


def duration(value: float | None) -> str:
    """Seconds as "0.4 s", "41 s", "3 min 12 s" or "1 h 04 min"."""
    if value is None:
        return MISSING
    if value < 9.95:
        return f"{value:.1f} s"
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def times(value: float | None) -> str:
    """A ratio: 0.968 → "0.97×", 3.84 → "3.8×", 120.3 → "120×"."""
    if value is None:
        return MISSING
    digits = 2 if value < 1.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}\u00d7"


def percent(value: float | None) -> str:
    """A share: 0.547 → "54.7 %"."""
    return MISSING if value is None else f"{100 * value:.1f} %"


def _signless(text: str) -> str:
    """A real minus, and none before a zero: "-0.0" is "0.0"."""
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", MINUS)


class MetricFormat:
    """How the task's metric is named and printed: × 100 with one decimal ("%" for shares), a loss with three."""

    def __init__(self, metric: str, scale: int | None = None) -> None:
        self.name = METRIC_NAMES.get(metric, metric.replace("_", " "))
        self.scale = scale = scale or (1 if metric in LOSSES else 100)
        self.unit = " %" if metric in SHARES and scale == 100 else ""

    @property
    def heading(self) -> str:
        """The name with its unit, for a column or an axis."""
        return (
            f"{self.name},\u00a0%" if self.unit else f"{self.name} \u00d7\u00a0100" if self.scale == 100 else self.name
        )

    def bare(self, value: float | None) -> str:
        """The number without its unit, for where the heading has it."""
        return MISSING if value is None else self.points(value * self.scale)

    def value(self, value: float | None) -> str:
        """The number with its unit."""
        return MISSING if value is None else f"{self.bare(value)}{self.unit}"

    def interval(self, interval: list[float] | None) -> str:
        """Two bare numbers: "90.1–92.3"."""
        return MISSING if interval is None else "\u2013".join(self.bare(end) for end in interval)

    def points(self, value: float | None) -> str:
        """A difference in points: -0.42 → "−0.4"."""
        return MISSING if value is None else _signless(f"{value:.{1 if self.scale == 100 else 3}f}")

    def between(self, interval: list[float] | None) -> str:
        """An interval of a difference in points: "−0.5 to 1.3"."""
        return MISSING if interval is None else " to ".join(self.points(end) for end in interval)
