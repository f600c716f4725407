//! Is a text a Kubernetes name of some kind? (RFC 1123 and RFC 1035 as k8s.io/apimachinery reads them.)

/// A DNS label: lower case letters, digits and `-`, at most 63, not beginning or ending with `-`.
pub fn is_dns_1123(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A DNS label that begins with a letter.
pub fn is_dns_1035(text: &str) -> bool {
    is_dns_1123(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// DNS labels with dots between them, at most 253.
pub fn is_dns_subdomain(text: &str) -> bool {
    let label = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty()
            && part.chars().all(inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}
