"""Reads a filter over rows, ``x > 5 and name == 'a'``, and asks it of tables, frames and values.

What is not known (a missing value) is neither true nor false, as in SQL: a row
is kept only where the whole is true. Pure.
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.row_targets import Column, OfArrow, OfFrame, OfNothing, OfValues
from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from s3magic.commands.contents.row_targets import Target

__all__ = ["Filter", "filter_of"]

_QUOTED = re.compile(r"`([^`]+)`")
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_HINT = "Such as: x > 5 and name in ('a', 'b') and y is not None; odd names in `backticks`."


def filter_of(text: str) -> list[Filter]:
    """Read a filter; gives the terms that must all hold.

    Raises:
        BadArgument: It cannot be meant.
    """
    names: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        return names.setdefault(match[1], f"__column_{len(names)}__")

    try:
        tree = ast.parse(_QUOTED.sub(hide, text).strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise BadArgument(f"The filter {text!r} is no expression.", hint=_HINT) from error
    known = {hidden: name for name, hidden in names.items()}
    terms = [Filter(node, known, text) for node in _conjuncts(tree)]
    for term in terms:
        term.check()
    return terms


def _conjuncts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [one for part in node.values for one in _conjuncts(part)]  # noqa: PD011 - a syntax tree's
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd):
        return _conjuncts(node.left) + _conjuncts(node.right)
    return [node]


@dataclass(frozen=True, slots=True)
class Filter:
    """One term of a filter.

    Args:
        node: Its expression.
        quoted: The names that were in backticks, by what stands for each.
        text: The whole filter, for an error.
    """

    node: ast.expr
    quoted: Mapping[str, str]
    text: str

    @property
    def names(self) -> set[str]:
        """The columns that it looks at."""
        found = (one.id for one in ast.walk(self.node) if isinstance(one, ast.Name))
        return {self.quoted.get(name, name) for name in found}

    def check(self) -> None:
        """Make sure that it can be asked of anything.

        Raises:
            BadArgument: It has something that is no comparison.
        """
        self._asked(self.node, OfNothing())

    def of_values(self, values: Mapping[str, Any]) -> bool:
        """Tell whether it holds of one row's values."""
        return self._asked(self.node, OfValues(values)) is True

    def of_frame(self, frame: pd.DataFrame) -> pd.Series[bool]:
        """Give for each row of a pandas frame whether it holds."""
        found = self._asked(self.node, OfFrame(frame))
        mask: pd.Series[bool] = found.fillna(value=False).astype(bool)
        return mask

    def of_schema(self, schema: Any) -> Any:
        """Give the same as an expression of pyarrow's.

        Args:
            schema: The types of the columns: dates are compared as dates.
        """
        return self._asked(self.node, OfArrow(schema))

    def _asked(self, node: ast.expr, of: Target) -> Any:
        match node:
            case ast.BoolOp(op=op, values=parts):
                join = of.both if isinstance(op, ast.And) else of.either
                return _joined(join, [self._asked(one, of) for one in parts])
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr(), left=left, right=right):
                if not (_is_condition(left) and _is_condition(right)):
                    raise self._refused("& and | bind more tightly than comparisons: write and, or")
                join = of.both if isinstance(node.op, ast.BitAnd) else of.either
                return join(self._asked(left, of), self._asked(right, of))
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                return of.no(self._asked(operand, of))
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [left, *others]
                pairs = zip(sides, ops, others, strict=False)
                return _joined(of.both, [self._compared(of, *pair) for pair in pairs])
            case ast.Name():
                return of.compare(operator.eq, self._side(node), right=True)
        raise self._refused("it holds something that is no comparison of columns and values")

    def _compared(self, of: Target, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Any:
        first, second = self._side(left), self._side(right)
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(first, Column) or not isinstance(second, list):
                raise self._refused("in wants a column before it and a list behind it")
            found = of.among(first, second)
            return of.no(found) if isinstance(op, ast.NotIn) else found
        if isinstance(op, ast.Is | ast.IsNot) or second is None:
            if not isinstance(first, Column) or second is not None:
                raise self._refused("is wants a column before it and None behind it")
            missing = of.missing(first)
            return of.no(missing) if isinstance(op, ast.IsNot | ast.NotEq) else missing
        if not isinstance(first, Column) and not isinstance(second, Column):
            raise self._refused("it compares two values, and no column")
        return of.compare(_COMPARE[type(op)], first, second)

    def _side(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return Column(self.quoted.get(node.id, node.id))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            raise self._refused("& and | bind more tightly than comparisons: write and, or")
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError) as error:
            raise self._refused("it compares columns and plain values, and nothing else") from error
        return list(value) if isinstance(value, list | tuple | set) else value

    def _refused(self, why: str) -> BadArgument:
        return BadArgument(f"The filter {self.text!r} cannot be: {why}.", hint=_HINT)


def _is_condition(node: ast.expr) -> bool:
    logic = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr)
    return logic or isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Name)


def _joined(join: Callable[[Any, Any], Any], values: Sequence[Any]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result
