//! What are the values that only libraries make?

use crate::library::{Cidr, Ip, Quantity, Semver, Url, show_quantity};

/// A value with its own functions.
#[derive(Debug, Clone)]
pub enum Special {
    /// A Kubernetes quantity.
    Quantity(Quantity),
    /// A URL.
    Url(Url),
    /// An IP address.
    Ip(Ip),
    /// A range of IP addresses.
    Cidr(Cidr),
    /// A semantic version.
    Semver(Semver),
    /// A named format of texts.
    Format(&'static str),
}

impl Special {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Url(_) => "kubernetes.URL",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Quantity(quantity) => show_quantity(*quantity),
            Self::Url(url) => url.show(),
            Self::Ip(ip) => ip.0.to_string(),
            Self::Cidr(cidr) => format!("{}/{}", cidr.address, cidr.prefix),
            Self::Semver(version) => version.0.to_string(),
            Self::Format(name) => (*name).to_owned(),
        }
    }

    pub(crate) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Quantity(a), Self::Quantity(b)) => a.nanos == b.nanos,
            (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a), Self::Cidr(b)) => a == b,
            (Self::Semver(a), Self::Semver(b)) => a.0.cmp_precedence(&b.0).is_eq(),
            (Self::Format(a), Self::Format(b)) => a == b,
            _ => false,
        }
    }
}
