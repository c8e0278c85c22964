"""What a filter over rows is asked of: one row's values, a pandas frame, a pyarrow table. Pure.

Each knows three answers: true, false, and unknown where a value is missing.
"""

from __future__ import annotations

import functools
import operator
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

__all__ = ["Column", "OfArrow", "OfFrame", "OfNothing", "OfValues", "Target"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, by its name."""

    name: str


class Target(ABC):
    """What a filter is asked of."""

    @abstractmethod
    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """Compare a column with a value, or with another."""

    @abstractmethod
    def among(self, column: Column, values: list[Any]) -> Any:
        """Tell whether a column's value is one of several."""

    @abstractmethod
    def missing(self, column: Column) -> Any:
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


class OfNothing(Target):
    """Nobody: the filter is only looked through."""

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:  # noqa: ARG002
        """Compare a column with a value, or with another."""
        return True

    def among(self, column: Column, values: list[Any]) -> Any:  # noqa: ARG002
        """Tell whether a column's value is one of several."""
        return True

    def missing(self, column: Column) -> Any:  # noqa: ARG002
        """Tell whether a column's value is missing."""
        return True

    def no(self, value: Any) -> Any:
        """Turn a condition round."""
        return value


class OfValues(Target):
    """One row's values; what is not known is None."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """Compare a column with a value, or with another."""
        first, second = (
            self._values[one.name] if isinstance(one, Column) else one for one in (left, right)
        )
        if first is None or second is None:
            return None
        if isinstance(first, str) is not isinstance(second, str):
            first, second = str(first), str(second)
        return how(first, second)

    def among(self, column: Column, values: list[Any]) -> Any:
        """Tell whether a column's value is one of several."""
        found = [self.compare(operator.eq, column, value) for value in values]
        return functools.reduce(self.either, found or [False])

    def missing(self, column: Column) -> Any:
        """Tell whether a column's value is missing."""
        return self._values[column.name] is None

    def both(self, left: Any, right: Any) -> Any:
        """Join two conditions by and."""
        if left is False or right is False:
            return False
        return None if left is None or right is None else left and right

    def either(self, left: Any, right: Any) -> Any:
        """Join two conditions by or."""
        if left is True or right is True:
            return True
        return None if left is None or right is None else left or right

    def no(self, value: Any) -> Any:
        """Turn a condition round."""
        return None if value is None else not value


class OfFrame(Target):
    """A pandas frame; what is not known is NA."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """Compare a column with a value, or with another."""
        first, second = (
            self._frame[one.name] if isinstance(one, Column) else one for one in (left, right)
        )
        found = how(first, second).astype("boolean")
        for side in (left, right):
            if isinstance(side, Column):
                found = found.mask(self._frame[side.name].isna())
        return found

    def among(self, column: Column, values: list[Any]) -> Any:
        """Tell whether a column's value is one of several."""
        series = self._frame[column.name]
        return series.isin(values).astype("boolean").mask(series.isna())

    def missing(self, column: Column) -> Any:
        """Tell whether a column's value is missing."""
        return self._frame[column.name].isna().astype("boolean")


class OfArrow(Target):
    """A pyarrow dataset, or a table."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def compare(self, how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """Compare a column with a value, or with another."""
        return how(self._side(left, right), self._side(right, left))

    def among(self, column: Column, values: list[Any]) -> Any:
        """Tell whether a column's value is one of several."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = self._schema.field(column.name).type
        field = self._side(column, None)
        found = field.isin(pa.array(values).cast(kind))
        # Arrow says of a missing value that it is not among others; SQL does not know.
        return pc.if_else(field.is_valid(), found, pc.scalar(pa.scalar(None, pa.bool_())))

    def missing(self, column: Column) -> Any:
        """Tell whether a column's value is missing."""
        return self._side(column, None).is_null()

    def _side(self, side: Any, other: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(side, Column):
            return pc.field(side.name)
        if isinstance(other, Column) and isinstance(side, str):
            kind = self._schema.field(other.name).type
            if pa.types.is_temporal(kind):
                return pc.scalar(pa.scalar(side).cast(kind))
        return pc.scalar(side)
