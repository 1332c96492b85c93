//! Numbers as text, the same on every machine.

/// Writes `value` with `digits` significant digits (1 to 15), as the figures of a report do.
///
/// A true minus sign, narrow spaces between thousands from 10 000 on, and powers of ten below 0.0001 and from 10 million on. Digits
/// before the decimal point are never rounded away. What is not finite is written as `not finite`.
///
/// ```
/// use twin_trials::report::format_number;
/// assert_eq!(format_number(0.012345, 3), "0.0123");
/// assert_eq!(format_number(-4.0, 2), "−4.0");
/// assert_eq!(format_number(1234567.0, 3), "1\u{202f}234\u{202f}567");
/// assert_eq!(format_number(2.5e-9, 2), "2.5 × 10⁻⁹");
/// ```
#[must_use]
pub fn format_number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "not finite".to_owned();
    }
    let digits = digits.clamp(1, 15);
    if value.abs() <= 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..7).contains(&exponent) {
        let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
        fixed(value, decimals)
    } else {
        format!("{} × {}", mantissa.replace('-', "−"), power_of_ten(exponent))
    }
}

/// Writes a probability under a null hypothesis: two significant digits, and `p < 0.001` below that.
///
/// ```
/// use twin_trials::report::format_p_value;
/// assert_eq!(format_p_value(0.0312), "p = 0.031");
/// assert_eq!(format_p_value(2e-9), "p < 0.001");
/// ```
#[must_use]
pub fn format_p_value(probability: f64) -> String {
    if probability < 0.001 { "p < 0.001".to_owned() } else { format!("p = {}", format_number(probability, 2)) }
}

/// `10` with a raised exponent.
pub(super) fn power_of_ten(exponent: i32) -> String {
    let raise = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        other => other.to_digit(10).and_then(|value| char::from_u32(0x2070 + value)).unwrap_or(other),
    };
    format!("10{}", exponent.to_string().chars().map(raise).collect::<String>())
}

/// A number with a fixed count of decimals, a true minus sign and spaced thousands.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let nothing = !text.contains(|digit: char| digit.is_ascii_digit() && digit != '0');
    let mut out = String::from(if value < 0.0 && !nothing { "−" } else { "" });
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && whole.len() > 4 && (whole.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out + rest
}

/// A coordinate of a drawing: two decimals at most, without trailing zeros.
pub(super) fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_round_once() {
        for (value, digits, expected) in [
            (0.0, 3, "0"),
            (9.996, 3, "10.0"),
            (99.96, 3, "100"),
            (123.456, 3, "123"),
            (12345.6, 3, "12\u{202f}346"),
            (-0.00012, 2, "−0.00012"),
            (1.5e12, 2, "1.5 × 10¹²"),
            (f64::NAN, 3, "not finite"),
        ] {
            assert_eq!(format_number(value, digits), expected, "{value}");
        }
    }

    #[test]
    fn coordinates_are_short_and_never_negative_zero() {
        assert_eq!([12.0, 12.345, -0.001, 0.5].map(coordinate), ["12", "12.35", "0", "0.5"].map(str::to_owned));
        assert_eq!(fixed(-0.001, 1), "0.0");
    }
}
