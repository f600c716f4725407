//! Which step writes what other steps read: fields of the environment and of the composite's status, and keys of the
//! context?
//!
//! Nothing is said where a step may write or read anything.

use purlin_diag::Diagnostic;

use crate::Report;
use crate::reach::{Step, show};

/// The context key of the environment.
pub(crate) const ENVIRONMENT: &str = "apiextensions.crossplane.io/environment";

/// A field that a step reads or writes.
#[derive(Debug)]
struct Touch {
    step: usize,
    field: Vec<Step>,
    at: String,
}

/// Reads and writes of one kind of data.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    writes: Vec<Touch>,
    reads: Vec<Touch>,
    /// The first step that may write anything.
    writes_all: Option<usize>,
    /// The last step that may read anything.
    reads_all: Option<usize>,
}

impl Trail {
    pub(crate) fn write(&mut self, step: usize, field: Vec<Step>, at: &str) {
        let at = at.to_owned();
        self.writes.push(Touch { step, field, at });
    }

    pub(crate) fn read(&mut self, step: usize, field: Vec<Step>, at: &str) {
        let at = at.to_owned();
        self.reads.push(Touch { step, field, at });
    }

    pub(crate) fn writes_anything(&mut self, step: usize) {
        self.writes_all = Some(self.writes_all.map_or(step, |first| first.min(step)));
    }

    pub(crate) fn reads_anything(&mut self, step: usize) {
        self.reads_all = Some(self.reads_all.map_or(step, |last| last.max(step)));
    }

    /// Whether a step before `step`, or it, may write anything.
    fn written_anyhow(&self, step: usize) -> bool {
        self.writes_all.is_some_and(|first| first <= step)
    }

    fn read_anyhow(&self, step: usize) -> bool {
        self.reads_all.is_some_and(|last| last >= step)
    }

    /// Whether somebody in `step` or later reads anything of it.
    pub(crate) fn is_read_after(&self, step: usize) -> bool {
        self.read_anyhow(step) || self.reads.iter().any(|read| read.step >= step)
    }

    fn writes_before(&self, step: usize) -> impl Iterator<Item = &Touch> {
        self.writes.iter().filter(move |write| write.step <= step)
    }

    /// What is read from the environment and not written, and the other way round.
    pub(crate) fn check_environment(&self, report: &mut Report<'_>) {
        for read in &self.reads {
            if self.written_anyhow(read.step) {
                continue;
            }
            let mut writes = self.writes_before(read.step).peekable();
            let field = show(&read.field);
            let message = if writes.peek().is_none() {
                "no step before this one writes the environment".to_owned()
            } else if writes.any(|write| overlaps(&write.field, &read.field)) {
                continue;
            } else {
                format!("no step writes `{field}` of the environment")
            };
            let near = self.writes.iter().map(|write| show(&write.field));
            let near: Vec<String> = near.collect();
            let near = purlin_diag::nearest(&field, near.iter().map(String::as_str));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "fill it with function-environment-configs, or with a patch ToEnvironmentFieldPath".to_owned(),
            };
            let finding = Diagnostic::warning("check/context-unwritten", message);
            report.at(&read.at, finding.help(help));
        }
        for write in &self.writes {
            let read =
                |read: &Touch| read.step >= write.step && overlaps(&write.field, &read.field);
            if self.read_anyhow(write.step) || self.reads.iter().any(read) {
                continue;
            }
            let message = format!(
                "nothing reads `{}` of the environment after this",
                show(&write.field)
            );
            let finding = Diagnostic::warning("check/context-unread", message);
            report.at(
                &write.at,
                finding.help("remove the patch, or read the field"),
            );
        }
    }

    /// What is read from the status of the composite and never written there.
    pub(crate) fn check_status(&self, kind: &str, report: &mut Report<'_>) {
        if self.writes_all.is_some() {
            return;
        }
        for read in &self.reads {
            if self
                .writes
                .iter()
                .any(|write| overlaps(&write.field, &read.field))
            {
                continue;
            }
            let message = format!("nothing writes `{}` of {kind}", show(&read.field));
            let finding = Diagnostic::warning("check/status-unwritten", message);
            let help =
                "write it with a patch ToCompositeFieldPath of the resource that has the value";
            report.at(&read.at, finding.help(help));
        }
    }
}

/// Whether writing one path may change what the other leads to.
pub(crate) fn overlaps(a: &[Step], b: &[Step]) -> bool {
    a.iter()
        .zip(b)
        .all(|(a, b)| a == b || *a == Step::Any || *b == Step::Any)
}
