//! Checks what the compiler cannot: arrows between crates, orphan files, headers, the code map.

mod arrows;
mod docs;
mod files;
mod workspace;

use std::path::Path;

use anyhow::{Result, bail};

use workspace::Workspace;

/// Runs every check over the workspace.
///
/// # Errors
/// When a manifest cannot be read, or when anything is untidy: the message lists all of it.
pub(crate) fn run(root: &Path) -> Result<()> {
    let workspace = Workspace::read(root)?;
    let mut wrong = Vec::new();
    arrows::check(&workspace, &mut wrong);
    files::check(&workspace, &mut wrong)?;
    docs::check(&workspace, &mut wrong)?;
    if wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "{} things are untidy:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        if let Err(error) = super::run(&crate::root()) {
            panic!("{error}");
        }
    }
}
