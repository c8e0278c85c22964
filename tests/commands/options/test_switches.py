"""The switches of the twins."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

import s3magic as s3
from s3magic.commands.options.switches import strict
from s3magic.errors import BadArgument
from s3magic.notebook.magics import verbs


@pytest.mark.parametrize("value", ["no", "False", 0, 1, None, pd.NA, np.array([True])])
async def test_what_is_no_switch_is_refused(value):
    """Before anything is asked: the bucket is nowhere."""
    with pytest.raises(BadArgument, match="it is a switch, True or False"):
        await s3.rm("s3://bucket/folder/", recursive=value)


async def test_numpys_bools_are_pythons():
    """A comparison of pandas gives such."""

    async def twin(*, recursive: bool = False):
        return recursive

    assert await strict(twin)(recursive=np.bool_(True)) is True
    assert await strict(twin)(recursive=False) is False
    assert await strict(twin)() is False


@pytest.mark.parametrize(
    ("twin", "switch"),
    [
        (described.twin.removeprefix("s3."), option.name)
        for described, command in verbs()
        if described.twin != "s3.connect"  # it is no coroutine
        for option in described.options
        if option.takes is None
        and inspect.signature(command).parameters[option.name].default is False
    ],
)
async def test_every_switch_of_every_verb_is_one(twin, switch):
    """Whichever it is, and on every twin."""
    with pytest.raises(BadArgument, match=f"^{switch}='no' cannot be"):
        await getattr(s3, twin)(**{switch: "no"})


def test_a_connection_is_not_made_by_a_word():
    """It is no coroutine, and its switches matter most."""
    with pytest.raises(BadArgument, match="anonymous='no' cannot be"):
        s3.connect(anonymous="no")
