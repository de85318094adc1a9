//! The adaptive card (schema 1.4) for Teams: the same document, cut so that it fits a message whatever a report holds.

use super::doc::{Doc, Listed, Section, Tone};
use serde_json::{Value, json};

/// Bytes of a card: Teams takes 28 KB with its envelope.
pub const LONGEST: usize = 25_000;
/// Lines of one section to begin with, halved until the card fits.
const LINES: usize = 12;
const SECTIONS: usize = 8;
/// Characters of one text.
const TEXT: usize = 200;

pub fn render(doc: &Doc) -> Value {
    let (mut lines, mut sections) = (LINES, SECTIONS);
    loop {
        let card = build(doc, lines, sections);
        let size = card.to_string().len();
        if size <= LONGEST || (lines == 0 && sections == 1) {
            return card;
        }
        if lines > 0 { lines /= 2 } else { sections = (sections / 2).max(1) }
    }
}

fn build(doc: &Doc, lines: usize, sections: usize) -> Value {
    let mut body = vec![
        json!({"type": "TextBlock", "text": escaped(&doc.title), "weight": "Bolder", "size": "Large", "wrap": true, "style": "heading"}),
        json!({"type": "TextBlock", "text": escaped(&doc.subtitle), "isSubtle": true, "spacing": "None", "wrap": true}),
    ];
    let several = doc.sections.len() > 1;
    for section in doc.sections.iter().take(sections) {
        body.push(container(section, several, lines));
    }
    let left = doc.sections.len().saturating_sub(sections) + doc.more_sections as usize;
    if left > 0 {
        body.push(subtle(&format!("and {left} more, in Bailiwick")));
    }
    body.push(subtle(&doc.reason));
    let mut actions: Vec<Value> = Vec::new();
    for action in doc.sections.iter().filter_map(|section| section.action.as_ref()) {
        // One button leads to each place, and a card shows six at most.
        if actions.len() < 6 && !actions.iter().any(|known| known["url"] == action.url) {
            actions.push(json!({"type": "Action.OpenUrl", "title": action.label, "url": action.url}));
        }
    }
    if several {
        actions.truncate(1);
    }
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": {"width": "Full"}, "fallbackText": doc.subject, "speak": doc.subject, "body": body, "actions": actions,
    })
}

fn subtle(text: &str) -> Value {
    json!({"type": "TextBlock", "text": escaped(text), "isSubtle": true, "size": "Small", "wrap": true})
}

fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "Attention",
        Tone::Good => "Good",
        Tone::Neutral => "Default",
    }
}

fn container(section: &Section, titled: bool, lines: usize) -> Value {
    let mut items = Vec::new();
    if titled {
        items.push(
            json!({"type": "TextBlock", "text": escaped(&section.title), "weight": "Bolder", "wrap": true, "color": colour(section.tone)}),
        );
    }
    if !section.context.is_empty() {
        items.push(json!({"type": "TextBlock", "text": escaped(&section.context), "isSubtle": true, "wrap": true, "spacing": "Small"}));
    }
    if !section.figures.is_empty() {
        let columns: Vec<Value> = section
            .figures
            .iter()
            .map(|figure| {
                json!({"type": "Column", "width": "stretch", "items": [
                    {"type": "TextBlock", "text": escaped(&figure.value), "size": "ExtraLarge", "weight": "Bolder", "color": colour(figure.tone), "wrap": true},
                    {"type": "TextBlock", "text": escaped(&figure.label), "isSubtle": true, "spacing": "None", "wrap": true},
                ]})
            })
            .collect();
        items.push(json!({"type": "ColumnSet", "columns": columns}));
    }
    for paragraph in &section.paragraphs {
        items.push(json!({"type": "TextBlock", "text": escaped(paragraph), "wrap": true}));
    }
    items.extend(section.lines.iter().take(lines).map(row));
    let more = section.lines.len().saturating_sub(lines) + section.more as usize;
    if more > 0 {
        items.push(subtle(&format!("{more} more")));
    }
    json!({"type": "Container", "items": items, "separator": titled, "spacing": "Medium"})
}

fn severity_colour(severity: &str) -> &'static str {
    match severity {
        "critical" | "high" => "Attention",
        "medium" => "Warning",
        _ => "Default",
    }
}

fn row(line: &Listed) -> Value {
    let title = match &line.url {
        Some(url) => format!("[{}]({url})", escaped(&line.title)),
        None => escaped(&line.title),
    };
    json!({"type": "ColumnSet", "spacing": "Small", "columns": [
        {"type": "Column", "width": "70px", "items": [
            {"type": "TextBlock", "text": line.severity_word, "weight": "Bolder", "color": severity_colour(line.severity), "wrap": true}]},
        {"type": "Column", "width": "stretch", "items": [
            {"type": "TextBlock", "text": title, "wrap": true},
            {"type": "TextBlock", "text": escaped(&format!("{} · was {}, is {}", line.about, line.was, line.is)), "isSubtle": true,
             "size": "Small", "spacing": "None", "wrap": true}]},
    ]})
}

/// Text as a card shows it: what would be markup or a mention is shown as it was written.
pub fn escaped(text: &str) -> String {
    let cut: String = text.chars().take(TEXT).collect();
    let mut out = String::with_capacity(cut.len() + 8);
    for c in cut.chars() {
        match c {
            '\\' | '[' | ']' | '(' | ')' | '*' | '_' | '`' | '~' | '#' => {
                out.push('\\');
                out.push(c);
            }
            // A mention begins with a tag, and numbers and dashes at the beginning would be lists.
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
    if text.chars().count() > TEXT {
        out.push('…');
    }
    let list = out.starts_with(['-', '+'])
        || (out.starts_with(|c: char| c.is_ascii_digit()) && out.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(". "));
    // An invisible sign before it keeps a line from being read as a list.
    if list { format!("\u{200b}{out}") } else { out }
}
