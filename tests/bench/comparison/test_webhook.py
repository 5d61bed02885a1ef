"""The web process of a measurement."""

from bench.comparison.webhook import STOCK
from deploy.local import procfile
from testkit.processes import CHECKOUT


def test_the_stock_web_process_has_nothing_of_ours() -> None:
    command = procfile.read(CHECKOUT / "Procfile")["web"]
    for ours, plain in STOCK:
        command = ours.sub(plain, command)
    assert ("waproject" in command, "bench.comparison.apps.stock_web" in command) == (False, True)
