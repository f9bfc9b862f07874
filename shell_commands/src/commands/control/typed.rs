//! Requests and responses of the commands whose types are known here, as JSON.
//!
//! Known are those of the network's tables, that of radios too, and of the drivers'. The fields are
//! named as in CONTROL.md; a field that may be absent may be left out. An unknown field is an
//! error.

use devnet_drivers::controller_commands;
use devnet_network::command::{table, wireless};
use devnet_virtual_file_system::{CommandVisitor, ControlCommand, Identifier, control, decode};
use serde_json::Deserializer;

/// The bytes of a request that is given as JSON; an absent one is `null`. `None` if the command is
/// not known here.
///
/// # Errors
/// What is wrong with the text.
pub(super) fn request(identifier: Identifier, text: &str) -> Option<Result<Vec<u8>, String>> {
    visit(identifier, ToBytes(text))
}

/// A response as JSON. `None` if the command is not known here.
///
/// # Errors
/// The bytes are no response of this command.
pub(super) fn response(
    identifier: Identifier,
    bytes: &[u8],
    is_pretty: bool,
) -> Option<Result<String, String>> {
    visit(identifier, ToText { bytes, is_pretty })
}

fn visit<V: CommandVisitor + Copy>(identifier: Identifier, visitor: V) -> Option<V::Output> {
    table::visit(identifier, visitor)
        .or_else(|| wireless::visit(identifier, visitor))
        .or_else(|| controller_commands::visit(identifier, visitor))
}

#[derive(Clone, Copy)]
struct ToBytes<'a>(&'a str);

impl CommandVisitor for ToBytes<'_> {
    type Output = Result<Vec<u8>, String>;

    fn visit<C: ControlCommand>(self) -> Self::Output {
        let mut unknown = None;
        let mut json = Deserializer::from_str(self.0);
        let request: C::Request = serde_ignored::deserialize(&mut json, |path| {
            unknown.get_or_insert(path.to_string());
        })
        .and_then(|request| json.end().map(|()| request))
        .map_err(|why| why.to_string())?;
        if let Some(path) = unknown {
            return Err(format!("{path}: unknown field"));
        }
        control::encode_request(&request).map_err(|why| why.to_string())
    }
}

#[derive(Clone, Copy)]
struct ToText<'a> {
    bytes: &'a [u8],
    /// Over several lines.
    is_pretty: bool,
}

impl CommandVisitor for ToText<'_> {
    type Output = Result<String, String>;

    fn visit<C: ControlCommand>(self) -> Self::Output {
        let response: C::Response = decode(self.bytes).map_err(|why| why.to_string())?;
        let to_text =
            if self.is_pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        to_text(&response).map_err(|why| why.to_string())
    }
}

#[cfg(test)]
mod tests {
    use devnet_network::command::address::NewAddress;
    use devnet_virtual_file_system::encode;

    use super::*;

    fn identifier(name: &str) -> Identifier {
        let rows = table::TABLE.iter().chain(controller_commands::TABLE);
        rows.clone().find(|row| row.name == name).unwrap().identifier
    }

    #[test]
    fn requests_are_json() {
        let bytes = request(
            identifier("AddAddress"),
            r#"{"prefix": "10.0.0.1/24", "broadcast": "10.0.0.255"}"#,
        );
        let broadcast = Some("10.0.0.255".parse().unwrap());
        let new = NewAddress { prefix: "10.0.0.1/24".parse().unwrap(), broadcast };
        assert_eq!(bytes, Some(Ok(encode(&new).unwrap())));
        assert_eq!(request(identifier("SetMtu"), "1280"), Some(Ok(encode(&1280_u32).unwrap())));
        assert_eq!(request(identifier("GetInterface"), "null"), Some(Ok(Vec::new())));
        assert_eq!(request(identifier("SetLink"), "true"), Some(Ok(vec![1])), "of the drivers");
        assert_eq!(request(Identifier::from_raw(7), "null"), None);
        for (name, text, expected) in [
            ("AddAddress", "{}", "missing field `prefix`"),
            ("AddAddress", r#"{"prefix": "10.0.0.1/33"}"#, "\"10.0.0.1/33\" is no prefix"),
            ("AddAddress", r#"{"prefix": "10.0.0.1/8", "brd": 1}"#, "brd: unknown field"),
            ("SetHardwareAddress", r#""2:3""#, "\"2:3\" is no hardware address"),
            ("SetMtu", "1280 1", "trailing characters"),
            ("SetMtu", "-1", "expected u32"),
            ("SetMtu", "", "EOF while parsing"),
        ] {
            let why = request(identifier(name), text).unwrap().unwrap_err();
            assert!(why.contains(expected), "{name} {text}: {why}");
        }
    }

    #[test]
    fn responses_are_json() {
        let address = devnet_network::address::HardwareAddress([2, 0, 0, 0, 0, 1]);
        let bytes = encode(&address).unwrap();
        assert_eq!(bytes, [2, 0, 0, 0, 0, 1], "its octets, as before");
        let status = response(identifier("GetInterface"), &bytes, false).unwrap();
        assert!(status.is_err(), "{status:?}");
        assert_eq!(response(identifier("SetMtu"), &[1], false), Some(Ok("true".into())));
        assert_eq!(response(identifier("AddAddress"), &[], true), Some(Ok("null".into())));
    }
}
