"""Tables and plots for the pages that benchmarks and studies write."""
