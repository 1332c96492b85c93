//! MathML, as far as SBML has it, as expressions.

use super::attribute::Element;
use crate::{IoError, Limits};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use twin_models::equations::{Expression, Function, MAX_DEPTH};

const READ: &str =
    "numbers, symbols, time, arithmetic, powers and roots, exponentials, trigonometry, comparisons, logic, piecewise";

/// Elements of MathML that are functions, by their name there, where it is not that of [`Function::named`].
const NAMED: [(&str, Function); 23] = [
    ("ceiling", Function::Ceiling),
    ("arcsin", Function::InverseSine),
    ("arccos", Function::InverseCosine),
    ("arctan", Function::InverseTangent),
    ("arcsinh", Function::InverseHyperbolicSine),
    ("arccosh", Function::InverseHyperbolicCosine),
    ("arctanh", Function::InverseHyperbolicTangent),
    ("power", Function::Power),
    ("plus", Function::Add),
    ("times", Function::Multiply),
    ("divide", Function::Divide),
    ("quotient", Function::Quotient),
    ("rem", Function::Remainder),
    ("abs", Function::Absolute),
    ("exp", Function::Exponential),
    ("ln", Function::NaturalLogarithm),
    ("floor", Function::Floor),
    ("factorial", Function::Factorial),
    ("max", Function::Maximum),
    ("min", Function::Minimum),
    ("implies", Function::Implies),
    ("not", Function::Not),
    ("neq", Function::Differ),
];
/// Elements whose names are those of [`Function::named`].
const SAME: [&str; 17] =
    ["sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "lt", "leq", "gt", "geq", "eq", "and", "or", "xor"];

/// The functions that a file defines. Each is read when it is first used.
#[derive(Debug)]
pub(super) struct Functions<'a> {
    definitions: BTreeMap<&'a str, Element<'a>>,
    /// What was read; `None` while it is being read.
    read: RefCell<BTreeMap<&'a str, Option<Lambda>>>,
    /// How many parts of expressions calls have become: a short file can call functions that call functions a billion times over.
    inlined: Cell<usize>,
    most: usize,
    depth: usize,
}

/// Names of arguments, and the value.
#[derive(Debug, Clone)]
struct Lambda {
    arguments: Vec<String>,
    body: Expression,
}

impl<'a> Functions<'a> {
    pub(super) fn new(model: Element<'a>, limits: &Limits) -> Result<Self, IoError> {
        let mut definitions = BTreeMap::new();
        for definition in model.list("listOfFunctionDefinitions") {
            if definitions.insert(definition.symbol("id")?, definition).is_some() {
                return Err(definition.place("id").invalid("is given twice"));
            }
        }
        let depth = limits.max_depth.min(MAX_DEPTH);
        Ok(Self { definitions, read: RefCell::default(), inlined: Cell::new(0), most: limits.max_records, depth })
    }

    /// The expression in the `math` of an element.
    pub(super) fn math(&self, of: Element<'a>) -> Result<Expression, IoError> {
        let content = of.child("math").and_then(|math| math.children().next());
        let content = content.ok_or_else(|| of.place("math").unsupported("an element without its math", READ))?;
        self.expression(content, 1)
    }

    fn expression(&self, of: Element<'a>, depth: usize) -> Result<Expression, IoError> {
        if depth > self.depth {
            return Err(of.place("math").over("levels of math", self.depth, "max_depth"));
        }
        match of.name() {
            "cn" => number(of).map(Expression::Number),
            "ci" => Ok(Expression::Name(symbol(of)?.to_owned())),
            "csymbol" => constant_symbol(of),
            "true" => Ok(Expression::Number(1.0)),
            "false" => Ok(Expression::Number(0.0)),
            "pi" => Ok(Expression::Number(std::f64::consts::PI)),
            "exponentiale" => Ok(Expression::Number(std::f64::consts::E)),
            "infinity" => Ok(Expression::Number(f64::INFINITY)),
            "notanumber" => Ok(Expression::Number(f64::NAN)),
            "semantics" => {
                let inner = of.children().next().ok_or_else(|| of.place("math").syntax("must not be empty"))?;
                self.expression(inner, depth + 1)
            }
            "piecewise" => self.pieces(of, depth),
            "apply" => self.apply(of, depth),
            _ => Err(of.place("math").unsupported("this element of MathML", READ)),
        }
    }

    fn pieces(&self, of: Element<'a>, depth: usize) -> Result<Expression, IoError> {
        let (mut pairs, mut otherwise) = (Vec::new(), None);
        for piece in of.children() {
            let inner: Result<Vec<_>, _> = piece.children().map(|inner| self.expression(inner, depth + 1)).collect();
            match (piece.name(), inner?) {
                ("piece", inner) if inner.len() == 2 => pairs.extend(inner),
                ("otherwise", mut inner) if inner.len() == 1 && otherwise.is_none() => otherwise = inner.pop(),
                _ => return Err(piece.place("math").syntax("must be pieces of two expressions and at most one otherwise")),
            }
        }
        pairs.extend(otherwise);
        if pairs.is_empty() {
            return Ok(Expression::Number(f64::NAN));
        }
        applied(of, Function::Piecewise, pairs)
    }

    fn apply(&self, of: Element<'a>, depth: usize) -> Result<Expression, IoError> {
        let mut children = of.children();
        let head = children.next().ok_or_else(|| of.place("math").syntax("must name a function"))?;
        let (mut qualifier, mut arguments) = (None, Vec::new());
        for child in children {
            if matches!(child.name(), "degree" | "logbase") {
                let inner = child.children().next().ok_or_else(|| child.place("math").syntax("must not be empty"))?;
                qualifier = Some(self.expression(inner, depth + 1)?);
            } else {
                arguments.push(self.expression(child, depth + 1)?);
            }
        }
        let with = |function, default: f64, mut arguments: Vec<Expression>| {
            arguments.insert(0, qualifier.clone().unwrap_or(Expression::Number(default)));
            applied(of, function, arguments)
        };
        match head.name() {
            "ci" => self.call(head, arguments, depth),
            "csymbol" => constant_symbol(head),
            "minus" if arguments.len() == 1 => applied(of, Function::Negate, arguments),
            "minus" => applied(of, Function::Subtract, arguments),
            "root" if qualifier.is_none() => applied(of, Function::SquareRoot, arguments),
            "root" => with(Function::Root, 2.0, arguments),
            "log" if qualifier.is_none() => applied(of, Function::DecimalLogarithm, arguments),
            "log" => with(Function::Logarithm, 10.0, arguments),
            name => {
                let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
                let same = || SAME.contains(&name).then(|| Function::named(name)).flatten();
                let hyperbolic = || match name {
                    // The inverses that are other functions of the reciprocal.
                    "arcsec" => Some(Function::InverseCosine),
                    "arccsc" => Some(Function::InverseSine),
                    "arccot" => Some(Function::InverseTangent),
                    "arcsech" => Some(Function::InverseHyperbolicCosine),
                    "arccsch" => Some(Function::InverseHyperbolicSine),
                    "arccoth" => Some(Function::InverseHyperbolicTangent),
                    _ => None,
                };
                let reciprocal = |name| match name {
                    "sech" => Some(Function::HyperbolicCosine),
                    "csch" => Some(Function::HyperbolicSine),
                    "coth" => Some(Function::HyperbolicTangent),
                    _ => None,
                };
                let over_one = |value| applied(of, Function::Divide, vec![Expression::Number(1.0), value]);
                if let Some(function) = named.or_else(same) {
                    applied(of, function, arguments)
                } else if let (Some(function), [argument]) = (hyperbolic(), arguments.as_slice()) {
                    applied(of, function, vec![over_one(argument.clone())?])
                } else if let Some(function) = reciprocal(name) {
                    over_one(applied(of, function, arguments)?)
                } else {
                    Err(head.place("math").unsupported("this function of MathML", READ))
                }
            }
        }
    }

    /// A call of a function that the file defines.
    fn call(&self, head: Element<'a>, arguments: Vec<Expression>, depth: usize) -> Result<Expression, IoError> {
        let lambda = self.lambda(head, depth)?;
        if lambda.arguments.len() != arguments.len() {
            return Err(head.place("math").invalid("is given another number of arguments than it is defined with"));
        }
        let named: BTreeMap<&str, &Expression> = lambda.arguments.iter().map(String::as_str).zip(&arguments).collect();
        self.inlined.set(self.inlined.get().saturating_add(inlined(&lambda.body, &named)));
        if self.inlined.get() > self.most {
            return Err(head.place("math").over("parts of an expression", self.most, "max_records"));
        }
        let inlined = lambda.body.replace(&|name| named.get(name).map(|argument| (*argument).clone()));
        inlined.map_err(|_| head.place("math").over("levels of math", MAX_DEPTH, "max_depth"))
    }

    fn lambda(&self, head: Element<'a>, depth: usize) -> Result<Lambda, IoError> {
        let name = symbol(head)?;
        let Some((name, definition)) = self.definitions.get_key_value(name) else {
            return Err(head.place("math").invalid("calls a function that is not defined"));
        };
        match self.read.borrow().get(name) {
            Some(Some(lambda)) => return Ok(lambda.clone()),
            Some(None) => return Err(definition.place("math").invalid("calls itself")),
            None => {}
        }
        self.read.borrow_mut().insert(name, None);
        let lambda = definition.child("math").and_then(|math| math.children().next()).filter(|lambda| lambda.name() == "lambda");
        let lambda = lambda.ok_or_else(|| definition.place("math").unsupported("a function without its lambda", READ))?;
        let (mut arguments, mut body) = (Vec::new(), None);
        for child in lambda.children() {
            if child.name() == "bvar" {
                let argument = child.children().next().ok_or_else(|| child.place("math").syntax("must not be empty"))?;
                arguments.push(symbol(argument)?.to_owned());
            } else {
                body = Some(self.expression(child, depth + 1)?);
            }
        }
        let body = body.ok_or_else(|| definition.place("math").unsupported("a function without a value", READ))?;
        if body.names().iter().any(|name| !arguments.iter().any(|argument| argument == name)) {
            return Err(definition.place("math").invalid("may use its own arguments only"));
        }
        let lambda = Lambda { arguments, body };
        self.read.borrow_mut().insert(name, Some(lambda.clone()));
        Ok(lambda)
    }
}

/// The size of `body` with names replaced.
fn inlined(body: &Expression, named: &BTreeMap<&str, &Expression>) -> usize {
    match body {
        Expression::Name(name) => named.get(name.as_str()).map_or(1, |argument| argument.size()),
        Expression::Apply { arguments, .. } => {
            arguments.iter().fold(1, |sum: usize, argument| sum.saturating_add(inlined(argument, named)))
        }
        _ => 1,
    }
}

fn applied(of: Element<'_>, function: Function, arguments: Vec<Expression>) -> Result<Expression, IoError> {
    let place = || of.place("math");
    if !function.takes(arguments.len()) {
        return Err(place().syntax("the function is given a number of arguments that it does not take"));
    }
    Expression::apply(function, arguments).map_err(|_| place().over("levels of math", MAX_DEPTH, "max_depth"))
}

fn symbol<'a>(of: Element<'a>) -> Result<&'a str, IoError> {
    of.node.text().map(str::trim).filter(|text| !text.is_empty()).ok_or_else(|| of.place("math").syntax("must be a symbol"))
}

fn constant_symbol(of: Element<'_>) -> Result<Expression, IoError> {
    match of.node.attribute("definitionURL").map(str::trim) {
        Some("http://www.sbml.org/sbml/symbols/time") => Ok(Expression::Time),
        // The value that SBML Level 3 fixes for this symbol (section 3.4.6), whatever it has been measured to be since.
        Some("http://www.sbml.org/sbml/symbols/avogadro") => Ok(Expression::Number(6.022_141_79e23)),
        Some("http://www.sbml.org/sbml/symbols/delay") => Err(of.place("math").unsupported("a delay in an expression", READ)),
        Some("http://www.sbml.org/sbml/symbols/rateOf") => Err(of.place("math").unsupported("the rate of a symbol", READ)),
        _ => Err(of.place("math").unsupported("this csymbol", READ)),
    }
}

fn number(of: Element<'_>) -> Result<f64, IoError> {
    let fault = || of.place("math").syntax("must be a number");
    let parts: Vec<&str> =
        of.node.children().filter_map(|node| node.text()).map(str::trim).filter(|text| !text.is_empty()).collect();
    let value = |text: &str| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
        if is_plain { text.parse::<f64>().map_err(|_| fault()) } else { Err(fault()) }
    };
    match (of.node.attribute("type").unwrap_or("real"), parts.as_slice()) {
        ("e-notation", [mantissa, exponent]) => value(&format!("{mantissa}e{exponent}")),
        ("rational", [numerator, denominator]) => Ok(value(numerator)? / value(denominator)?),
        ("real" | "integer", [number]) => value(number),
        _ => Err(fault()),
    }
}
