"""What all boards have in common: variables, annotations, and the way from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from app.core.watching import STANDARD
from grafana.boards.panels import SOURCE

TAG = "pix-fraud"
PLANTAO = "http://127.0.0.1:8080"

Panel = Builder[model.Panel]
Rows = dict[str, Sequence[Panel]]


class _Annotation(model.AnnotationQuery):
    """With what Grafana's Prometheus data source reads beside the schema (`annotations.ts`)."""

    def __init__(self, *, extra: dict[str, object], **known: Any) -> None:
        super().__init__(**known)
        self.extra = extra

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self.extra}


class _Marks(Builder[model.AnnotationQuery]):
    """Marks in every graph: while a series is there, or at the moments that its value tells
    (milliseconds since 1970)."""

    def __init__(
        self,
        name: str,
        expression: str,
        color: str,
        title: str,
        *,
        tags: str,
        moments: bool = False,
    ) -> None:
        self._made = _Annotation(
            name=name,
            datasource=SOURCE,
            enable=True,
            icon_color=color,
            expr=expression,
            extra={
                "titleFormat": title,
                "tagKeys": tags,
                "step": "60s",
                "useValueForTime": moments,
            },
        )

    def build(self) -> model.AnnotationQuery:
        return self._made


def _watched(source: str) -> str:
    """What Plantão takes for changes, so that both show the same ones."""
    return next(watch.query for watch in STANDARD if watch.source == source)


_ANNOTATIONS = (
    _Marks(
        "Alerts",
        'ALERTS{alertstate="firing",severity=~"critical|warning"}',
        "red",
        "{{alertname}}",
        tags="severity,component",
    ),
    _Marks(
        "Tables rewritten",
        f"{_watched('delta')} * 1000",
        "purple",
        "{{table}}: {{operation}}",
        tags="table,operation",
        moments=True,
    ),
    _Marks(
        "Aliases moved",
        "mlflow_model_alias_info unless mlflow_model_alias_info offset 2m"
        " and on (model, alias) mlflow_model_alias_info offset 2m",
        "blue",
        "{{model}}@{{alias}}: version {{version}}",
        tags="model,alias",
    ),
    _Marks(
        "Spark drivers restarted",
        f"resets({_watched('spark')}[2m]) > 0",
        "orange",
        "Spark driver restarted ({{instance}})",
        tags="instance",
    ),
    _Marks(
        "Prometheus configured",
        f"{_watched('prometheus')} * 1000",
        "yellow",
        "Prometheus read its configuration ({{instance}})",
        tags="instance",
        moments=True,
    ),
)


def choice(name: str, label: str, metric: str, key: str) -> build.QueryVariable:
    """A variable: the values of a label, all of them at first."""
    made = build.QueryVariable(name).label(label).datasource(SOURCE)
    made.query(f"label_values({metric}, {key})").refresh(
        model.VariableRefresh.ON_TIME_RANGE_CHANGED
    )
    made.multi(True).include_all(True).all_value(".*").sort(model.VariableSort.ALPHABETICAL_ASC)
    return made.current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))


def board(
    uid: str,
    title: str,
    description: str,
    rows: Rows,
    *variables: build.QueryVariable,
    plantao: str = PLANTAO,
) -> model.Dashboard:
    """A board of these rows. `plantao` is where links to incidents and runbooks lead."""
    made = build.Dashboard(f"Pix fraud: {title}").uid(f"pix-fraud-{uid}").description(description)
    made.tags([TAG]).time("now-3h", "now").refresh("30s").timezone("browser").readonly()
    made.tooltip(model.DashboardCursorSync.CROSSHAIR).annotations(list(_ANNOTATIONS))
    made.with_variable(build.DatasourceVariable("source").label("Data source").type("prometheus"))
    for variable in variables:
        made.with_variable(variable)
    made.with_variable(
        build.TextBoxVariable("plantao")
        .label("Plantão")
        .default_value(plantao)
        .current(model.VariableOption(selected=True, text=plantao, value=plantao))
    )
    made.link(
        build.DashboardLink("Boards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
    )
    made.link(
        build.DashboardLink("Incidents")
        .type(model.DashboardLinkType.LINK)
        .url("${plantao}/console/incidents")
        .target_blank(True)
    )
    for name, panels in rows.items():
        made.with_row(build.Row(name))
        for panel in panels:
            made.with_panel(panel)
    return _numbered(made.build())


def _numbered(board: model.Dashboard) -> model.Dashboard:
    """With an id for each panel, so that a link to one stays good."""
    for number, panel in enumerate(board.panels or [], start=1):
        panel.id_val = number
    return board
