//! Message texts: templates, arguments and links.

/// A template with `{0}` replaced by its arguments and doubled braces made single (SARIF 3.11.5). Ends soon after `max` bytes.
pub fn fill(template: &str, arguments: &[String], max: usize) -> String {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        if filled.len() > max {
            return filled;
        }
        filled.push_str(&rest[..at]);
        let brace = &rest[at..];
        if brace.starts_with("{{") || brace.starts_with("}}") {
            filled.push_str(&brace[..1]);
            rest = &brace[2..];
            continue;
        }
        let hole = brace.bytes().take(8).position(|b| b == b'}').and_then(|end| Some((end, brace.get(1..end)?.parse::<usize>().ok()?)));
        match hole.and_then(|(end, n)| Some((end, arguments.get(n)?))) {
            Some((end, argument)) => {
                filled.push_str(&crate::json::cut(argument, max).0);
                rest = &brace[end + 1..];
            }
            None => {
                filled.push_str(&brace[..1]);
                rest = &brace[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Links to related locations, `[text](1)`, become their text: a number is no address.
pub fn unlink(text: String) -> String {
    if !text.contains("](") {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(middle) = rest.find("](") {
        let digits = rest[middle + 2..].bytes().take_while(u8::is_ascii_digit).count();
        let end = middle + 2 + digits;
        match rest[..middle].rfind('[') {
            Some(open) if digits > 0 && rest[end..].starts_with(')') => {
                plain.push_str(&rest[..open]);
                plain.push_str(&rest[open + 1..middle]);
                rest = &rest[end + 1..];
            }
            _ => {
                plain.push_str(&rest[..middle + 2]);
                rest = &rest[middle + 2..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// A message as identity: white space collapsed, and numbers of lines and columns left out, since they move.
pub fn steady(text: &str) -> String {
    let mut steady = String::with_capacity(text.len());
    let mut place = false;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit() || b":-,".contains(&b));
        if !(place && number) {
            steady.push_str(word);
            steady.push(' ');
        }
        let named = ["line", "lines", "column", "columns", "col", "offset"].iter().any(|name| bare.eq_ignore_ascii_case(name));
        place = named || (place && number);
    }
    steady
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_take_their_arguments() {
        let arguments = ["ptr".to_owned(), "0".to_owned()];
        assert_eq!(fill("\"{0}\" [here]({1})", &arguments, 100), "\"ptr\" [here](0)");
        assert_eq!(fill("{{0}} {2} {x} {", &arguments, 100), "{0} {2} {x} {");
    }

    #[test]
    fn links_to_related_locations_become_text() {
        assert_eq!(unlink("see [here](1) and [there](https://x)".into()), "see here and [there](https://x)");
        assert_eq!(unlink("](1)".into()), "](1)");
    }

    #[test]
    fn line_numbers_are_no_part_of_a_steady_message() {
        assert_eq!(steady("leak at line 12, column 4 of x"), steady("leak  at line 99, column 1 of x"));
        assert_ne!(steady("needs 2048 bits"), steady("needs 1024 bits"));
    }
}
