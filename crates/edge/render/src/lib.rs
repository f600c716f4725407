//! Files in, the pass driven, files out.
