"""What a period is called, and which month it ends at."""

import pytest

from pipelines.calendar import last_month, period_code, shift


@pytest.mark.parametrize("mois", [shift("2024-01", n) for n in range(24)])
def test_the_name_of_a_period_tells_the_month_it_ends_at(mois: str) -> None:
    assert last_month(period_code(mois)) == mois
