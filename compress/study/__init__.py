"""Studies of tickets: one task, many sparsities and seeds, controls, transfer and cheap searches, with their page.

A study is to the right of the stages and uses them: it has its own package, as compress.lottery must not know of tasks.
"""
