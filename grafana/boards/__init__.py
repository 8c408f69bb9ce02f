"""The dashboards, one file for each; `python -m grafana.boards` (make boards) writes their JSON."""
