//! The fields of a query, as HTML forms send them.

use percent_encoding::percent_decode_str;

/// The fields of `NAME=VALUE&…` in their order, decoded.
///
/// # Errors
/// What is no text.
pub(super) fn fields(query: &str) -> Result<Vec<(String, String)>, String> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned);
        decoded.map_err(|_| format!("{text}: not text"))
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            fields("a=tcp+port%2080&b&&c=%C3%A4=").unwrap(),
            [pair("a", "tcp port 80"), pair("b", ""), pair("c", "ä=")]
        );
        assert_eq!(fields("a=%ff"), Err("%ff: not text".into()));
    }
}
