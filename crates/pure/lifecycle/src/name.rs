//! What is a generated object called, and is a name allowed? (spec/engine.md 3.7)

use sha2::{Digest as _, Sha256};

/// The longest generated name.
const LONGEST: usize = 63;
/// Characters of the hash that make a composed resource's suffix.
const HASH: usize = 12;
/// Characters of a random suffix.
const RANDOM: usize = 5;
/// What Kubernetes draws random suffixes from: no vowels, nothing that looks like another character.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The name of a composed resource: the prefix, and a hash of its owner and its key in the pipeline. The same for
/// ever, so a lost reference finds the same object again.
pub fn composed(generate_name: &str, owner_uid: &str, resource_name: &str) -> String {
    let mut prefix = generate_name.trim_end_matches('-').to_owned();
    if !prefix.is_empty() {
        prefix.push('-');
    }
    let suffix: String = hex(&[owner_uid.as_bytes(), resource_name.as_bytes()])
        .chars()
        .take(HASH)
        .collect();
    if prefix.len() + HASH > LONGEST {
        let head: String = prefix.chars().take(LONGEST - HASH - 1).collect();
        return format!("{head}-{suffix}");
    }
    prefix + &suffix
}

/// A name with a random suffix, as the API server makes it from `generateName`.
pub fn random(base: &str, entropy: u64) -> String {
    let mut name: String = base.chars().take(LONGEST - RANDOM).collect();
    let mut rest = entropy;
    for _ in 0..RANDOM {
        let index = usize::try_from(rest % 27).unwrap_or_default();
        name.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'b')));
        rest /= 27;
    }
    name
}

/// The field manager of what one composite composes: its name and group kind, hashed.
pub fn composed_manager(composite_name: &str, kind: &str, group: &str) -> String {
    let subject = format!("{kind}.{group}");
    format!(
        "{}{}",
        purlin_api::meta::names::MANAGER_COMPOSED,
        hex(&[composite_name.as_bytes(), subject.as_bytes()])
    )
}

/// Why a name is not a lower-case RFC 1123 subdomain; RBAC kinds may also have colons.
pub fn check(name: &str, kind: &str) -> Result<(), String> {
    let colon = matches!(
        kind,
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding"
    );
    let alnum = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let allowed = |part: &str| {
        !part.is_empty()
            && part.starts_with(alnum)
            && part.ends_with(alnum)
            && part
                .chars()
                .all(|c| alnum(c) || c == '-' || (c == ':' && colon))
    };
    if name.len() <= 253 && name.split('.').all(allowed) {
        return Ok(());
    }
    Err(format!(
        "{name:?} is not a valid name: use lower-case letters, digits, '-' and '.', start and end with a letter or \
         digit, at most 253 characters"
    ))
}

/// SHA-256 of the parts one after the other, in lower-case hexadecimal.
pub(crate) fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().fold(String::new(), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_names_are_those_of_the_recorded_engine() {
        let uid = "75e4a668-035f-4ce8-8c45-f4d3ac850155";
        let check = |prefix, name, want: &str| assert_eq!(composed(prefix, uid, name), want);
        check("cool-resource-", "database", "cool-resource-38ce86992a27");
        check("parent-", "storage", "parent-abcd22a110fe");
        check(
            "cool-resource-with-a-really-long-name-that-can-not-fit-all-in-one-place-",
            "pipeline-name-of-cool-resource",
            "cool-resource-with-a-really-long-name-that-can-not-414af43727ed",
        );
        let long = composed(&"p".repeat(63), uid, "a");
        assert_eq!(long.len(), 63);
        assert!(long.starts_with(&("p".repeat(50) + "-")));
    }

    #[test]
    fn random_names_end_in_five_characters() {
        let name = random("claim-", 123_456_789);
        assert!(name.starts_with("claim-") && name.len() == 11, "{name}");
        assert_eq!(random(&"x".repeat(80), 7).len(), 63);
    }

    #[test]
    fn names_are_subdomains_and_rbac_may_have_colons() {
        assert!(check("a.b-c", "Bucket").is_ok());
        for bad in ["", "A", "-a", "a..b", "a_b", "system:x"] {
            assert!(check(bad, "Bucket").is_err(), "{bad}");
        }
        assert!(check("system:x", "ClusterRole").is_ok());
    }
}
