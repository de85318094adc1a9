//! The frame of a run: everything but its results. Kept from the first pass for the second.

use super::location::{Artifact, Bases};
use super::rules::{self, Reference, Room, Rules};
use super::severity::Level;
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{Limits, SeriesInfo};
use crate::told::{self, Taken};
use bailiwick_base::{Family, Timestamp};

const BASES: usize = 200;
const DIRECTORIES: usize = 20;

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

/// What the invocations say together.
#[derive(Default)]
struct Invocations {
    /// Why the first that did not finish did not.
    failed: Option<String>,
    /// The first error any reports.
    error: Option<String>,
    /// When the last ended, or began.
    at: Option<Timestamp>,
    overrides: Vec<(Reference, Level)>,
}

pub fn read(r: &mut Reader, limits: &Limits, taken: &mut Taken, room: &mut Room) -> Result<Frame> {
    let mut frame = Frame::default();
    let mut invocations = Invocations::default();
    let (mut seen_results, mut seen_tool, mut ran, mut elsewhere) = (false, false, false, false);
    if r.peek()? != Kind::Object {
        return Err(r.malformed("expected a run as an object"));
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "tool" => {
                seen_tool = true;
                frame.rules.components = rules::read_tool(r, limits, room)?;
            }
            "results" => {
                r.once(&mut seen_results, "results")?;
                ran = r.array()?;
                while ran && r.next_element()? {
                    taken.result(r, limits)?;
                    r.skip()?;
                }
            }
            "artifacts" => frame.bases.artifacts = read_artifacts(r, room)?,
            "originalUriBaseIds" => read_bases(r, &mut frame.bases, room)?,
            "automationDetails" => frame.category = read_category(r)?,
            "versionControlProvenance" => read_provenance(r, &mut frame)?,
            "invocations" => invocations = read_invocations(r, &mut frame.bases, limits, room)?,
            "externalPropertyFileReferences" => elsewhere = names_results(r)?,
            _ => r.skip()?,
        }
    }
    if !seen_tool {
        return Err(r.malformed("a run does not say which tool made it: tool.driver.name is missing"));
    }
    frame.tool = frame.rules.components.first().map(|driver| driver.name.to_lowercase()).unwrap_or_default();
    frame.secrets = ["gitleaks", "trufflehog", "detect-secrets"].contains(&frame.tool.as_str());
    frame.bases.find_roots();
    apply(&mut frame, invocations);
    if !ran {
        frame.incomplete(if elsewhere {
            "The results are kept in another file, which was not sent."
        } else {
            "The run has no results list: the scan did not run."
        });
    }
    Ok(frame)
}

fn apply(frame: &mut Frame, said: Invocations) {
    if let Some(reason) = said.failed.or(said.error) {
        frame.incomplete(&reason);
    }
    frame.assessed_at = said.at;
    for (reference, level) in &said.overrides {
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

fn read_artifacts(r: &mut Reader, room: &mut Room) -> Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    if !r.array()? {
        return Ok(artifacts);
    }
    while r.next_element()? {
        let mut artifact = Artifact::default();
        if r.object()? {
            while let Some(key) = r.next_key()? {
                match key {
                    "location" => artifact = read_artifact(r)?,
                    _ => r.skip()?,
                }
            }
        }
        room.take(r, artifact.bytes())?;
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

fn read_bases(r: &mut Reader, bases: &mut Bases, room: &mut Room) -> Result<()> {
    if !r.object()? {
        return Ok(());
    }
    while let Some(key) = r.next_key()? {
        let id = key.to_owned();
        let base = read_artifact(r)?;
        if bases.ids.len() >= BASES {
            return Err(r.limit(&format!("more originalUriBaseIds than the limit of {BASES}")));
        }
        room.take(r, id.len() + base.bytes())?;
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
                "id" => {
                    category = r.str()?.and_then(|id| id.rsplit_once('/')).map(|(category, _)| cut(category, 300).0).unwrap_or_default()
                }
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
fn read_invocations(r: &mut Reader, bases: &mut Bases, limits: &Limits, room: &mut Room) -> Result<Invocations> {
    let mut all = Invocations::default();
    if !r.array()? {
        return Ok(all);
    }
    while r.next_element()? {
        if !r.object()? {
            continue;
        }
        let (mut failed, mut reason, mut error, mut start, mut end) = (false, None, None, None, None);
        while let Some(key) = r.next_key()? {
            match key {
                "executionSuccessful" => failed = r.bool()? == Some(false),
                "exitCodeDescription" | "exitSignalName" => reason = r.loose()?.filter(|text| !text.is_empty()),
                "toolExecutionNotifications" | "toolConfigurationNotifications" => error = error.or(read_notifications(r, limits)?),
                "startTimeUtc" => start = r.str()?.and_then(told::instant),
                "endTimeUtc" => end = r.str()?.and_then(told::instant),
                "workingDirectory" => {
                    let directory = read_artifact(r)?.uri.filter(|uri| uri.len() > 1);
                    if bases.directories.len() < DIRECTORIES {
                        bases.directories.extend(directory);
                    }
                }
                "ruleConfigurationOverrides" => read_overrides(r, &mut all.overrides, room)?,
                _ => r.skip()?,
            }
        }
        if failed && all.failed.is_none() {
            let silent = || "The tool says that it did not finish (executionSuccessful is false).".to_owned();
            all.failed = Some(reason.or_else(|| error.clone()).unwrap_or_else(silent));
        }
        all.error = all.error.take().or(error);
        all.at = all.at.max(end.or(start));
    }
    Ok(all)
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

fn read_overrides(r: &mut Reader, overrides: &mut Vec<(Reference, Level)>, room: &mut Room) -> Result<()> {
    if !r.array()? {
        return Ok(());
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
        if let Some(level) = level {
            room.take(r, size_of::<Reference>() + reference.id.as_ref().map_or(0, String::len))?;
            overrides.push((reference, level));
        }
    }
    Ok(())
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
