//! Text to documents.

use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Parser, Span};
use purlin_diag::{Diagnostic, Diagnostics, Place};
use serde_json::Value;

use crate::build::{Builder, Outcome};
use crate::limits::Limits;
use crate::padding::Padding;
use crate::place::{PlaceMap, Source, Spot};
use crate::syntax::diagnose;

/// One document of a text: its value, and where every part of it stands.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// Where it says it.
    pub places: PlaceMap,
}

/// Reads every document of a YAML or JSON text, with the default limits.
///
/// Documents with nothing in them are left out. A document with an error is left out too, and reading goes on after
/// it, so that all mistakes are reported at once.
pub fn load(file: &str, text: &str) -> (Vec<Document>, Diagnostics) {
    load_with(file, text, &Limits::default())
}

/// As [`load`], with other limits.
pub fn load_with(file: &str, text: &str, limits: &Limits) -> (Vec<Document>, Diagnostics) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Diagnostics::new();
    let start = Place::new(file, 1, 1);
    if text.len() > limits.bytes {
        found.push(
            Diagnostic::error(
                "yaml/too-large",
                format!("the file is larger than {} bytes", limits.bytes),
            )
            .at(start),
        );
        return (Vec::new(), found);
    }
    let source = Arc::new(Source {
        name: Arc::from(file),
        text: Arc::from(text),
    });
    let documents = read(&source, limits, &mut found);
    report_tabs(&source, &mut found);
    found.sort();
    (documents, found)
}

/// Reads a text, and once more with spaces before lines of quoted texts that are not indented, when that helps.
fn read(source: &Arc<Source>, limits: &Limits, found: &mut Diagnostics) -> Vec<Document> {
    let reader = |padding| Reader {
        source,
        limits,
        padding,
        found: Diagnostics::new(),
        abandoned: 0,
        outdented: None,
    };
    let mut first = reader(Padding::default());
    let documents = first.read(&source.text);
    let mut padding = Padding::default();
    let mut next = first.outdented;
    while next.is_some_and(|line| padding.add(line, &source.text)) {
        let padded = padding.pad(&source.text);
        let mut again = reader(padding.clone());
        let documents = again.read(&padded);
        if again.outdented.is_none() && again.abandoned < first.abandoned {
            found.extend(again.found);
            return documents;
        }
        next = again.outdented;
    }
    found.extend(first.found);
    documents
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    limits: &'a Limits,
    padding: Padding,
    found: Diagnostics,
    /// How many documents the parser gave up.
    abandoned: usize,
    /// The first line of a quoted text that is not indented.
    outdented: Option<usize>,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Vec<Document> {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            simple_key_max_lookahead: 1 << 16,
            flow_nesting_limit: self.limits.depth,
            block_nesting_limit: self.limits.depth,
        };
        let mut parser = Parser::new_from_str_with_options(text, options);
        let mut builder = Builder::new(self.source.clone(), self.limits, self.padding.clone());
        let mut documents = Vec::new();
        let mut seen = 0;
        while let Some(next) = parser.next_event() {
            let outcome = match next {
                Ok((event, span)) => {
                    if matches!(event, Event::DocumentStart(..)) {
                        seen += 1;
                        if seen > self.limits.documents {
                            self.too_many_documents(&span);
                            break;
                        }
                    }
                    builder.event(event, &span, &mut self.found)
                }
                Err(error) => {
                    self.abandoned += 1;
                    if matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent) {
                        let line = error.marker().line();
                        self.outdented.get_or_insert(line);
                    }
                    self.found
                        .push(diagnose(&error, self.source, &self.padding));
                    Outcome::Abandon
                }
            };
            match outcome {
                Outcome::More => {}
                Outcome::Document(document) => documents.push(document),
                Outcome::Abandon => {
                    builder.abandon();
                    if !matches!(parser.proceed_next_document(), Ok(true)) {
                        break;
                    }
                }
                Outcome::Stop => break,
            }
        }
        documents
    }

    fn too_many_documents(&mut self, span: &Span) {
        self.found.push(
            Diagnostic::error(
                "yaml/too-many-documents",
                format!("more than {} documents in one file", self.limits.documents),
            )
            .at(self.source.place(self.padding.back(Spot::of(span)))),
        );
    }
}

/// The parser stops at the first tab of a document; when it did, the other lines indented by tabs are listed as well.
fn report_tabs(source: &Source, found: &mut Diagnostics) {
    let known: Vec<u32> = found
        .iter()
        .filter(|finding| finding.code.0 == "yaml/tab")
        .filter_map(|finding| finding.place.as_ref().map(|place| place.line))
        .collect();
    let Some(first) = known.iter().min() else {
        return;
    };
    let tabbed = (1u32..).zip(source.text.lines()).filter(|(number, line)| {
        number > first
            && !known.contains(number)
            && line.trim_start_matches(' ').starts_with('\t')
            && !line.trim().is_empty()
    });
    for (number, line) in tabbed.take(100) {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let column = u32::try_from(spaces).unwrap_or(u32::MAX).saturating_add(1);
        found.push(
            Diagnostic::error("yaml/tab", "a tab cannot indent YAML")
                .at(Place::new(source.name.clone(), number, column))
                .help("use spaces"),
        );
    }
}
