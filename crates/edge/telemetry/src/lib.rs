//! Logs, metrics and environment variables, each declared once.
