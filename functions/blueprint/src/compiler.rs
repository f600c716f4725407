//! Does an expression read only what is there for it, and what else is known of it before it runs?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use purlin_diag::{Diagnostic, Diagnostics, nearest};
use purlin_expr::{Hole as Found, Program, Read, Step};
use purlin_object::{Value, ValueRef};

use crate::declare::Declared;
use crate::language::{Field, GIVEN, described};
use crate::names::{Names, Stands};
use crate::plan::Source;
use crate::template::{Hole, Tree, told};

/// How carefully a value is to be handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Secrecy {
    /// Anybody may see it.
    #[default]
    Open,
    /// Connection details: they are used where people look, but a message never shows them.
    Quiet,
    /// Credentials: they go to manifests and connection details only.
    Secret,
}

/// What a module looks like from outside.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) name: String,
    /// Its place among the modules.
    pub(crate) at: usize,
    pub(crate) parameters: Vec<Declared>,
    pub(crate) outputs: Vec<Promise>,
    /// How many uses deep it is.
    pub(crate) depth: usize,
    /// How many bodies one use of it makes, elements of `forEach` aside.
    pub(crate) bodies: usize,
}

/// What is known of an output.
#[derive(Debug)]
pub(crate) struct Promise {
    pub(crate) name: String,
    pub(crate) secrecy: Secrecy,
    /// The parameters it waits for, by place.
    pub(crate) waits: BTreeSet<usize>,
}

/// What the expressions of a field see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sees<'s> {
    pub(crate) field: Field,
    /// Variables that exist only here.
    pub(crate) own: &'s [&'s str],
}

impl<'s> Sees<'s> {
    /// A field of the description, with the variables of its `forEach`.
    pub(crate) fn at(path: &str, own: &'s [&'s str]) -> Self {
        Self {
            field: described(path),
            own,
        }
    }
}

/// Compiles the expressions of a body.
#[derive(Debug)]
pub(crate) struct Compiler<'n> {
    pub(crate) names: &'n Names,
    pub(crate) environment: &'n [Declared],
    /// The modules of the uses, by place.
    pub(crate) modules: Vec<Option<&'n Signature>>,
    parameters: &'n [Declared],
    /// How secret the values of `let` are, and what they come from.
    pub(crate) lets: Vec<(Secrecy, BTreeSet<Source>)>,
    known: BTreeMap<String, (Arc<Program>, usize)>,
    pub(crate) mistakes: &'n mut Diagnostics,
    pub(crate) reads: BTreeSet<String>,
    pub(crate) connections: BTreeSet<String>,
}

impl<'n> Compiler<'n> {
    pub(crate) fn new(
        names: &'n Names,
        environment: &'n [Declared],
        parameters: &'n [Declared],
        modules: Vec<Option<&'n Signature>>,
        mistakes: &'n mut Diagnostics,
    ) -> Self {
        Self {
            names,
            environment,
            modules,
            parameters,
            lets: Vec::new(),
            known: BTreeMap::new(),
            mistakes,
            reads: BTreeSet::new(),
            connections: BTreeSet::new(),
        }
    }

    /// How many slots the holes use.
    pub(crate) fn slots(&self) -> usize {
        self.known.len()
    }

    /// Compiles a value that stands at `field`.
    pub(crate) fn tree(&mut self, value: &Value, field: &str, sees: &Sees<'_>) -> Tree {
        Tree::compile(value.as_ref(), field, sees, self)
    }

    /// The same of an object.
    pub(crate) fn object(
        &mut self,
        value: &purlin_object::Object,
        field: &str,
        sees: &Sees<'_>,
    ) -> Tree {
        Tree::compile(ValueRef::Object(value.as_ref()), field, sees, self)
    }

    /// Compiles one hole; what is wrong with it is told, and then there is none.
    pub(crate) fn hole(&mut self, found: Found<'_>, field: &str, sees: &Sees<'_>) -> Option<Hole> {
        let (program, slot) = match self.known.get(found.source) {
            Some((program, slot)) => (Arc::clone(program), *slot),
            None => match Program::parse(found.source) {
                Ok(program) => {
                    let program = Arc::new(program);
                    let slot = self.known.len();
                    self.known
                        .insert(found.source.to_owned(), (Arc::clone(&program), slot));
                    (program, slot)
                }
                Err(problems) => {
                    self.mistakes.extend(problems.iter().map(|problem| {
                        let (start, end) = (problem.start, problem.end);
                        told(problem, found.source, field)
                            .within(found.start + start, found.start + end)
                    }));
                    return None;
                }
            },
        };
        let mut shared = true;
        let mut secrecy = Secrecy::Open;
        for read in program.reads() {
            if sees.own.contains(&read.root.as_str()) {
                shared = false;
                continue;
            }
            self.check(read, found, field, sees);
            secrecy = secrecy.max(self.secrecy(read));
            self.note(read);
            if self.wholly(read) && found.source.contains("connection") {
                secrecy = secrecy.max(Secrecy::Quiet);
            }
        }
        if secrecy == Secrecy::Secret && !sees.field.secrets {
            let message = "credentials have no place here: what this gives is seen by others";
            let help = if sees.field.path == "use[].with.*" {
                "declare the parameter with `secret: true`"
            } else {
                "use them in manifests and in `connection`"
            };
            self.mistakes.push(
                Diagnostic::error("blueprint/secret", message)
                    .path(field)
                    .within(found.start, found.start + found.source.len())
                    .help(help),
            );
        }
        Some(Hole {
            program,
            slot: shared.then_some(slot),
            secret: secrecy > Secrecy::Open,
            field: field.to_owned(),
        })
    }

    fn note(&mut self, read: &Read) {
        self.reads.insert(read.root.clone());
        let connection = match read.path.get(self.names.depth(&read.root)) {
            None | Some(Step::Any) => true,
            Some(step) => is_connection(step),
        };
        if connection {
            self.connections.insert(read.root.clone());
        }
    }

    /// Whether all of a resource is read, or of several.
    fn wholly(&self, read: &Read) -> bool {
        matches!(
            self.names.get(&read.root),
            Some(Stands::Resource(_) | Stands::Require(_))
        ) && read.path.len() <= self.names.depth(&read.root)
    }

    /// How secret what is read is.
    pub(crate) fn secrecy(&self, read: &Read) -> Secrecy {
        match self.names.get(&read.root) {
            Some(Stands::Given) if read.root == "credentials" => Secrecy::Secret,
            Some(Stands::Let(at)) => self
                .lets
                .get(at)
                .map_or(Secrecy::Open, |(secrecy, _)| *secrecy),
            Some(Stands::Parameter(at)) if self.parameters.get(at).is_some_and(|p| p.secret) => {
                Secrecy::Secret
            }
            Some(Stands::Resource(_) | Stands::Require(_))
                if read
                    .path
                    .get(self.names.depth(&read.root))
                    .is_some_and(is_connection) =>
            {
                Secrecy::Quiet
            }
            Some(Stands::Use(at)) => {
                let outputs = self.modules.get(at).copied().flatten();
                let outputs = outputs.map(|module| module.outputs.as_slice());
                let named = outputs.unwrap_or_default().iter();
                let named = named.filter(|output| self.reads_output(read, &output.name));
                named.map(|output| output.secrecy).max().unwrap_or_default()
            }
            _ => Secrecy::Open,
        }
    }

    /// What a value comes from.
    pub(crate) fn sources(&self, tree: &Tree, own: &[&str]) -> BTreeSet<Source> {
        let mut sources = BTreeSet::new();
        tree.holes(&mut |hole| {
            for read in hole.program.reads() {
                if own.contains(&read.root.as_str()) {
                    continue;
                }
                match self.names.get(&read.root) {
                    Some(Stands::Resource(at)) => drop(sources.insert(Source::Resource(at))),
                    Some(Stands::Parameter(at)) => drop(sources.insert(Source::Parameter(at))),
                    Some(Stands::Let(at)) => {
                        sources.extend(self.lets.get(at).into_iter().flat_map(|(_, from)| from));
                    }
                    Some(Stands::Use(at)) => {
                        let module = self.modules.get(at).copied().flatten();
                        let outputs = module.map_or(&[][..], |module| &module.outputs);
                        for (output, promise) in outputs.iter().enumerate() {
                            if self.reads_output(read, &promise.name) {
                                sources.insert(Source::Output(at, output));
                            }
                        }
                    }
                    Some(Stands::Given | Stands::Require(_)) | None => {}
                }
            }
        });
        sources
    }

    /// Whether a read of a use may read this output.
    pub(crate) fn reads_output(&self, read: &Read, output: &str) -> bool {
        match read.path.get(self.names.depth(&read.root)) {
            Some(Step::Field(name)) => name == output,
            None | Some(Step::Index(_) | Step::Any) => true,
        }
    }

    fn check(&mut self, read: &Read, found: Found<'_>, field: &str, sees: &Sees<'_>) {
        let start = found.start;
        let root = read.root.as_str();
        let special = root == "self" && !sees.field.this;
        if !special && self.names.get(root).is_some() {
            if root == "environment" {
                self.check_environment(read, start, field);
            }
            if let Some(Stands::Use(at)) = self.names.get(root) {
                self.check_output(at, read, start, field);
            }
            return;
        }
        if purlin_expr::is_type_name(root) {
            return;
        }
        let message = format!(
            "there is no variable `{root}`, which `{}` reads",
            found.source.trim()
        );
        let help = if special {
            "`self` is the resource, and only `ready` has it".to_owned()
        } else if GIVEN.iter().any(|given| given.name == root) {
            "a module has it only as a parameter".to_owned()
        } else {
            match nearest(root, self.names.readable(sees.own)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "there are: {}",
                    self.names.readable(sees.own).collect::<Vec<_>>().join(", ")
                ),
            }
        };
        self.mistakes.push(
            Diagnostic::error("expr/no-such-variable", message)
                .path(field)
                .within(start + read.span.0, start + read.span.1)
                .help(help),
        );
    }

    /// When the environment is declared, only what is declared is read.
    fn check_environment(&mut self, read: &Read, start: usize, field: &str) {
        let Some(Step::Field(name)) = read.path.first() else {
            return;
        };
        if self.environment.is_empty() {
            return;
        }
        let (message, help) = match self.environment.iter().find(|one| one.name == *name) {
            None => {
                let names = self.environment.iter().map(|one| one.name.as_str());
                let help = match nearest(name, names) {
                    Some(near) => format!("did you mean `environment.{near}`?"),
                    None => "declare it in `environment`".to_owned(),
                };
                (format!("`environment` declares no {name}"), help)
            }
            Some(one) if !one.required && one.default.is_none() && !read.optional => (
                format!("`{read}` may be missing: it is not required and has no default"),
                format!("write `environment.?{name}`, or declare a default"),
            ),
            Some(_) => return,
        };
        self.mistakes.push(
            Diagnostic::error("blueprint/environment", message)
                .path(field)
                .within(start + read.span.0, start + read.span.1)
                .help(help),
        );
    }

    /// A module has only the outputs it declares.
    fn check_output(&mut self, at: usize, read: &Read, start: usize, field: &str) {
        let Some(module) = self.modules.get(at).copied().flatten() else {
            return;
        };
        let Some(Step::Field(name)) = read.path.get(self.names.depth(&read.root)) else {
            return;
        };
        if module.outputs.iter().any(|output| output.name == *name) {
            return;
        }
        let outputs: Vec<&str> = module.outputs.iter().map(|one| one.name.as_str()).collect();
        let help = match nearest(name, outputs.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if outputs.is_empty() => "it has no outputs".to_owned(),
            None => format!("its outputs are: {}", outputs.join(", ")),
        };
        let message = format!("the module {} has no output {name}", module.name);
        self.mistakes.push(
            Diagnostic::error("blueprint/no-such-output", message)
                .path(field)
                .within(start + read.span.0, start + read.span.1)
                .help(help),
        );
    }
}

fn is_connection(step: &Step) -> bool {
    matches!(step, Step::Field(name) if name == "connection")
}
