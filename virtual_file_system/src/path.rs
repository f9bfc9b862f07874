//! Paths in the tree: normalised, absolute, and unable to escape.
//!
//! Untrusted text (a line, a guest's string, a script) is parsed here first; the other modules
//! handle [`Path`] only. Normalisation needs only the text, since the tree has no symbolic links:
//! `..` removes the last component, and the root's parent is the root. This module does not access
//! the tree. The next module is [`tree`](crate::tree).

use alloc::string::String;
use core::fmt;

use crate::error::{Error, Result};
use crate::limits::{NAME_BYTES, PATH_BYTES};

/// An absolute path without `.`, `..`, empty components or control characters.
///
/// Parsing accepts and drops a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(String);

impl Path {
    /// Returns the root, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self(String::from("/"))
    }

    /// Parses an absolute path.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the text does not begin with `/` or contains a control character;
    /// [`Error::NameTooLong`] beyond [`NAME_BYTES`] for a component or [`PATH_BYTES`] for the whole
    /// text.
    pub fn parse(text: &str) -> Result<Self> {
        if !text.starts_with('/') {
            return Err(Error::InvalidInput);
        }
        Self::root().resolve(text)
    }

    /// Parses a path that is absolute or relative to this one.
    ///
    /// # Errors
    ///
    /// Errors of [`Path::parse`], except that an empty text is [`Error::NotFound`], as in POSIX.
    pub fn resolve(&self, text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::NotFound);
        }
        if text.len() > PATH_BYTES {
            return Err(Error::NameTooLong);
        }
        // While it is built, the root is the empty string: every component is then "/" and its
        // name.
        let mut built = String::new();
        if !text.starts_with('/') && !self.is_root() {
            built.push_str(&self.0);
        }
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => built.truncate(built.rfind('/').unwrap_or(0)),
                name => {
                    check_name(name)?;
                    built.push('/');
                    built.push_str(name);
                }
            }
        }
        Self::finish(built)
    }

    /// Returns the path of an entry of this directory.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the name is empty, `.`, `..`, or contains a slash or a control
    /// character; [`Error::NameTooLong`] as for [`Path::parse`].
    pub fn join(&self, name: &str) -> Result<Self> {
        if matches!(name, "" | "." | "..") || name.contains('/') {
            return Err(Error::InvalidInput);
        }
        check_name(name)?;
        let mut built = if self.is_root() { String::new() } else { self.0.clone() };
        built.push('/');
        built.push_str(name);
        Self::finish(built)
    }

    /// Returns the text. It begins with `/`, and ends with `/` only for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// Iterates from the root to the last component; the root has none.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|component| !component.is_empty())
    }

    /// Returns the parent directory; the root has none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self.0.rsplit_once('/') {
            Some((_, "")) | None => None,
            Some(("", _)) => Some(Self::root()),
            Some((parent, _)) => Some(Self(String::from(parent))),
        }
    }

    /// Returns the last component; the root has none.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// True if this path is below `directory`, at any depth.
    #[must_use]
    pub fn is_below(&self, directory: &Self) -> bool {
        let prefix = if directory.is_root() { "" } else { directory.as_str() };
        self != directory && self.0.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
    }

    fn finish(mut built: String) -> Result<Self> {
        if built.is_empty() {
            built.push('/');
        }
        if built.len() > PATH_BYTES { Err(Error::NameTooLong) } else { Ok(Self(built)) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Control characters would let a name forge terminal output or end a C string; no file needs them.
fn check_name(name: &str) -> Result<()> {
    if name.len() > NAME_BYTES {
        return Err(Error::NameTooLong);
    }
    if name.chars().any(char::is_control) { Err(Error::InvalidInput) } else { Ok(()) }
}
