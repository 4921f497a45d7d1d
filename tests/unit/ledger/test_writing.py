"""Several writing statements as one."""

from __future__ import annotations

from certex_bridge.ledger.adapters.writing import merged


def test_the_parameters_of_each_statement_follow_those_of_the_one_before() -> None:
    one = merged(
        ("UPDATE a SET x = $2 WHERE y = $1 OR z = $2", "DELETE FROM b WHERE x = $1", "INSERT INTO c VALUES ($1)")
    )
    assert " ".join(one.split()) == (
        "WITH s0 AS ( UPDATE a SET x = $2 WHERE y = $1 OR z = $2 ), s1 AS ( DELETE FROM b WHERE x = $3 ), "
        "s2 AS ( INSERT INTO c VALUES ($4) ) SELECT"
    )


def test_more_than_nine_parameters_are_told_apart() -> None:
    many = ", ".join(f"${number}" for number in range(1, 12))
    assert "$12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22" in merged((f"SELECT {many}", f"SELECT {many}"))
