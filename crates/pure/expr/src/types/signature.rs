//! What does a function take and give, as written in the table of the library?

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use super::Ty;
use super::class::Class;
use super::fit::same;
use crate::library::signatures::SIGNATURES;

/// A type in a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sig {
    /// `T`: whatever the argument is.
    Var(char),
    /// `dyn`
    Any,
    Plain(&'static str, Class),
    List(Box<Sig>),
    Map(Box<Sig>, Box<Sig>),
    Optional(Box<Sig>),
    Special(&'static str),
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) name: &'static str,
    pub(crate) member: bool,
    /// A member's target first.
    pub(crate) takes: Vec<Sig>,
    /// Whether the last one may be repeated.
    pub(crate) repeats: bool,
    pub(crate) gives: Sig,
}

/// All signatures of the library, by name and form.
pub(crate) fn signatures() -> &'static BTreeMap<(&'static str, bool), Vec<Signature>> {
    static TABLE: LazyLock<BTreeMap<(&'static str, bool), Vec<Signature>>> = LazyLock::new(|| {
        let mut table = BTreeMap::<_, Vec<Signature>>::new();
        for line in SIGNATURES {
            if let Some(signature) = parse(line) {
                let key = (signature.name, signature.member);
                table.entry(key).or_default().push(signature);
            }
        }
        table
    });
    &TABLE
}

/// Names of types in signatures, and of the values of libraries.
const SPECIALS: [(&str, &str); 6] = [
    ("Quantity", "kubernetes.Quantity"),
    ("URL", "kubernetes.URL"),
    ("IP", "net.IP"),
    ("CIDR", "net.CIDR"),
    ("Semver", "kubernetes.Semver"),
    ("Format", "kubernetes.NamedFormat"),
];

/// Reads `target.name(arguments) -> result`.
fn parse(line: &'static str) -> Option<Signature> {
    let (call, gives) = line.rsplit_once(" -> ")?;
    // The target's own brackets close before the dot of the name, and the last bracket is the call's.
    let open = matching_open(call)?;
    let arguments = call.get(open + 1..call.len() - 1)?;
    let head = call.get(..open)?;
    let mut takes = Vec::new();
    let (name, member) = match target(head) {
        Some((target, name)) => {
            takes.push(sig(target)?);
            (name, true)
        }
        None => (head, false),
    };
    let mut repeats = false;
    for argument in split(arguments) {
        repeats = argument.ends_with("...");
        takes.push(sig(argument.trim_end_matches('.'))?);
    }
    Some(Signature {
        name,
        member,
        takes,
        repeats,
        gives: sig(gives)?,
    })
}

/// The bracket that the last one closes.
fn matching_open(call: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in call.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' if depth == 1 => return Some(at),
            '(' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A member's target and name; a name in a namespace such as `math.ceil` has none.
fn target(head: &'static str) -> Option<(&'static str, &'static str)> {
    let (target, name) = head.rsplit_once('.')?;
    sig(target).map(|_| (target, name))
}

fn split(arguments: &'static str) -> Vec<&'static str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    for (at, c) in arguments.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(arguments.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(arguments.get(from..));
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn sig(text: &'static str) -> Option<Sig> {
    let class = match text {
        "dyn" => return Some(Sig::Any),
        "bool" => Class::BOOL,
        "int" => Class::INT,
        "uint" => Class::UINT,
        "double" => Class::DOUBLE,
        "string" => Class::STRING,
        "bytes" => Class::BYTES,
        "duration" => Class::DURATION,
        "timestamp" => Class::TIMESTAMP,
        "type" => Class::TYPE,
        "T" | "K" | "V" => return text.chars().next().map(Sig::Var),
        _ => {
            if let Some((_, name)) = SPECIALS.iter().find(|(short, _)| *short == text) {
                return Some(Sig::Special(name));
            }
            let (outer, inner) = text.strip_suffix(')')?.split_once('(')?;
            let inner = split(inner);
            return match (outer, inner.as_slice()) {
                ("list", [item]) => Some(Sig::List(Box::new(sig(item)?))),
                ("optional", [item]) => Some(Sig::Optional(Box::new(sig(item)?))),
                ("map", [key, value]) => Some(Sig::Map(Box::new(sig(key)?), Box::new(sig(value)?))),
                _ => None,
            };
        }
    };
    Some(Sig::Plain(text, class))
}

impl fmt::Display for Sig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Var(name) => write!(f, "{name}"),
            Self::Any => f.write_str("dyn"),
            Self::Plain(name, _) => f.write_str(name),
            Self::List(item) => write!(f, "list({item})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(item) => write!(f, "optional({item})"),
            Self::Special(name) => {
                let short = SPECIALS.iter().find(|(_, known)| known == name);
                f.write_str(short.map_or(*name, |(short, _)| *short))
            }
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut takes = self.takes.iter().map(ToString::to_string);
        if self.member
            && let Some(target) = takes.next()
        {
            write!(f, "{target}.")?;
        }
        let takes: Vec<String> = takes.collect();
        let more = if self.repeats { "..." } else { "" };
        write!(
            f,
            "{}({}{more}) -> {}",
            self.name,
            takes.join(", "),
            self.gives
        )
    }
}

/// What the variables of a signature stand for in a call.
#[derive(Debug, Default)]
pub(crate) struct Bound<'s>(Vec<(char, Ty<'s>)>);

impl<'s> Bound<'s> {
    fn get(&self, name: char) -> Option<&Ty<'s>> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, ty)| ty)
    }

    /// Whether an argument of this type may be given. `strict` knows no mixture of types.
    pub(crate) fn takes(&mut self, sig: &Sig, ty: &Ty<'s>, strict: bool) -> bool {
        match sig {
            Sig::Any => true,
            Sig::Var(name) => self.bind(*name, ty, strict),
            Sig::Plain("double", _) if !strict => Class::of(ty).meets(Class::INT | Class::DOUBLE),
            Sig::Plain(_, class) => Class::of(ty).meets(*class),
            Sig::List(item) => match ty {
                Ty::Dyn | Ty::Err => self.takes(item, &Ty::Dyn, strict),
                ty if ty.is_list() => {
                    let element = ty.element().unwrap_or(Ty::Dyn);
                    self.takes(item, &element, strict)
                }
                _ => false,
            },
            Sig::Map(key, value) => match ty {
                Ty::Dyn | Ty::Err => {
                    self.takes(key, &Ty::Dyn, strict) && self.takes(value, &Ty::Dyn, strict)
                }
                Ty::Map(pair) => {
                    self.takes(key, &pair.0, strict) && self.takes(value, &pair.1, strict)
                }
                ty if ty.is_map() => {
                    let element = ty.element().unwrap_or(Ty::Dyn);
                    self.takes(key, &Ty::String(None), strict)
                        && self.takes(value, &element, strict)
                }
                _ => false,
            },
            Sig::Optional(item) => match ty {
                Ty::Dyn | Ty::Err => self.takes(item, &Ty::Dyn, strict),
                Ty::Optional(inner) => self.takes(item, inner, strict),
                _ => false,
            },
            Sig::Special(name) => match ty {
                Ty::Dyn | Ty::Err => true,
                Ty::Special(other) => name == other,
                _ => false,
            },
        }
    }

    fn bind(&mut self, name: char, ty: &Ty<'s>, strict: bool) -> bool {
        let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == name) else {
            self.0.push((name, ty.clone()));
            return true;
        };
        if strict {
            let fits = same(known, ty);
            if matches!(known, Ty::Dyn) {
                *known = ty.clone();
            }
            return fits;
        }
        *known = known.clone().join(ty.clone());
        true
    }

    /// The type that a result stands for.
    pub(crate) fn result(&self, sig: &Sig) -> Ty<'s> {
        match sig {
            Sig::Any => Ty::Dyn,
            Sig::Var(name) => self.get(*name).cloned().unwrap_or(Ty::Dyn),
            Sig::Plain(name, _) => match *name {
                "bool" => Ty::Bool,
                "int" => Ty::Int,
                "uint" => Ty::UInt,
                "double" => Ty::Double,
                "string" => Ty::String(None),
                "bytes" => Ty::Bytes,
                "duration" => Ty::Duration,
                "timestamp" => Ty::Timestamp,
                _ => Ty::Type,
            },
            Sig::List(item) => Ty::list(self.result(item)),
            Sig::Map(key, value) => {
                Ty::Map(std::sync::Arc::new((self.result(key), self.result(value))))
            }
            Sig::Optional(item) => Ty::optional(self.result(item)),
            Sig::Special(name) => Ty::Special(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library;

    #[test]
    fn every_signature_reads_and_prints_the_same() {
        for line in SIGNATURES {
            let read = parse(line).map(|signature| signature.to_string());
            assert_eq!(read.as_deref(), Some(*line));
        }
    }

    #[test]
    fn functions_and_signatures_agree() {
        for (key, all) in signatures() {
            for one in all {
                let found = library::find(key.0, key.1, one.takes.len());
                assert!(found.is_some(), "no function for {one}");
            }
        }
        for function in library::all() {
            let all = signatures().get(&(function.name, function.member));
            let all = all.map(Vec::as_slice).unwrap_or_default();
            for count in function.min..=function.max {
                let told = all
                    .iter()
                    .any(|one| one.takes.len() == count || one.repeats && one.takes.len() <= count);
                assert!(told, "no signature for {} of {count}", function.name);
            }
        }
    }
}
