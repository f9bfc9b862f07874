//! Who may log in: names with hashes of their passwords.
//!
//! A file has a line `NAME:HASH` for each, with hashes of crypt(3) by SHA-512 or SHA-256, as
//! `openssl passwd -6` prints them; lines that are empty or begin with `#` do not count. A password
//! itself stands nowhere.

use std::sync::Arc;
use std::thread;

use async_lock::OnceCell;
use sha_crypt::{PasswordHashRef, PasswordVerifier, ShaCrypt};

use crate::limits;

/// Names and hashes. Clones share them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Arc<Vec<(String, String)>>);

/// Of a password that nobody knows: a wrong name takes the time of a wrong password.
const NOBODY: &str = "$6$nobody.nobody$\
    tKoEmB9VIVO5FOEWJ4QUCBMLywsbMdoHA72XMMWIylOsvXt/LyHP1EmC5wRHgJaZ6ftsEst0G3ZccaneT1y.f/";

impl std::fmt::Debug for Credentials {
    /// Names only.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Credentials {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The line that is wrong and why, or that there is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: &str| format!("line {}: {why}", place.saturating_add(1));
            let (name, hash) = line.split_once(':').ok_or_else(|| wrong("not NAME:HASH"))?;
            let is_known = hash.starts_with("$6$") || hash.starts_with("$5$");
            if !is_known || PasswordHashRef::new(hash).is_err() {
                return Err(wrong("no hash of SHA-512 ($6$), as `openssl passwd -6` prints it"));
            }
            if name.is_empty() || name.len() > limits::LOGIN_BYTES {
                return Err(wrong("the name must have 1 to 64 bytes"));
            }
            if all.iter().any(|(known, _)| known == name) {
                return Err(wrong("the name is there already"));
            }
            all.push((name.to_owned(), hash.to_owned()));
        }
        if all.is_empty() {
            return Err(String::from("nobody may log in: no line NAME:HASH"));
        }
        Ok(Self(Arc::new(all)))
    }

    /// True if the password is that of the name. Hashing takes milliseconds, so a thread does it.
    pub async fn verify(&self, name: &str, password: &str) -> bool {
        let found = self.0.iter().find(|(known, _)| known == name);
        let hash = found.map_or(NOBODY, |(_, hash)| hash).to_owned();
        let (is_known, password) = (found.is_some(), password.to_owned());
        let answer = Arc::new(OnceCell::new());
        let reply = Arc::clone(&answer);
        let work = move || {
            let is_right = ShaCrypt::default().verify_password(password.as_bytes(), &*hash).is_ok();
            // Only this sets the cell.
            let _ = reply.set_blocking(is_right && is_known);
        };
        let started = thread::Builder::new().name(String::from("password")).spawn(work);
        started.is_ok() && *answer.wait().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::block_on;

    /// `openssl passwd -6 -salt saltsalt secret`
    const HASH: &str = "$6$saltsalt$\
        TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1";

    #[test]
    fn passwords_are_those_of_crypt() {
        let credentials = Credentials::parse(&format!("# who\n\nadmin:{HASH}\n")).unwrap();
        assert!(block_on(credentials.verify("admin", "secret")));
        assert!(!block_on(credentials.verify("admin", "Secret")));
        assert!(!block_on(credentials.verify("nobody", "secret")));
        assert_eq!(format!("{credentials:?}"), "[\"admin\"]");
        assert!(PasswordHashRef::new(NOBODY).is_ok());
    }

    #[test]
    fn wrong_files_are_refused() {
        for (text, why) in [
            ("", "nobody may log in: no line NAME:HASH"),
            ("admin", "line 1: not NAME:HASH"),
            ("#\nadmin:secret", "line 2: no hash of SHA-512"),
            ("admin:$1$a$b", "line 1: no hash of SHA-512"),
            (&format!(":{HASH}"), "line 1: the name must have"),
            (&format!("a:{HASH}\na:{HASH}"), "line 2: the name is there already"),
        ] {
            let error = Credentials::parse(text).unwrap_err();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }
}
