//! Findings for machines: one array of `{file, line, column, severity, code, message, help, path}`.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{Diagnostic, Diagnostics};

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Diagnostic", 8)?;
        out.serialize_field("file", &self.place.as_ref().map(|p| p.file.as_ref()))?;
        out.serialize_field("line", &self.place.as_ref().map(|p| p.line))?;
        out.serialize_field("column", &self.place.as_ref().map(|p| p.column))?;
        out.serialize_field("severity", self.severity.as_str())?;
        out.serialize_field("code", self.code.0)?;
        out.serialize_field("message", &self.message)?;
        out.serialize_field("help", &self.help)?;
        out.serialize_field("path", &self.path)?;
        out.end()
    }
}

impl Serialize for Diagnostics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
