"""The plot of cost against age shows each age, and nothing that was measured at one age only."""

from bench.report.age_plot import draw

FIGURES = {
    "send": {"cpu_ms": 4.0, "postgres_cpu_ms": 2.0},
    "send_at_10000000": {"cpu_ms": 4.1, "postgres_cpu_ms": 2.2},
    "send_at_1000000": {"cpu_ms": 4.05, "postgres_cpu_ms": 2.1},
    "status": {"cpu_ms": 1.0, "postgres_cpu_ms": 0.5},
}
PARTS = {"send": "send", "status": "status webhook"}


def test_the_ages_of_a_part_are_in_order() -> None:
    plot = draw(FIGURES, PARTS)
    assert [plot.index(f">{age} stored<") for age in ("0", "1,000,000", "10,000,000")] == sorted(
        plot.index(f">{age} stored<") for age in ("0", "1,000,000", "10,000,000")
    )


def test_both_costs_of_an_age_are_named() -> None:
    assert ">4.10 + 2.20<" in draw(FIGURES, PARTS)


def test_a_part_measured_at_one_age_is_left_out() -> None:
    assert "status webhook" not in draw(FIGURES, PARTS)


def test_without_several_ages_there_is_no_plot() -> None:
    assert draw({"send": FIGURES["send"]}, PARTS) == ""
