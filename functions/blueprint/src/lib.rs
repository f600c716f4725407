//! Blueprint: a typed composition language on CEL.
