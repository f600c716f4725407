//! Calls a function: in process or over gRPC.
