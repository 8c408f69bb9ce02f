"""A real metrics exporter whose gauges a test sets."""

from tests.neighbours.serving import Answer, LoopbackServer, Request

Labels = tuple[tuple[str, str], ...]


class Exporter(LoopbackServer):
    """Serves its gauges in Prometheus' text format, at any path.

    `exporter.set("http_error_ratio", 0.42, service="checkout")`. While `failing` is true every
    scrape is answered with a 503, as by a component that is up and unwell.
    """

    def __init__(self) -> None:
        super().__init__()
        self.failing = False
        self._gauges: dict[str, dict[Labels, float]] = {}

    def set(self, name: str, value: float, /, **labels: str) -> None:
        with self.lock:
            self._gauges.setdefault(name, {})[_key(labels)] = value

    def remove(self, name: str, /, **labels: str) -> None:
        """Remove one series, or with no labels every series of that name."""
        with self.lock:
            if labels:
                del self._gauges[name][_key(labels)]
            else:
                del self._gauges[name]

    def answer(self, request: Request) -> Answer:  # noqa: ARG002 - the same for each
        if self.failing:
            return Answer(status=503)
        return Answer(
            body=self.text().encode(), content_type="text/plain; version=0.0.4; charset=utf-8"
        )

    def text(self) -> str:
        with self.lock:
            return "".join(_family(name, series) for name, series in self._gauges.items())


def _key(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _family(name: str, series: dict[Labels, float]) -> str:
    samples = (f"{name}{_braces(labels)} {value!r}\n" for labels, value in series.items())
    return f"# TYPE {name} gauge\n{''.join(samples)}"


def _braces(labels: Labels) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
