//! What may this field hold?
