"""Messages into a file."""

from pathlib import Path

from pnyx_tools.notify import Message


class FileNotifier:
    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def notify(self, message: Message) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{message.urgency.value}: {message.headline}\n")
