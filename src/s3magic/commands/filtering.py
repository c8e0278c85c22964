"""Reads a filter over rows, ``x > 5 and name == 'a'``, and asks it of tables, frames and values.

What is not known (a missing value) is neither true nor false, as in SQL: a row
is kept only where the whole is true. Pure.
"""

from __future__ import annotations

import ast
import operator
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

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


@dataclass(frozen=True, slots=True)
class _Column:
    name: str


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
        self._asked(self.node, _Nothing())

    def of_values(self, values: Mapping[str, Any]) -> bool:
        """Tell whether it holds of one row's values."""
        return self._asked(self.node, _Values(values)) is True

    def of_frame(self, frame: pd.DataFrame) -> pd.Series[bool]:
        """Give for each row of a pandas frame whether it holds."""
        found = self._asked(self.node, _Frame(frame))
        mask: pd.Series[bool] = found.fillna(value=False).astype(bool)
        return mask

    def of_schema(self, schema: Any) -> Any:
        """Give the same as an expression of pyarrow's.

        Args:
            schema: The types of the columns: dates are compared as dates.
        """
        return self._asked(self.node, _Arrow(schema))

    def _asked(self, node: ast.expr, of: _Asked) -> Any:
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

    def _compared(self, of: _Asked, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Any:
        first, second = self._side(left), self._side(right)
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(first, _Column) or not isinstance(second, list):
                raise self._refused("in wants a column before it and a list behind it")
            found = of.among(first, second)
            return of.no(found) if isinstance(op, ast.NotIn) else found
        if isinstance(op, ast.Is | ast.IsNot) or second is None:
            if not isinstance(first, _Column) or second is not None:
                raise self._refused("is wants a column before it and None behind it")
            missing = of.missing(first)
            return of.no(missing) if isinstance(op, ast.IsNot | ast.NotEq) else missing
        if not isinstance(first, _Column) and not isinstance(second, _Column):
            raise self._refused("it compares two values, and no column")
        return of.compare(_COMPARE[type(op)], first, second)

    def _side(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return _Column(self.quoted.get(node.id, node.id))
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


class _Asked(ABC):
    """What a filter is asked of."""

    @abstractmethod
    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """Compare a column with a value, or with another."""

    @abstractmethod
    def among(self, column: _Column, values: list[Any]) -> Any:
        """Tell whether a column's value is one of several."""

    @abstractmethod
    def missing(self, column: _Column) -> Any:
        """Tell whether a column's value is missing."""

    def both(self, left: Any, right: Any) -> Any:
        """Join two conditions by and."""
        return left & right

    def either(self, left: Any, right: Any) -> Any:
        """Join two conditions by or."""
        return left | right

    def no(self, value: Any) -> Any:
        """Turn a condition round."""
        return ~value


class _Nothing(_Asked):
    """Nobody: the filter is only looked through."""

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:  # noqa: ARG002
        return True

    def among(self, column: _Column, values: list[Any]) -> Any:  # noqa: ARG002
        return True

    def missing(self, column: _Column) -> Any:  # noqa: ARG002
        return True

    def no(self, value: Any) -> Any:
        return value


class _Values(_Asked):
    """One row's values; what is not known is None."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        first, second = (
            self._values[one.name] if isinstance(one, _Column) else one for one in (left, right)
        )
        if first is None or second is None:
            return None
        if isinstance(first, str) is not isinstance(second, str):
            first, second = str(first), str(second)
        return how(first, second)

    def among(self, column: _Column, values: list[Any]) -> Any:
        found = [self.compare(operator.eq, column, value) for value in values]
        return _joined(self.either, found) if found else False

    def missing(self, column: _Column) -> Any:
        return self._values[column.name] is None

    def both(self, left: Any, right: Any) -> Any:
        if left is False or right is False:
            return False
        return None if left is None or right is None else left and right

    def either(self, left: Any, right: Any) -> Any:
        if left is True or right is True:
            return True
        return None if left is None or right is None else left or right

    def no(self, value: Any) -> Any:
        return None if value is None else not value


class _Frame(_Asked):
    """A pandas frame; what is not known is NA."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        first, second = (
            self._frame[one.name] if isinstance(one, _Column) else one for one in (left, right)
        )
        found = how(first, second).astype("boolean")
        for side in (left, right):
            if isinstance(side, _Column):
                found = found.mask(self._frame[side.name].isna())
        return found

    def among(self, column: _Column, values: list[Any]) -> Any:
        series = self._frame[column.name]
        return series.isin(values).astype("boolean").mask(series.isna())

    def missing(self, column: _Column) -> Any:
        return self._frame[column.name].isna().astype("boolean")


class _Arrow(_Asked):
    """A pyarrow dataset, or a table."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        return how(self._side(left, right), self._side(right, left))

    def among(self, column: _Column, values: list[Any]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = self._schema.field(column.name).type
        field = self._side(column, None)
        found = field.isin(pa.array(values).cast(kind))
        # Arrow says of a missing value that it is not among others; SQL does not know.
        return pc.if_else(field.is_valid(), found, pc.scalar(pa.scalar(None, pa.bool_())))

    def missing(self, column: _Column) -> Any:
        return self._side(column, None).is_null()

    def _side(self, side: Any, other: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(side, _Column):
            return pc.field(side.name)
        if isinstance(other, _Column) and isinstance(side, str):
            kind = self._schema.field(other.name).type
            if pa.types.is_temporal(kind):
                return pc.scalar(pa.scalar(side).cast(kind))
        return pc.scalar(side)
