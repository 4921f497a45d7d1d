"""Forms of expressions that several panels share."""

from __future__ import annotations

from watch.panels import Query


def quantiles(metric: str, *by: str) -> tuple[Query, ...]:
    """Half and 99 % of a histogram, by labels."""
    groups = ", ".join(("le", *by))
    names = "".join(f" {{{{{label}}}}}" for label in by)
    return tuple(
        (
            f"histogram_quantile({q}, sum by ({groups}) (rate(certex_bridge_{metric}_bucket{{@}}[$__rate_interval])))",
            f"{name}{names}",
        )
        for q, name in ((0.5, "half"), (0.99, "99 %"))
    )


def per_second(metric: str, *by: str, more: str = "") -> Query:
    """Rate of a counter, by labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    selected = f"{{@{more and ', '}{more}}}"
    return f"sum by ({', '.join(by)}) (rate(certex_bridge_{metric}{selected}[$__rate_interval]))", legend


def occurring(query: Query) -> Query:
    """Only series above nothing, where there is one for whatever may occur."""
    expression, legend = query
    return f"{expression} > 0", legend


def mean(metric: str) -> str:
    """Mean of a histogram."""
    total, count = (f"sum(rate(certex_bridge_{metric}_{part}{{@}}[$__rate_interval]))" for part in ("sum", "count"))
    return f"{total} / {count}"


def raised(metric: str, *by: str, window: str = "$__rate_interval", zero: bool = False) -> Query:
    """How much a counter rose; with `zero`: 0 where nothing of its kind has ever happened."""
    groups = f" by ({', '.join(by)}) " if by else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    return f"sum{groups}(increase(certex_bridge_{metric}{{@}}[{window}])){' or vector(0)' if zero else ''}", legend


def rate_or_zero(metric: str, *by: str) -> Query:
    """Rate of a counter; 0 where nothing of its kind has ever happened."""
    expression, legend = per_second(metric, *by)
    return f"{expression} or vector(0)", legend
