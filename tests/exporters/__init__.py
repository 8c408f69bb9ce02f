"""The exporters, against real tables, a real MLflow and a real Prometheus."""
