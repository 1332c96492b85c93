//! Expressions with their names resolved, as steps of a machine with a stack.

use super::expression::Expression;
use super::function::{self, Function};

/// How many values the stack holds.
const STACK: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    Load(usize),
    Apply(Function, usize),
    /// Takes a condition from the stack and goes to the step of that number unless it is true.
    Unless(usize),
    Go(usize),
}

/// An expression over a table of values, of which the first is the time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Program {
    steps: Vec<Step>,
}

impl Program {
    /// An expression whose names stand at `places`; the error says what is wrong.
    pub(super) fn new(expression: &Expression, places: &dyn Fn(&str) -> Option<usize>) -> Result<Self, String> {
        let mut program = Self { steps: Vec::new() };
        let most = program.add(expression, places)?;
        if most > STACK {
            return Err(format!("it needs {most} values at once, but {STACK} are possible"));
        }
        Ok(program)
    }

    /// Adds the steps of an expression, and tells how many values they need at once.
    fn add(&mut self, expression: &Expression, places: &dyn Fn(&str) -> Option<usize>) -> Result<usize, String> {
        match expression {
            Expression::Number(number) => self.steps.push(Step::Number(*number)),
            Expression::Time => self.steps.push(Step::Load(0)),
            Expression::Name(name) => {
                self.steps.push(Step::Load(places(name).ok_or_else(|| format!("nothing is named `{name}`"))?));
            }
            Expression::Apply { function: Function::Piecewise, arguments } => return self.add_pieces(arguments, places),
            Expression::Apply { function, arguments } => {
                let mut most = 1;
                for (index, argument) in arguments.iter().enumerate() {
                    most = most.max(index + self.add(argument, places)?);
                }
                self.steps.push(Step::Apply(*function, arguments.len()));
                return Ok(most);
            }
        }
        Ok(1)
    }

    fn add_pieces(&mut self, arguments: &[Expression], places: &dyn Fn(&str) -> Option<usize>) -> Result<usize, String> {
        let (mut most, mut exits) = (1, Vec::new());
        for pair in arguments.chunks(2) {
            let [value, condition] = pair else { break };
            most = most.max(self.add(condition, places)?);
            let unless = self.steps.len();
            self.steps.push(Step::Unless(0));
            most = most.max(self.add(value, places)?);
            exits.push(self.steps.len());
            self.steps.push(Step::Go(0));
            self.steps[unless] = Step::Unless(self.steps.len());
        }
        match arguments.chunks_exact(2).remainder() {
            [otherwise] => most = most.max(self.add(otherwise, places)?),
            _ => self.steps.push(Step::Number(f64::NAN)),
        }
        let end = self.steps.len();
        exits.into_iter().for_each(|exit| self.steps[exit] = Step::Go(end));
        Ok(most)
    }

    /// The value.
    pub(super) fn value(&self, values: &[f64]) -> f64 {
        match self.steps.as_slice() {
            [Step::Number(number)] => return *number,
            [Step::Load(place)] => return values[*place],
            _ => {}
        }
        let (mut stack, mut top, mut at) = ([0.0; STACK], 0, 0);
        while let Some(step) = self.steps.get(at) {
            at += 1;
            match *step {
                Step::Number(number) => {
                    stack[top] = number;
                    top += 1;
                }
                Step::Load(place) => {
                    stack[top] = values[place];
                    top += 1;
                }
                Step::Apply(function, count) => {
                    top -= count;
                    stack[top] = match (function, &stack[top..top + count]) {
                        (Function::Multiply, [a, b]) => a * b,
                        (Function::Add, [a, b]) => a + b,
                        (function, arguments) => function.of(arguments),
                    };
                    top += 1;
                }
                Step::Unless(target) => {
                    top -= 1;
                    if !function::is_true(stack[top]) {
                        at = target;
                    }
                }
                Step::Go(target) => at = target,
            }
        }
        stack[0]
    }

    /// Whether it is true.
    pub(super) fn holds(&self, values: &[f64]) -> bool {
        function::is_true(self.value(values))
    }
}
