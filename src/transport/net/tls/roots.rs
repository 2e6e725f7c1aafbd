//! The trusted certificate authorities.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

/// The authorities that are trusted to sign a server's certificate: by default those that Mozilla trusted when the
/// crate `webpki-roots` was released. For
/// [`ConnectionOptions::tls_roots`](crate::transport::ConnectionOptions::tls_roots).
///
/// To trust only your own authority:
///
/// ```no_run
/// use policysync::transport::TlsRoots;
///
/// let authority = std::fs::read("authority.pem")?;
/// let roots = TlsRoots::none().trust(&authority)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// To trust Mozilla's authorities too, begin with [`TlsRoots::new`]. Verification cannot be switched off.
#[derive(Clone)]
pub struct TlsRoots {
    mozilla: bool,
    added: Vec<TrustAnchor<'static>>,
}

/// An error in the certificates of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsRootsError {
    /// The input holds no certificate.
    #[error("the input holds no certificate")]
    Empty,
    /// A certificate begins like PEM, but is not valid PEM.
    #[error("certificate {number} is not valid PEM")]
    Pem {
        /// Its position, counted from 1.
        number: usize,
    },
    /// A certificate is not valid X.509 in DER.
    #[error("certificate {number} is not valid X.509")]
    Certificate {
        /// Its position, counted from 1.
        number: usize,
    },
}

impl TlsRoots {
    /// Returns the authorities that Mozilla trusts.
    #[must_use]
    pub const fn new() -> Self {
        Self { mozilla: true, added: Vec::new() }
    }

    /// Returns no authorities: only those that are added are trusted.
    #[must_use]
    pub const fn none() -> Self {
        Self { mozilla: false, added: Vec::new() }
    }

    /// Adds authorities: all certificates of a PEM text, or one in DER. A server's own certificate is accepted too, if
    /// it is self-signed and `CA:FALSE`.
    ///
    /// # Errors
    ///
    /// [`TlsRootsError`]; then none of them is added.
    pub fn trust(mut self, certificates: &[u8]) -> Result<Self, TlsRootsError> {
        let mut store = RootCertStore::empty();
        let mut add =
            |number, certificate| store.add(certificate).map_err(|_| TlsRootsError::Certificate { number });
        if is_pem(certificates) {
            for (certificate, number) in CertificateDer::pem_slice_iter(certificates).zip(1..) {
                add(number, certificate.map_err(|_| TlsRootsError::Pem { number })?)?;
            }
        } else if !certificates.is_empty() {
            add(1, CertificateDer::from(certificates))?;
        }
        if store.roots.is_empty() {
            return Err(TlsRootsError::Empty);
        }
        self.added.append(&mut store.roots);
        Ok(self)
    }

    pub(super) fn store(&self) -> RootCertStore {
        let mozilla = if self.mozilla { webpki_roots::TLS_SERVER_ROOTS } else { &[] };
        RootCertStore { roots: mozilla.iter().chain(&self.added).cloned().collect() }
    }
}

fn is_pem(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN)
}

impl Default for TlsRoots {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TlsRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsRoots").field("mozilla", &self.mozilla).field("added", &self.added.len()).finish()
    }
}
