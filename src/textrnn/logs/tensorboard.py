"""Event files for TensorBoard."""

from pathlib import Path

from textrnn.errors import OutputError
from textrnn.files import require
from textrnn.logs.numbers import Numbers, as_json, described, settings_of
from textrnn.training import Begun, Event, Finished, Watched


class TensorBoardLog:
    """A reader of events that writes them into one new event file of a folder.

    The file is written by a thread of TensorBoard's own, so the training does not wait for the disk.
    """

    def __init__(self, place: str, name: str = "") -> None:
        """`place`: the folder; it is made where there is none. The name of a run is its folder's.

        Raises:
            MissingDependencyError: TensorBoard is not installed.
            OutputError: the folder cannot be made or written.
        """
        require("tensorboard", extra="log", purpose="a log for TensorBoard")
        from torch.utils.tensorboard import SummaryWriter

        try:
            self.writer = SummaryWriter(str(Path(place)))
        except OSError as error:
            raise OutputError(f"{place}: cannot write a log here: {error.strerror or error}") from error
        self.numbers = Numbers()
        self.texts: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take in one event of a training."""
        writer = self.writer
        for number in self.numbers.of(event):
            writer.add_scalar(number.name, number.value, number.place)
        if isinstance(event, Begun):
            rows = [f"| {name} | {value} |" for name, value in settings_of(event).items()]
            writer.add_text("settings", "\n".join(["| setting | value |", "|---|---|", *rows]))
        elif isinstance(event, Watched):
            for place, text in enumerate(event.texts, 1):
                if described(text) not in self.texts:
                    self.texts.append(described(text))
                    writer.add_text(f"text-{place}", _verbatim(described(text)), event.epoch)
        elif isinstance(event, Finished):
            writer.add_text("model", _verbatim(as_json(event)), event.best_epoch)

    def close(self, *, failed: bool = False) -> None:
        """Write what is left. TensorBoard knows no failed runs."""
        self.writer.close()


def _verbatim(text: str) -> str:
    """As a block of code, since TensorBoard reads texts as Markdown."""
    return "\n".join(f"    {line}" for line in text.splitlines())
