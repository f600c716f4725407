//! Why was no TLS connection made, in words that say whose certificate to look at?

use std::error::Error;
use std::io;
use std::path::Path;

use rustls::{CertificateError, Error as Rustls};

/// The reason, if TLS is what failed.
pub(crate) fn reason(error: &(dyn Error + 'static), folder: &Path) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = as_rustls(error) {
            return Some(explain(found, folder));
        }
        if let Some(found) = error.downcast_ref::<io::Error>()
            && found.kind() == io::ErrorKind::InvalidData
        {
            return Some(refused(found, folder));
        }
        next = error.source();
    }
    None
}

/// What the other side thinks of us comes after the handshake in TLS 1.3, and through h2, which keeps only its words.
fn refused(error: &io::Error, folder: &Path) -> String {
    let certificate = folder.join("tls.crt");
    format!(
        "the function ended the connection ({error}); it lets nobody in whose certificate, here {}, has expired or was not \
         signed by the authority in the function's own ca.crt",
        certificate.display()
    )
}

/// TLS errors travel inside errors of I/O, which do not name them as their source.
fn as_rustls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Rustls> {
    let inside = error.downcast_ref::<io::Error>();
    let inside = inside.and_then(io::Error::get_ref);
    match inside {
        Some(inside) => as_rustls(inside),
        None => error.downcast_ref::<Rustls>(),
    }
}

fn explain(error: &Rustls, folder_path: &Path) -> String {
    let folder = folder_path.display();
    match error {
        Rustls::InvalidCertificate(wrong) => {
            let what = match wrong {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    format!("was not signed by the authority in {folder}/ca.crt")
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "has expired".to_owned()
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "is not valid yet".to_owned()
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    "is for other names than the endpoint's".to_owned()
                }
                other => format!("cannot be trusted: {other:?}"),
            };
            format!("the function's certificate {what}")
        }
        Rustls::AlertReceived(_) => refused(&io::Error::other(error.clone()), folder_path),
        Rustls::InvalidMessage(_) => {
            "the function does not speak TLS; plain text is for functions on this machine, when that is allowed".to_owned()
        }
        other => format!("TLS failed: {other}"),
    }
}
