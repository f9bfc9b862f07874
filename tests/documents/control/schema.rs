//! The types that commands carry, read from the sources that declare them: names, types and
//! documentation of fields, so that nothing is written down twice.
//!
//! [`Types::check`] reads the bytes of a sample by these types and must arrive exactly at the end.

use std::collections::BTreeMap;
use std::fs;

use devnet_virtual_file_system::Error;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, Fields, GenericArgument, Ident, Item, Lit, Meta, PathArguments, Type};

use crate::tree::root;

/// Files that declare payload types, beside every one of `commands/src/command`.
const OTHERS: [&str; 3] =
    ["commands/src/address.rs", "commands/src/link.rs", "commands/src/time.rs"];

/// A named field, or a flag with its bit.
pub(crate) struct Field {
    pub(crate) name: String,
    /// A type, or the bit of a flag.
    pub(crate) what: String,
    pub(crate) documentation: String,
    kind: Option<Type>,
}

/// One variant of an enumeration; what it carries stands in parentheses.
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) documentation: String,
    pub(crate) carries: Vec<Type>,
}

/// What a type is made of.
pub(crate) enum Shape {
    Structure(Vec<Field>),
    Enumeration(Vec<Variant>),
    Flags(Box<Type>, Vec<Field>),
}

/// One declared type.
pub(crate) struct Declaration {
    pub(crate) documentation: String,
    pub(crate) shape: Shape,
}

/// Every declared type by name.
pub(crate) struct Types(BTreeMap<String, Declaration>);

/// A type as people write it, without the modules.
pub(crate) fn shown(kind: &Type) -> String {
    match kind {
        Type::Path(path) => {
            let last = path.path.segments.last().expect("a name");
            let name = last.ident.to_string();
            match arguments(kind).as_slice() {
                [] => name,
                inner => {
                    format!("{name}<{}>", inner.iter().map(shown).collect::<Vec<_>>().join(", "))
                }
            }
        }
        Type::Tuple(tuple) if tuple.elems.is_empty() => "()".to_owned(),
        Type::Array(array) => {
            format!("[{}; {}]", shown(&array.elem), array.len.to_token_stream())
        }
        other => panic!("a type that no payload has: {}", other.to_token_stream()),
    }
}

/// The name of a type without its arguments.
pub(crate) fn name(kind: &Type) -> String {
    let shown = shown(kind);
    shown.split('<').next().unwrap_or_default().to_owned()
}

/// The arguments of a generic type.
pub(crate) fn arguments(kind: &Type) -> Vec<Type> {
    let Type::Path(path) = kind else { return Vec::new() };
    let Some(PathArguments::AngleBracketed(list)) =
        path.path.segments.last().map(|last| &last.arguments)
    else {
        return Vec::new();
    };
    list.args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(kind) => Some(kind.clone()),
            _ => None,
        })
        .collect()
}

fn documentation(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| {
            assert!(
                !attribute.path().is_ident("serde"),
                "a serde attribute changes the encoding behind the back of this reader"
            );
            match &attribute.meta {
                Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                    Expr::Lit(literal) => match &literal.lit {
                        Lit::Str(text) => Some(text.value().trim().to_owned()),
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            }
        })
        .collect();
    // Links lead to Rust's documentation, which this page is not.
    lines.join(" ").replace("[`", "`").replace("`]", "`")
}

/// A type without the box around it, which no byte shows.
fn unboxed(kind: &Type) -> Type {
    match arguments(kind).as_slice() {
        [inner] if name(kind) == "Box" => inner.clone(),
        _ => kind.clone(),
    }
}

fn fields(fields: &Fields) -> Vec<Field> {
    fields
        .iter()
        .enumerate()
        .map(|(index, field)| Field {
            name: field.ident.as_ref().map_or(index.to_string(), ToString::to_string),
            what: shown(&unboxed(&field.ty)),
            documentation: documentation(&field.attrs),
            kind: Some(unboxed(&field.ty)),
        })
        .collect()
}

/// The inside of `bitflags!`.
struct Flags {
    name: String,
    declaration: Declaration,
}

impl Parse for Flags {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<syn::Token![struct]>()?;
        let name: syn::Ident = input.parse()?;
        input.parse::<syn::Token![:]>()?;
        let bits: Type = input.parse()?;
        let inside;
        syn::braced!(inside in input);
        let mut flags = Vec::new();
        while !inside.is_empty() {
            let attributes = inside.call(Attribute::parse_outer)?;
            inside.parse::<syn::Token![const]>()?;
            let flag: syn::Ident = inside.parse()?;
            inside.parse::<syn::Token![=]>()?;
            let value: Expr = inside.parse()?;
            inside.parse::<syn::Token![;]>()?;
            flags.push(Field {
                name: flag.to_string(),
                what: value.to_token_stream().to_string(),
                documentation: documentation(&attributes),
                kind: None,
            });
        }
        let documentation = documentation(&attributes);
        let declaration = Declaration { documentation, shape: Shape::Flags(Box::new(bits), flags) };
        Ok(Self { name: name.to_string(), declaration })
    }
}

impl Types {
    /// Reads the sources.
    pub(crate) fn read() -> Self {
        let mut paths: Vec<_> = fs::read_dir(root().join("commands/src/command"))
            .expect("the folder of commands")
            .map(|entry| entry.expect("an entry").path())
            // The lines in folders have no types.
            .filter(|path| path.is_file())
            .chain(OTHERS.map(|path| root().join(path)))
            .collect();
        paths.sort();
        let mut types = Self(BTreeMap::new());
        for path in paths {
            let source = fs::read_to_string(&path).expect("a source");
            let file = syn::parse_file(&source).expect("Rust");
            file.items.iter().for_each(|item| types.add(item, &file.items));
        }
        types
    }

    fn add(&mut self, item: &Item, file: &[Item]) {
        let (name, declaration) = match item {
            Item::Struct(item) if is_payload(&item.attrs) || is_written(&item.ident, file) => {
                let documentation = documentation(&item.attrs);
                let shape = Shape::Structure(fields(&item.fields));
                (item.ident.to_string(), Declaration { documentation, shape })
            }
            Item::Enum(item) if is_payload(&item.attrs) => {
                let variants = item.variants.iter().map(|variant| Variant {
                    name: variant.ident.to_string(),
                    documentation: documentation(&variant.attrs),
                    carries: variant.fields.iter().map(|field| unboxed(&field.ty)).collect(),
                });
                let documentation = documentation(&item.attrs);
                let shape = Shape::Enumeration(variants.collect());
                (item.ident.to_string(), Declaration { documentation, shape })
            }
            Item::Macro(item) if item.mac.path.is_ident("bitflags") => {
                let flags: Flags = item.mac.parse_body().expect("flags");
                (flags.name, flags.declaration)
            }
            _ => return,
        };
        let former = self.0.insert(name.clone(), declaration);
        assert!(former.is_none(), "two payload types are called {name}");
    }

    /// The declaration of a type; `None` for those of Rust's libraries.
    pub(crate) fn get(&self, name: &str) -> Option<&Declaration> {
        self.0.get(name)
    }

    /// Takes a value of this type from the front of the bytes.
    fn take(&self, kind: &Type, bytes: &mut &[u8]) -> Result<(), String> {
        let inner = arguments(kind);
        match (name(kind).as_str(), inner.as_slice()) {
            ("()", _) => Ok(()),
            ("bool" | "u8" | "i8", _) => skip(bytes, 1),
            ("u16" | "u32" | "u64", _) => number(bytes).map(drop),
            ("String", _) => number(bytes).and_then(|length| skip(bytes, length)),
            ("Ipv4Addr", _) => skip(bytes, 4),
            ("Ipv6Addr", _) => skip(bytes, 16),
            ("IpAddr", _) => address(bytes),
            ("SocketAddr", _) => address(bytes).and_then(|()| number(bytes).map(drop)),
            ("Error", _) => {
                let tag = number(bytes)?;
                Error::ALL.get(tag).map(drop).ok_or(format!("no error {tag}"))
            }
            ("Option", [inner]) => match number(bytes)? {
                0 => Ok(()),
                1 => self.take(inner, bytes),
                tag => Err(format!("{tag} is no option")),
            },
            ("Vec", [inner]) => {
                let length = number(bytes)?;
                (0..length).try_for_each(|_| self.take(inner, bytes))
            }
            (name, _) => match (kind, self.get(name)) {
                (Type::Array(array), _) => {
                    let length: usize = match &array.len {
                        Expr::Lit(literal) => literal.to_token_stream().to_string(),
                        other => return Err(other.to_token_stream().to_string()),
                    }
                    .parse()
                    .map_err(|_| "a length".to_owned())?;
                    (0..length).try_for_each(|_| self.take(&array.elem, bytes))
                }
                (_, Some(declaration)) => self.take_declared(&declaration.shape, bytes),
                (_, None) => Err(format!("{name} is declared nowhere")),
            },
        }
    }

    fn take_declared(&self, shape: &Shape, bytes: &mut &[u8]) -> Result<(), String> {
        match shape {
            Shape::Structure(fields) => fields
                .iter()
                .filter_map(|field| field.kind.as_ref())
                .try_for_each(|kind| self.take(kind, bytes)),
            Shape::Enumeration(variants) => {
                let tag = number(bytes)?;
                let variant = variants.get(tag).ok_or(format!("no variant {tag}"))?;
                variant.carries.iter().try_for_each(|kind| self.take(kind, bytes))
            }
            Shape::Flags(bits, _) => self.take(bits, bytes),
        }
    }

    /// Whether the bytes are exactly one value of this type.
    pub(crate) fn check(&self, kind: &Type, mut bytes: &[u8]) -> Result<(), String> {
        self.take(kind, &mut bytes)?;
        if bytes.is_empty() { Ok(()) } else { Err(format!("{} bytes too many", bytes.len())) }
    }
}

fn is_payload(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive")
            && attribute.meta.to_token_stream().to_string().contains("Serialize")
    })
}

/// Whether a file says how a type is written, in other formats than ours field by field too.
fn is_written(name: &Ident, file: &[Item]) -> bool {
    file.iter().any(|item| match item {
        Item::Impl(item) => {
            *name == item.self_ty.to_token_stream().to_string()
                && item.trait_.as_ref().is_some_and(|(path, _)| path.is_ident("Serialize"))
        }
        _ => false,
    })
}

fn skip(bytes: &mut &[u8], count: usize) -> Result<(), String> {
    *bytes = bytes.get(count..).ok_or("the bytes end too early")?;
    Ok(())
}

/// A number in groups of seven bits, the least first.
fn number(bytes: &mut &[u8]) -> Result<usize, String> {
    let mut value = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or("the bytes end too early")?;
        *bytes = rest;
        value |= usize::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number without end".to_owned())
}

fn address(bytes: &mut &[u8]) -> Result<(), String> {
    match number(bytes)? {
        0 => skip(bytes, 4),
        1 => skip(bytes, 16),
        tag => Err(format!("{tag} is no family")),
    }
}
