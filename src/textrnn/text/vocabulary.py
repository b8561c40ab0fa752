"""Tokens to ids and back."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

PAD, UNK = "<PAD>", "<UNK>"
PAD_ID, UNK_ID = 0, 1


class Vocabulary:
    """A two-way table of tokens and ids: `<PAD>` = 0, `<UNK>` = 1, then by falling frequency.

    Tokens of equal frequency stand in the order of their first appearance, as `Counter.most_common` gives them.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        """`tokens` in the order of their ids, `<PAD>` and `<UNK>` first.

        Raises:
            ValueError: the first two tokens are not `<PAD>` and `<UNK>`, or a token occurs twice.
        """
        if list(tokens[:2]) != [PAD, UNK]:
            raise ValueError(f"expected {PAD} and {UNK} as the first two tokens, found {list(tokens[:2])}")
        self.tokens = list(tokens)
        # The two special tokens are left out: a text that contains "<PAD>" must not come out as padding.
        self._ids = {token: index for index, token in enumerate(self.tokens) if index > UNK_ID}
        if len(self._ids) != len(self.tokens) - 2:
            counts = Counter(self.tokens)
            raise ValueError(f"the token {max(counts, key=counts.__getitem__)!r} occurs twice")

    @classmethod
    def build(cls, texts: Iterable[Sequence[str]], *, max_size: int | None = None, min_count: int = 1) -> Self:
        """The vocabulary of tokenised texts.

        Args:
            texts: tokens of each text, in the order that decides ties.
            max_size: largest number of tokens, `<PAD>` and `<UNK>` included; None for no limit.
            min_count: a token that occurs less often is left to `<UNK>`.
        """
        counts: Counter[str] = Counter()
        for tokens in texts:
            counts.update(tokens)
        return cls.from_counts(counts, max_size=max_size, min_count=min_count)

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], *, max_size: int | None = None, min_count: int = 1) -> Self:
        """The same from how often each token occurs, in the order of first appearance."""
        counts = Counter(counts)
        for token in (PAD, UNK):
            counts.pop(token, None)
        frequent = [token for token, count in counts.most_common() if count >= min_count and _is_unicode(token)]
        return cls([PAD, UNK, *frequent][: None if max_size is None else max(max_size, 2)])

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token, 1 for those outside the vocabulary."""
        ids = self._ids
        return [ids.get(token, UNK_ID) for token in tokens]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The token of each id.

        Raises:
            IndexError: an id lies outside the vocabulary.
        """
        return [self.tokens[index] for index in ids if index >= 0 or _refuse(index)]

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.tokens == other.tokens

    __hash__ = None  # type: ignore[assignment]  # compared by value, so not a dictionary key

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} tokens)"


def _refuse(index: int) -> bool:
    raise IndexError(f"id {index} is negative")


def _is_unicode(token: str) -> bool:
    """False for half a surrogate pair, which JSON can smuggle in and UTF-8 cannot write."""
    try:
        token.encode()
    except UnicodeEncodeError:
        return False
    return True
