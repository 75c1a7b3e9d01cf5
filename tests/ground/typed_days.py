"""The ways in which people write 17 June 2021."""

READ = (
    "17/6/2021",
    "17/06/2021",
    " 17/6/2021 ",
    "17-6-21",
    "17.6.2021",
    "17 6 2021",
    "17 / 6 / 2021",
    "2021-06-17",
    "17062021",
    "170621",
    "1706",
    "17/6",
    "ngày 17/6/2021",
    "thứ Năm, 17/6/2021",
    "Thursday, 17/6/2021",
    "17 tháng 6 năm 2021",
    "ngày 17 tháng 6",
)
WITH_YEAR = tuple(way for way in READ if way not in ("1706", "17/6", "ngày 17 tháng 6"))
"""Those that need no day to count from."""
