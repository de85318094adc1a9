//! Checks of the texts people send: one place, so that every name has the same rules and the same words for breaking them.

use bailiwick_base::{Code, Cursor, Problem};

/// A text of 1 to `max` characters without control characters, trimmed.
///
/// # Errors
/// `bad_request`, naming the field.
pub fn name(field: &str, text: &str, max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::new(Code::BadRequest, format!("`{field}` is empty. Give it a text.")).at(field));
    }
    optional(field, text, max)?;
    Ok(text.to_owned())
}

/// A text of at most `max` characters without control characters.
///
/// # Errors
/// `bad_request`, naming the field.
pub fn optional(field: &str, text: &str, max: usize) -> Result<(), Problem> {
    if text.chars().count() > max {
        return Err(Problem::new(Code::BadRequest, format!("`{field}` is longer than {max} characters. Shorten it.")).at(field));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::new(Code::BadRequest, format!("`{field}` holds a control character. Remove it.")).at(field));
    }
    Ok(())
}

/// How many rows a page holds: 1 to 200, 50 unless told.
///
/// # Errors
/// `bad_request` outside that.
pub fn limit(asked: Option<u16>) -> Result<i64, Problem> {
    match asked {
        None => Ok(50),
        Some(n @ 1..=200) => Ok(i64::from(n)),
        Some(n) => Err(Problem::new(Code::BadRequest, format!("`limit` is {n}. Ask for 1 to 200.")).at("limit")),
    }
}

/// One part of a cursor, as its type.
///
/// # Errors
/// `bad_cursor`.
pub fn part<T: std::str::FromStr>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::new(Code::BadCursor, "The cursor is not one this list gave out. Start again without it."))
}

/// The parts of a cursor that may be absent.
///
/// # Errors
/// `bad_cursor`.
pub fn cursor<const N: usize>(cursor: &Option<Cursor>) -> Result<Option<[String; N]>, Problem> {
    cursor.as_ref().map(Cursor::parts).transpose()
}

/// Words to look for, as a LIKE pattern: what the person typed, nothing more.
pub fn contains(search: &Option<String>) -> Option<String> {
    let text = search.as_deref()?.trim();
    if text.is_empty() {
        return None;
    }
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(name("name", "  api ", 10).unwrap(), "api");
        for bad in ["", "   ", "a\0b", "eleven characters"] {
            assert_eq!(name("name", bad, 10).unwrap_err().place.as_deref(), Some("name"), "{bad:?}");
        }
    }

    #[test]
    fn a_search_for_a_wildcard_finds_the_wildcard() {
        assert_eq!(contains(&Some("50%_\\".into())).unwrap(), "%50\\%\\_\\\\%");
        assert_eq!(contains(&Some("  ".into())), None);
    }
}
