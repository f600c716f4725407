//! Which fields of its data does a template read, as far as its text tells?
//!
//! Followed are the dot, `$`, and variables that are set once to nothing but a path. What functions look up, what named
//! templates get, and variables that are assigned are not.

use std::collections::BTreeSet;

use crate::Template;
use crate::ast::{Branch, Expr, Node, Pipe, What};

/// One step from the data to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The field of this name.
    Field(String),
    /// An element of a list, or a value of a map.
    Element,
}

/// A field that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The way there.
    pub steps: Vec<Step>,
    /// The first byte of the text that says so.
    pub start: usize,
    /// One past the last one.
    pub end: usize,
}

/// The way to a value; none when it is not known.
type Way = Option<Vec<Step>>;

impl Template {
    /// The fields that the template itself reads, in the order of its text.
    pub fn reads(&self) -> Vec<Reading> {
        let mut walk = Walk {
            variables: vec![("$".to_owned(), Some(Vec::new()))],
            assigned: BTreeSet::new(),
            found: Vec::new(),
        };
        let nodes = self.trees.get(&self.name).map_or(&[][..], Vec::as_slice);
        walk.assigned(nodes);
        walk.nodes(nodes, &Some(Vec::new()));
        walk.found
    }
}

struct Walk {
    variables: Vec<(String, Way)>,
    /// Variables that get another value later: nothing is known of these.
    assigned: BTreeSet<String>,
    found: Vec<Reading>,
}

impl Walk {
    fn assigned(&mut self, nodes: &[Node]) {
        for node in nodes {
            let (pipe, branch) = match node {
                Node::Action(pipe) => (Some(pipe), None),
                Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                    (Some(&branch.pipe), Some(branch))
                }
                Node::Template { .. } | Node::Text(_) | Node::Break | Node::Continue => continue,
            };
            if let Some(pipe) = pipe.filter(|pipe| pipe.assigns) {
                self.assigned.extend(pipe.variables.iter().cloned());
            }
            if let Some(branch) = branch {
                self.assigned(&branch.then);
                self.assigned(&branch.otherwise);
            }
        }
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Way) {
        for node in nodes {
            match node {
                Node::Text(_) | Node::Break | Node::Continue => {}
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot);
                    self.declare(pipe, &[value]);
                }
                Node::If(branch) => {
                    let value = self.pipe(&branch.pipe, dot);
                    self.branch(branch, &[value], dot, dot);
                }
                Node::With(branch) => {
                    let value = self.pipe(&branch.pipe, dot);
                    self.branch(branch, std::slice::from_ref(&value), &value, dot);
                }
                Node::Range(branch) => {
                    let element = self.pipe(&branch.pipe, dot).map(|mut way| {
                        way.push(Step::Element);
                        way
                    });
                    let values = match branch.pipe.variables.len() {
                        2 => vec![None, element.clone()],
                        _ => vec![element.clone()],
                    };
                    self.branch(branch, &values, &element, dot);
                }
                Node::Template { pipe, .. } => {
                    if let Some(pipe) = pipe {
                        self.pipe(pipe, dot);
                    }
                }
            }
        }
    }

    fn branch(&mut self, branch: &Branch, values: &[Way], inside: &Way, outside: &Way) {
        let held = self.variables.len();
        self.declare(&branch.pipe, values);
        self.nodes(&branch.then, inside);
        self.variables.truncate(held);
        self.declare(&branch.pipe, values);
        self.nodes(&branch.otherwise, outside);
        self.variables.truncate(held);
    }

    fn declare(&mut self, pipe: &Pipe, values: &[Way]) {
        for (index, name) in pipe.variables.iter().enumerate() {
            let known = values.get(index).cloned().flatten();
            let known = known.filter(|_| !pipe.assigns && !self.assigned.contains(name));
            self.variables.push((name.clone(), known));
        }
    }

    /// Notes what a pipeline reads; gives the way to its value, when it is nothing but a path.
    fn pipe(&mut self, pipe: &Pipe, dot: &Way) -> Way {
        let mut value = None;
        for command in &pipe.commands {
            for arg in &command.args {
                value = self.expr(arg, dot);
            }
        }
        match pipe.commands.as_slice() {
            [only] if only.args.len() == 1 => value,
            _ => None,
        }
    }

    fn expr(&mut self, expr: &Expr, dot: &Way) -> Way {
        match &expr.what {
            What::Dot => dot.clone(),
            What::Field(names) => self.read(expr, dot.clone(), names),
            What::Variable(name, names) => {
                let held = self.variables.iter().rev().find(|(held, _)| held == name);
                let way = held.and_then(|(_, way)| way.clone());
                if names.is_empty() {
                    return way;
                }
                self.read(expr, way, names)
            }
            What::Chain(inner, names) => {
                let way = self.expr(inner, dot);
                self.read(expr, way, names)
            }
            What::Pipe(pipe) => self.pipe(pipe, dot),
            What::Nil
            | What::Bool(_)
            | What::Number(_)
            | What::Imaginary(_)
            | What::Text(_)
            | What::Function(_) => None,
        }
    }

    fn read(&mut self, expr: &Expr, way: Way, names: &[String]) -> Way {
        let mut steps = way?;
        steps.extend(names.iter().cloned().map(Step::Field));
        self.found.push(Reading {
            steps: steps.clone(),
            start: expr.span.start,
            end: expr.span.end,
        });
        Some(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::Step;
    use crate::{Library, Template};

    fn check(text: &str, expect: &[&str]) {
        let template = Template::parse("t", text, &Library::sprig()).unwrap();
        let reads = template.reads();
        let shown: Vec<String> = reads
            .iter()
            .map(|reading| {
                let steps = reading.steps.iter().map(|step| match step {
                    Step::Field(name) => format!(".{name}"),
                    Step::Element => "[]".to_owned(),
                });
                steps.collect()
            })
            .collect();
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn paths_are_followed_from_the_data() {
        check("{{ .a.b }} {{ $.c }}", &[".a.b", ".c"]);
        check("{{ $x := .a }}{{ $x.b }}", &[".a", ".a.b"]);
        check(
            "{{ with .a }}{{ .b }}{{ else }}{{ .c }}{{ end }}",
            &[".a", ".a.b", ".c"],
        );
        check("{{ range .a }}{{ .b }}{{ end }}", &[".a", ".a[].b"]);
        check(
            "{{ range $i, $x := .a }}{{ $x.b }}{{ $.c }}{{ end }}",
            &[".a", ".a[].b", ".c"],
        );
        check(
            "{{ if eq .a \"x\" }}{{ .b | quote }}{{ end }}",
            &[".a", ".b"],
        );
        check("{{ (.a).b }}", &[".a", ".a.b"]);
    }

    #[test]
    fn what_is_not_certain_is_not_told() {
        check("{{ $x := .a }}{{ $x = .b }}{{ $x.c }}", &[".a", ".b"]);
        check("{{ $x := index .a 0 }}{{ $x.c }}", &[".a"]);
        check(
            "{{ define \"t2\" }}{{ .a }}{{ end }}{{ template \"t2\" .b }}",
            &[".b"],
        );
        check("{{ range (keys .a) }}{{ . }}{{ end }}", &[".a"]);
        check("{{ (index .a 0).b }}", &[".a"]);
    }

    #[test]
    fn a_reading_has_its_bytes() {
        let text = "x {{ .a.b }}";
        let template = Template::parse("t", text, &Library::sprig()).unwrap();
        let reading = &template.reads()[0];
        assert_eq!(text.get(reading.start..reading.end), Some(".a.b"));
    }
}
