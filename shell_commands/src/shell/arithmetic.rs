//! `$(( … ))`: C's operators over 64-bit numbers that wrap around, with variables.
//!
//! A pure evaluation of text; [`expand`](super::expand) has replaced the parameters in it. The
//! depth is bounded by [`limits::NESTING`].

use std::collections::{BTreeMap, BTreeSet};

use super::syntax::{is_name, is_name_character};
use crate::limits;

/// Binary operators with their precedence; the longest first.
const BINARY: [(&str, u8); 20] = [
    ("**", 12),
    ("<<", 9),
    (">>", 9),
    ("<=", 8),
    (">=", 8),
    ("==", 7),
    ("!=", 7),
    ("&&", 3),
    ("||", 2),
    ("*", 11),
    ("/", 11),
    ("%", 11),
    ("+", 10),
    ("-", 10),
    ("<", 8),
    (">", 8),
    ("&", 6),
    ("^", 5),
    ("|", 4),
    (",", 0),
];
const ASSIGNMENTS: [&str; 11] = ["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "="];
/// The precedence of `?:`.
const CONDITIONAL: u8 = 1;

/// Evaluates an expression; assignments change the variables.
pub(super) fn evaluate(
    text: &str,
    variables: &mut BTreeMap<String, String>,
    readonly: &BTreeSet<String>,
) -> Result<i64, String> {
    let mut evaluation = Evaluation { rest: text, variables, readonly, skipped: 0, depth: 0 };
    evaluation.blanks();
    if evaluation.rest.is_empty() {
        return Ok(0);
    }
    let value = evaluation.expression(0)?;
    match evaluation.rest {
        "" => Ok(value),
        rest => Err(format!("arithmetic: unexpected {rest}")),
    }
}

struct Evaluation<'a> {
    rest: &'a str,
    variables: &'a mut BTreeMap<String, String>,
    readonly: &'a BTreeSet<String>,
    /// In the part of `&&`, `||` and `?:` that does not count.
    skipped: usize,
    depth: usize,
}

impl<'a> Evaluation<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > limits::NESTING {
            return Err(String::from("arithmetic: too deeply nested"));
        }
        Ok(())
    }

    /// Evaluates with `skip`: errors of values and assignments do not count.
    fn operand(&mut self, precedence: u8, skip: bool) -> Result<i64, String> {
        self.skipped = self.skipped.saturating_add(usize::from(skip));
        let value = self.expression(precedence)?;
        self.skipped = self.skipped.saturating_sub(usize::from(skip));
        Ok(value)
    }

    fn expression(&mut self, least: u8) -> Result<i64, String> {
        self.deeper()?;
        let mut left = self.unary()?;
        loop {
            if least <= CONDITIONAL && self.eat("?") {
                let truth = left != 0;
                let yes = self.operand(0, !truth)?;
                if !self.eat(":") {
                    return Err(String::from("arithmetic: : is missing"));
                }
                let no = self.operand(CONDITIONAL, truth)?;
                left = if truth { yes } else { no };
                continue;
            }
            let found = BINARY.into_iter().find(|(text, _)| self.rest.starts_with(text));
            let Some((operator, precedence)) = found.filter(|(_, found)| *found >= least) else {
                break;
            };
            self.eat(operator);
            let skip = (operator == "&&" && left == 0) || (operator == "||" && left != 0);
            // `**` groups from the right.
            let right =
                self.operand(precedence.saturating_add(u8::from(operator != "**")), skip)?;
            left = match operator {
                "&&" => i64::from(left != 0 && right != 0),
                "||" => i64::from(left != 0 || right != 0),
                _ => self.binary(operator, left, right)?,
            };
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(left)
    }

    fn binary(&self, operator: &str, left: i64, right: i64) -> Result<i64, String> {
        if matches!(operator, "/" | "%") && right == 0 {
            return if self.skipped > 0 { Ok(0) } else { Err("division by zero".to_owned()) };
        }
        // As C's compilers do it, only the lowest bits of a shift count.
        let shift = u32::try_from(right & 63).unwrap_or_default();
        Ok(match operator {
            "*" => left.wrapping_mul(right),
            "/" => left.wrapping_div(right),
            "%" => left.wrapping_rem(right),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "&" => left & right,
            "^" => left ^ right,
            "|" => left | right,
            "**" => match u32::try_from(right) {
                Ok(power) => left.wrapping_pow(power),
                Err(_) => return Err(String::from("arithmetic: bad exponent")),
            },
            _ => right,
        })
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.deeper()?;
        let value = if self.eat("++") || self.rest.starts_with("--") {
            let step = if self.eat("--") { -1 } else { 1 };
            let name = self.name().ok_or("arithmetic: a variable is missing")?;
            let value = self.value(&name)?.wrapping_add(step);
            self.assign(name, value)?
        } else if self.eat("-") {
            self.unary()?.wrapping_neg()
        } else if self.eat("+") {
            self.unary()?
        } else if self.eat("!") {
            i64::from(self.unary()? == 0)
        } else if self.eat("~") {
            !self.unary()?
        } else if self.eat("(") {
            let value = self.expression(0)?;
            if !self.eat(")") {
                return Err(String::from("arithmetic: ) is missing"));
            }
            value
        } else if let Some(name) = self.name() {
            self.variable(name)?
        } else {
            self.number()?
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn name(&mut self) -> Option<String> {
        let end = self.rest.find(|character| !is_name_character(character));
        let name = self.rest.get(..end.unwrap_or(self.rest.len()))?;
        if !is_name(name) {
            return None;
        }
        self.eat(name);
        Some(name.to_owned())
    }

    /// A variable, and its assignment if one follows.
    fn variable(&mut self, name: String) -> Result<i64, String> {
        let operator = ASSIGNMENTS
            .into_iter()
            .find(|operator| self.rest.starts_with(operator) && !self.rest.starts_with("=="));
        if let Some(operator) = operator {
            self.eat(operator);
            let right = self.expression(CONDITIONAL)?;
            let value = match operator.strip_suffix('=') {
                None | Some("") => right,
                Some(binary) => self.binary(binary, self.value(&name)?, right)?,
            };
            return self.assign(name, value);
        }
        let value = self.value(&name)?;
        if self.eat("++") {
            self.assign(name, value.wrapping_add(1))?;
        } else if self.eat("--") {
            self.assign(name, value.wrapping_sub(1))?;
        }
        Ok(value)
    }

    fn assign(&mut self, name: String, value: i64) -> Result<i64, String> {
        if self.skipped == 0 {
            if self.readonly.contains(&name) {
                return Err(format!("{name}: is read only"));
            }
            self.variables.insert(name, value.to_string());
        }
        Ok(value)
    }

    fn value(&self, name: &str) -> Result<i64, String> {
        let text = self.variables.get(name).map_or("", String::as_str).trim();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        match digits {
            "" if text.is_empty() => Ok(0),
            _ if self.skipped > 0 => Ok(0),
            _ => Ok(parse(digits)?.wrapping_mul(sign)),
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let end = self.rest.find(|character: char| !character.is_ascii_alphanumeric());
        let digits: &'a str = self.rest.get(..end.unwrap_or(self.rest.len())).unwrap_or_default();
        if digits.is_empty() {
            return Err(match self.rest {
                "" => String::from("arithmetic: a value is missing"),
                rest => format!("arithmetic: unexpected {rest}"),
            });
        }
        self.eat(digits);
        parse(digits)
    }
}

/// A number in C's notation: decimal, `0x…` or `0…`.
fn parse(digits: &str) -> Result<i64, String> {
    let (radix, text) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(text) => (16, text),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let signed = text.starts_with(['+', '-']);
    match i64::from_str_radix(text, radix) {
        Ok(number) if !signed => Ok(number),
        _ => Err(format!("arithmetic: {digits}: bad number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_the_values_of_c() {
        let mut variables = BTreeMap::from([(String::from("a"), String::from("5"))]);
        for (text, value) in [
            ("", 0),
            ("1 + 2 * 3", 7),
            ("(1+2)*3", 9),
            ("7/2", 3),
            ("-7/2", -3),
            ("7%3", 1),
            ("2**3**2", 512),
            ("1<<4|1", 17),
            ("5>3 && 2<1", 0),
            ("1||1/0", 1),
            ("0&&1/0", 0),
            ("a?1:2", 1),
            ("0?1:0?2:3", 3),
            ("!a", 0),
            ("~0", -1),
            ("- -3", 3),
            ("0x10+010", 24),
            ("a+=2", 7),
            ("a++", 7),
            ("a", 8),
            ("--a", 7),
            ("b", 0),
            ("b=a==7", 1),
            ("1,2", 2),
            ("0&&(b=9)", 0),
            ("b", 1),
            ("9223372036854775807+1", i64::MIN),
            ("a-1", 6),
            ("6^3", 5),
            ("6&3", 2),
            ("1!=1", 0),
        ] {
            assert_eq!(evaluate(text, &mut variables, &BTreeSet::new()), Ok(value), "{text}");
        }
    }

    #[test]
    fn wrong_expressions_are_errors() {
        let mut variables = BTreeMap::from([(String::from("x"), String::from("q"))]);
        for text in ["1/0", "1+", "(1", "1 2", "x", "09", "1?2", "$", ")", "5=3", "2**-1"] {
            assert!(evaluate(text, &mut variables, &BTreeSet::new()).is_err(), "{text}");
        }
        for open in ["(", "-", "!", "1+(", "1?"] {
            assert!(evaluate(&open.repeat(10_000), &mut variables, &BTreeSet::new()).is_err());
        }
        assert_eq!(
            evaluate(&("1+".repeat(10_000) + "1"), &mut variables, &BTreeSet::new()),
            Ok(10_001)
        );
    }
}
