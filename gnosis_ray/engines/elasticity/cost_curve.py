"""What it costs to move a price: resistance of the order flow, and dealers' hedging along the way.

To carry the price a log move ``u`` away in one direction, net order flow of

    net(u) = a u^2 + integral from 0 to u of g(v) dv

dollars is needed: the square-root law inverted (Toth et al. 2011), plus what dealers trade against the move, ``g``
being their gamma in dollars per unit of log move. With ``g`` linear between the nodes of a recomputed gamma profile
``net`` is a quadratic on each piece, so its values, peaks and roots are exact. Where dealers are short gamma ``net``
falls and may be negative; whoever moves the price must still pay the dearest point on the way, and never less than a
share of the liquidity term:

    cost(x) = max(floor a x^2, max of net(u) over u in [0, x]),

which is non-decreasing in x and, for constant g >= 0, is a x^2 + g x.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CostCurve:
    """Curves of n keys in one direction, over m nodes each.

    ``a``: (n,) USD per squared log move, above zero. ``nodes``: (n, m) log moves, each row from 0, not decreasing.
    ``gamma``: (n, m) USD per unit of log move at the nodes; beyond the last node it stays what it is there.
    ``floor``: share of the liquidity term.
    """

    a: Floats
    nodes: Floats
    gamma: Floats
    floor: float

    # On the piece from node x_j, with t = move - x_j and g the gamma, linear on the piece:
    # net(move) = a move^2 + integral of g = net_j + pull_j t + square_j t^2

    @cached_property
    def _bend(self) -> Floats:
        """(n, m): the slope of gamma on the piece that starts at each node."""
        width = np.diff(self.nodes, axis=1)
        slope = np.zeros_like(self.nodes)
        np.divide(np.diff(self.gamma, axis=1), width, out=slope[:, :-1], where=width > 0)
        return slope

    @cached_property
    def _square(self) -> Floats:
        """(n, m): the second-order coefficient of ``net`` on each piece."""
        # a + g'/2
        square: Floats = self.a[:, None] + 0.5 * self._bend
        return square

    @cached_property
    def _pull(self) -> Floats:
        """(n, m): the slope of ``net`` where each piece starts."""
        # d net / d move at x_j = 2 a x_j + g_j
        pull: Floats = 2.0 * self.a[:, None] * self.nodes + self.gamma
        return pull

    @cached_property
    def _net(self) -> Floats:
        """(n, m): ``net`` at the nodes."""
        # a x_j^2 + the trapezoids of g up to x_j, exact since g is linear between nodes
        steps = 0.5 * (self.gamma[:, 1:] + self.gamma[:, :-1]) * np.diff(self.nodes, axis=1)
        hedged = np.concatenate([np.zeros((len(self.a), 1)), np.cumsum(steps, axis=1)], axis=1)
        net: Floats = self.a[:, None] * self.nodes * self.nodes + hedged
        return net

    @cached_property
    def _turn(self) -> tuple[Floats, Floats]:
        """(n, m) each: how far into its piece ``net`` peaks (infinite where it does not), and its value there."""
        # the vertex of a concave piece: t = -pull / (2 square), net_j - pull^2 / (4 square)
        peaks = (self._square < 0) & (self._pull > 0)
        square = np.where(peaks, self._square, -1.0)
        offset = np.where(peaks, -0.5 * self._pull / square, np.inf)
        return offset, self._net - 0.25 * self._pull * self._pull / square

    @cached_property
    def _top(self) -> Floats:
        """(n, m): the largest ``net`` on each piece; without bound on the last."""
        end = np.concatenate([self._net[:, 1:], np.full((len(self.a), 1), np.inf)], axis=1)
        width = np.concatenate([np.diff(self.nodes, axis=1), np.full((len(self.a), 1), np.inf)], axis=1)
        offset, peak = self._turn
        return np.where(offset < width, np.maximum(peak, end), end)

    def hedge(self, move: Floats) -> Floats:
        """(n,) USD that dealers trade against a log ``move`` (n,) >= 0; negative where they trade with it."""
        return self._at(move)[0] - self.a * move * move

    def cost(self, move: Floats) -> Floats:
        """(n,) USD of net order flow that carries the price ``move`` (n,) >= 0 away; non-decreasing in it."""
        net, on_piece, piece = self._at(move)
        dearest = np.maximum.accumulate(self._top, axis=1)
        before = np.where(piece > 0, _pick(dearest, np.maximum(piece - 1, 0)), 0.0)
        return np.maximum(np.maximum(net, on_piece), np.maximum(before, self.floor * self.a * move * move))

    def reach(self, dollars: Floats) -> Floats:
        """(n,) log move at which the cost first is ``dollars`` (n,) > 0."""
        piece = np.argmax(self._top >= dollars[:, None], axis=1)
        c = _pick(self._net, piece) - dollars
        by_flow = _pick(self.nodes, piece) + _first_root(_pick(self._square, piece), _pick(self._pull, piece), c)
        return np.minimum(by_flow, np.sqrt(dollars / (self.floor * self.a)))

    def self_feeding(self) -> Floats:
        """(n,) log move up to which dealers' hedging pays for it all: 0 where they resist, -g/a for a constant g."""
        piece = np.argmax(self._top > 0.0, axis=1)
        root = _first_root(_pick(self._square, piece), _pick(self._pull, piece), _pick(self._net, piece))
        return np.where(self.gamma[:, 0] < 0, _pick(self.nodes, piece) + root, 0.0)

    def _at(self, move: Floats) -> tuple[Floats, Floats, Indices]:
        """``net`` at ``move``, the largest ``net`` on its piece up to there, and that piece."""
        piece = np.sum(self.nodes <= move[:, None], axis=1) - 1
        offset = move - _pick(self.nodes, piece)
        net = _pick(self._net, piece) + (_pick(self._pull, piece) + _pick(self._square, piece) * offset) * offset
        turn, peak = self._turn
        return net, np.where(_pick(turn, piece) <= offset, _pick(peak, piece), net), piece


def _pick(matrix: Floats, column: Indices) -> Floats:
    """(n, m), (n,) -> (n,): one column of each row."""
    return matrix[np.arange(len(matrix)), column]


def _first_root(square: Floats, pull: Floats, c: Floats) -> Floats:
    """Where square t^2 + pull t + c, at most 0 at t = 0, first rises through 0 for t >= 0; without cancellation."""
    # t = (-pull +/- root) / (2 square); multiplied out to -2 c / (pull + root) where the terms would cancel
    root = np.sqrt(np.maximum(pull * pull - 4.0 * square * c, 0.0))
    falls = (pull < 0) & (square > 0)
    after_dip = (root - pull) / np.where(falls, 2.0 * square, 1.0)
    rising = root + pull
    return np.where(falls, after_dip, np.where(rising > 0, -2.0 * c / np.where(rising > 0, rising, 1.0), 0.0))
