"""What Grafana is given: data sources, and dashboards made from small Python sources."""
