//! What does the `cel` crate's own interpreter answer, where it knows more?
//!
//! Named time zones: their tables come with that crate. Its environment is built once; each call costs a microsecond.

use std::sync::{Arc, LazyLock};

use crate::outcome::Raise;
use crate::time;

static ENVIRONMENT: LazyLock<Arc<cel::Env>> = LazyLock::new(|| Arc::new(cel::Env::stdlib()));

/// A part of a moment in a named time zone; `getter` is one of the getters of the library.
pub(crate) fn zoned(getter: &str, nanos: i128, zone: &str) -> Result<i64, Raise> {
    let unknown = || Raise::argument(format!("there is no time zone {zone:?}"));
    if zone.len() > 64 {
        return Err(unknown());
    }
    let mut context = cel::Context::with_env(Arc::clone(&ENVIRONMENT));
    context.add_variable_from_value("moment", time::timestamp_text(nanos));
    context.add_variable_from_value("zone", zone.to_owned());
    let program = ENVIRONMENT
        .compile(&format!("timestamp(moment).{getter}(zone)"))
        .map_err(|_| unknown())?;
    match program.execute(&context) {
        Ok(cel::Value::Int(part)) => Ok(part),
        _ => Err(unknown()),
    }
}
