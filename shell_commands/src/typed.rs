//! Requests and responses of commands whose types are known, as JSON.
//!
//! Known are the commands of the network's tables, that of radios too, of the drivers', and those
//! of tables that the embedder adds to the [`Platform`](crate::context::Platform). The fields are
//! named as in CONTROL.md; a field that may be absent may be left out. An unknown field is an
//! error.

use devnet_virtual_file_system::{CommandVisitor, ControlCommand, Identifier, control, decode};
use serde_json::Deserializer;

/// A table of commands with the types of their requests and responses.
/// [`typed_table!`](crate::typed_table) makes it of a table that
/// [`define_commands!`](devnet_virtual_file_system::define_commands) declares.
#[derive(Debug, Clone, Copy)]
pub struct TypedTable(fn(Identifier, Conversion<'_>) -> Option<Converted>);

impl TypedTable {
    /// What [`typed_table!`](crate::typed_table) calls.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(visit: fn(Identifier, Conversion<'_>) -> Option<Converted>) -> Self {
        Self(visit)
    }
}

/// The [`TypedTable`](crate::typed::TypedTable) of a module that
/// [`define_commands!`](devnet_virtual_file_system::define_commands) declares.
///
/// ```
/// use devnet_drivers::Host;
/// use devnet_shell_commands::context::Platform;
///
/// devnet_virtual_file_system::define_commands! {
///     /// Commands of an antenna.
///     mod antenna, kind b'a' {
///         /// Turns the antenna to a direction in degrees; true if that changed something.
///         1 => Turn: Write (u16) -> bool;
///     }
/// }
///
/// // In a shell of this platform `control /devices/antenna Turn 90` prints `true`.
/// let platform =
///     Platform::of(&Host::new()).with_table(devnet_shell_commands::typed_table!(antenna));
/// # assert_eq!(platform.tables.len(), 1);
/// ```
#[macro_export]
macro_rules! typed_table {
    ($($module:ident)::+) => {
        $crate::typed::TypedTable::new(|identifier, conversion| {
            $($module)::+::visit(identifier, conversion)
        })
    };
}

const KNOWN: [TypedTable; 3] = [
    typed_table!(devnet_network::command::table),
    typed_table!(devnet_network::command::wireless),
    typed_table!(devnet_drivers::controller_commands),
];
/// The bytes of a request that is given as JSON; an absent one is `null`. `None` if the command is
/// not known here.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn request(
    tables: &[TypedTable],
    identifier: Identifier,
    text: &str,
) -> Option<Result<Vec<u8>, String>> {
    convert(tables, identifier, Conversion(Direction::Request { text }))
}

/// A response as JSON. `None` if the command is not known here.
///
/// # Errors
/// The bytes are no response of this command.
pub(crate) fn response(
    tables: &[TypedTable],
    identifier: Identifier,
    bytes: &[u8],
    is_pretty: bool,
) -> Option<Result<String, String>> {
    let converted =
        convert(tables, identifier, Conversion(Direction::Response { bytes, is_pretty }));
    converted
        .map(|json| json.and_then(|json| String::from_utf8(json).map_err(|why| why.to_string())))
}

/// The tables of this system come first: their numbers are what they say.
fn convert(
    tables: &[TypedTable],
    identifier: Identifier,
    conversion: Conversion<'_>,
) -> Option<Converted> {
    KNOWN.iter().chain(tables).find_map(|TypedTable(visit)| visit(identifier, conversion))
}

/// Bytes of a request, or JSON of a response.
type Converted = Result<Vec<u8>, String>;

/// What is made of a request or a response.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Conversion<'a>(Direction<'a>);

#[derive(Debug, Clone, Copy)]
enum Direction<'a> {
    /// JSON becomes bytes.
    Request { text: &'a str },
    /// Bytes become JSON, over several lines or in one.
    Response { bytes: &'a [u8], is_pretty: bool },
}

impl CommandVisitor for Conversion<'_> {
    type Output = Converted;

    fn visit<C: ControlCommand>(self) -> Converted {
        match self.0 {
            Direction::Request { text } => to_bytes::<C>(text),
            Direction::Response { bytes, is_pretty } => {
                let response: C::Response = decode(bytes).map_err(|why| why.to_string())?;
                let to_json =
                    if is_pretty { serde_json::to_vec_pretty } else { serde_json::to_vec };
                to_json(&response).map_err(|why| why.to_string())
            }
        }
    }
}

fn to_bytes<C: ControlCommand>(text: &str) -> Converted {
    let mut unknown = None;
    let mut json = Deserializer::from_str(text);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use devnet_drivers::controller_commands;
    use devnet_network::command::address::NewAddress;
    use devnet_network::command::table;
    use devnet_virtual_file_system::{
        CharacterDevice, CommandEntry, Error, OpenDevice, OpenRequest, Operation, Readiness, encode,
    };

    use super::*;
    use crate::testing::World;

    devnet_virtual_file_system::define_commands! {
        /// Commands of a device that an embedder builds.
        mod antenna, kind b'a' {
            /// Turns the antenna to a direction in degrees; true if that changed something.
            1 => Turn: Write (u16) -> bool;
            /// Tells the direction.
            2 => GetDirection: Read (()) -> u16;
        }
    }

    struct Antenna;

    impl CharacterDevice for Antenna {
        fn open(&self, _: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>, Error> {
            Ok(Arc::new(Self))
        }
    }

    impl OpenDevice for Antenna {
        fn read<'a>(&'a self, _: &'a mut [u8]) -> Operation<'a, usize> {
            Operation::done(Ok(0))
        }

        fn write<'a>(&'a self, _: &'a [u8]) -> Operation<'a, usize> {
            Operation::done(Err(Error::InvalidInput))
        }

        fn control<'a>(&'a self, command: Identifier, bytes: &'a [u8]) -> Operation<'a, Vec<u8>> {
            let request = antenna::Request::decode(command, bytes).ok_or(Error::UnknownCommand);
            Operation::done(request.flatten().and_then(|request| match request {
                antenna::Request::Turn(to) => encode(&(to != 90)),
                antenna::Request::GetDirection(()) => encode(&90_u16),
            }))
        }

        fn commands(&self) -> Vec<CommandEntry> {
            antenna::TABLE.to_vec()
        }

        fn poll_ready(&self, _: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
            Poll::Ready(interest)
        }
    }

    #[test]
    fn commands_of_an_embedder_are_json_when_the_platform_has_their_table() {
        let world = World::new();
        world.mount("/antenna", Arc::new(Antenna));
        let script = "control /antenna Turn 45; control /antenna GetDirection";
        // Elsewhere they are bytes.
        assert_eq!(
            world.output("control /antenna Turn 5a; control /antenna GetDirection"),
            "00\n5a\n"
        );
        let mut shell = world.shell_on(world.platform().with_table(typed_table!(antenna)));
        let ran = world.run_in(&mut shell, script);
        assert_eq!((ran.output.as_str(), ran.error.as_str()), ("true\n90\n", ""));
        let ran = world.run_in(&mut shell, "control /antenna Turn north");
        assert!(ran.error.starts_with("control: Turn: "), "{}", ran.error);
    }

    fn identifier(name: &str) -> Identifier {
        let rows = table::TABLE.iter().chain(controller_commands::TABLE);
        rows.clone().find(|row| row.name == name).unwrap().identifier
    }

    #[test]
    fn requests_are_json() {
        let bytes = request(
            &[],
            identifier("AddAddress"),
            r#"{"prefix": "10.0.0.1/24", "broadcast": "10.0.0.255"}"#,
        );
        let broadcast = Some("10.0.0.255".parse().unwrap());
        let new = NewAddress { prefix: "10.0.0.1/24".parse().unwrap(), broadcast };
        assert_eq!(bytes, Some(Ok(encode(&new).unwrap())));
        assert_eq!(
            request(&[], identifier("SetMtu"), "1280"),
            Some(Ok(encode(&1280_u32).unwrap()))
        );
        assert_eq!(request(&[], identifier("GetInterface"), "null"), Some(Ok(Vec::new())));
        assert_eq!(
            request(&[], identifier("SetLink"), "true"),
            Some(Ok(vec![1])),
            "of the drivers"
        );
        assert_eq!(request(&[], Identifier::from_raw(7), "null"), None);
        for (name, text, expected) in [
            ("AddAddress", "{}", "missing field `prefix`"),
            ("AddAddress", r#"{"prefix": "10.0.0.1/33"}"#, "\"10.0.0.1/33\" is no prefix"),
            ("AddAddress", r#"{"prefix": "10.0.0.1/8", "brd": 1}"#, "brd: unknown field"),
            ("SetHardwareAddress", r#""2:3""#, "\"2:3\" is no hardware address"),
            ("SetMtu", "1280 1", "trailing characters"),
            ("SetMtu", "-1", "expected u32"),
            ("SetMtu", "", "EOF while parsing"),
        ] {
            let why = request(&[], identifier(name), text).unwrap().unwrap_err();
            assert!(why.contains(expected), "{name} {text}: {why}");
        }
    }

    #[test]
    fn responses_are_json() {
        let address = devnet_network::address::HardwareAddress([2, 0, 0, 0, 0, 1]);
        let bytes = encode(&address).unwrap();
        assert_eq!(bytes, [2, 0, 0, 0, 0, 1], "its octets, as before");
        let status = response(&[], identifier("GetInterface"), &bytes, false).unwrap();
        assert!(status.is_err(), "{status:?}");
        assert_eq!(response(&[], identifier("SetMtu"), &[1], false), Some(Ok("true".into())));
        assert_eq!(response(&[], identifier("AddAddress"), &[], true), Some(Ok("null".into())));
    }
}
