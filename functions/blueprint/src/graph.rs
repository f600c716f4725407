//! In which order can things be, and what waits for itself?

use std::collections::BTreeMap;

/// An edge: who reads whom, and where that is written.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) to: usize,
    pub(crate) field: String,
    pub(crate) path: String,
}

/// Who reads whom. Nodes are numbered.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    edges: BTreeMap<usize, Vec<Edge>>,
    nodes: usize,
}

impl Graph {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            edges: BTreeMap::new(),
            nodes,
        }
    }

    pub(crate) fn read(&mut self, from: usize, edge: Edge) {
        self.edges.entry(from).or_default().push(edge);
    }

    fn of(&self, node: usize) -> &[Edge] {
        self.edges.get(&node).map_or(&[], Vec::as_slice)
    }

    /// Every node that can be reached from `start`, but not `start` itself unless it is in a circle.
    pub(crate) fn reached(&self, start: usize) -> Vec<usize> {
        let mut seen = vec![false; self.nodes];
        let mut open = vec![start];
        let mut reached = Vec::new();
        while let Some(node) = open.pop() {
            for edge in self.of(node) {
                if !std::mem::replace(&mut seen[edge.to], true) {
                    reached.push(edge.to);
                    open.push(edge.to);
                }
            }
        }
        reached
    }

    /// The nodes, each after everything it reads, otherwise in their own order.
    ///
    /// # Errors
    /// Every cycle that the search meets, each as the edges that close it: node and edge, node and edge.
    pub(crate) fn order(&self) -> Result<Vec<usize>, Vec<Vec<(usize, Edge)>>> {
        let mut search = Search {
            graph: self,
            state: vec![State::New; self.nodes],
            order: Vec::new(),
            cycles: Vec::new(),
        };
        for node in 0..self.nodes {
            search.visit(node);
        }
        if search.cycles.is_empty() {
            Ok(search.order)
        } else {
            Err(search.cycles)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

struct Search<'g> {
    graph: &'g Graph,
    state: Vec<State>,
    order: Vec<usize>,
    cycles: Vec<Vec<(usize, Edge)>>,
}

impl Search<'_> {
    /// Depth first, on a stack of our own: a chain of resources may be long.
    fn visit(&mut self, start: usize) {
        if self.state[start] != State::New {
            return;
        }
        self.state[start] = State::Open;
        let mut stack = vec![(start, 0)];
        while let Some((node, at)) = stack.last().copied() {
            let Some(edge) = self.graph.of(node).get(at) else {
                self.state[node] = State::Done;
                self.order.push(node);
                stack.pop();
                continue;
            };
            if let Some(top) = stack.last_mut() {
                top.1 += 1;
            }
            match self.state[edge.to] {
                State::New => {
                    self.state[edge.to] = State::Open;
                    stack.push((edge.to, 0));
                }
                State::Open => {
                    let from = stack
                        .iter()
                        .position(|(node, _)| *node == edge.to)
                        .unwrap_or(0);
                    let steps = stack[from..].iter();
                    // Each node on the stack has stepped past the edge it went along.
                    self.cycles.push(
                        steps
                            .map(|(node, next)| (*node, self.graph.of(*node)[next - 1].clone()))
                            .collect(),
                    );
                }
                State::Done => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(nodes);
        for (from, to) in edges {
            graph.read(
                *from,
                Edge {
                    to: *to,
                    field: String::new(),
                    path: String::new(),
                },
            );
        }
        graph
    }

    #[test]
    fn what_is_read_comes_first_and_the_rest_keeps_its_order() {
        assert_eq!(graph(4, &[(0, 2), (2, 3)]).order().unwrap(), [3, 2, 0, 1]);
        assert_eq!(graph(3, &[]).order().unwrap(), [0, 1, 2]);
    }

    #[test]
    fn a_cycle_is_told_as_its_chain() {
        let chains = |g: Graph| -> Vec<Vec<usize>> {
            g.order()
                .unwrap_err()
                .iter()
                .map(|chain| chain.iter().map(|(node, _)| *node).collect())
                .collect()
        };
        assert_eq!(chains(graph(3, &[(0, 1), (1, 2), (2, 1)])), [[1, 2]]);
        assert_eq!(chains(graph(1, &[(0, 0)])), [[0]]);
    }
}
