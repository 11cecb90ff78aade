"""Exact counts of very large tables at the speed of a hand.

Columns are binned once into small codes (`columns`, `build`, `table`). For the view that a brush moves over, a pass
over the codes counts every other view at every place of the brush (`kernels`, `engine`); prefix sums then answer any
brush by a subtraction (`cube`). A sample answers first, with its interval (`sampling`). The scheme is that of Falcon
(Moritz, Howe, Heer: Falcon, CHI 2019).
"""
