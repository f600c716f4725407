//! An embedded Kubernetes API server: storage, watch, CRDs, apply.
