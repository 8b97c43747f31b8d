"""Interaction files: what is read, and what is said about a bad one."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from recommend.engine.errors import EngineError
from recommend.engine.loaders import read_csv, read_movielens


def test_movielens_rows_are_ratings(tmp_path: Path) -> None:
    path = tmp_path / "u.data"
    path.write_text("196\t242\t3\t881250949\n186\t302\t5\t891717742\n")

    log = read_movielens(path)

    assert log.users.tolist() == ["196", "186"]
    assert log.values.tolist() == [3.0, 5.0]
    assert set(log.events.tolist()) == {"rating"}


def test_csv_takes_seconds_and_iso_times_and_gzip(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(
            "timestamp,item,user,event\n0,x,a,view\n1970-01-01T00:01:00,y,a,purchase\n1970-01-01T01:00+01:00,z,b,view\n"
        )

    log = read_csv(path)

    assert log.timestamps.tolist() == [0.0, 60.0, 0.0]
    assert log.events.tolist() == ["view", "purchase", "view"]


@pytest.mark.parametrize(
    ("values", "event"),
    [(["5", "1"], "rating"), (["24", "1"], "purchase"), (["1", "1"], "purchase"), (["", ""], "purchase")],
)
def test_a_value_column_alone_is_a_rating_only_if_it_looks_like_one(
    tmp_path: Path, values: list[str], event: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,timestamp,value\n" + "".join(f"a,x,1,{value}\n" for value in values))

    assert set(read_csv(path).events.tolist()) == {event}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("customer,item,timestamp\na,x,1\n", "missing-column", "user"),
        ("user,item,timestamp\na,x,yesterday\n", "bad-row", "line 2"),
        ("user,item,timestamp\na,x\n", "bad-row", "line 2"),
        ("", "missing-column", "nothing"),
    ],
)
def test_a_bad_csv_says_what_and_where(tmp_path: Path, text: str, code: str, said: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)

    with pytest.raises(EngineError) as caught:
        read_csv(path)

    assert caught.value.code == code
    assert said in caught.value.message


def test_a_missing_file_and_a_false_gzip_are_named(tmp_path: Path) -> None:
    fake = tmp_path / "log.csv.gz"
    fake.write_bytes(b"not gzip")
    for path, code in ((tmp_path / "none.csv", "no-file"), (fake, "bad-row")):
        with pytest.raises(EngineError) as caught:
            read_csv(path)
        assert caught.value.code == code


def test_a_header_alone_is_an_empty_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,timestamp\n")

    assert len(read_csv(path)) == 0
    assert np.issubdtype(read_csv(path).users.dtype, np.str_)
