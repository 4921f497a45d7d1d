"""How a panel of ours looks, and from it what Grafana reads.

In expressions `{@}` stands for the selection of job and instance, `{@, …}` for that and more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

SELECTION = 'job=~"$job", instance=~"$instance"'
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
REFRESH_SECONDS = 30

Query = tuple[str, str]
"""Expression and legend."""
Step = tuple[float, str]
"""From this value on, this colour."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `width` of the 24 columns."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["lines", "stacked", "stat", "bars"] = "lines"
    width: int = 8
    height: int = 8
    steps: tuple[Step, ...] = ()
    decimals: int | None = None
    text: str = ""
    """Shown in place of a figure that is 0."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of panels with its question."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; `name` is its file and its address."""

    name: str
    title: str
    description: str
    rows: tuple[Row, ...]
    since: str = "now-3h"


def expression(text: str) -> str:
    """With the selection in its place."""
    return text.replace("{@", "{" + SELECTION)


def _thresholds(steps: tuple[Step, ...]) -> dashboard.ThresholdsConfig:
    first = models.Threshold(value=None, color="green" if steps else "text")
    rest = [models.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps([first, *rest])


def _builder(panel: Panel) -> Any:
    if panel.kind == "stat":
        made = stat.Panel().color_mode(common_models.BigValueColorMode.BACKGROUND if panel.steps else
                                       common_models.BigValueColorMode.NONE)  # fmt: skip
        return made.graph_mode(common_models.BigValueGraphMode.AREA).reduce_options(_last())
    if panel.kind == "bars":
        return bargauge.Panel().orientation(common_models.VizOrientation.HORIZONTAL).reduce_options(_last()).min(0)
    lines = timeseries.Panel().min(0).line_width(1).show_points(common_models.VisibilityMode.NEVER)
    legend = common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM)  # noqa: FBT003
    lines = lines.legend(legend.display_mode(common_models.LegendDisplayMode.LIST))
    lines = lines.tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    if panel.steps:
        style = common.GraphThresholdsStyleConfig().mode(common_models.GraphTresholdsStyleMode.LINE)
        lines = lines.thresholds_style(style)
    if panel.kind == "stacked":
        lines = lines.fill_opacity(40).stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    return lines


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def built(panel: Panel) -> Any:
    """The builder of one panel."""
    made = _builder(panel).title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    made = made.span(panel.width).height(panel.height).thresholds(_thresholds(panel.steps))
    if panel.decimals is not None:
        made = made.decimals(panel.decimals)
    if panel.text:
        zero = models.ValueMappingResult(text=panel.text, color="green")
        made = made.mappings([models.ValueMap(options={"0": zero})])
    for number, (text, legend) in enumerate(panel.queries):
        query = prometheus.Dataquery().expr(expression(text)).legend_format(legend).ref_id(chr(ord("A") + number))
        made = made.with_target(query.datasource(SOURCE))
    return made


def _variables() -> list[Any]:
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    job = _choice("job", "Job", "label_values(certex_bridge_build_info, job)")
    instance = _choice("instance", "Instance", 'label_values(certex_bridge_build_info{job=~"$job"}, instance)')
    return [source, job, instance]


def _choice(name: str, label: str, query: str) -> Any:
    variable = dashboard.QueryVariable(name).label(label).query(query).datasource(SOURCE).multi(True).include_all(True)  # noqa: FBT003
    everything = models.VariableOption(selected=True, text="All", value="$__all")
    return variable.all_value(".+").refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).current(everything)


def dashboard_of(board: Board, others: tuple[Board, ...]) -> Any:
    """The builder of a dashboard, with links to its siblings."""
    made = dashboard.Dashboard(board.title).uid(f"certex-{board.name}").description(board.description)
    made = made.tags(["certex-bridge"]).readonly().time(board.since, "now").refresh(f"{REFRESH_SECONDS}s")
    made = made.timezone("utc").tooltip(models.DashboardCursorSync.CROSSHAIR).variables(_variables())
    links = [
        dashboard.DashboardLink(other.title).type(models.DashboardLinkType.LINK).url(f"/d/certex-{other.name}")
        for other in others
        if other is not board
    ]
    made = made.links([link.keep_time(True).include_vars(True) for link in links])  # noqa: FBT003
    for row in board.rows:
        made = made.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            made = made.with_panel(built(panel))
    return made
