"""Training: one loop, closed; masks, distillation and progress hang on it. Metrics."""
