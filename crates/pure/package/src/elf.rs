//! Can this program run on an empty base, and on which machines?

/// A program for Linux.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The architecture as images call it: `amd64`, `arm64`, …
    pub architecture: &'static str,
    /// The loader it needs; `None` when it is static.
    pub loader: Option<String>,
}

/// Why something is no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProgram {
    /// It is no ELF file.
    #[error("it is not a program for Linux (no ELF file)")]
    NotElf,
    /// It is an ELF file, but cannot be run.
    #[error("it is an ELF file, but not a program")]
    NotRunnable,
    /// It is cut off.
    #[error("the file is cut off")]
    Cut,
    /// The machine is not known here.
    #[error("it is for a machine that is not known here (ELF machine {0})")]
    Machine(u16),
}

/// The machines, by their numbers in ELF.
const MACHINES: &[(u16, &str)] = &[
    (62, "amd64"),
    (183, "arm64"),
    (21, "ppc64le"),
    (22, "s390x"),
    (243, "riscv64"),
];
const INTERPRETER: u32 = 3;

impl Program {
    /// Looks at a file.
    pub fn read(bytes: &[u8]) -> Result<Self, BadProgram> {
        if !bytes.starts_with(b"\x7fELF") {
            return Err(BadProgram::NotElf);
        }
        // 64 bits; the machines above are all.
        if bytes.get(4) != Some(&2) {
            return Err(BadProgram::Machine(
                number(bytes, 18, 2, false)
                    .unwrap_or_default()
                    .try_into()
                    .unwrap_or(0),
            ));
        }
        let big = bytes.get(5) == Some(&2);
        let at = |offset: u64, size: usize| number(bytes, offset, size, big).ok_or(BadProgram::Cut);
        // A program, or a shared object, which programs with a free place in memory are too.
        if !matches!(at(16, 2)?, 2 | 3) || at(24, 8)? == 0 {
            return Err(BadProgram::NotRunnable);
        }
        let machine = u16::try_from(at(18, 2)?).unwrap_or_default();
        let known = MACHINES.iter().find(|(number, _)| *number == machine);
        let (_, architecture) = *known.ok_or(BadProgram::Machine(machine))?;
        let (headers, size, count) = (at(32, 8)?, at(54, 2)?, at(56, 2)?);
        for index in 0..count {
            let header = headers.saturating_add(index.saturating_mul(size));
            if at(header, 4)? != u64::from(INTERPRETER) {
                continue;
            }
            let (start, length) = (
                at(header.saturating_add(8), 8)?,
                at(header.saturating_add(32), 8)?,
            );
            let start = usize::try_from(start).map_err(|_| BadProgram::Cut)?;
            let length = usize::try_from(length).map_err(|_| BadProgram::Cut)?;
            let name = bytes
                .get(start..start.saturating_add(length))
                .ok_or(BadProgram::Cut)?;
            let name = String::from_utf8_lossy(name)
                .trim_end_matches('\0')
                .to_owned();
            return Ok(Self {
                architecture,
                loader: Some(name),
            });
        }
        Ok(Self {
            architecture,
            loader: None,
        })
    }
}

fn number(bytes: &[u8], offset: u64, size: usize, big: bool) -> Option<u64> {
    let start = usize::try_from(offset).ok()?;
    let slice = bytes.get(start..start.checked_add(size)?)?;
    let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    Some(if big {
        slice.iter().fold(0, fold)
    } else {
        slice.iter().rev().fold(0, fold)
    })
}

#[cfg(test)]
mod tests {
    use super::{BadProgram, Program};

    /// The least there can be of a program: a header, and one program header.
    fn program(machine: u16, kind: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[16] = 3;
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[24] = 1;
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        let mut header = vec![0; 56];
        header[..4].copy_from_slice(&kind.to_le_bytes());
        header[8] = 120;
        header[32] = 8;
        bytes.extend(header);
        bytes.extend(b"/lib/ld\0");
        bytes
    }

    #[test]
    fn a_program_without_a_loader_is_static() {
        let found = Program::read(&program(183, 1)).unwrap();
        assert_eq!((found.architecture, found.loader), ("arm64", None));
        let found = Program::read(&program(62, 3)).unwrap();
        assert_eq!(
            (found.architecture, found.loader.as_deref()),
            ("amd64", Some("/lib/ld"))
        );
    }

    #[test]
    fn what_cannot_run_is_said_so() {
        let check =
            |bytes: &[u8], wanted: BadProgram| assert_eq!(Program::read(bytes), Err(wanted));
        check(b"#!/bin/sh\n", BadProgram::NotElf);
        check(&program(40, 1), BadProgram::Machine(40));
        check(&program(62, 1)[..40], BadProgram::Cut);
        check(&program(62, 3)[..121], BadProgram::Cut);
        let mut object = program(62, 1);
        object[16] = 1;
        check(&object, BadProgram::NotRunnable);
    }
}
