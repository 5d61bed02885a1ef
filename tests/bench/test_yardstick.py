"""The yardstick is the same work on every day."""

from bench import yardstick


def test_its_work_is_what_it_was_when_older_figures_were_measured() -> None:
    assert yardstick.turn(yardstick._table()) == 5423


def test_it_gives_the_cpu_at_both_paces() -> None:
    found = yardstick.measure(turns=3)
    assert found.keys() == {"warm_ms", "cold_ms"}
    assert all(used > 0 for used in found.values())
