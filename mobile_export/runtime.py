"""Run programs from Python, as a phone does: one text at a time, without padding.

from mobile_export.runtime import LoadedProgram

program = LoadedProgram("runs/mine/android/model.pte", inputs=["input_ids"], outputs=["logits"], max_tokens=64)
logits = program.answer({"input_ids": [101, 7592, 102]})[0]
"""

from mobile_export.programs.runtime import Encoded, LoadedProgram, predict

__all__ = ["Encoded", "LoadedProgram", "predict"]
