"""The words that a transcriber knows, and whether its answers are made of them alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from throughtime.data import Repair, Spelling
from throughtime.data.decode import read_utf8
from throughtime.data.table import counted
from throughtime.errors import DataError
from throughtime.nn.lexicon import Lexicon
from throughtime.tasks.transcribe_settings import TranscribeSettings

DecoderName = Literal["words", "beam", "greedy"]
SPACE = " "


def words_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Every word of some transcripts, in the order of their letters."""
    return tuple(sorted({word for text in texts for word in text.split()}))


def wanted_decoder(settings: TranscribeSettings) -> DecoderName | None:
    """The decoder that answers; None where the validation part is to choose it."""
    if settings.decoder != "auto":
        return settings.decoder
    return None if settings.lexicon is None else "words"


def known_words(
    texts: Iterable[str], settings: TranscribeSettings, symbols: Spelling, repairs: list[Repair]
) -> tuple[str, ...]:
    """The words that answers may be made of; none where whole words are the symbols.

    Args:
        texts: Training transcripts, whose words are known where the settings name no file.
        settings: With the file.
        symbols: What the network writes with.
        repairs: What is left out of the file is told here.

    Raises:
        DataError: as `read_words`.
    """
    if settings.unit == "word":
        return ()
    return (
        words_of(texts) if settings.lexicon is None else read_words(Path(settings.lexicon), symbols, repairs)
    )


def read_words(path: Path, symbols: Spelling, repairs: list[Repair]) -> tuple[str, ...]:
    """The words of a file, one on each line, as the network would write them.

    Args:
        path: Text in UTF-8 or UTF-16; empty lines are passed over.
        symbols: What the network writes with.
        repairs: Words that it cannot write are left out and counted here.

    Raises:
        DataError: the file cannot be read, a line holds two words, or no word is left.
    """
    content, _ = read_utf8(path, "list of words")
    found: dict[str, int] = {}
    for number, line in enumerate(content.decode().splitlines(), 1):
        words = symbols.normal(line).split()
        if len(words) > 1:
            raise DataError(f"{path.name} line {number}: expected one word, found {line.strip()!r}.")
        for word in words:
            found.setdefault(word, number)
    if not found:
        raise DataError(f"{path.name}: holds no word; expected one on each line.")
    never = [word for word in found if symbols.unknown(word)]
    if len(never) == len(found):
        raise DataError(
            f"{path.name}: no word can be written with the symbols of the training transcripts; the first is "
            f"{never[0]!r} (line {found[never[0]]})."
        )
    if never:
        said = (
            f"{counted(len(never), 'word')} of {path.name} left out, as training lacks symbols of "
            f"{'it' if len(never) == 1 else 'them'}; the first: {never[0]!r} (line {found[never[0]]})."
        )
        repairs.append(Repair(kind="words that cannot be written", count=len(never), text=said))
    return tuple(sorted(set(found) - set(never)))


def given_words(words: Iterable[str], symbols: Spelling) -> tuple[str, ...]:
    """Words that stand in a call, as the network would write them.

    Raises:
        ValueError: there is none, one is no single word, or holds a symbol that training lacks.
    """
    found = [symbols.normal(word) for word in words]
    for word in found:
        if not word or SPACE in word or symbols.unknown(word):
            raise ValueError(
                f"Transcriber: words: {word!r} cannot be written; expected single words of the symbols "
                f"{''.join(symbols.names[1:]).strip()!r}"
            )
    if not found:
        raise ValueError("Transcriber: words: expected at least one word")
    return tuple(sorted(set(found)))


def lexicon_of(words: Iterable[str], symbols: Spelling) -> Lexicon:
    """The words as a tree of the network's symbols; the space stands between two of them."""
    space = symbols.names.index(SPACE) if SPACE in symbols.names else None
    return Lexicon([symbols.number(word) for word in words], space)


def words_as_json(words: tuple[str, ...]) -> str:
    """As kept in a model folder."""
    return json.dumps(words, indent=1, ensure_ascii=False) + "\n"


def words_from_json(text: str) -> tuple[str, ...]:
    """Read what `words_as_json` gave. Raises `ValueError` if it is something else."""
    held = json.loads(text)
    if not isinstance(held, list) or not all(isinstance(word, str) and word for word in held):
        raise ValueError("expected a list of words")
    return tuple(held)
