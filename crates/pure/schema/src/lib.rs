//! What may this field hold?
//!
//! Structural schemas as Kubernetes has them: reading, pruning, filling in defaults, validating; what a
//! CustomResourceDefinition may hold; which CRDs a CompositeResourceDefinition gives; and what a change between two
//! versions of a schema means for those who use it. Knows nothing about CEL: rules are carried, not read.

pub mod compat;
mod crd;
mod crd_check;
mod defaults;
mod embedded;
mod error;
mod format;
mod keywords;
mod lists;
mod names;
mod number;
mod pattern;
mod prune;
mod structural;
mod validate;
mod xrd;

pub use crd::{claim_crd, composite_crd, crds_of, scope as xrd_scope};
pub use crd_check::{
    CheckRules, RulePlace, check_crd, check_crd_update, complete_crd, unknown_formats,
};
pub use defaults::apply_defaults;
pub use embedded::coerce_metadata;
pub use error::{FieldError, Reason, WHOLE};
pub use format::{is_known as is_known_format, matches as matches_format};
pub use keywords::{MAX_DEPTH, normalize};
pub use names::{is_dns_1035, is_dns_1123, is_dns_subdomain};
pub use pattern::Pattern;
pub use prune::{drop_nulls, prune, unknown_fields};
pub use structural::{Additional, Kind, ListType, MapType, Rule, Schema};
pub use validate::{validate, validate_part, validate_update};
pub use xrd::{check_xrd, check_xrd_update};
