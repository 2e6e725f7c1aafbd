//! Whose certificates are believed.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

/// Whose certificates are believed: by default those of Mozilla's authorities, as they were when the crate
/// `webpki-roots` was made. For `HttpOptions::tls_roots` and `WebSocketOptions::tls_roots`.
///
/// A server of one's own, with a certificate that its operator has signed, and no other:
///
/// ```no_run
/// use policysync::transport::TlsRoots;
///
/// let authority = std::fs::read("authority.pem")?;
/// let roots = TlsRoots::none().trust(&authority)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Where those of Mozilla are wanted beside it, begin with [`TlsRoots::new`]. There is no way to believe everybody.
#[derive(Clone)]
pub struct TlsRoots {
    mozilla: bool,
    added: Vec<TrustAnchor<'static>>,
}

/// Why a certificate cannot be trusted as an authority's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsRootsError {
    /// There is no certificate in it.
    #[error("there is no certificate in it")]
    None,
    /// It begins as a certificate in PEM does, and goes on otherwise.
    #[error("certificate {number} is not PEM")]
    Pem {
        /// Which one, counted from 1.
        number: usize,
    },
    /// It is no certificate that can be read (X.509, DER).
    #[error("certificate {number} is none that can be read")]
    Certificate {
        /// Which one, counted from 1.
        number: usize,
    },
}

impl TlsRoots {
    /// The authorities that Mozilla trusts.
    #[must_use]
    pub const fn new() -> Self {
        Self { mozilla: true, added: Vec::new() }
    }

    /// Nobody: only those who are added.
    #[must_use]
    pub const fn none() -> Self {
        Self { mozilla: false, added: Vec::new() }
    }

    /// Believes these too: certificates in PEM, all that are there, or one in DER. A server's own certificate will do
    /// where it signed itself and does not say that it may sign others (`CA:FALSE`).
    ///
    /// # Errors
    ///
    /// [`TlsRootsError`]; then none of them is believed.
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
            return Err(TlsRootsError::None);
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
