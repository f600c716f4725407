//! Where does the template come from?

use purlin_function::{RequestView as _, RunFunctionRequest};
use purlin_object::ValueRef;

use crate::input::Input;
use crate::{ENVIRONMENT, Options};

/// A template, put together.
pub(crate) struct Source {
    pub(crate) text: String,
    /// The first line of each part, when there are several.
    starts: Vec<usize>,
}

const BETWEEN: &str = "\n---\n";

impl Source {
    fn one(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            starts: Vec::new(),
        }
    }

    fn many(parts: &[String]) -> Self {
        let mut starts = Vec::new();
        let mut line = 1;
        for part in parts {
            starts.push(line);
            line += part.matches('\n').count() + 2;
        }
        Self {
            text: parts.join(BETWEEN),
            starts,
        }
    }

    /// Which part a line belongs to, and which line of it.
    fn part(&self, line: usize) -> Option<(usize, usize)> {
        let index = self.starts.iter().rposition(|start| *start <= line)?;
        let start = self.starts.get(index)?;
        Some((index, line - start + 1))
    }

    /// The field of the input a line comes from, and the line in it.
    pub(crate) fn place(&self, line: usize) -> (String, usize) {
        match self.part(line) {
            Some((index, line)) => (format!("inline.templates[{index}]"), line),
            None => ("inline.template".to_owned(), line),
        }
    }

    /// The bytes of a line in its field of the input, without the blanks around; of `word` in it, when it is there.
    pub(crate) fn bytes(&self, line: usize, word: Option<&str>) -> (usize, usize) {
        let start_of = |line: usize| -> usize {
            let before = self.text.split_inclusive('\n').take(line.saturating_sub(1));
            before.map(str::len).sum()
        };
        let first = self.part(line).map_or(1, |(_, own)| line + 1 - own);
        let start = start_of(line) - start_of(first);
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or("");
        let found = word.and_then(|word| Some((text.find(word)?, word.len())));
        let blank = text.len() - text.trim_start().len();
        let (at, length) = found.unwrap_or((blank, text.trim().len()));
        (start + at, start + at + length)
    }

    /// The field of the input that bytes of the text are in, and which of its bytes they are.
    pub(crate) fn field(&self, start: usize, end: usize) -> Option<(String, (usize, usize))> {
        let line = self.text.get(..start)?.matches('\n').count() + 1;
        let (path, own) = self.place(line);
        let before = self.text.split_inclusive('\n').take(line - own);
        let first: usize = before.map(str::len).sum();
        Some((path, (start.checked_sub(first)?, end.checked_sub(first)?)))
    }

    /// Words for a message that counts the lines of all parts as one.
    pub(crate) fn hint(&self, line: usize) -> String {
        self.part(line).map_or_else(String::new, |(index, line)| {
            format!(" (line {line} of inline.templates[{index}])")
        })
    }
}

/// The templates of the input itself.
pub(crate) fn inline(input: &Input) -> Option<Source> {
    let inline = input.inline.as_ref()?;
    if !inline.template.is_empty() {
        return Some(Source::one(&inline.template));
    }
    (!inline.templates.is_empty()).then(|| Source::many(&inline.templates))
}

/// The template that an input names.
pub(crate) fn find(
    input: &Input,
    request: &RunFunctionRequest,
    options: &Options,
) -> Result<Source, String> {
    match (input.source.as_str(), &options.default_source) {
        ("Inline", _) => inline(input)
            .ok_or_else(|| "inline.template or inline.templates should be provided".to_owned()),
        ("FileSystem", _) => {
            let folder = input
                .file_system
                .as_ref()
                .map(|files| files.dir_path.as_str());
            match folder.filter(|folder| !folder.is_empty()) {
                Some(folder) => files(folder, options),
                None => Err("fileSystem.dirPath should be provided".to_owned()),
            }
        }
        ("Environment", _) => environment(input, request).map(|text| Source::one(&text)),
        ("", Some(folder)) => files(folder, options),
        ("", None) => Err("source is required".to_owned()),
        (other, _) => Err(format!("invalid source: {other}")),
    }
}

fn files(folder: &str, options: &Options) -> Result<Source, String> {
    let Some(read) = &options.read else {
        return Err(format!(
            "cannot read tmpl from the folder {{{folder}}}: this server reads no folders; put the templates inline, or into \
             the environment"
        ));
    };
    let parts = read(folder)
        .map_err(|why| format!("cannot read tmpl from the folder {{{folder}}}: {why}"))?;
    let mut text = String::new();
    for part in &parts {
        text.push_str(part);
        text.push_str(BETWEEN);
    }
    Ok(Source {
        text,
        starts: Vec::new(),
    })
}

fn environment(input: &Input, request: &RunFunctionRequest) -> Result<String, String> {
    let key = input
        .environment
        .as_ref()
        .map_or("", |environment| environment.key.as_str());
    if key.is_empty() {
        return Err("environment.key should be provided".to_owned());
    }
    let why = "cannot read tmpl from the environment";
    let Some(ValueRef::Object(environment)) = request.context(ENVIRONMENT) else {
        return Err(format!(
            "{why}: {ENVIRONMENT} key does not exist in context"
        ));
    };
    match environment.get(key) {
        Some(ValueRef::String(text)) => Ok(text.to_owned()),
        Some(other) => Err(format!(
            "{why}: key: {key} is {}, not a string",
            other.kind()
        )),
        None => Err(format!("{why}: key: {key} does not exist")),
    }
}
