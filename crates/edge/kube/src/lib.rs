//! Talks to a Kubernetes API: apply, fetch, watch, classify errors.
