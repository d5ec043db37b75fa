"""The search for a winning ticket: train, prune, rewind, again (Frankle & Carbin 2019, section 1, "iterative pruning").

`find_ticket` works on any `nn.Module` with the user's own training function:

    ticket = find_ticket(module, train, evaluate, sparsity=0.8, rounds=5)

`train(module, round)` trains the module in place with optimizers that it makes itself, anew in every round;
`evaluate(module)` returns a number, the higher the better. Nothing else is required of them: masks, steps
and gradients are handled from outside.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from compress.errors import PocketTicketError, TrainingError
from compress.lottery.criteria import Criterion, Snapshot, criterion_named, score
from compress.lottery.mask import Mask, Parameters
from compress.lottery.observe import GradientWatch, StepCounter, round_seed, seed_everything, set_state_, state_of
from compress.lottery.pruning import Scope, Target, step, targets
from compress.lottery.rounds import FirstTraining, Rewind, Round, RoundRecord, State, Ticket
from compress.lottery.schedule import Schedule, sparsities

Train = Callable[[nn.Module, Round], None]
Evaluate = Callable[[nn.Module], float]


def find_ticket(
    module: nn.Module,
    train: Train,
    evaluate: Evaluate | None = None,
    *,
    sparsity: float = 0.8,
    rounds: int = 5,
    parameters: Parameters | None = None,
    criterion: str | Criterion = "magnitude",
    schedule: str | Schedule | Sequence[float] = "points_of_original",
    scope: Scope = "global",
    slower: Mapping[str, float] | None = None,
    rewind: Rewind | str = "initial",
    seed: int = 0,
    train_found: bool = True,
    on_round: Callable[[RoundRecord], None] | None = None,
    resume_from: Iterable[RoundRecord] = (),
    first: FirstTraining | None = None,
) -> Ticket:
    """Find the mask of a ticket in `module` by iterative pruning with rewinding.

    Round r trains m⊙θ, removes the weights with the lowest scores until the schedule's sparsity for r is reached, and
    rewinds the survivors, other weights and buffers. At the end the found ticket is trained and evaluated, too, unless
    `train_found` is False; the module is left trained, or at the ticket's start.

    Args:
        parameters: name → parameter that may be pruned; by default the weights of all linear and convolution layers.
        sparsity: share of these weights to remove, 0 to below 1.
        criterion: a name in `criteria.CRITERIA` or a function of a `Snapshot`; the lowest scores go.
        schedule: a name in `schedule.SCHEDULES`, a function, or the sparsity after each round.
        scope: what competes: "global", "stack", "tensor", "layer", "kind", or a function from a name to its group's.
        slower: name → rate, for tensors (the output layer) that lose only this multiple of the share that others lose.
        rewind: "initial" (θ0), "step:K" (θk), "learning_rate[:K]", "none", or a `Rewind`.
        seed: decides the random criterion, and the seed of the global generators in each round.
        on_round: is called with each finished round, to save it.
        resume_from: records of the rounds that are finished, in order; with them the result is bit for bit what it
            would have been without the interruption, on the same machine and with a deterministic `train`.
        first: what the first training, of the unpruned network, ended with; by default `train` runs it.

    Raises:
        PocketTicketError: settings that contradict each other; records of another search.
        TrainingError: weights, scores or metric that are not numbers; fewer steps than `rewind` needs.
    """
    parameters = dict(parameters) if parameters is not None else prunable_by_default(module)
    search = _Search(
        module,
        parameters,
        train,
        evaluate,
        criterion_named(criterion),
        Rewind.parse(rewind),
        targets(parameters, sparsities(schedule, sparsity, rounds), scope, slower),
        seed,
        first,
    )
    done = search.resume(list(resume_from))
    for number in range(len(done) + 1, len(search.targets) + 1):
        done.append(search.round(number))
        if on_round:
            on_round(done[-1])
    return search.finish(tuple(done), train_found)


def prunable_by_default(module: nn.Module) -> dict[str, nn.Parameter]:
    """Name → weight of every linear and convolution layer: never embeddings, biases or norms.

    Raises PocketTicketError for a module without any.
    """
    layers = (nn.Linear, nn.modules.conv._ConvNd)
    wanted = {id(part.weight) for part in module.modules() if isinstance(part, layers)}
    found = {name: parameter for name, parameter in module.named_parameters() if id(parameter) in wanted}
    if not found:
        raise PocketTicketError(
            f"{type(module).__name__} has no linear or convolution layer", remedy="name its prunable parameters"
        )
    return found


@dataclass
class _Search:
    """The state of a search between its rounds: the mask so far, and what the next round starts from."""

    module: nn.Module
    parameters: dict[str, nn.Parameter]
    train: Train
    evaluate: Evaluate | None
    criterion: Criterion
    rewind: Rewind
    targets: list[Target]
    seed: int
    first: FirstTraining | None = None
    mask: Mask = field(init=False)
    initial: State = field(init=False)
    start: State = field(init=False)

    def __post_init__(self) -> None:
        self.mask = Mask.dense(self.parameters)
        self.initial = self.start = state_of(self.module)
        if missing := self.parameters.keys() - self.initial.keys():
            raise PocketTicketError(
                f"the module has no parameter '{min(missing)}'", remedy="use the names of module.named_parameters()"
            )

        needs: frozenset[str] = getattr(self.criterion, "uses", frozenset())
        if self.first is not None and (
            "drift" in needs or ("gradient" in needs and self.first.gradient is None) or self.rewind.weights == "step"
        ):
            raise PocketTicketError(
                "the criterion, or rewinding to a step, needs a first training inside the search",
                remedy="leave `first` out, or give its gradients",
            )

    def resume(self, done: list[RoundRecord]) -> list[RoundRecord]:
        """Take up the search after the finished rounds."""
        for number, record in enumerate(done, 1):
            wrong = "is not the next one" if record.number != number else self._unlike(record)
            if wrong:
                raise PocketTicketError(
                    f"the record of round {record.number} {wrong}", remedy="delete the records and search again"
                )
            self.mask = record.mask
            self.start = self.initial if record.start is None else record.start
        return done

    def _unlike(self, record: RoundRecord) -> str | None:
        if record.number > len(self.targets):
            return f"comes after the last, {len(self.targets)}"
        record.mask.check_fits(self.parameters)
        target = self.targets[record.number - 1]
        any_scores = {name: keep.float() for name, keep in self.mask.items()}
        scheduled = step(any_scores, self.mask, target)
        revived = any(bool((keep & ~self.mask[name]).any()) for name, keep in record.mask.items())
        if revived or record.mask.kept != scheduled.kept:
            return "does not follow the schedule from the round before it"
        return None if (record.start is None) == (self.rewind.weights == "initial") else "was rewound otherwise"

    def round(self, number: int) -> RoundRecord:
        """Train, prune, rewind."""
        began, trained = time.perf_counter(), self.mask
        keep = self.rewind.step if number == 1 and self.rewind.weights == "step" else None
        watch = GradientWatch(getattr(self.criterion, "uses", frozenset()))
        if number == 1 and self.first is not None:
            counter = self._take_over(self.first, watch)
        else:
            counter = self._train(number, keep, watch)
        metric = self._evaluate()
        scores = score(self.criterion, self._snapshots(number, watch))
        self.mask = step(scores, self.mask, self.targets[number - 1])
        self._rewind(number, counter)
        return RoundRecord(
            number=number,
            trained_sparsity=trained.sparsity,
            metric=metric,
            steps=counter.steps,
            seconds=time.perf_counter() - began,
            mask=self.mask,
            start=None if self.rewind.weights == "initial" else self.start,
        )

    def finish(self, done: tuple[RoundRecord, ...], train_found: bool) -> Ticket:
        """Set the module to the ticket, train it if wished."""
        set_state_(self.module, self.start)
        self.mask.apply_(self.parameters)
        ticket = Ticket(self.mask, state_of(self.module), done)
        if not train_found:
            return ticket
        began = time.perf_counter()
        counter = self._train(len(self.targets) + 1, None, GradientWatch(frozenset()), last=True)
        metric = self._evaluate()
        return Ticket(self.mask, ticket.start, done, metric, counter.steps, time.perf_counter() - began)

    def _train(self, number: int, keep: int | None, watch: GradientWatch, last: bool = False) -> StepCounter:
        set_state_(self.module, self.start)
        counter = StepCounter(self.module, keep)
        plan = Round(number, round_seed(self.seed, number), self.mask, last=last)
        if number > 1:
            plan = Round(number, plan.seed, self.mask, self.rewind.step, self.rewind.fine_tune, last)
        seed_everything(plan.seed)
        self.module.train()
        with self.mask.enforced(self.parameters), watch.watching(self.parameters), counter.counting():
            self.train(self.module, plan)
        return counter

    def _take_over(self, first: FirstTraining, watch: GradientWatch) -> StepCounter:
        """The end of a first training that was done elsewhere, in the place of `_train`."""
        set_state_(self.module, first.state)
        watch.gradient = dict(first.gradient or {})
        return StepCounter(self.module)

    def _evaluate(self) -> float | None:
        if self.evaluate is None:
            return None
        self.module.eval()
        metric = float(self.evaluate(self.module))
        if not math.isfinite(metric):
            raise TrainingError(f"the metric is {metric}", remedy="lower the learning rate, or correct evaluate")
        return metric

    def _snapshots(self, number: int, watch: GradientWatch) -> dict[str, Snapshot]:
        def snapshot(name: str, final: Tensor) -> Snapshot:
            initial = self.initial[name].to(final)
            collected = {name_of: watch.of(name_of, name, final) for name_of in ("gradient", "drift")}
            return Snapshot(initial, final, **collected, name=name, seed=round_seed(self.seed, number))

        return {name: snapshot(name, parameter.detach()) for name, parameter in self.parameters.items()}

    def _rewind(self, number: int, counter: StepCounter) -> None:
        if self.rewind.weights == "final":
            self.start = state_of(self.module)
        elif self.rewind.weights == "step" and number == 1:
            if counter.kept is None:
                raise TrainingError(
                    f"training ended after {counter.steps} steps, before step {self.rewind.step}",
                    remedy="rewind to an earlier step",
                )
            self.start = counter.kept
