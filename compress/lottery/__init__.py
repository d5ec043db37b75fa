"""The lottery: mask, criteria, schedules, search, controls, supermasks and the verdict. Pure torch, any network."""

from compress.lottery.criteria import CRITERIA, Snapshot
from compress.lottery.mask import Mask
from compress.lottery.rounds import Rewind, Round, RoundRecord, Ticket
from compress.lottery.schedule import prune, sparsities
from compress.lottery.search import find_ticket

__all__ = [
    "CRITERIA",
    "Mask",
    "Rewind",
    "Round",
    "RoundRecord",
    "Snapshot",
    "Ticket",
    "find_ticket",
    "prune",
    "sparsities",
]
