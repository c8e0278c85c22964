"""Fixtures: one JupyterLab for all, a browser for each test, a gate before the server."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from browser.gate import Gate
from browser.lab import Lab, Notebook, browse, find_browser


@pytest.fixture(scope="session")
def browser():
    """The path of a browser; without one the test is skipped."""
    found = find_browser()
    if found is None:
        pytest.skip(
            "no Chromium: install chromium or google-chrome, or name one in S3MAGIC_BROWSER"
        )
    return found


@pytest.fixture(scope="session")
def _gate(seaweed):
    with Gate(seaweed.endpoint_url) as gate:
        yield gate


@pytest.fixture
def gate(_gate):
    """The way from the notebook to the server; open at first."""
    _gate.open()
    yield _gate
    _gate.open()


@pytest.fixture(scope="session")
def lab(browser, seaweed, _gate):
    """JupyterLab, whose kernels find the server behind the gate."""
    with Lab(seaweed.environment | {"AWS_ENDPOINT_URL_S3": _gate.url}) as lab:
        yield lab


@pytest.fixture
def page(browser):
    """A browser's page, which must not leave this machine."""
    strangers = []

    def note(request):
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob"} and url.hostname != "127.0.0.1":
            strangers.append(request.url)

    with browse(browser) as page:
        page.on("request", note)
        yield page
    assert strangers == []


@pytest.fixture
def notebook(lab, page, request, gate):
    """A function that opens a notebook with the extension loaded and these cells below."""

    def make(*cells):
        name = f"{request.node.name}.ipynb"
        lab.write(name, ["%load_ext s3magic", *cells])
        notebook = Notebook(lab, page, name).open()
        notebook.run(0)
        assert notebook.output(0).all_text_contents() == [], "the extension does not load"
        return notebook

    return make
