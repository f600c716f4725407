//! What to answer when a registry asks who we are.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, Uri};
use serde::Deserialize;

use crate::credentials::{Credentials, Identity, basic};
use crate::error::Error;
use crate::http::{Ask, Sender};

/// How the registry wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the first challenge that is known.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(Self::parse)
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut fields = fields(rest);
        let mut take = |name: &str| {
            let at = fields
                .iter()
                .position(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(fields.swap_remove(at).1)
        };
        Some(Self::Bearer {
            realm: take("realm")?,
            service: take("service"),
            scope: take("scope"),
        })
    }
}

/// `a="b",c=d` as pairs; commas inside quotes separate nothing.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches([' ', ',']).to_owned();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((key, value.trim().to_owned()));
        rest = left;
    }
    found
}

/// What a token service answers.
#[derive(Deserialize)]
struct Granted {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

/// The `Authorization` header that answers a challenge; `None` when we are nobody and a password is wanted.
pub(crate) async fn answer(
    sender: &Sender,
    credentials: &Credentials,
    registry: &str,
    challenge: &Challenge,
    wanted: &str,
) -> Result<Option<HeaderValue>, Error> {
    let identity = credentials.identity(registry).await?;
    match challenge {
        Challenge::Basic => Ok(match identity {
            Identity::Password(name, password) => secret(&basic(&name, &password)),
            Identity::Anonymous | Identity::Token(_) => None,
        }),
        Challenge::Bearer {
            realm,
            service,
            scope,
        } => {
            let scope = scope.as_deref().unwrap_or(wanted);
            let token = fetch(sender, realm, service.as_deref(), scope, &identity).await?;
            Ok(secret(&format!("Bearer {token}")))
        }
    }
}

async fn fetch(
    sender: &Sender,
    realm: &str,
    service: Option<&str>,
    scope: &str,
    identity: &Identity,
) -> Result<String, Error> {
    let wrong = |what: &str| Error::Protocol {
        host: realm.to_owned(),
        what: what.to_owned(),
    };
    let ask =
        request(realm, service, scope, identity).ok_or_else(|| wrong("its realm is no address"))?;
    // A password goes only where nobody on the way can read it.
    let guarded =
        ask.uri.scheme_str() == Some("https") || is_loopback(ask.uri.host().unwrap_or_default());
    if !guarded && !sender.options.plain_http && *identity != Identity::Anonymous {
        return Err(wrong("it wants the password sent without TLS"));
    }
    let answer = sender.send(ask).await?;
    if matches!(answer.status.as_u16(), 401 | 403) {
        return Err(Error::Denied {
            host: answer.host,
            status: answer.status,
            hint: "the name or password is wrong, or may not do this".to_owned(),
        });
    }
    if !answer.status.is_success() {
        return Err(answer.refuse("asking for a token").await);
    }
    let body = answer.bytes("a token", 1 << 20).await?;
    let granted: Granted =
        serde_json::from_slice(&body).map_err(|_| wrong("its token is not JSON"))?;
    let token = if granted.token.is_empty() {
        granted.access_token
    } else {
        granted.token
    };
    if token.is_empty() {
        return Err(wrong("it gives no token"));
    }
    Ok(token)
}

/// What is asked of a token service; `None` when the realm is no address.
fn request(realm: &str, service: Option<&str>, scope: &str, identity: &Identity) -> Option<Ask> {
    let mut query: Vec<(&str, &str)> = vec![("scope", scope)];
    query.extend(service.map(|service| ("service", service)));
    let mut ask = if let Identity::Token(token) = identity {
        query.extend([
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", "purlin"),
        ]);
        let mut ask = Ask::new(Method::POST, realm.parse().ok()?);
        ask.body = encode(&query).into();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        ask.headers.insert(CONTENT_TYPE, kind);
        ask
    } else {
        let joint = if realm.contains('?') { '&' } else { '?' };
        let uri: Uri = format!("{realm}{joint}{}", encode(&query)).parse().ok()?;
        Ask::new(Method::GET, uri)
    };
    if let Identity::Password(name, password) = identity
        && let Some(value) = secret(&basic(name, password))
    {
        ask.headers.insert(AUTHORIZATION, value);
    }
    ask.headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    Some(ask)
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn encode(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        let mut out = String::new();
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                out.push(char::from(byte));
            } else {
                use std::fmt::Write as _;
                write!(out, "%{byte:02X}").expect("writing to a String does not fail");
            }
        }
        out
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{key}={}", escape(value)))
        .collect();
    pairs.join("&")
}

/// Whether a host, with or without its port, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Challenge, encode, is_loopback};

    #[test]
    fn challenges_are_read() {
        let read = Challenge::parse(
            r#"Bearer realm="https://auth.example.org/token?x=1",service=reg,scope="repository:a/b:pull,push""#,
        );
        let wanted = Challenge::Bearer {
            realm: "https://auth.example.org/token?x=1".to_owned(),
            service: Some("reg".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        };
        assert_eq!(read, Some(wanted));
        assert_eq!(
            Challenge::parse(r#"basic realm="x""#),
            Some(Challenge::Basic)
        );
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=x"), None);
    }

    #[test]
    fn queries_are_escaped() {
        assert_eq!(
            encode(&[("scope", "repository:a/b:pull,push")]),
            "scope=repository%3Aa%2Fb%3Apull%2Cpush"
        );
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:1",
            "127.3.2.1",
            "[::1]:5000",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "registry.example.org",
            "127.0.0.1.example.org",
            "10.0.0.1:5000",
            "localhosts",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
