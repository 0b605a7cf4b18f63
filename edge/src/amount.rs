//! Numbers as people write them, in millionths.
use headwater_core::beacon::MAX_VALUE;
use serde_json::Value;

/// A JSON number, or the text of one (`"29.99"`), in millionths; `None` when it is no number or past 10^12.
#[must_use]
pub fn of(value: &Value) -> Option<i64> {
    let millionths = match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.checked_mul(1_000_000)?,
            None => decimal(&number.to_string())?,
        },
        Value::String(text) => decimal(text.trim())?,
        _ => return None,
    };
    (millionths.unsigned_abs() <= MAX_VALUE.unsigned_abs()).then_some(millionths)
}

/// Exact for plain decimals; with an exponent by way of a double. What is finer than a millionth is cut off.
fn decimal(text: &str) -> Option<i64> {
    if text.contains(['e', 'E']) {
        let value = text.parse::<f64>().ok()? * 1e6;
        return (value.abs() <= MAX_VALUE as f64).then_some(value.round() as i64);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) || whole.len() > 13 {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let padded = fraction.bytes().chain(core::iter::repeat(b'0')).take(6);
    let millionths = padded.fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let value = whole.checked_mul(1_000_000)?.checked_add(millionths)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_exact() {
        for (value, millionths) in [
            (json!(29.99), 29_990_000),
            (json!("29.99"), 29_990_000),
            (json!(-0.1), -100_000),
            (json!(0), 0),
            (json!("1e3"), 1_000_000_000),
            (json!(1e-3), 1000),
            (json!(".5"), 500_000),
            (json!("0.0000019"), 1),
            (json!(1_000_000_000_000i64), MAX_VALUE),
        ] {
            assert_eq!(of(&value), Some(millionths), "{value}");
        }
        for bad in [
            json!(""),
            json!("."),
            json!("-"),
            json!("1,5"),
            json!("x"),
            json!(1e13),
            json!(true),
            json!(null),
            json!("99999999999999"),
            json!(1_000_000_000_001i64),
            json!("1e400"),
            json!("infe"),
        ] {
            assert_eq!(of(&bad), None, "{bad}");
        }
    }
}
