"""What numbers mean: intervals, comparisons, and the rule by which a ticket wins."""
