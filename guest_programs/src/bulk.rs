//! Cuts instructions that move much memory into pieces that fit a turn.
//!
//! wasmi charges fuel for each byte that `memory.fill`, `memory.copy`, `memory.init` and
//! `memory.grow` move, but it cannot suspend a guest within one. So a module is rewritten before it
//! is translated: each of them becomes a call of a function, appended to the module, that does the
//! same in pieces of [`BULK_BYTES`](limits::BULK_BYTES) or [`GROW_BYTES`](limits::GROW_BYTES).
//! Nothing else changes, since indices of what the module defines itself stay the same. A module
//! that cannot be parsed is left as it is: the translator says what is wrong with it.
//!
//! Semantics stay the same, too: an access out of bounds traps before anything is written, and a
//! memory grows by all or nothing. For this the first `memory.grow`, which is too large a step,
//! only asks [`Allocation`](crate::allocation::Allocation), which declines it but remembers whether
//! the limit allows it.
//!
//! The memory that a module declares becomes an import, which the host creates and grows before it
//! instantiates the module: an instantiation cannot be suspended either.

mod functions;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::Range;

use wasmparser::{BinaryReaderError, FunctionBody, MemoryType, Operator, Parser, Payload};

use crate::limits;
use functions::Function;

/// A module whose instructions fit a turn.
pub(crate) struct Cut<'a> {
    /// The module.
    pub(crate) module: Cow<'a, [u8]>,
    /// Bytes that it makes a system hold beside its memory and its tables.
    pub(crate) instance_bytes: usize,
    /// The memory that it declared and now imports as [`MEMORY`].
    pub(crate) memory: Option<Declared>,
}

/// Pages of a memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    pub(crate) minimum: u32,
    pub(crate) maximum: Option<u32>,
}

/// Module and name of the import that a memory becomes.
pub(crate) const MEMORY: (&str, &str) = ("devnet", "memory");

/// Rewrites a module.
pub(crate) fn cut(module: &[u8]) -> Cut<'_> {
    match Sections::read(module) {
        Ok(sections) => {
            let rewritten = sections.rewritten(module);
            let memory = sections.memory.filter(|_| rewritten.is_some());
            let module = rewritten.map_or(Cow::Borrowed(module), Cow::Owned);
            Cut { module, instance_bytes: sections.instance_bytes, memory }
        }
        Err(_) => Cut { module: Cow::Borrowed(module), instance_bytes: 0, memory: None },
    }
}

const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const MEMORIES: u8 = 5;
const CODE: u8 = 10;

/// What is to know of a module.
#[derive(Default)]
struct Sections {
    /// Identifier and content of each, in order.
    all: Vec<(u8, Range<usize>)>,
    types: u32,
    functions: u32,
    /// The memory that it declares, if it has one of the usual kind.
    memory: Option<Declared>,
    /// Functions that replace instructions, by the order in which they were first needed.
    replacements: Vec<Function>,
    /// Instructions to replace, in order: where they are, and the index of the replacement.
    places: Vec<(Range<usize>, usize)>,
    /// The function bodies.
    bodies: Vec<Range<usize>>,
    instance_bytes: usize,
}

impl Sections {
    fn read(module: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut found = Self::default();
        let (mut items, mut code) = (0_usize, 0_usize);
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            if let Some((identifier, range)) = payload.as_section() {
                found.all.push((identifier, range));
            }
            match payload {
                Payload::TypeSection(groups) => {
                    for group in groups {
                        found.types += u32::try_from(group?.types().len()).unwrap_or(u32::MAX);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports {
                        let is_function = matches!(import?.ty, wasmparser::TypeRef::Func(_));
                        found.functions += u32::from(is_function);
                    }
                }
                Payload::FunctionSection(functions) => found.functions += functions.count(),
                Payload::MemorySection(memories) if memories.count() == 1 => {
                    found.memory = memories.into_iter().next().transpose()?.and_then(Declared::new);
                }
                Payload::GlobalSection(globals) => items += globals.count() as usize,
                Payload::DataSection(segments) => items += segments.count() as usize,
                Payload::ExportSection(exports) => items += 2 * exports.count() as usize,
                Payload::ElementSection(segments) => {
                    for segment in segments {
                        items += 1 + match segment?.items {
                            wasmparser::ElementItems::Functions(all) => all.count() as usize,
                            wasmparser::ElementItems::Expressions(_, all) => all.count() as usize,
                        };
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    code += body.range().len();
                    found.bodies.push(body.range());
                    found.read_body(&body)?;
                }
                _ => {}
            }
        }
        items = items.saturating_add(found.functions as usize);
        let code = code.saturating_mul(limits::CODE_FACTOR);
        found.instance_bytes = items.saturating_mul(limits::ITEM_BYTES).saturating_add(code);
        Ok(found)
    }

    fn read_body(&mut self, body: &FunctionBody<'_>) -> Result<(), BinaryReaderError> {
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let start = operators.original_position();
            let function = match operators.read()? {
                Operator::MemoryFill { mem: 0 } => Function::Fill,
                Operator::MemoryCopy { dst_mem: 0, src_mem: 0 } => Function::Copy,
                Operator::MemoryInit { data_index, mem: 0 } => Function::Init(data_index),
                Operator::MemoryGrow { mem: 0 } => Function::Grow,
                _ => continue,
            };
            let known = self.replacements.iter().position(|known| *known == function);
            let index = known.unwrap_or_else(|| {
                self.replacements.push(function);
                self.replacements.len() - 1
            });
            self.places.push((start..operators.original_position(), index));
        }
        Ok(())
    }

    /// Returns the module with the instructions replaced and its memory imported; `None` if it has
    /// neither.
    fn rewritten(&self, module: &[u8]) -> Option<Vec<u8>> {
        let has_places = !self.places.is_empty();
        if !has_places && self.memory.is_none() {
            return None;
        }
        let mut text = Vec::with_capacity(module.len() + 1024);
        text.extend_from_slice(module.get(..8)?);
        let mut imported = self.memory;
        for (identifier, range) in &self.all {
            let content = module.get(range.clone())?;
            if *identifier > IMPORTS
                && let Some(memory) = imported.take()
            {
                section(&mut text, IMPORTS, &with_import(&[0], memory)?)?;
            }
            match *identifier {
                TYPES if has_places => section(&mut text, TYPES, &self.with_types(content)?)?,
                IMPORTS => match imported.take() {
                    Some(memory) => section(&mut text, IMPORTS, &with_import(content, memory)?)?,
                    None => section(&mut text, IMPORTS, content)?,
                },
                FUNCTIONS if has_places => {
                    section(&mut text, FUNCTIONS, &self.with_functions(content)?)?;
                }
                MEMORIES if self.memory.is_some() => {}
                CODE if has_places => section(&mut text, CODE, &self.with_code(module)?)?,
                _ => section(&mut text, *identifier, content)?,
            }
        }
        Some(text)
    }

    /// The types, and after them one of `(i32, i32, i32)` and one of `(i32) -> i32`.
    fn with_types(&self, content: &[u8]) -> Option<Vec<u8>> {
        let (count, rest) = split_number(content)?;
        let mut types = Vec::new();
        functions::number(&mut types, count + 2);
        types.extend_from_slice(rest);
        types.extend_from_slice(&functions::TYPES);
        Some(types)
    }

    fn with_functions(&self, content: &[u8]) -> Option<Vec<u8>> {
        let (count, rest) = split_number(content)?;
        let mut all = Vec::new();
        functions::number(&mut all, count + u32::try_from(self.replacements.len()).ok()?);
        all.extend_from_slice(rest);
        for function in &self.replacements {
            functions::number(&mut all, self.types + u32::from(*function == Function::Grow));
        }
        Some(all)
    }

    fn with_code(&self, module: &[u8]) -> Option<Vec<u8>> {
        let mut code = Vec::new();
        let count = self.bodies.len() + self.replacements.len();
        functions::number(&mut code, u32::try_from(count).ok()?);
        let mut places = self.places.iter().peekable();
        for body in &self.bodies {
            let (mut text, mut at) = (Vec::new(), body.start);
            while let Some((place, index)) = places.next_if(|(place, _)| place.end <= body.end) {
                text.extend_from_slice(module.get(at..place.start)?);
                text.push(functions::CALL);
                functions::number(&mut text, self.functions + u32::try_from(*index).ok()?);
                at = place.end;
            }
            text.extend_from_slice(module.get(at..body.end)?);
            functions::number(&mut code, u32::try_from(text.len()).ok()?);
            code.extend_from_slice(&text);
        }
        let maximum = self.memory.and_then(|memory| memory.maximum).unwrap_or(1 << 16);
        for function in &self.replacements {
            let body = function.body(maximum);
            functions::number(&mut code, u32::try_from(body.len()).ok()?);
            code.extend_from_slice(&body);
        }
        Some(code)
    }
}

impl Declared {
    /// Another kind of memory stays where it is; the translator refuses it.
    fn new(kind: MemoryType) -> Option<Self> {
        if kind.memory64 || kind.shared || kind.page_size_log2.is_some() {
            return None;
        }
        let pages = |pages: u64| u32::try_from(pages).ok();
        let maximum = match kind.maximum {
            Some(maximum) => Some(pages(maximum)?),
            None => None,
        };
        Some(Self { minimum: pages(kind.initial)?, maximum })
    }
}

/// Appends a section.
fn section(text: &mut Vec<u8>, identifier: u8, content: &[u8]) -> Option<()> {
    text.push(identifier);
    functions::number(text, u32::try_from(content.len()).ok()?);
    text.extend_from_slice(content);
    Some(())
}

/// The imports, and after them a memory.
fn with_import(content: &[u8], memory: Declared) -> Option<Vec<u8>> {
    let (count, rest) = split_number(content)?;
    let mut imports = Vec::new();
    functions::number(&mut imports, count.checked_add(1)?);
    imports.extend_from_slice(rest);
    for name in [MEMORY.0, MEMORY.1] {
        functions::number(&mut imports, u32::try_from(name.len()).ok()?);
        imports.extend_from_slice(name.as_bytes());
    }
    imports.extend_from_slice(&[2, u8::from(memory.maximum.is_some())]);
    functions::number(&mut imports, memory.minimum);
    if let Some(maximum) = memory.maximum {
        functions::number(&mut imports, maximum);
    }
    Some(imports)
}

/// Splits off a number in LEB128.
fn split_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut reader = wasmparser::BinaryReader::new(bytes, 0);
    let number = reader.read_var_u32().ok()?;
    Some((number, bytes.get(reader.original_position()..)?))
}
