"""Read a magic's line as the call of its awaitable twin.

What may stand there is described by a `s3magic.commands.options.description.Verb`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Placed
from s3magic.errors import BadArgument
from s3magic.notebook.expansion import expanded, is_expression, named, unexpanded
from s3magic.notebook.words import Piece, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from s3magic.commands.options.description import Option, Verb
    from s3magic.commands.options.kinds import Kind
    from s3magic.notebook.words import Word

__all__ = ["Call", "behind", "flag_of", "parse"]


@dataclass(frozen=True, slots=True)
class Call:
    """What a line means: ``await twin(*args, **kwargs)``."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


def parse(verb: Verb, line: str, namespace: Mapping[str, object]) -> Call | None:
    """Read a magic's line.

    Args:
        verb: The magic's description.
        line: What stands behind the magic's name.
        namespace: Where ``$name`` is looked up: the caller's variables.

    Returns:
        The call, holding only what the line gives; None if it asks for help.

    Raises:
        BadArgument: The line cannot be meant.
    """
    reader = _Reader(verb, namespace, split(line))
    return reader.read()


@dataclass(slots=True)
class _Reader:
    """Takes the words of one line, one after the other."""

    verb: Verb
    namespace: Mapping[str, object]
    words: list[Word]
    places: list[object] = field(default_factory=list)
    given: dict[str, list[Any]] = field(default_factory=dict)
    values: int = 0  # of options, so far

    def read(self) -> Call | None:
        """Read all the words."""
        known = {flag: option for option in self.verb.options for flag in option.flags}
        if any(flag_of(word) in {"-h", "--help"} for word in self._before_dashes()):
            return None
        while self.words:
            word = self.words.pop(0)
            flag = flag_of(word)
            if flag == "--":
                for rest in self.words:
                    self._place(rest)
                break
            if not flag:
                self._place(word)
            elif flag in known:
                self._option(flag, known[flag], word, known)
            elif flag[1] != "-" and all(f"-{letter}" in known for letter in flag[1:]):
                self.words[:0] = [(Piece("text", f"-{one}", f"-{one}"),) for one in flag[1:]]
            else:
                raise self._unknown(flag, known)
        kwargs = {
            option.name: _joined(option, self.given[option.name])
            for option in self.verb.options
            if option.name in self.given
        }
        return Call(_bound(self.verb, self.places), kwargs)

    def _place(self, word: Word) -> None:
        """Read a word that is no option."""
        item = next(iter(self.verb.positionals[len(self.places) :]), None)
        if item is not None and item.where == "variable" and not _is_variable(word):
            self.places.append(named(unexpanded(word), self.namespace))
        else:
            self.places.append(expanded(word, self.namespace))

    def _before_dashes(self) -> Iterable[Word]:
        """Give the words that can be options."""
        for word in self.words:
            if flag_of(word) == "--":
                return
            yield word

    def _option(self, flag: str, option: Option, word: Word, known: Mapping[str, Option]) -> None:
        """Read an option, and its value from behind the ``=`` or from the next word."""
        attached = behind(word, flag) if "=" in word[0].text else None
        if option.name in self.given and not option.repeatable:
            raise BadArgument(f"{flag} is given twice.", hint="Once is enough.")
        if attached is None and option.alone is not None:
            self.given[option.name] = [option.alone]
            return
        kind = option.takes
        if kind is None:
            raise BadArgument(f"{flag} takes no value.", hint=f"Write {flag} alone.")
        if attached is None:
            if not self.words or flag_of(self.words[0]) in known:
                metavar = "|".join(option.choices) or kind.metavar
                raise BadArgument(f"{flag} needs a value.", hint=f"Write {flag} {metavar}.")
            attached = self.words.pop(0)
        if option.secret and not (len(attached) == 1 and attached[0].kind == "name"):
            raise BadArgument(
                f"{flag} takes a secret, which has no place in a cell: it would be saved with it.",
                hint=f"Put it into a variable (getpass.getpass()) and write {flag} $variable.",
            )
        if option.variable and not _is_variable(attached):
            value = named(unexpanded(attached), self.namespace)
        elif option.raw and not (_is_variable(attached) and is_expression(attached[0])):
            value = unexpanded(attached)
        else:
            value = expanded(attached, self.namespace)
        converted = _converted(flag, kind, option.choices, value)
        if option.placed:
            converted = Placed(str(converted), self.values)
        self.values += 1
        self.given.setdefault(option.name, []).append(converted)

    def _unknown(self, flag: str, known: Mapping[str, Option]) -> BadArgument:
        """Say which option is nearest to one that there is not."""
        flags = [*known, "--help"]
        near = [one for one in flags if len(flag) > 3 and one.startswith(flag)]
        near += difflib.get_close_matches(flag.replace("_", "-"), flags, n=1)
        hint = (
            f"Did you mean {near[0]}?"
            if near
            else f"{self.verb.magic} -h lists the options; "
            "a name that begins with - goes behind --."
        )
        return BadArgument(f"{self.verb.magic} has no option {flag}.", hint=hint)


def flag_of(word: Word) -> str:
    """Give the option that a word is, without its value; empty if it is none."""
    if not word or word[0].kind != "text" or not word[0].text.startswith("-"):
        return ""
    flag, equals, _ = word[0].text.partition("=")
    if flag == "-":
        return ""
    return flag if equals or len(word) == 1 else unexpanded(word)


def behind(word: Word, flag: str) -> Word:
    """Give what stands behind an option's ``=``."""
    first, *rest = word
    width = len(flag) + 1
    value = Piece("text", first.text[width:], first.source[width:])
    return (value, *rest) if value.text or not rest else tuple(rest)


def _is_variable(word: Word) -> bool:
    """Tell whether a word is ``$name`` or ``{expression}``, of whatever text, and nothing else."""
    return len(word) == 1 and word[0].kind != "text"


def _converted(called: str, kind: Kind, choices: tuple[str, ...], value: object) -> object:
    """Give a value as its kind has it."""
    try:
        converted = kind.convert(value)
    except (ValueError, TypeError, OverflowError):
        said = value if isinstance(value, str) else f"a {type(value).__name__}"
        raise BadArgument(f"{called} {said}: that is not {kind.wanted}.") from None
    if choices and converted not in choices:
        near = difflib.get_close_matches(str(converted), choices, n=1)
        raise BadArgument(
            f"{called} {converted}: it is one of {', '.join(choices)}.",
            hint=f"Did you mean {near[0]}?" if near else "",
        )
    return converted


def _joined(option: Option, values: list[Any]) -> Any:
    """Give the one value of an option, or the several of a repeatable one."""
    if not option.repeatable:
        return values[0]
    if all(isinstance(value, dict) for value in values):
        return {name: item for value in values for name, item in value.items()}
    return values


def _bound(verb: Verb, values: list[object]) -> tuple[object, ...]:
    """Give each positional its value.

    What stands behind a `many` is taken from the end; the rest is the many's.
    """
    needed = [item.name for item in verb.positionals if item.required]
    if len(values) < len(needed):
        raise BadArgument(
            f"{verb.magic} needs {' and '.join(needed)}.",
            hint=f"The usage is {verb.usage}; {verb.magic} -h shows examples.",
        )
    spare = len(values) - len(needed)
    many = next((at for at, item in enumerate(verb.positionals) if item.many), None)
    ending: list[object] = []
    left = list(values)
    for item in reversed(verb.positionals[many + 1 :] if many is not None else ()):
        if not item.required:
            if not spare or not (item.accepts is None or item.accepts(left[-1])):
                continue
            spare -= 1
        ending.insert(0, _converted(item.name, item.kind, (), left.pop()))
    starting = verb.positionals[:many]
    bound = [
        _converted(item.name, item.kind, (), value)
        for item, value in zip(starting, left, strict=False)
    ]
    left = left[len(bound) :]
    if many is not None and left:
        item = verb.positionals[many]
        several = [_converted(item.name, item.kind, (), value) for value in left]
        bound.append(several if len(several) > 1 else several[0])
        left = []
    if left:
        raise BadArgument(
            f"{verb.magic} takes no further argument, but was given {left[0]}.",
            hint=f"The usage is {verb.usage}; a name with blanks in it needs quotes.",
        )
    return (*bound, *ending)
