//! Expressions as text.

use super::{Expression, Function, expression::MAX_DEPTH};
use crate::SimulationError;

impl Expression {
    /// Reads text such as `rate * (1 - x / capacity)^2`: numbers, names, `time`, `true`, `false`, `pi`, the operators
    /// `|| && ! < <= > >= == != + - * / ^`, and calls of functions by [`Function::name`]. `piecewise(value, condition, otherwise)`
    /// takes pairs. A power binds tighter than a sign, and from the right.
    ///
    /// # Errors
    /// [`SimulationError::Expression`] with the byte at which it goes wrong.
    pub fn parse(text: &str) -> Result<Self, SimulationError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let whole = parser.any()?;
        if parser.peek().is_some() { Err(parser.fault("an operator or the end")) } else { Ok(whole) }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Parsed = Result<Expression, SimulationError>;

impl Parser<'_> {
    fn fault(&self, expected: &str) -> SimulationError {
        SimulationError::Expression { at: self.at, detail: format!("{expected} was expected") }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&mut self) -> Option<char> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    /// Takes the first of `tokens` that stands here, and tells which.
    fn take(&mut self, tokens: &[&str]) -> Option<usize> {
        self.peek();
        let found = tokens.iter().position(|token| self.rest().starts_with(token))?;
        self.at += tokens.get(found).map_or(0, |token| token.len());
        Some(found)
    }

    /// One level deeper, so that what is nested too deep is refused before the stack of the machine ends.
    fn deeper(&mut self, inner: fn(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SimulationError::Expression { at: self.at, detail: format!("at most {MAX_DEPTH} levels are possible") });
        }
        let parsed = inner(self);
        self.depth -= 1;
        parsed
    }

    fn any(&mut self) -> Parsed {
        self.deeper(|parser| parser.joined("||", Function::Any, |parser| parser.joined("&&", Function::All, Self::relation)))
    }

    /// Terms with one operator between them, as one function of all.
    fn joined(&mut self, operator: &str, function: Function, term: fn(&mut Self) -> Parsed) -> Parsed {
        let mut terms = vec![term(self)?];
        while self.take(&[operator]).is_some() {
            terms.push(term(self)?);
        }
        single_or(function, terms)
    }

    fn relation(&mut self) -> Parsed {
        const OPERATORS: [&str; 6] = ["<=", ">=", "==", "!=", "<", ">"];
        const FUNCTIONS: [Function; 6] =
            [Function::AtMost, Function::AtLeast, Function::Equal, Function::Differ, Function::Less, Function::Greater];
        let mut terms = vec![self.sum()?];
        let mut chained = None;
        while let Some(operator) = self.take(&OPERATORS) {
            let function = FUNCTIONS.get(operator).copied();
            if chained.is_some() && chained != function {
                return Err(self.fault("the same comparison as before"));
            }
            chained = function;
            terms.push(self.sum()?);
        }
        single_or(chained.unwrap_or(Function::Equal), terms)
    }

    fn sum(&mut self) -> Parsed {
        let mut terms = vec![self.product()?];
        while let Some(operator) = self.take(&["+", "-"]) {
            let term = self.product()?;
            if operator == 0 {
                terms.push(term);
            } else {
                let before = single_or(Function::Add, std::mem::take(&mut terms))?;
                terms.push(Expression::apply(Function::Subtract, vec![before, term])?);
            }
        }
        single_or(Function::Add, terms)
    }

    fn product(&mut self) -> Parsed {
        let mut factors = vec![self.signed()?];
        while let Some(operator) = self.take(&["*", "/"]) {
            let factor = self.signed()?;
            if operator == 0 {
                factors.push(factor);
            } else {
                let before = single_or(Function::Multiply, std::mem::take(&mut factors))?;
                factors.push(Expression::apply(Function::Divide, vec![before, factor])?);
            }
        }
        single_or(Function::Multiply, factors)
    }

    fn signed(&mut self) -> Parsed {
        match self.take(&["-", "+", "!"]) {
            Some(0) => Expression::apply(Function::Negate, vec![self.deeper(Self::signed)?]),
            Some(1) => self.deeper(Self::signed),
            Some(_) => Expression::apply(Function::Not, vec![self.deeper(Self::signed)?]),
            None => self.power(),
        }
    }

    fn power(&mut self) -> Parsed {
        let base = self.atom()?;
        if self.take(&["^"]).is_none() {
            return Ok(base);
        }
        let exponent = self.deeper(Self::signed)?;
        Expression::apply(Function::Power, vec![base, exponent])
    }

    fn atom(&mut self) -> Parsed {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.any()?;
                if self.take(&[")"]).is_none() { Err(self.fault("`)`")) } else { Ok(inner) }
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => self.name(),
            _ => Err(self.fault("a number, a name or `(`")),
        }
    }

    fn number(&mut self) -> Parsed {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let mut length = digits(0);
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let number = self.rest().get(..length).and_then(|text| text.parse().ok()).ok_or_else(|| self.fault("a number"))?;
        self.at += length;
        Ok(Expression::Number(number))
    }

    fn name(&mut self) -> Parsed {
        let length = self.rest().find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest().len());
        let name = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        if self.take(&["("]).is_none() {
            return Ok(match name.as_str() {
                "time" => Expression::Time,
                "true" => Expression::Number(1.0),
                "false" => Expression::Number(0.0),
                "pi" => Expression::Number(std::f64::consts::PI),
                _ => Expression::Name(name),
            });
        }
        let function = Function::named(&name).ok_or_else(|| self.fault("a function that is known"))?;
        let mut arguments = Vec::new();
        if self.take(&[")"]).is_some() {
            return Expression::apply(function, arguments);
        }
        loop {
            arguments.push(self.any()?);
            match self.take(&[",", ")"]) {
                Some(0) => {}
                Some(_) => return Expression::apply(function, arguments),
                None => return Err(self.fault("`,` or `)`")),
            }
        }
    }
}

/// The only one of `terms`, or `function` of all.
fn single_or(function: Function, mut terms: Vec<Expression>) -> Parsed {
    match (terms.len(), terms.pop()) {
        (1, Some(only)) => Ok(only),
        (_, last) => {
            terms.extend(last);
            Expression::apply(function, terms)
        }
    }
}
