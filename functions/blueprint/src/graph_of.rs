//! What waits for what in a body, what is evaluated before what, and which of it goes round in circles?

use std::collections::{BTreeMap, BTreeSet};

use purlin_diag::Diagnostic;
use purlin_expr::Read;

use crate::compiler::Compiler;
use crate::graph::{Edge, Graph};
use crate::names::Stands;
use crate::plan::{Body, Named};
use crate::template::Tree;

/// Something of a body that waits, or is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Let(usize),
    Resource(usize),
    Require(usize),
    /// Whether and how often a use is there.
    Use(usize),
    /// What a use is given.
    Given(usize, usize),
    /// What a use gives.
    Gives(usize, usize),
    Parameter(usize),
    Output(usize),
}

/// Which reads count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// All of them, and a use is one thing: in which order values are evaluated.
    Order,
    /// Not those that say themselves what to do when there is nothing: what waits for what.
    Needed,
}

struct Builder<'b, 'c, 'n> {
    body: &'b Body,
    compiler: &'c Compiler<'n>,
    outputs: &'b [(String, Tree)],
    nodes: BTreeMap<Node, usize>,
    edges: Vec<(usize, Edge)>,
}

impl Builder<'_, '_, '_> {
    fn node(&mut self, node: Node) -> usize {
        let next = self.nodes.len();
        *self.nodes.entry(node).or_insert(next)
    }

    fn edge(&mut self, from: Node, to: Node, field: String, path: String) {
        let (from, to) = (self.node(from), self.node(to));
        self.edges.push((from, Edge { to, field, path }));
    }

    /// What a read leads to.
    fn targets(&self, read: &Read, reads: Reads) -> Vec<Node> {
        match self.compiler.names.get(&read.root) {
            Some(Stands::Resource(at)) => vec![Node::Resource(at)],
            Some(Stands::Let(at)) => vec![Node::Let(at)],
            Some(Stands::Require(at)) => vec![Node::Require(at)],
            Some(Stands::Parameter(at)) => vec![Node::Parameter(at)],
            Some(Stands::Use(at)) if reads == Reads::Order => vec![Node::Use(at)],
            Some(Stands::Use(at)) => {
                let module = self.compiler.modules.get(at).copied().flatten();
                let outputs = module.into_iter().flat_map(|module| &module.outputs);
                let outputs = outputs.enumerate();
                outputs
                    .filter(|(_, output)| self.compiler.reads_output(read, &output.name))
                    .map(|(output, _)| Node::Gives(at, output))
                    .chain([Node::Use(at)])
                    .collect()
            }
            Some(Stands::Given) | None => Vec::new(),
        }
    }

    fn read(&mut self, from: Node, tree: &Tree, own: &[&str], reads: Reads) {
        let mut found = Vec::new();
        tree.holes(&mut |hole| {
            for read in hole.program.reads() {
                if reads == Reads::Needed && read.optional || own.contains(&read.root.as_str()) {
                    continue;
                }
                for to in self.targets(read, reads) {
                    found.push((to, hole.field.clone(), read.to_string()));
                }
            }
        });
        for (to, field, path) in found {
            self.edge(from, to, field, path);
        }
    }

    fn name(&self, node: Node) -> String {
        let body = self.body;
        match node {
            Node::Let(at) => format!("let {}", body.lets[at].0),
            Node::Resource(at) => body.resources[at].name.clone(),
            Node::Require(at) => body.requires[at].name.clone(),
            Node::Use(at) => self.use_name(at),
            Node::Given(at, _) => format!("what {} is given", self.use_name(at)),
            Node::Gives(at, output) => {
                let module = self.compiler.modules.get(at).copied().flatten();
                let name = module.map_or("", |module| &module.outputs[output].name);
                format!("{}.{name}", self.use_name(at))
            }
            Node::Parameter(at) => format!("parameter {at}"),
            Node::Output(at) => format!("output {}", self.outputs[at].0),
        }
    }

    /// Uses of modules that do not exist have no plan, so the place is that of the names.
    fn use_name(&self, at: usize) -> String {
        let plan = self
            .body
            .uses
            .iter()
            .find(|one| self.compiler.names.get(&one.variable) == Some(Stands::Use(at)));
        plan.map_or_else(|| format!("use[{at}]"), |plan| plan.name.clone())
    }

    fn graph(&self) -> Graph {
        let mut graph = Graph::new(self.nodes.len());
        for (from, edge) in &self.edges {
            graph.read(*from, edge.clone());
        }
        graph
    }

    fn listed(&self) -> Vec<Node> {
        let mut listed: Vec<(usize, Node)> =
            self.nodes.iter().map(|(node, at)| (*at, *node)).collect();
        listed.sort_unstable();
        listed.into_iter().map(|(_, node)| node).collect()
    }
}

/// The place of a use among the names.
fn place(compiler: &Compiler<'_>, variable: &str) -> usize {
    match compiler.names.get(variable) {
        Some(Stands::Use(at)) => at,
        _ => usize::MAX,
    }
}

fn own(each: &crate::plan::Each) -> Vec<&str> {
    each.variables
        .iter()
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Nothing waits, in the end, for itself. For every output: the parameters it waits for.
#[expect(clippy::too_many_lines, reason = "one paragraph per kind of node")]
pub(crate) fn waiting(
    body: &Body,
    outputs: &[(String, Tree)],
    compiler: &mut Compiler<'_>,
) -> Vec<BTreeSet<usize>> {
    let mut builder = Builder {
        body,
        compiler,
        outputs,
        nodes: BTreeMap::new(),
        edges: Vec::new(),
    };
    for (at, resource) in body.resources.iter().enumerate() {
        let own = own(&resource.each);
        for tree in resource.trees() {
            builder.read(Node::Resource(at), tree, &own, Reads::Needed);
        }
    }
    for (at, (_, tree)) in body.lets.iter().enumerate() {
        builder.read(Node::Let(at), tree, &[], Reads::Needed);
    }
    for (at, require) in body.requires.iter().enumerate() {
        for tree in require.trees() {
            builder.read(Node::Require(at), tree, &[], Reads::Needed);
        }
    }
    for one in &body.uses {
        let at = place(builder.compiler, &one.variable);
        let own = own(&one.each);
        for tree in one.each.trees() {
            builder.read(Node::Use(at), tree, &own, Reads::Needed);
        }
        for (parameter, tree) in &one.with {
            builder.read(Node::Given(at, *parameter), tree, &own, Reads::Needed);
        }
        let module = builder.compiler.modules.get(at).copied().flatten();
        for (output, promise) in module
            .into_iter()
            .flat_map(|m| m.outputs.iter().enumerate())
        {
            for parameter in &promise.waits {
                let given = module.map_or("", |module| &module.parameters[*parameter].name);
                builder.edge(
                    Node::Gives(at, output),
                    Node::Given(at, *parameter),
                    format!("the output {} of {}", promise.name, one.name),
                    format!("its parameter {given}"),
                );
            }
        }
    }
    for (at, (_, tree)) in outputs.iter().enumerate() {
        builder.node(Node::Output(at));
        builder.read(Node::Output(at), tree, &[], Reads::Needed);
    }
    let graph = builder.graph();
    let cycles = graph.order().err();
    let listed = builder.listed();
    let mut waits = Vec::with_capacity(outputs.len());
    for at in 0..outputs.len() {
        let mut found = BTreeSet::new();
        if let Some(start) = builder.nodes.get(&Node::Output(at)) {
            for reached in graph.reached(*start) {
                if let Node::Parameter(parameter) = listed[reached] {
                    found.insert(parameter);
                }
            }
        }
        waits.push(found);
    }
    if let Some(cycles) = cycles {
        let told = told(&builder, &cycles, &listed);
        compiler.mistakes.extend(told);
    }
    waits
}

/// The order in which values, elements and uses are evaluated.
#[expect(clippy::too_many_lines, reason = "one paragraph per kind of node")]
pub(crate) fn order(body: &Body, compiler: &mut Compiler<'_>) -> Vec<Named> {
    let mut builder = Builder {
        body,
        compiler,
        outputs: &[],
        nodes: BTreeMap::new(),
        edges: Vec::new(),
    };
    // In the order of the text, so that what is free of order keeps it.
    for at in 0..body.lets.len() {
        builder.node(Node::Let(at));
    }
    for (at, resource) in body.resources.iter().enumerate() {
        if resource.each.decides() {
            builder.node(Node::Resource(at));
        }
    }
    for (at, resource) in body.resources.iter().enumerate() {
        if resource.each.decides() {
            let own = own(&resource.each);
            for tree in resource.each.trees() {
                builder.read(Node::Resource(at), tree, &own, Reads::Order);
            }
        }
    }
    for (at, (_, tree)) in body.lets.iter().enumerate() {
        builder.read(Node::Let(at), tree, &[], Reads::Order);
    }
    for one in &body.uses {
        let at = place(builder.compiler, &one.variable);
        builder.node(Node::Use(at));
        let own = own(&one.each);
        for tree in one
            .each
            .trees()
            .chain(one.with.iter().map(|(_, tree)| tree))
        {
            builder.read(Node::Use(at), tree, &own, Reads::Order);
        }
    }
    let graph = builder.graph();
    let listed = builder.listed();
    let order = match graph.order() {
        Ok(order) => order,
        Err(cycles) => {
            let told = told(&builder, &cycles, &listed);
            // What also waits for itself has been told.
            if !compiler.mistakes.has_errors() {
                compiler.mistakes.extend(told);
            }
            return Vec::new();
        }
    };
    let uses: BTreeMap<usize, usize> = body
        .uses
        .iter()
        .enumerate()
        .map(|(at, one)| (place(compiler, &one.variable), at))
        .collect();
    order
        .into_iter()
        .filter_map(|node| match listed[node] {
            Node::Let(at) => Some(Named::Let(at)),
            Node::Resource(at) if body.resources[at].each.decides() => Some(Named::Resource(at)),
            Node::Use(at) => uses.get(&at).map(|at| Named::Use(*at)),
            _ => None,
        })
        .collect()
}

fn told(
    builder: &Builder<'_, '_, '_>,
    cycles: &[Vec<(usize, Edge)>],
    listed: &[Node],
) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for cycle in cycles {
        let Some((first, edge)) = cycle.first() else {
            continue;
        };
        let name = |node: usize| builder.name(listed[node]);
        let chain: Vec<String> = cycle.iter().map(|(node, _)| name(*node)).collect();
        let steps: Vec<String> = cycle
            .iter()
            .map(|(_, edge)| format!("{} reads {}", edge.field, edge.path))
            .collect();
        let who = match chain.as_slice() {
            [alone] => format!("{alone} waits for itself"),
            chain => format!(
                "{} → {} wait for each other",
                chain.join(" → "),
                name(*first)
            ),
        };
        let message = format!("{who}: {}", steps.join(", "));
        let help = "take the value from somewhere else, or say what to do without it: `.?` with `.orValue(…)`";
        told.push(
            Diagnostic::error("blueprint/cycle", message)
                .path(edge.field.clone())
                .help(help),
        );
    }
    told
}
