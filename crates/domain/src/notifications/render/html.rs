//! A mail's HTML: one column of tables with inline styles, nothing loaded from anywhere, light and dark. The template escapes every
//! value; there is no filter in it that lets one through.

use super::doc::Doc;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context, escape_formatter};
use std::sync::LazyLock;
use url::Url;

/// Its name ends in .html, which is what turns escaping on.
const NAME: &str = "mail.html";
const TEMPLATE: &str = include_str!("mail.html");

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    // The library writes a slash as an entity, too: right, and nothing a person can read in the source of a mail.
    environment.set_formatter(|out, state, value| match (state.auto_escape(), value.as_str()) {
        (AutoEscape::Html, Some(text)) if !value.is_safe() => Ok(out.write_str(&escaped(text))?),
        _ => escape_formatter(out, state, value),
    });
    let added = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().and_then(|syntax| {
        environment.set_syntax(syntax);
        environment.add_template(NAME, TEMPLATE)
    });
    if let Err(error) = added {
        tracing::error!(%error, "the mail's template cannot be read");
    }
    environment
});

/// The five signs that mean something to HTML, in text and in attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// The document; where the template fails, which its tests hold it from, the mail goes without an HTML part's looks and not unsent.
pub fn render(doc: &Doc, unsubscribe: Option<&Url>) -> String {
    let context = context! { doc => Serde(doc), unsubscribe => unsubscribe.map(Url::as_str) };
    let rendered = TEMPLATES.get_template(NAME).and_then(|template| template.render(context));
    rendered.unwrap_or_else(|error| {
        tracing::error!(%error, "a mail could not be rendered");
        let text = escaped(&super::text::render(doc, unsubscribe));
        format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title></title><pre>{text}</pre></html>")
    })
}
