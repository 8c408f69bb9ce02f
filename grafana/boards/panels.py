"""The few kinds of panels that the boards are made of. Each has a unit and a description; one
that shows what alerts watch has their thresholds, and links to their runbooks and incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import common, heatmap, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphGradientMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.boards.limits import Limit

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${source}")
GREEN, RED = "green", "red"

HALF, THIRD, QUARTER, WHOLE = 12, 8, 6, 24
_HEIGHT, _FIGURE_HEIGHT = 8, 4

Query = tuple[str, str]  # the expression, and its legend


class _Any(Protocol):
    """What every kind of panel can be told."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: model.DataSourceRef) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...
    def links(self, links: list[Builder[model.DashboardLink]]) -> Self: ...


P = TypeVar("P", bound=_Any)


def _told(
    panel: P, title: str, description: str, *, alerts: Sequence[str], width: int, height: int
) -> P:
    links = [link for alert in alerts for link in _links(alert)]
    panel.title(title).description(description).datasource(SOURCE)
    return panel.span(width).height(height).links(links)


def _links(alert: str) -> list[Builder[model.DashboardLink]]:
    """An alert's runbook and incidents, at Plantão."""
    return [
        _link(f"Runbook: {alert}", f"${{plantao}}/runbooks/{alert}"),
        _link(f"Incidents: {alert}", f"${{plantao}}/console/incidents?alertname={alert}"),
    ]


def _link(title: str, url: str) -> Builder[model.DashboardLink]:
    return build.DashboardLink(title).url(url).target_blank(True)


def _query(query: Query, ref: int, *, instant: bool = False) -> Dataquery:
    expression, legend = query
    made = Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + ref))
    return made.instant() if instant else made.range()


def _steps(limit: Limit | None) -> build.ThresholdsConfig:
    first = RED if limit and limit.below else GREEN
    steps = [model.Threshold(value=None, color=first)]
    if limit:
        color = GREEN if limit.below else RED
        steps.append(model.Threshold(value=limit.value, color=color))
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def lines(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    alerts: Sequence[str] = (),
    limit: Limit | None = None,
    width: int = HALF,
    stacked: bool = False,
    most: float | None = None,
) -> timeseries.Panel:
    """How something went over time. A line marks where an alert begins."""
    panel = _told(
        timeseries.Panel(), title, description, alerts=alerts, width=width, height=_HEIGHT
    )
    panel.unit(unit).min(0).line_width(1).fill_opacity(30 if stacked else 8)
    panel.gradient_mode(GraphGradientMode.OPACITY).show_points(VisibilityMode.NEVER)
    panel.legend(_legend()).tooltip(_tooltip()).thresholds(_steps(limit))
    style = GraphTresholdsStyleMode.DASHED if limit else GraphTresholdsStyleMode.OFF
    panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if most is not None:
        panel.max(most)
    for ref, query in enumerate(queries):
        panel.with_target(_query(query, ref))
    return panel


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST)
    return legend.placement(LegendPlacement.BOTTOM).show_legend(True)


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)


def figure(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    alerts: Sequence[str] = (),
    limit: Limit | None = None,
    width: int = QUARTER,
    decimals: int | None = None,
    nothing: str = "no data",
) -> stat.Panel:
    """What something is now, in large; `nothing` is shown where there are no series."""
    panel = _told(
        stat.Panel(), title, description, alerts=alerts, width=width, height=_FIGURE_HEIGHT
    )
    panel.unit(unit).thresholds(_steps(limit)).no_value(nothing)
    panel.color_mode(BigValueColorMode.VALUE if limit else BigValueColorMode.NONE)
    panel.graph_mode(BigValueGraphMode.NONE).text_mode(
        BigValueTextMode.VALUE_AND_NAME if queries[0][1] else BigValueTextMode.VALUE
    )
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if decimals is not None:
        panel.decimals(decimals)
    for ref, query in enumerate(queries):
        panel.with_target(_query(query, ref, instant=True))
    return panel


def listing(
    title: str,
    description: str,
    expression: str,
    *columns: str,
    unit: str = "short",
    value: str | None = None,
    alerts: Sequence[str] = (),
    width: int = HALF,
) -> table.Panel:
    """One row for each series: these labels, and what the value is called if it is shown."""
    panel = _told(table.Panel(), title, description, alerts=alerts, width=width, height=_HEIGHT)
    panel.with_target(_query((expression, ""), 0, instant=True).format(PromQueryFormat.TABLE))
    shown = [*columns, *(["Value"] if value else [])]
    order = {name: at for at, name in enumerate(shown)}
    renamed = {"Value": value} if value else {}
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"names": shown}}
        )
    )
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="organize", options={"indexByName": order, "renameByName": renamed}
        )
    )
    if value:
        panel.override_by_name(value, [model.DynamicConfigValue(id_val="unit", value=unit)])
    return panel


def density(
    title: str, description: str, unit: str, expression: str, *, width: int = HALF
) -> heatmap.Panel:
    """How a histogram's buckets filled over time."""
    panel = _told(heatmap.Panel(), title, description, alerts=(), width=width, height=_HEIGHT)
    query = _query((expression, "{{le}}"), 0).format(PromQueryFormat.HEATMAP)
    panel.calculate(False).with_target(query)
    panel.y_axis(heatmap.YAxisConfig().unit(unit))
    return panel
