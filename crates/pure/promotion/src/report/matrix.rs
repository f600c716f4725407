//! The matrix of units and environments, for a terminal and for a review.

use std::fmt::Write as _;

use super::short;
use crate::matrix::{Cell, Matrix, State};

/// Writes the matrix as an aligned table, with the last promotions below.
pub fn matrix_table(matrix: &Matrix) -> String {
    let mut rows: Vec<Vec<String>> = vec![head(matrix)];
    for row in &matrix.units {
        let cells = row.cells.iter().map(words);
        rows.push(std::iter::once(row.unit.clone()).chain(cells).collect());
    }
    let columns = matrix.environments.len() + 1;
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            put!(line, "{cell:<width$}   ");
        }
        put_line!(out, "{}", line.trim_end());
    }
    let promotions = last_promotions(matrix);
    if !promotions.is_empty() {
        out.push('\n');
        for line in promotions {
            put_line!(out, "{line}");
        }
    }
    out
}

/// Writes the matrix as a Markdown table.
pub fn matrix_markdown(matrix: &Matrix) -> String {
    let mut out = format!(
        "| {} |\n|{}\n",
        head(matrix).join(" | "),
        " --- |".repeat(matrix.environments.len() + 1)
    );
    for row in &matrix.units {
        let cells: Vec<String> = row.cells.iter().map(words).collect();
        put_line!(out, "| {} | {} |", row.unit, cells.join(" | "));
    }
    let promotions = last_promotions(matrix);
    if !promotions.is_empty() {
        out.push('\n');
        for line in promotions {
            put_line!(out, "- {line}");
        }
    }
    out
}

fn head(matrix: &Matrix) -> Vec<String> {
    let environments = matrix.environments.iter().map(|name| name.to_uppercase());
    std::iter::once("UNIT".to_owned())
        .chain(environments)
        .collect()
}

/// `3f9c1ab behind dev`, `3f9c1ab = dev, prod`, `missing`
fn words(cell: &Cell) -> String {
    let upstream = cell.upstream.as_deref().unwrap_or_default();
    let Some(tree) = &cell.tree else {
        return match cell.state {
            State::Missing => format!("missing (in {upstream})"),
            _ => "-".to_owned(),
        };
    };
    let tree = short(tree);
    match cell.state {
        State::Source | State::Absent | State::Missing => tree.to_owned(),
        State::Same => format!("{tree} = {upstream}"),
        State::Behind => format!("{tree} behind {upstream}"),
        State::Ahead => format!("{tree} ahead of {upstream}"),
        State::Differs => format!("{tree} differs from {upstream}"),
        State::Alone => format!("{tree} only here"),
    }
}

fn last_promotions(matrix: &Matrix) -> Vec<String> {
    let rows = matrix
        .units
        .iter()
        .flat_map(|row| row.cells.iter().map(|cell| (&row.unit, cell)));
    rows.filter_map(|(unit, cell)| {
        let last = cell.last_promotion.as_ref()?;
        let day = last.time.get(..10).unwrap_or(&last.time);
        Some(format!(
            "{unit}: {} -> {} on {day} by {} in {}",
            last.record.from,
            cell.environment,
            last.author,
            short(&last.commit)
        ))
    })
    .collect()
}
