//! The frame of a run: everything but its results. Kept from the first pass for the second.

use super::location::{Artifact, Bases};
use super::rules::{self, Reference, Rules};
use super::severity::Level;
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{Limits, SeriesInfo};
use crate::told::{self, Taken};
use bailiwick_base::{Family, Timestamp};

const ARTIFACTS: usize = 1_000_000;
const BASES: usize = 1_000;

#[derive(Debug, Default)]
pub struct Frame {
    pub rules: Rules,
    pub bases: Bases,
    /// The tool's name as identities have it: without regard to case.
    pub tool: String,
    /// The tool looks for secrets and nothing else: nothing of the code it points at may be used.
    pub secrets: bool,
    category: String,
    assessed_at: Option<Timestamp>,
    revision: Option<String>,
    /// Why the run closes nothing, in the tool's words.
    pub incomplete: Option<String>,
}

impl Frame {
    pub fn series(&self) -> SeriesInfo {
        let driver = self.rules.components.first();
        SeriesInfo {
            family: Family::Sarif,
            directory: None,
            directory_name: None,
            tool: driver.map(|driver| driver.name.clone()).unwrap_or_default(),
            tool_version: driver.and_then(|driver| driver.version.clone()),
            category: self.category.clone(),
            assessed_at: self.assessed_at,
            revision: self.revision.clone(),
        }
    }

    /// The first reason stands.
    fn incomplete(&mut self, reason: &str) {
        self.incomplete.get_or_insert_with(|| cut(reason.trim(), 500).0);
    }
}

/// What the invocations say.
#[derive(Default)]
struct Invocation {
    failed: bool,
    reason: Option<String>,
    error: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    overrides: Vec<(Reference, Level)>,
}

pub fn read(r: &mut Reader, limits: &Limits, taken: &mut Taken) -> Result<Frame> {
    let mut frame = Frame::default();
    let mut invocations = Vec::new();
    let (mut seen_results, mut seen_tool, mut ran, mut elsewhere) = (false, false, false, false);
    if r.peek()? != Kind::Object {
        return Err(r.malformed("expected a run as an object"));
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "tool" => {
                seen_tool = true;
                frame.rules.components = rules::read_tool(r, limits)?;
            }
            "results" => {
                r.once(&mut seen_results, "results")?;
                ran = r.array()?;
                while ran && r.next_element()? {
                    taken.result(r, limits)?;
                    r.skip()?;
                }
            }
            "artifacts" => frame.bases.artifacts = read_artifacts(r)?,
            "originalUriBaseIds" => read_bases(r, &mut frame.bases)?,
            "automationDetails" => frame.category = read_category(r)?,
            "versionControlProvenance" => read_provenance(r, &mut frame)?,
            "invocations" => invocations = read_invocations(r, &mut frame.bases, limits)?,
            "externalPropertyFileReferences" => elsewhere = names_results(r)?,
            _ => r.skip()?,
        }
    }
    if !seen_tool {
        return Err(r.malformed("a run does not say which tool made it: tool.driver.name is missing"));
    }
    frame.tool = frame.rules.components.first().map(|driver| driver.name.to_lowercase()).unwrap_or_default();
    frame.secrets = ["gitleaks", "trufflehog", "detect-secrets"].contains(&frame.tool.as_str());
    for invocation in invocations {
        apply(&mut frame, invocation);
    }
    if !ran {
        frame.incomplete(if elsewhere { "The results are kept in another file, which was not sent." } else { "The run has no results list: the scan did not run." });
    }
    Ok(frame)
}

fn apply(frame: &mut Frame, invocation: Invocation) {
    if invocation.failed {
        let reason = invocation.reason.as_deref().or(invocation.error.as_deref());
        frame.incomplete(reason.unwrap_or("The tool says that it did not finish (executionSuccessful is false)."));
    } else if let Some(error) = &invocation.error {
        frame.incomplete(error);
    }
    frame.assessed_at = frame.assessed_at.max(invocation.end.or(invocation.start));
    for (reference, level) in &invocation.overrides {
        if let Some(at) = frame.rules.find(reference).map(|found| found.at) {
            frame.rules.overrides.insert(at, *level);
        }
    }
}

// ---- reading -----------------------------------------------------------------------------------------------------

pub fn read_artifact(r: &mut Reader) -> Result<Artifact> {
    let mut artifact = Artifact::default();
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "uri" => artifact.uri = r.string()?,
                "uriBaseId" => artifact.base = r.string()?,
                "index" => artifact.index = r.int()?,
                _ => r.skip()?,
            }
        }
    }
    Ok(artifact)
}

fn read_artifacts(r: &mut Reader) -> Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    if !r.array()? {
        return Ok(artifacts);
    }
    while r.next_element()? {
        if artifacts.len() >= ARTIFACTS {
            return Err(r.limit(&format!("more artifacts than the limit of {ARTIFACTS}")));
        }
        let mut artifact = Artifact::default();
        if r.object()? {
            while let Some(key) = r.next_key()? {
                match key {
                    "location" => artifact = read_artifact(r)?,
                    _ => r.skip()?,
                }
            }
        }
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

fn read_bases(r: &mut Reader, bases: &mut Bases) -> Result<()> {
    if !r.object()? {
        return Ok(());
    }
    while let Some(key) = r.next_key()? {
        let id = key.to_owned();
        let base = read_artifact(r)?;
        if bases.ids.len() >= BASES {
            return Err(r.limit(&format!("more originalUriBaseIds than the limit of {BASES}")));
        }
        bases.ids.insert(id, base);
    }
    Ok(())
}

/// `category/run-id`: the category is what comes before the last slash.
fn read_category(r: &mut Reader) -> Result<String> {
    let mut category = String::new();
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "id" => category = r.str()?.and_then(|id| id.rsplit_once('/')).map(|(category, _)| cut(category, 300).0).unwrap_or_default(),
                _ => r.skip()?,
            }
        }
    }
    Ok(category)
}

fn read_provenance(r: &mut Reader, frame: &mut Frame) -> Result<()> {
    if !r.array()? {
        return Ok(());
    }
    while r.next_element()? {
        if !r.object()? {
            continue;
        }
        while let Some(key) = r.next_key()? {
            match key {
                "revisionId" => {
                    let revision = r.loose()?.filter(|id| !id.is_empty()).map(|id| cut(&id, 100).0);
                    frame.revision = frame.revision.take().or(revision);
                }
                "mappedTo" => frame.bases.root = read_artifact(r)?.base.or(frame.bases.root.take()),
                _ => r.skip()?,
            }
        }
    }
    Ok(())
}

/// Command lines, arguments and environments are passed over unread: they can hold secrets.
fn read_invocations(r: &mut Reader, bases: &mut Bases, limits: &Limits) -> Result<Vec<Invocation>> {
    let mut invocations = Vec::new();
    if !r.array()? {
        return Ok(invocations);
    }
    while r.next_element()? {
        let mut invocation = Invocation::default();
        if !r.object()? {
            continue;
        }
        while let Some(key) = r.next_key()? {
            match key {
                "executionSuccessful" => invocation.failed = r.bool()? == Some(false),
                "exitCodeDescription" | "exitSignalName" => invocation.reason = r.loose()?.filter(|text| !text.is_empty()),
                "toolExecutionNotifications" | "toolConfigurationNotifications" => {
                    let error = read_notifications(r, limits)?;
                    invocation.error = invocation.error.take().or(error);
                }
                "startTimeUtc" => invocation.start = r.str()?.and_then(told::instant),
                "endTimeUtc" => invocation.end = r.str()?.and_then(told::instant),
                "workingDirectory" => bases.directories.extend(read_artifact(r)?.uri.filter(|uri| uri.len() > 1)),
                "ruleConfigurationOverrides" => invocation.overrides = read_overrides(r)?,
                _ => r.skip()?,
            }
        }
        invocations.push(invocation);
    }
    Ok(invocations)
}

/// The first notification of level error.
fn read_notifications(r: &mut Reader, limits: &Limits) -> Result<Option<String>> {
    let mut first = None;
    if !r.array()? {
        return Ok(None);
    }
    while r.next_element()? {
        let (mut error, mut text, mut id) = (false, String::new(), None);
        if !r.object()? {
            continue;
        }
        while let Some(key) = r.next_key()? {
            match key {
                "level" => error = r.str()? == Some("error"),
                "message" => text = rules::read_text(r, limits)?,
                "descriptor" => id = rules::read_reference(r)?.id,
                _ => r.skip()?,
            }
        }
        if error && first.is_none() {
            let named = if text.is_empty() { id.unwrap_or_default() } else { text };
            first = Some(if named.is_empty() { "The tool reports an error of its own.".to_owned() } else { named });
        }
    }
    Ok(first)
}

fn read_overrides(r: &mut Reader) -> Result<Vec<(Reference, Level)>> {
    let mut overrides = Vec::new();
    if !r.array()? {
        return Ok(overrides);
    }
    while r.next_element()? {
        let (mut reference, mut level) = (Reference::default(), None);
        if !r.object()? {
            continue;
        }
        while let Some(key) = r.next_key()? {
            match key {
                "descriptor" => reference = rules::read_reference(r)?,
                "configuration" => level = rules::read_configuration(r)?,
                _ => r.skip()?,
            }
        }
        overrides.extend(level.map(|level| (reference, level)));
    }
    Ok(overrides)
}

fn names_results(r: &mut Reader) -> Result<bool> {
    let mut names = false;
    if r.object()? {
        while let Some(key) = r.next_key()? {
            names |= key == "results";
            r.skip()?;
        }
    }
    Ok(names)
}
