"""Every view looks as it did, in light and in dark.

`python -m tests.browser.gallery` stores how they look now.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser import gallery

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def views(browser: Browser, server_url: str) -> dict[str, str]:
    return gallery.views(browser, server_url)


def stored(name: str, scheme: gallery.Scheme) -> bytes:
    return (gallery.PICTURES / f"{name}-{scheme}.png").read_bytes()


#: Some of them are near each other.
DIFFERENT = (("states", "row"), ("network", "processing"), ("unit", "cell"), ("row", "brush"))

NAMES = sorted({path.stem.rsplit("-", 1)[0] for path in gallery.PICTURES.glob("*.png")})


def test_every_view_of_the_gallery_has_its_two_pictures(views: dict[str, str]) -> None:
    assert sorted(views) == NAMES
    assert len(list(gallery.PICTURES.glob("*.png"))) == 2 * len(NAMES)


@pytest.mark.parametrize("scheme", gallery.SCHEMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_view_looks_as_it_did(
    browser: Browser, views: dict[str, str], name: str, scheme: gallery.Scheme
) -> None:
    taken = gallery.take(browser, views[name], scheme)
    page = browser.new_page()
    difference = gallery.compare(page, stored(name, scheme), taken)
    page.close()
    assert difference is not None, "another size"
    assert difference.is_same, difference


def test_different_views_are_told_apart(browser: Browser) -> None:
    """What makes the test above one that can fail."""
    page = browser.new_page()
    for one, other in (
        ("states", "row"),
        ("network", "processing"),
        ("unit", "cell"),
        ("row", "brush"),
    ):
        taken = gallery._data(stored(other, "light"))
        difference = gallery.compare(page, stored(one, "light"), taken)
        assert difference is not None
        assert not difference.is_same, f"{one} and {other}: {difference}"
    page.close()
