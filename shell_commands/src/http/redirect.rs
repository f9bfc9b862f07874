//! The target of a redirect, and the redirected request (RFC 9110 §15.4). Pure.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;

use super::url::{Url, UrlError};

/// A request that may be redirected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// Its URL.
    pub url: Url,
    /// Its method.
    pub method: Method,
    /// Its body.
    pub body: Option<Bytes>,
    /// The user's fields.
    pub fields: HeaderMap,
}

impl Hop {
    /// Returns the redirected request; `None` if the response is not a redirect.
    ///
    /// # Errors
    /// The `Location` and its error.
    pub fn next(
        &self,
        status: StatusCode,
        fields: &HeaderMap,
    ) -> Result<Option<Self>, (String, UrlError)> {
        let location = match status.as_u16() {
            301 | 302 | 303 | 307 | 308 => fields.get(LOCATION),
            _ => None,
        };
        let Some(location) = location else { return Ok(None) };
        let url = self
            .url
            .join(location.as_bytes())
            .map_err(|why| (location.as_bytes().escape_ascii().to_string(), why))?;
        let mut next = Self { url, ..self.clone() };
        // A 301 or 302 may repeat a POST, but clients do not; a 303 must not.
        let becomes_get = matches!(status.as_u16(), 301..=303) && self.method != Method::HEAD;
        if becomes_get {
            next.method = Method::GET;
            next.body = None;
            next.retain_fields(|name| !describes_content(name));
        }
        if !next.url.has_origin_of(&self.url) {
            next.retain_fields(|name| !belongs_to_origin(name));
        }
        Ok(Some(next))
    }

    /// The request itself, with these fields before the user's, and what its body asks for.
    ///
    /// # Errors
    /// A method or a target that no request can have.
    pub fn request(&self, mut fields: HeaderMap) -> http::Result<Request<Full<Bytes>>> {
        if self.body.is_some() {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            fields.insert(CONTENT_TYPE, form);
        }
        // The user's fields replace ours; those that define the body's length are ours alone.
        fields.extend(self.fields.clone());
        if let Some(body) = &self.body {
            fields.insert(CONTENT_LENGTH, body.len().into());
        }
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.url.target())
            .body(Full::new(self.body.clone().unwrap_or_default()))?;
        *request.headers_mut() = fields;
        Ok(request)
    }

    fn retain_fields(&mut self, keep: impl Fn(&str) -> bool) {
        let fields = std::mem::take(&mut self.fields);
        let mut last = None;
        for (name, value) in fields {
            // A name precedes only the first of its values.
            last = name.or(last);
            if let Some(name) = last.as_ref().filter(|name| keep(name.as_str())) {
                self.fields.append(name, value);
            }
        }
    }
}

/// True for fields about a body, which go with it (RFC 9110 §15.4 item 5).
fn describes_content(name: &str) -> bool {
    let others = ["digest", "repr-digest", "last-modified", "expect", "trailer"];
    name.starts_with("content-") || others.contains(&name)
}

/// True for fields that are only for the server they were given for: its name, and what names a
/// secret (RFC 9110 §15.4 items 2 and 3). Secrets have many names.
fn belongs_to_origin(name: &str) -> bool {
    let secrets = ["auth", "cookie", "credential", "key", "passw", "secret", "session", "token"];
    matches!(name, "host" | "origin") || secrets.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post() -> Hop {
        let fields = [
            ("content-type", "text/plain"),
            ("authorization", "secret"),
            ("proxy-authorization", "secret"),
            ("cookie", "secret"),
            ("host", "c"),
            ("x-api-key", "secret"),
            ("x-auth-token", "secret"),
            ("digest", "x"),
            ("x-a", "1"),
            ("x-a", "2"),
        ];
        let fields = fields
            .iter()
            .map(|(name, value)| {
                (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
            })
            .collect();
        let url = Url::parse("http://a/d/f").unwrap();
        Hop { url, method: Method::POST, body: Some(Bytes::from_static(b"x=1")), fields }
    }

    fn redirected(status: u16, location: &'static str) -> Option<Hop> {
        let fields = [(LOCATION, http::HeaderValue::from_static(location))].into_iter().collect();
        post().next(StatusCode::from_u16(status).unwrap(), &fields).unwrap()
    }

    fn names(hop: &Hop) -> Vec<&str> {
        hop.fields.keys().map(http::HeaderName::as_str).collect()
    }

    #[test]
    fn a_post_becomes_a_get_unless_the_status_forbids_it() {
        for status in [301, 302, 303] {
            let hop = redirected(status, "/done").unwrap();
            assert_eq!((hop.method.as_str(), hop.body.as_ref()), ("GET", None), "{status}");
            for name in ["content-type", "digest"] {
                assert!(!names(&hop).contains(&name), "{name}");
            }
            assert!(names(&hop).contains(&"authorization"));
            assert_eq!(hop.fields.get_all("x-a").iter().count(), 2);
        }
        for status in [307, 308] {
            let hop = redirected(status, "/done").unwrap();
            assert_eq!((hop.method.as_str(), hop.body), ("POST", post().body), "{status}");
            assert_eq!(hop.fields, post().fields);
        }
        for status in [200, 300, 304, 305, 404] {
            assert_eq!(redirected(status, "/done"), None, "{status}");
        }
    }

    #[test]
    fn secrets_stay_with_the_server_they_are_for() {
        for location in ["/x", "//a/x", "http://A:80/x"] {
            assert!(names(&redirected(307, location).unwrap()).contains(&"cookie"), "{location}");
        }
        for location in ["http://b/x", "http://a:81/x", "//b/x", "http://a./x", "http://b.a/x"] {
            let hop = redirected(307, location).unwrap();
            assert_eq!(names(&hop), ["content-type", "digest", "x-a"], "{location}");
        }
    }

    #[test]
    fn a_location_that_cannot_be_followed_is_named() {
        let fields = [(LOCATION, http::HeaderValue::from_static("https://a/"))];
        let outcome = post().next(StatusCode::FOUND, &fields.into_iter().collect());
        assert_eq!(outcome, Err(("https://a/".to_owned(), UrlError::Scheme)));
    }
}
