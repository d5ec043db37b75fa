"""The lottery: masks, criteria, schedules, pruning, search, controls and supermasks. Pure torch, any network."""

from compress.lottery.criteria import CRITERIA, Snapshot
from compress.lottery.mask import Mask
from compress.lottery.pruning import Target, prune, step, targets
from compress.lottery.rounds import FirstTraining, Rewind, Round, RoundRecord, Ticket
from compress.lottery.schedule import sparsities
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
