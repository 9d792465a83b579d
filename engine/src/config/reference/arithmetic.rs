//! Arithmetic of two numbers: integers stay integers and are exact, with a float the result is a float.

use super::super::expression::Operation;
use super::super::tree::Kind;

/// A number of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(super) fn of(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Int(value) => Some(Number::Int(*value)),
            Kind::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Number::Int(value) => Kind::Int(value),
            Number::Float(value) => Kind::Float(value),
        }
    }

    fn float(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Int(value) => write!(f, "{value}"),
            Number::Float(value) => write!(f, "{value:?}"),
        }
    }
}

impl Operation {
    /// The result.
    ///
    /// # Errors
    /// A text: integers that do not divide without a remainder, a division by zero, a result that is too large.
    pub(super) fn apply(self, first: Number, second: Number) -> Result<Number, String> {
        let (Number::Int(one), Number::Int(other)) = (first, second) else {
            return self.of_floats(first.float(), second.float());
        };
        let result = match self {
            Operation::Add => one.checked_add(other),
            Operation::Sub => one.checked_sub(other),
            Operation::Mul => one.checked_mul(other),
            Operation::Div if other == 0 => return Err(format!("{one} is divided by zero")),
            Operation::Div => match one.checked_rem(other) {
                Some(0) => one.checked_div(other),
                Some(_) => {
                    return Err(format!(
                        "{one} is not a multiple of {other}: integers are divided without a remainder, floats \
                         (`{other}.0`) with a fraction"
                    ));
                }
                None => None,
            },
        };
        result.map(Number::Int).ok_or_else(|| "the result has more than 127 bits".to_owned())
    }

    fn of_floats(self, one: f64, other: f64) -> Result<Number, String> {
        let result = match self {
            Operation::Add => one + other,
            Operation::Sub => one - other,
            Operation::Mul => one * other,
            Operation::Div if other == 0.0 => return Err(format!("{one:?} is divided by zero")),
            Operation::Div => one / other,
        };
        match result.is_finite() {
            true => Ok(Number::Float(result)),
            false => Err(format!("the result is `{result:?}`, which is not a finite number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_exact_and_a_float_makes_the_result_a_float() {
        use Number::{Float, Int};
        assert_eq!(Operation::Mul.apply(Int(1 << 100), Int(3)), Ok(Int(3 << 100)));
        assert_eq!(Operation::Sub.apply(Int(3), Int(5)), Ok(Int(-2)));
        assert_eq!(Operation::Div.apply(Int(-12), Int(4)), Ok(Int(-3)));
        assert_eq!(Operation::Div.apply(Int(7), Float(2.0)), Ok(Float(3.5)));
        assert_eq!(Operation::Add.apply(Float(0.5), Int(1)), Ok(Float(1.5)));
    }

    #[test]
    fn what_has_no_exact_result_is_refused() {
        use Number::{Float, Int};
        let refused = |operation: Operation, one, other| operation.apply(one, other).unwrap_err();
        assert!(refused(Operation::Div, Int(7), Int(2)).starts_with("7 is not a multiple of 2: "));
        assert_eq!(refused(Operation::Div, Int(7), Int(0)), "7 is divided by zero");
        assert_eq!(refused(Operation::Div, Float(7.0), Int(0)), "7.0 is divided by zero");
        assert_eq!(refused(Operation::Mul, Int(i128::MAX), Int(2)), "the result has more than 127 bits");
        assert_eq!(refused(Operation::Div, Int(i128::MIN), Int(-1)), "the result has more than 127 bits");
        assert_eq!(
            refused(Operation::Mul, Float(1e300), Float(1e10)),
            "the result is `inf`, which is not a finite number"
        );
    }
}
