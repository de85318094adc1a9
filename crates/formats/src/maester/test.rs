//! One Maester test: its members through the releases, and what is told of it.

use crate::json::{Kind, Reader, Result, cut};
use crate::model::{CheckInfo, Limits};
use crate::product;
use crate::told;
use bailiwick_base::Outcome;

/// One test, as far as it is told.
#[derive(Default)]
pub struct Test {
    pub id: String,
    pub title: String,
    pub name: String,
    pub help: Option<String>,
    pub severity: Option<String>,
    pub tags: Vec<String>,
    pub result: Option<String>,
    pub block: String,
    pub error: String,
    pub detail: Detail,
}

#[derive(Default)]
pub struct Detail {
    pub description: String,
    pub result: String,
    pub truncated: bool,
    pub skipped: Option<String>,
    pub reason: Option<String>,
    pub severity: Option<String>,
}

/// Reads a list of tests, each handed to `each`.
pub fn read_tests(r: &mut Reader, limits: &Limits, each: &mut dyn FnMut(&mut Reader, Test) -> Result<()>) -> Result<()> {
    if !r.array()? {
        return Ok(());
    }
    while r.next_element()? {
        if r.peek()? != Kind::Object {
            let what = r.malformed("expected a test as an object");
            r.note(what)?;
            r.skip()?;
            continue;
        }
        let test = read_test(r, limits)?;
        each(r, test)?;
    }
    Ok(())
}

fn read_test(r: &mut Reader, limits: &Limits) -> Result<Test> {
    let mut test = Test::default();
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "Id" => test.id = short(r.loose()?),
            "Title" => test.title = short(r.loose()?),
            "Name" => test.name = short(r.loose()?),
            "HelpUrl" => test.help = r.loose()?.as_deref().and_then(told::link),
            "Severity" => test.severity = r.loose()?,
            "Tag" => test.tags = tags(r.strings()?),
            "Result" => test.result = r.string()?,
            "Block" => test.block = short(r.loose()?),
            "ErrorRecord" => test.error = error_text(r, limits)?,
            "ResultDetail" => test.detail = detail(r, limits)?,
            _ => r.skip()?,
        }
    }
    test.id = test.id.trim().to_owned();
    if test.id.is_empty() {
        // Before April 2025 there was only the name, `ID: title`.
        if let Some((id, title)) = test.name.split_once(':')
            && !id.trim().is_empty()
            && !id.trim().contains(' ')
        {
            (test.id, test.title) = (id.trim().to_owned(), title.trim().to_owned());
        }
    }
    if test.result.is_none() || test.key().is_empty() {
        let member = if test.result.is_none() { "Result" } else { "Name" };
        let what = r.malformed(&format!("a test has no {member}"));
        r.note(what)?;
    }
    Ok(test)
}

fn short(text: Option<String>) -> String {
    text.map(|text| cut(&text, 1000).0).unwrap_or_default()
}

fn tags(tags: Vec<String>) -> Vec<String> {
    tags.into_iter().filter(|tag| !tag.is_empty()).take(50).map(|tag| cut(&tag, 200).0).collect()
}

fn detail(r: &mut Reader, limits: &Limits) -> Result<Detail> {
    let mut detail = Detail::default();
    match r.peek()? {
        Kind::Object => {}
        // An early writer put the text itself here.
        Kind::String => {
            (detail.result, detail.truncated) = r.cut_string(limits.text)?;
            return Ok(detail);
        }
        _ => {
            r.skip()?;
            return Ok(detail);
        }
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "TestDescription" => detail.description = cut(&r.loose()?.unwrap_or_default(), limits.text).0,
            "TestResult" => (detail.result, detail.truncated) = cut(&r.loose()?.unwrap_or_default(), limits.text),
            "TestSkipped" => detail.skipped = r.loose()?.filter(|code| !code.is_empty()),
            "SkippedReason" => detail.reason = r.loose()?.filter(|text| !text.is_empty()).map(|text| cut(&text, limits.text).0),
            "Severity" => detail.severity = r.loose()?,
            _ => r.skip()?,
        }
    }
    Ok(detail)
}

/// The messages of `ErrorRecord`, which is a list, one object, a text or null, by release.
fn error_text(r: &mut Reader, limits: &Limits) -> Result<String> {
    let mut text = String::new();
    match r.peek()? {
        Kind::Array => {
            r.array()?;
            while r.next_element()? {
                one_error(r, &mut text, limits)?;
            }
        }
        _ => one_error(r, &mut text, limits)?,
    }
    Ok(text)
}

fn one_error(r: &mut Reader, text: &mut String, limits: &Limits) -> Result<()> {
    let mut add = |message: Option<String>| {
        let message = message.unwrap_or_default();
        if message.trim().is_empty() || text.len() >= limits.text {
            return;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&cut(message.trim(), limits.text).0);
    };
    if r.peek()? != Kind::Object {
        add(r.loose()?);
        return Ok(());
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "Exception" => add(exception(r)?),
            "Message" => add(r.loose()?),
            _ => r.skip()?,
        }
    }
    Ok(())
}

/// The message of an exception, which can be its text alone.
fn exception(r: &mut Reader) -> Result<Option<String>> {
    if r.peek()? != Kind::Object {
        return r.loose();
    }
    let mut message = None;
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "Message" => message = r.loose()?,
            _ => r.skip()?,
        }
    }
    Ok(message)
}

impl Test {
    /// The id when there is one, else the whole name.
    pub fn key(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }

    pub fn title(&self) -> &str {
        [&self.title, &self.name, &self.id].into_iter().find(|text| !text.is_empty()).map_or("", String::as_str)
    }

    /// What Maester says about the result, else why it was skipped, else the error.
    pub fn message(&self, outcome: Outcome, limits: &Limits) -> (String, bool) {
        let detail = &self.detail;
        let reason = detail.reason.as_ref().or(detail.skipped.as_ref());
        let text = match outcome {
            Outcome::Error if !self.error.is_empty() => &self.error,
            Outcome::Skipped | Outcome::NotRun => reason.unwrap_or(&detail.result),
            _ if !detail.result.trim().is_empty() => return (detail.result.clone(), detail.truncated),
            _ => reason.unwrap_or(&self.error),
        };
        cut(text, limits.text)
    }

    pub fn check(self, key: String) -> CheckInfo {
        CheckInfo {
            product: Some(product::maester(&key, &self.block, &self.tags)),
            title: told::title(self.title()),
            key,
            description: self.detail.description,
            help_url: self.help,
            group: self.block,
            tags: self.tags,
        }
    }
}

/// Controls of frameworks the test names, in its id or tags: `CIS.M365.1.1.1`, `CISA.MS.AAD.2.1`.
pub fn references(test: &Test) -> Vec<String> {
    let control = |text: &&String| {
        ["CIS.", "CISA.", "EIDSCA.", "ORCA.", "NIST.", "CWE-"].iter().any(|prefix| text.starts_with(prefix)) && !text.contains(' ')
    };
    let mut found: Vec<String> = std::iter::once(&test.id).chain(&test.tags).filter(control).cloned().collect();
    found.sort();
    found.dedup();
    found
}
