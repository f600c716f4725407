//! `purlin package` as a user types it, against a real registry.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod configuration;
mod function;
mod only;
mod registry;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn package(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .arg("package")
        .args(arguments)
        .current_dir(folder)
        .env("DOCKER_CONFIG", folder)
        .env("COSIGN_PASSWORD", "a password")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What is printed by a call that goes well.
fn good(folder: &Path, arguments: &[&str]) -> String {
    let output = package(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}\n{}{}",
        stdout(&output),
        stderr(&output)
    );
    stdout(&output)
}

/// What is said by a call that ends with this code.
fn bad(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = package(folder, arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{}{}",
        stdout(&output),
        stderr(&output)
    );
    stderr(&output)
}

/// A whole static program that ends at once with 0: its ELF header, one segment, and the machine's code for it.
fn program(architecture: &str) -> Vec<u8> {
    let (machine, code): (u16, &[u8]) = match architecture {
        // mov eax, 60; xor edi, edi; syscall
        "amd64" => (62, &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]),
        // mov x8, #93; mov x0, #0; svc #0
        _ => (
            183,
            &[0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 1, 0, 0, 0xd4],
        ),
    };
    let base: u64 = 0x40_0000;
    let size = 120 + code.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    for number in [base + 120, 64, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    for number in [64u16, 56, 1, 0, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(5u32.to_le_bytes());
    for number in [0, base, base, size, size, 0x1000] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(code);
    bytes
}

/// A folder with static programs for both architectures, called like them.
fn programs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for architecture in ["amd64", "arm64"] {
        fs::write(folder.path().join(architecture), program(architecture)).unwrap();
    }
    folder
}

const BOTH: [&str; 4] = ["--binary", "amd64=amd64", "--binary", "arm64=arm64"];

fn build(folder: &Path, arguments: &[&str]) -> Vec<PathBuf> {
    let printed = good(folder, &[&["build"], arguments].concat());
    printed.lines().map(|line| folder.join(line)).collect()
}
