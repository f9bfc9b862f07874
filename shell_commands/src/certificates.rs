//! Which certificates the program trusts: those of the operating system.

use std::sync::Arc;

use devnet_network::rustls::crypto::ring;
use devnet_network::rustls::{ClientConfig, RootCertStore};

/// What the operating system trusts, or the file that `SSL_CERT_FILE` names; `None` if that is
/// nothing.
pub(crate) fn trusted() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return None;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().ok()?;
    Some(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
