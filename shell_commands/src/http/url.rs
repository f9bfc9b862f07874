//! Addresses of documents as people type them: `http://HOST[:PORT]/PATH`.

/// Where a document is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query, from the first `/` on.
    pub target: String,
}

/// Why a text is no URL that we can fetch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UrlError {
    /// Another scheme than `http`.
    Scheme,
    /// No host, a bad port, or characters that do not belong there.
    Malformed,
}

impl std::fmt::Display for UrlError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Scheme => "not an http URL",
            Self::Malformed => "bad URL",
        })
    }
}

impl Url {
    /// Reads a URL; without a scheme it is `http`.
    ///
    /// # Errors
    /// As [`UrlError`] says.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(UrlError::Scheme);
            }
            _ => text,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let place = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(place);
        // A blank or control character would end the request line.
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) || authority.contains('@') {
            return Err(UrlError::Malformed);
        }
        let (host, port) = split(authority).ok_or(UrlError::Malformed)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { host: host.to_owned(), port, target: format!("{slash}{target}") })
    }

    /// The URL that a `Location` means, seen from this one.
    ///
    /// # Errors
    /// As [`UrlError`] says.
    pub fn join(&self, location: &str) -> Result<Self, UrlError> {
        if location.contains("://") {
            return Self::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("http://{rest}"));
        }
        let path = self.target.split('?').next().unwrap_or("/");
        let directory = path.rfind('/').and_then(|place| path.get(..=place)).unwrap_or("/");
        let target = if location.starts_with('/') {
            location.to_owned()
        } else {
            format!("{directory}{location}")
        };
        Self::parse(&format!("http://{}{target}", self.authority()))
    }

    /// Host and port as the `Host` field says them.
    #[must_use]
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }

    /// The name under which the document is kept: the last part of the path, or `index.html`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.rsplit('/')
            .next()
            .filter(|name| !matches!(*name, "" | "." | ".."))
            .unwrap_or("index.html")
    }
}

/// `HOST`, `HOST:PORT` or `[V6]:PORT`.
fn split(authority: &str) -> Option<(&str, u16)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']').filter(|(host, _)| host.contains(':'))?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if rest.is_empty() => 80,
        None => return None,
    };
    if host.is_empty() { None } else { Some((host, port)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_understood() {
        for (text, host, port, target, name) in [
            ("http://web.lan/", "web.lan", 80, "/", "index.html"),
            ("web.lan", "web.lan", 80, "/", "index.html"),
            ("http://web.lan:81/a/b.txt?x=1#y", "web.lan", 81, "/a/b.txt?x=1", "b.txt"),
            ("HTTP://10.0.2.4/1M", "10.0.2.4", 80, "/1M", "1M"),
            ("http://[fd00:2::4]:8080/x/..", "fd00:2::4", 8080, "/x/..", "index.html"),
            ("http://h?q=a/b", "h", 80, "/?q=a/b", "index.html"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(
                (url.host.as_str(), url.port, url.target.as_str(), url.file_name()),
                (host, port, target, name)
            );
        }
        assert_eq!(Url::parse("http://[::1]:81/").unwrap().authority(), "[::1]:81");
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(Url::parse("https://x/"), Err(UrlError::Scheme));
        for text in [
            "",
            "http://",
            "http:///x",
            "http://a:0/",
            "http://a:99999/",
            "http://a b/",
            "http://a/\r\nX: y",
            "[::1",
        ] {
            assert_eq!(Url::parse(text), Err(UrlError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn redirects_are_relative_to_where_they_come_from() {
        let base = Url::parse("http://a:81/x/y?z").unwrap();
        for (location, expected) in [
            ("http://b/c", ("b", 80, "/c")),
            ("//b/c", ("b", 80, "/c")),
            ("/c", ("a", 81, "/c")),
            ("c", ("a", 81, "/x/c")),
        ] {
            let url = base.join(location).unwrap();
            assert_eq!((url.host.as_str(), url.port, url.target.as_str()), expected, "{location}");
        }
        assert_eq!(base.join("https://b/"), Err(UrlError::Scheme));
    }
}
