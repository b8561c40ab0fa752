"""Series that never grow beyond a bound, however long a training takes."""

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Thinned(Generic[Item]):
    """At most `most` of the items that were added, at equal distances, and always the last one.

    When there are too many, every second one goes and from then on only every second comes in.
    """

    def __init__(self, most: int) -> None:
        self.most, self.stride, self.count = most, 1, 0
        self.kept: list[Item] = []
        self.last: list[Item] = []
        """The last item where it is none of those kept."""

    def add(self, item: Item) -> None:
        """One more."""
        if self.count % self.stride:
            self.last = [item]
        else:
            self.kept.append(item)
            self.last = []
            if len(self.kept) > self.most:
                self.last = self.kept[-1:] if len(self.kept) % 2 == 0 else []
                self.kept = self.kept[::2]
                self.stride *= 2
        self.count += 1

    def items(self) -> list[Item]:
        """In the order in which they came; a new list."""
        return self.kept + self.last


class Means:
    """The means of a series of rows of numbers over at most `most` stretches of equal length.

    When there are too many, neighbours become one. A row's first number is where it lies: the last of a stretch counts.
    """

    def __init__(self, most: int) -> None:
        self.most, self.width = most, 1
        self.sums: list[tuple[float, ...]] = []
        """Of the stretches that are complete: place, and the sums of the other numbers."""
        self.open: tuple[float, ...] = ()
        self.filled = 0

    def add(self, place: float, *values: float) -> None:
        """One more row."""
        self.open = _joined(self.open, (place, *values)) if self.filled else (place, *values)
        self.filled += 1
        if self.filled == self.width:
            self.sums.append(self.open)
            self.filled = 0
            if len(self.sums) > self.most and len(self.sums) % 2 == 0:
                self.sums = [_joined(*pair) for pair in zip(self.sums[::2], self.sums[1::2], strict=True)]
                self.width *= 2

    def rows(self) -> list[tuple[float, ...]]:
        """Place and means of each stretch, the last one perhaps shorter than the others; a new list."""
        rows = [(place, *(value / self.width for value in values)) for place, *values in self.sums]
        if self.filled:
            rows.append((self.open[0], *(value / self.filled for value in self.open[1:])))
        return rows


def _joined(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    return (other[0], *(a + b for a, b in zip(one[1:], other[1:], strict=True)))
