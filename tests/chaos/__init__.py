"""Chaos: the whole product as real processes under load, faults between and inside all of them, and a judge.

`__main__` runs it, `rig` is the product with a proxy between every pair, `load` its users, `judge` what was promised,
`scenarios` what goes wrong. `docs/operating/chaos.md` says which rows of the fault matrix run where.
"""
