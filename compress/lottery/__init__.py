"""The lottery: mask, criteria, schedules, search, controls, supermasks and the verdict. Pure torch, any network."""

from compress.lottery.criteria import CRITERIA, Snapshot
from compress.lottery.mask import Mask
from compress.lottery.rounds import FirstTraining, Rewind, Round, RoundRecord, Ticket
from compress.lottery.schedule import Target, prune, sparsities, step, targets
from compress.lottery.search import find_ticket

__all__ = [
    "CRITERIA",
    "FirstTraining",
    "Mask",
    "Rewind",
    "Round",
    "RoundRecord",
    "Snapshot",
    "Target",
    "Ticket",
    "find_ticket",
    "prune",
    "sparsities",
    "step",
    "targets",
]
