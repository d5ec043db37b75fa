"""Studies of tickets: one task, many sparsities and seeds, controls, transfer and cheap searches, with their page.

A study uses the stages of a run; it has its own package because compress.lottery must not depend on tasks.

study.json, for other programs: `task`, `model` (with the SHA-256 of its weights), `settings` and `recipe` as given,
`precision` of the trainings' products;
`trainings`, a row each: `role` (dense, ticket, control, search, transfer), `source` (which control, search, or other
study), `sparsity` wanted of the prunable weights (0: dense) and `sparsity_prunable`, `sparsity_total` reached, `seed`,
`dev` and `test` (the metric, 0-1), `steps`, `seconds`, `curve` (dev by step), `search_steps` (what finding its mask
cost), `sparsest` (of a ticket: the matrix that lost most, and its share), `mask_distance` (share of the prunable
weights on which its mask differs from the iterative search's), `folder`;
`paired`, a row a sparsity: ticket − dense on the same test examples, mean over seeds, with its 95 % interval.
"""
