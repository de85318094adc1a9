//! A mail's text part: the whole message for those who read without HTML.

use super::doc::{Doc, Section};
use std::fmt::Write;
use url::Url;

/// Characters of a line.
const WIDTH: usize = 76;

pub fn render(doc: &Doc, unsubscribe: Option<&Url>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n{}\n{}", doc.title, "=".repeat(doc.title.chars().count().min(WIDTH)), doc.subtitle);
    for section in &doc.sections {
        out.push('\n');
        write_section(&mut out, section, doc.sections.len() > 1);
    }
    if doc.more_sections > 0 {
        let _ = writeln!(out, "\nand {} more, in the portal", doc.more_sections);
    }
    // The mark by which mail programs know where a message ends.
    let _ = writeln!(out, "\n-- \n{}", wrapped(&doc.reason, ""));
    let _ = writeln!(out, "What you get by mail: {}", doc.preferences);
    if let Some(link) = unsubscribe {
        let _ = writeln!(out, "Unsubscribe: {link}");
    }
    out
}

fn write_section(out: &mut String, section: &Section, titled: bool) {
    if titled {
        let _ = writeln!(out, "{}\n{}", section.title, "-".repeat(section.title.chars().count().min(WIDTH)));
    }
    if !section.context.is_empty() {
        let _ = writeln!(out, "{}", section.context);
    }
    if !section.figures.is_empty() {
        let figures: Vec<String> = section.figures.iter().map(|figure| format!("{} {}", figure.value, figure.label)).collect();
        let _ = writeln!(out, "{}", figures.join("; "));
    }
    for paragraph in &section.paragraphs {
        let _ = writeln!(out, "\n{}", wrapped(paragraph, ""));
    }
    if let Some(heading) = &section.heading {
        let _ = writeln!(out, "\n{heading}:");
    }
    for line in &section.lines {
        let _ = writeln!(out, "\n* [{}] {}", line.severity_word, wrapped(&line.title, "  "));
        let _ = writeln!(out, "  {}\n  was {}, is {}", line.about, line.was, line.is);
        if let Some(url) = &line.url {
            let _ = writeln!(out, "  {url}");
        }
    }
    if section.more > 0 {
        let _ = writeln!(out, "\n  and {} more", section.more);
    }
    if !section.fixed.is_empty() {
        let _ = writeln!(out, "\nFixed:");
        for fixed in &section.fixed {
            let _ = writeln!(out, "* {}", wrapped(fixed, "  "));
        }
        if section.more_fixed > 0 {
            let _ = writeln!(out, "  and {} more", section.more_fixed);
        }
    }
    if let Some(action) = &section.action {
        let _ = writeln!(out, "\n{}:\n{}", action.label, action.url);
    }
}

/// A paragraph in lines, each but the first begun with `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join(&format!("\n{indent}"))
}
