"""Alerts and how they reach people: life cycle, Prometheus, Alertmanager, Grafana."""
