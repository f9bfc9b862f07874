//! The functions that replace instructions, as WebAssembly.
//!
//! A small assembler: each constant is an instruction of the binary format's chapter 5.4.

use alloc::vec::Vec;

use crate::limits::{BULK_BYTES, GROW_BYTES};

/// A function that does what an instruction does, in pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    /// `memory.fill`: destination, value, length.
    Fill,
    /// `memory.copy`: destination, source, length.
    Copy,
    /// `memory.init` of this data segment: destination, source, length.
    Init(u32),
    /// `memory.grow`: pages.
    Grow,
}

/// The types `(i32, i32, i32) -> ()` and `(i32) -> i32`.
pub(super) const TYPES: [u8; 11] = [0x60, 3, I32, I32, I32, 0, 0x60, 1, I32, 1, I32];

pub(super) const CALL: u8 = 0x10;
const I32: u8 = 0x7f;
const IF: [u8; 2] = [0x04, 0x40];
const LOOP: [u8; 2] = [0x03, 0x40];
const ELSE: [u8; 1] = [0x05];
const END: [u8; 1] = [0x0b];
const REPEAT_IF: [u8; 2] = [0x0d, 0];
const RETURN: [u8; 1] = [0x0f];
const DROP: [u8; 1] = [0x1a];
const EQUAL: [u8; 1] = [0x46];
const LESS: [u8; 1] = [0x49];
const GREATER: [u8; 1] = [0x4b];
const NOT_GREATER: [u8; 1] = [0x4d];
const ADD: [u8; 1] = [0x6a];
const SUBTRACT: [u8; 1] = [0x6b];
const MEMORY_SIZE: [u8; 2] = [0x3f, 0];
const MEMORY_GROW: [u8; 2] = [0x40, 0];
const PAGE_BYTES: usize = 64 * 1024;
const GROW_PAGES: i32 = (GROW_BYTES / PAGE_BYTES) as i32;
const PIECE: i32 = BULK_BYTES as i32;

/// The parameters.
const TO: u8 = 0;
const FROM: u8 = 1;
const LENGTH: u8 = 2;
const PAGES: u8 = 0;
/// A local variable.
const BEFORE: u8 = 1;

/// Writes a number in LEB128.
pub(super) fn number(text: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        text.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    text.push(number as u8);
}

/// A function's body as it is written.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn put(&mut self, instruction: &[u8]) -> &mut Self {
        self.0.extend_from_slice(instruction);
        self
    }

    fn get(&mut self, variable: u8) -> &mut Self {
        self.put(&[0x20, variable])
    }

    fn set(&mut self, variable: u8) -> &mut Self {
        self.put(&[0x21, variable])
    }

    fn constant(&mut self, mut value: i32) -> &mut Self {
        self.put(&[0x41]);
        loop {
            let byte = (value & 0x7f) as u8;
            value >>= 7;
            let is_last = (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0);
            if is_last {
                return self.put(&[byte]);
            }
            self.put(&[byte | 0x80]);
        }
    }

    /// Pushes whether a variable is above a number.
    fn above(&mut self, variable: u8, value: i32) -> &mut Self {
        self.get(variable).constant(value).put(&GREATER)
    }

    /// Moves a variable by a number.
    fn change(&mut self, variable: u8, how: [u8; 1], value: i32) -> &mut Self {
        self.get(variable).constant(value).put(&how).set(variable)
    }

    /// Pushes the sum of two variables.
    fn sum(&mut self, variable: u8, other: u8) -> &mut Self {
        self.get(variable).get(other).put(&ADD)
    }

    /// The instruction on what is left: it traps if that is out of bounds.
    fn whole(&mut self, instruction: &[u8]) -> &mut Self {
        self.get(TO).get(FROM).get(LENGTH).put(instruction)
    }

    fn piece(&mut self, instruction: &[u8]) -> &mut Self {
        self.get(TO).get(FROM).constant(PIECE).put(instruction)
    }

    /// Pieces from the beginning.
    fn forward(&mut self, instruction: &[u8], has_source: bool) -> &mut Self {
        self.put(&LOOP).piece(instruction).change(TO, ADD, PIECE);
        if has_source {
            self.change(FROM, ADD, PIECE);
        }
        self.change(LENGTH, SUBTRACT, PIECE).above(LENGTH, PIECE).put(&REPEAT_IF).put(&END)
    }

    /// Traps, by doing the whole, if a range wraps around.
    fn check_wrap(&mut self, instruction: &[u8], start: u8) -> &mut Self {
        self.sum(start, LENGTH).get(start).put(&LESS).put(&IF).whole(instruction).put(&END)
    }
}

impl Function {
    /// The body: its local variables and its instructions.
    pub(super) fn body(self, maximum_pages: u32) -> Vec<u8> {
        let mut text = Text::default();
        match self {
            Self::Fill => fill(&mut text),
            Self::Copy => copy(&mut text),
            Self::Init(segment) => initialise(&mut text, segment),
            Self::Grow => grow(&mut text, maximum_pages),
        }
        text.put(&END);
        text.0
    }
}

fn fill(text: &mut Text) {
    const FILL: [u8; 3] = [0xfc, 0x0b, 0];
    text.put(&[0]).above(LENGTH, PIECE).put(&IF).check_wrap(&FILL, TO);
    // Nothing at the end of the range: it traps if that is out of bounds.
    text.sum(TO, LENGTH).constant(0).constant(0).put(&FILL);
    text.forward(&FILL, false).put(&END).whole(&FILL);
}

fn copy(text: &mut Text) {
    const COPY: [u8; 4] = [0xfc, 0x0a, 0, 0];
    text.put(&[0]).above(LENGTH, PIECE).put(&IF);
    text.check_wrap(&COPY, TO).check_wrap(&COPY, FROM);
    text.sum(TO, LENGTH).sum(FROM, LENGTH).constant(0).put(&COPY);
    // The ranges may overlap.
    text.get(TO).get(FROM).put(&NOT_GREATER).put(&IF).forward(&COPY, true).put(&ELSE);
    text.put(&LOOP).change(LENGTH, SUBTRACT, PIECE);
    text.sum(TO, LENGTH).sum(FROM, LENGTH).constant(PIECE).put(&COPY);
    text.above(LENGTH, PIECE).put(&REPEAT_IF).put(&END);
    text.put(&END).put(&END).whole(&COPY);
}

fn initialise(text: &mut Text, segment: u32) {
    let mut instruction = Vec::from([0xfc, 0x08]);
    number(&mut instruction, segment);
    instruction.push(0);
    text.put(&[0]).above(LENGTH, PIECE).put(&IF);
    text.check_wrap(&instruction, TO).check_wrap(&instruction, FROM);
    text.sum(TO, LENGTH).sum(FROM, LENGTH).constant(0).put(&instruction);
    text.forward(&instruction, true).put(&END).whole(&instruction);
}

fn grow(text: &mut Text, maximum_pages: u32) {
    let fail = |text: &mut Text| {
        text.put(&IF).constant(-1).put(&RETURN).put(&END);
    };
    text.put(&[1, 1, I32]).above(PAGES, GROW_PAGES).put(&IF);
    text.get(PAGES).constant(maximum_pages as i32).put(&MEMORY_SIZE).put(&SUBTRACT).put(&GREATER);
    fail(text);
    // This step is too large, but says whether the limit allows all of it.
    text.get(PAGES).put(&MEMORY_GROW).put(&DROP).put(&MEMORY_SIZE).set(BEFORE);
    text.put(&LOOP).constant(GROW_PAGES).put(&MEMORY_GROW).constant(-1).put(&EQUAL);
    fail(text);
    text.change(PAGES, SUBTRACT, GROW_PAGES).above(PAGES, GROW_PAGES).put(&REPEAT_IF).put(&END);
    text.get(PAGES).put(&MEMORY_GROW).constant(-1).put(&EQUAL);
    fail(text);
    text.get(BEFORE).put(&RETURN).put(&END).get(PAGES).put(&MEMORY_GROW);
}
