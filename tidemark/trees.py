"""Ensembles of decision trees as plain arrays: what LightGBM has learnt, read without LightGBM.

A Lambda that scores needs neither LightGBM nor its OpenMP runtime; a single row takes a millisecond. That both say the
same to the last bits is tested (`tests/unit/test_trees.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

AT_ONCE = 1 << 20  # pairs of a row and a tree that are walked at once, for the processor's cache

DEEPEST = 1_000  # the longest path of trees that are read from a file
_PARTS = {"roots": "iu", "feature": "i", "threshold": "f", "nan_left": "b", "left": "iu", "right": "iu", "value": "f"}


class Trees:
    """The sum of some trees' leaves.

    Nodes of all trees stand in one row: `feature` (-1: a leaf), `threshold`, `nan_left` (where a missing value goes),
    `left`, `right` (a leaf's own place), `value`; `roots` are the places where trees begin, `depth` the longest path,
    `single` whether features are compared in single precision.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.arrays = dict(arrays)
        self._roots = arrays["roots"].astype(np.intp)
        self._feature = np.maximum(arrays["feature"], 0).astype(np.intp)
        self._threshold = arrays["threshold"].astype(np.float64)
        self._nan_left = arrays["nan_left"].astype(np.bool_)
        self._children = np.column_stack([arrays["right"], arrays["left"]]).astype(np.intp).ravel()
        self._value = arrays["value"].astype(np.float64)
        self._depth = int(arrays["depth"])
        self._single = bool(arrays.get("single", False))

    @classmethod
    def checked(cls, arrays: Mapping[str, npt.NDArray[Any]], features: int) -> Trees:
        """The trees of a file that anybody may have made: no walk through them leaves their nodes or has no end.

        `features`: how many the rows have that they will be asked of. Raises ValueError, KeyError where a part lacks.
        """
        nodes = len(arrays["feature"])
        for name, kinds in _PARTS.items():
            part = arrays[name]
            if part.dtype.kind not in kinds or part.shape != ((nodes,) if name != "roots" else (len(part),)):
                raise ValueError(f"the trees' {name} have the type {part.dtype} and the shape {part.shape}")
        if not 0 < len(arrays["roots"]) <= nodes:
            raise ValueError(f"{len(arrays['roots'])} trees have {nodes} nodes")
        limits = {"roots": (0, nodes), "left": (0, nodes), "right": (0, nodes), "feature": (-1, features)}
        for name, (least, most) in limits.items():
            if arrays[name].min() < least or arrays[name].max() >= most:
                raise ValueError(f"the trees' {name} lead out of them")
        depth, single = arrays["depth"], arrays.get("single", np.array(False))
        if depth.shape or depth.dtype.kind not in "iu" or not 0 <= depth <= DEEPEST:
            raise ValueError(f"the trees' depth is not one of 0 to {DEEPEST}")
        if single.shape or single.dtype.kind != "b":
            raise ValueError("it is not said how the trees compare")
        return cls(arrays)

    @classmethod
    def of_lightgbm(cls, dump: Mapping[str, Any]) -> Trees:
        """The trees of a LightGBM booster's `dump_model()`, of numerical features. Raises ValueError for others."""
        nodes: list[tuple[int, float, bool, int, int, float]] = []
        roots, depth = [], 0
        for tree in dump["tree_info"]:
            roots.append(len(nodes))
            waiting: list[tuple[Mapping[str, Any], int, int]] = [(tree["tree_structure"], -1, 0)]
            while waiting:
                node, parent, level = waiting.pop()
                place = len(nodes)
                if parent >= 0:
                    # The left child is taken from the end of the list first: it stands right after its parent.
                    feature, threshold, nan_left, left, right, value = nodes[parent]
                    left, right = (place, right) if place == parent + 1 else (left, place)
                    nodes[parent] = (feature, threshold, nan_left, left, right, value)
                depth = max(depth, level)
                if "leaf_value" in node:
                    nodes.append((-1, 0.0, False, place, place, node["leaf_value"]))
                    continue
                if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
                    raise ValueError(f"trees that split by {node['decision_type']!r} cannot be read")
                # Where training has seen no missing value, LightGBM takes one for zero.
                nan_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
                nodes.append((node["split_feature"], node["threshold"], nan_left, -1, -1, 0.0))
                waiting += [(node["right_child"], place, level + 1), (node["left_child"], place, level + 1)]
        columns = [np.array(column) for column in zip(*nodes, strict=True)]
        return cls(
            {
                "roots": np.array(roots, np.int32),
                "feature": columns[0].astype(np.int16),
                "threshold": columns[1],
                "nan_left": columns[2],
                "left": columns[3].astype(np.int32),
                "right": columns[4].astype(np.int32),
                "value": columns[5],
                "depth": np.array(depth, np.int32),
            }
        )

    @classmethod
    def of_forest(cls, forest: Any) -> Trees:
        """The trees of a fitted `RandomForestRegressor` of scikit-learn, which compares in single precision."""
        trees = [estimator.tree_ for estimator in forest.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
        own = np.arange(sum(tree.node_count for tree in trees))
        leaf = np.concatenate([tree.children_left < 0 for tree in trees])

        def children(name: str) -> npt.NDArray[np.int32]:
            found = np.concatenate([getattr(tree, name) + root for tree, root in zip(trees, roots, strict=True)])
            return np.where(leaf, own, found).astype(np.int32)

        value = np.concatenate([tree.value[:, 0, 0] for tree in trees]) / len(trees)
        return cls(
            {
                "roots": roots.astype(np.int32),
                "feature": np.where(leaf, -1, np.concatenate([tree.feature for tree in trees])).astype(np.int16),
                "threshold": np.concatenate([tree.threshold for tree in trees]),
                "nan_left": np.zeros(len(own), np.bool_),
                "left": children("children_left"),
                "right": children("children_right"),
                "value": np.where(leaf, value, 0.0),
                "depth": np.array(max(tree.max_depth for tree in trees), np.int32),
                "single": np.array(True),
            }
        )

    @classmethod
    def constant(cls, value: float) -> Trees:
        """One leaf: the same for every row."""
        nothing = np.zeros(1, np.int32)
        return cls(
            {
                "roots": nothing,
                "feature": np.array([-1], np.int16),
                "threshold": np.zeros(1),
                "nan_left": np.zeros(1, np.bool_),
                "left": nothing,
                "right": nothing,
                "value": np.array([value]),
                "depth": np.array(0, np.int32),
            }
        )

    def predict(self, matrix: Floats) -> Floats:
        """The sum over all trees for each row of `matrix`, shape (rows, features)."""
        if self._single:
            matrix = matrix.astype(np.float32).astype(np.float64)
        sums = np.empty(len(matrix))
        for rows in self._pieces(len(matrix)):
            sums[rows] = self._value[self._leaves(matrix[rows])].sum(axis=1)
        return sums

    def _pieces(self, rows: int) -> Iterator[slice]:
        step = max(1, AT_ONCE // len(self._roots))
        return (slice(start, start + step) for start in range(0, rows, step))

    def _leaves(self, matrix: Floats) -> npt.NDArray[np.intp]:
        width = matrix.shape[1]
        flat = np.ascontiguousarray(matrix).ravel()
        starts = (np.arange(len(matrix)) * width)[:, None]
        missing = np.isnan(flat) if np.isnan(flat).any() else None
        node = np.broadcast_to(self._roots, (len(matrix), len(self._roots)))
        for _ in range(self._depth):
            at = starts + self._feature[node]
            goes_left = flat[at] <= self._threshold[node]
            if missing is not None:
                goes_left |= missing[at] & self._nan_left[node]
            node = self._children[2 * node + goes_left]
        return node
