//! IP addresses and ranges, as the Kubernetes IP and CIDR libraries define them (`k8s.io/apiserver/pkg/cel/library`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::{Asked, Function, global, member, text};
use crate::outcome::Raise;
use crate::special::Special;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("ip", 1, |_, a| {
        Ok(special(Special::Ip(parse_ip(text(&a[0])?)?)))
    }),
    global("isIP", 1, |_, a| {
        Ok(Val::Bool(parse_ip(text(&a[0])?).is_ok()))
    }),
    global("ip.isCanonical", 1, |_, a| {
        let ip = text(&a[0])?;
        Ok(Val::Bool(parse_ip(ip)?.0.to_string() == ip))
    }),
    member("family", 0, |_, a| {
        ask(a, |ip| Val::Int(if ip.is_ipv4() { 4 } else { 6 }))
    }),
    member("isUnspecified", 0, |_, a| {
        ask(a, |ip| Val::Bool(ip.is_unspecified()))
    }),
    member("isLoopback", 0, |_, a| {
        ask(a, |ip| Val::Bool(ip.is_loopback()))
    }),
    member("isLinkLocalMulticast", 0, |_, a| {
        ask(a, |ip| Val::Bool(link_local_multicast(ip)))
    }),
    member("isLinkLocalUnicast", 0, |_, a| {
        ask(a, |ip| Val::Bool(link_local(ip)))
    }),
    member("isGlobalUnicast", 0, |_, a| {
        ask(a, |ip| Val::Bool(global_unicast(ip)))
    }),
    global("cidr", 1, |_, a| {
        Ok(special(Special::Cidr(parse_cidr(text(&a[0])?)?)))
    }),
    global("isCIDR", 1, |_, a| {
        Ok(Val::Bool(parse_cidr(text(&a[0])?).is_ok()))
    }),
    member("containsIP", 1, contains_ip),
    member("containsCIDR", 1, contains_cidr),
    member("ip", 0, |_, a| {
        Ok(special(Special::Ip(Ip(range(&a[0])?.address))))
    }),
    member("masked", 0, |_, a| {
        Ok(special(Special::Cidr(range(&a[0])?.masked())))
    }),
    member("isMask", 0, |_, a| {
        let cidr = range(&a[0])?;
        Ok(Val::Bool(cidr.masked() == cidr))
    })
    .not_in_rules(),
    member("prefixLength", 0, |_, a| {
        Ok(Val::Int(i64::from(range(&a[0])?.prefix)))
    }),
];

/// An address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip(pub(crate) IpAddr);

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u8,
}

fn special<'a>(special: Special) -> Val<'a> {
    Val::Special(Rc::new(special))
}

fn parse_ip(text: &str) -> Result<Ip, Raise> {
    let ip: IpAddr = text
        .parse()
        .map_err(|_| Raise::argument(format!("{text:?} is not an IP address")))?;
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Err(Raise::argument(format!(
            "{text:?} is an IPv4 address written as IPv6"
        ))),
        ip => Ok(Ip(ip)),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, Raise> {
    let wrong = || Raise::argument(format!("{text:?} is not a range like 10.0.0.0/8"));
    let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
    let Ip(address) = parse_ip(address).map_err(|_| wrong())?;
    if prefix.is_empty()
        || prefix.len() > 1 && prefix.starts_with('0')
        || !prefix.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(wrong());
    }
    let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
    if prefix > width(address) {
        return Err(wrong());
    }
    Ok(Cidr { address, prefix })
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl Cidr {
    fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX
                    .checked_shl(u32::from(32 - self.prefix))
                    .unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX
                    .checked_shl(u32::from(128 - self.prefix))
                    .unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        };
        Self { address, ..self }
    }

    fn holds(self, ip: IpAddr) -> bool {
        width(ip) == width(self.address)
            && Self {
                address: ip,
                prefix: self.prefix,
            }
            .masked()
            .address
                == self.masked().address
    }
}

fn ask<'a>(args: &[Val<'a>], pick: fn(IpAddr) -> Val<'static>) -> Result<Val<'a>, Raise> {
    match &args[0] {
        Val::Special(special) => match special.as_ref() {
            Special::Ip(Ip(ip)) => Ok(pick(*ip)),
            _ => Err(Raise::Types),
        },
        _ => Err(Raise::Types),
    }
}

fn range(value: &Val<'_>) -> Result<Cidr, Raise> {
    match value {
        Val::Special(special) => match special.as_ref() {
            Special::Cidr(cidr) => Ok(*cidr),
            _ => Err(Raise::Types),
        },
        _ => Err(Raise::Types),
    }
}

fn contains_ip<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let cidr = range(&args[0])?;
    let Ip(ip) = match &args[1] {
        Val::Special(special) => match special.as_ref() {
            Special::Ip(ip) => *ip,
            _ => return Err(Raise::Types),
        },
        other => parse_ip(text(other)?)?,
    };
    Ok(Val::Bool(cidr.holds(ip)))
}

fn contains_cidr<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let cidr = range(&args[0])?;
    let other = match &args[1] {
        Val::String(text) => parse_cidr(text.as_str())?,
        other => range(other)?,
    };
    Ok(Val::Bool(
        other.prefix >= cidr.prefix && cidr.holds(other.address),
    ))
}

fn link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

fn link_local_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    }
}

fn global_unicast(ip: IpAddr) -> bool {
    let broadcast = ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    !(broadcast || ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local(ip))
}
