//! The gRPC server for functions: TLS with reload, health, reflection, limits, drain, metrics.
