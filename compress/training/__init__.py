"""Training: the one training loop, distillation, class weights, quantization-aware rounding."""
