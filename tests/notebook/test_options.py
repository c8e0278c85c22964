"""The defaults in IPython's own way."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from kernels import Kernel
from traitlets import TraitError
from traitlets.config import Config

from s3magic.errors import BadArgument
from s3magic.notebook import options
from s3magic.notebook.options import S3Magic
from s3magic.settings import MiB, Settings, change, defaults


@pytest.fixture
def chosen():
    """What `%config S3Magic` changes; all is as before afterwards."""
    one = S3Magic()
    yield one
    one.undo()
    assert defaults() == Settings()


def test_every_default_is_a_trait_with_help():
    """In the words of the settings' own docstring."""
    traits = S3Magic.class_traits(config=True)

    assert set(traits) == set(Settings.__dataclass_fields__)
    assert all(trait.help for trait in traits.values())
    assert traits["connect_timeout"].help == "Seconds until a connection attempt is given up."
    words = " ".join((Settings.__doc__ or "").split())
    assert all(trait.help in words for trait in traits.values())


def test_what_is_set_is_the_default_and_what_is_changed_elsewhere_shows(chosen):
    """There is one value, not two."""
    chosen.concurrency = 32
    change(attempts=7)

    assert defaults().concurrency == 32
    assert chosen.attempts == 7
    change(attempts=Settings().attempts)


@pytest.mark.parametrize(
    ("name", "value", "means"),
    [
        ("part_size", "16MiB", 16 * MiB),
        ("multipart_threshold", "20MB", 20_000_000),
        ("part_size", 5 * MiB, 5 * MiB),
        ("concurrency", "12", 12),
        ("read_timeout", 5, 5.0),
        ("read_timeout", "2.5", 2.5),
        ("progress_delay", 0, 0.0),
        ("fast", "no", False),
        ("fast", False, False),
        ("progress", "none", "none"),
    ],
)
def test_values_are_read_as_the_magics_read_them(chosen, name, value, means):
    """Sizes with a unit, and whatever a command line gives as text."""
    setattr(chosen, name, value)

    assert getattr(defaults(), name) == means
    assert type(getattr(defaults(), name)) is type(means)


SECONDS = "a number of seconds, "


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("concurrency", 0, "0: it is a whole number, 1 or more"),
        ("concurrency", True, "True: it is a whole number"),
        ("page_size", 1001, "1001: it is a whole number, from 1 to 1,000"),
        ("part_size", "much", "'much': it is a size in bytes, such as 8MiB, 64k or 5000000"),
        ("read_timeout", 0, f"0.0: it is {SECONDS}more than 0"),
        ("read_timeout", float("nan"), f"nan: it is {SECONDS}more than 0"),
        ("progress_delay", -1, f"-1.0: it is {SECONDS}0 or more"),
        ("fast", "perhaps", "'perhaps': it is True or False"),
        ("progress", "loud", "'loud': it is one of auto, widget, text, none"),
    ],
)
def test_a_bad_value_is_one_sentence_and_changes_nothing(chosen, name, value, wanted):
    """Whether IPython sets it or Python does."""
    with pytest.raises(TraitError) as caught:
        setattr(chosen, name, value)

    assert isinstance(caught.value, BadArgument)
    assert str(caught.value) == f"The default {name} cannot be {wanted}."
    assert defaults() == Settings()


def test_settings_refuse_the_same(chosen):
    """A default that there is not, or that cannot be."""
    with pytest.raises(BadArgument, match=r"no default concurency\. Did you mean concurrency"):
        change(concurency=3)
    with pytest.raises(BadArgument, match="from 1 to 1,000"):
        change(page_size=5000)

    assert defaults() == Settings()


def test_a_config_file_sets_them_and_unloading_gives_them_back():
    """`c.S3Magic.concurrency = 8` in ipython_config.py; one bad value and none is taken."""
    shell = InteractiveShell(config=Config({"S3Magic": {"concurrency": 8, "part_size": "9MiB"}}))

    options.install(shell)
    during = defaults()
    names = [type(one).__name__ for one in shell.configurables]
    options.uninstall(shell)

    assert (during.concurrency, during.part_size) == (8, 9 * MiB)
    assert "S3Magic" in names
    assert "S3Magic" not in [type(one).__name__ for one in shell.configurables]
    assert defaults() == Settings()

    wrong = InteractiveShell(config=Config({"S3Magic": {"attempts": 8, "concurrency": 0}}))
    with pytest.raises(BadArgument, match="concurrency cannot be 0"):
        options.install(wrong)
    assert defaults() == Settings()
    assert "S3Magic" not in [type(one).__name__ for one in wrong.configurables]


def test_a_value_that_is_changed_again_elsewhere_stays(chosen):
    """Giving back what was set here takes away nothing that is newer."""
    chosen.attempts = 8
    chosen.concurrency = 8
    change(attempts=9)

    chosen.undo()

    assert defaults().attempts == 9
    assert defaults().concurrency == Settings().concurrency
    change(attempts=Settings().attempts)


@pytest.mark.kernel
def test_config_in_a_kernel(seaweed, s3, tmp_path):
    """`%config S3Magic` lists, sets and refuses; a timeout is taken up by the next line."""
    with Kernel("s3magic", folder=tmp_path, env=seaweed.environment) as kernel:
        kernel.run(
            f"await (await __import__('s3magic').client()).head_bucket(Bucket='{s3.bucket}')"
        )
        listed = kernel.run("%config S3Magic").stdout
        kernel.run("%config S3Magic.concurrency = 32")
        kernel.run("%config S3Magic.read_timeout = 7")
        now = kernel.run(
            "import s3magic as s3\n"
            "s3.settings.defaults().concurrency, (await s3.client()).meta.config.read_timeout"
        )
        wrong = kernel.run("%config S3Magic.page_size = 0")
        kept = kernel.run("%config S3Magic.page_size")
        kernel.run("%unload_ext s3magic")
        gone = kernel.run("%config").stdout
        after = kernel.run("s3.settings.defaults() == s3.settings.Settings()")

    assert "S3Magic.part_size=<Size>" in listed
    assert "Bytes of one ranged GET or one uploaded part." in " ".join(listed.split())
    assert now.python == (32, 7.0)
    assert "page_size cannot be 0" in wrong.stderr + wrong.stdout
    assert "Traceback" not in wrong.stderr
    assert kept.value == "1000"
    assert "S3Magic" not in gone
    assert after.value == "True"
