//! A simulated provider: makes managed resources ready, slow, flapping or failing on request.
