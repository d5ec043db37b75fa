"""Find a lottery ticket in a pre-trained encoder and make it small: data, training, pruning, distillation, report.

This package never imports the exporter (`mobile_export`) at module level, so it runs on a plain training machine.
"""

__version__ = "0.2.0"
