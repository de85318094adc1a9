//! Reading: each planned request once for each value of its placeholders, all its pages, judged as they come.

use super::{
    Counted, PAGES,
    end::{self, Fault, Scope},
    learn::{self, Licences},
    project::{self, Page},
    queue::{Queue, Task},
};
use crate::{
    Answer, Job, Placeholder, Progress, ReasonCode, Request, SourceState, SourceStatus,
    plan::{Helper, Plan, Planned},
    rule::{Facts, Fold, Ground, Names, Rule},
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Everything that is being read, and what came of it.
pub struct Sources<'p> {
    plan: &'p Plan,
    job: &'p Job,
    pub names: Vec<Names>,
    pub facts: Facts,
    pub licences: Licences,
    /// By planned request.
    pub read: Vec<Source>,
    queue: Queue,
    resumed: HashMap<&'p Request, &'p [Value]>,
    /// Services of which nothing further is asked, and why; all of them where the key is absent.
    over: Vec<(Option<crate::Service>, Fault)>,
}

/// One planned request.
#[derive(Default)]
pub struct Source {
    started: bool,
    /// No check that is judged needs it.
    pub idle: bool,
    pub instances: Vec<Instance>,
    open: usize,
    /// Values of placeholders, for requests that list them: placeholder to (value, name).
    values: BTreeMap<String, Vec<(String, String)>>,
    /// A listing that gives its placeholders' values was not read whole.
    pub lacking: Option<Fault>,
}

/// One concrete request.
pub struct Instance {
    request: Request,
    /// The value of its last placeholder, and how people call it.
    pub value: Option<String>,
    pub name: Option<String>,
    pub fault: Option<Fault>,
    state: SourceState,
    status: Option<u16>,
    pages: u32,
    items: u64,
    count: Option<u64>,
    /// By place in the request's readers and conditions.
    pub folds: Vec<Fold>,
    pub conditions: Vec<Fold>,
    /// Pages for checks that are judged when all is read.
    held: Vec<Value>,
}

impl<'p> Sources<'p> {
    pub fn new(plan: &'p Plan, job: &'p Job) -> Self {
        let names = plan.checks.iter().map(|chosen| Names::of(&job.settings, &chosen.check.id)).collect();
        let read = plan.requests.iter().map(|_| Source::default()).collect();
        let resumed = job.resume.iter().map(|resumed| (&resumed.request, resumed.pages.as_slice())).collect();
        let (facts, licences, queue, over) = Default::default();
        Self { plan, job, names, facts, licences, read, queue, resumed, over }
    }

    /// Reads everything: licences first, since they say what else is worth asking.
    pub fn collect(&mut self, fetch: &mut Counted<'_>, progress: &mut dyn Progress) {
        let is_licences = |planned: &Planned| planned.helpers.contains(&Helper::Licences);
        for at in (0..self.plan.requests.len()).filter(|at| is_licences(&self.plan.requests[*at])) {
            self.start(at, progress);
        }
        self.drain(fetch, progress);
        for references in [false, true] {
            while self.start_ready(references, progress) {
                self.drain(fetch, progress);
            }
        }
        self.judge_late();
    }

    /// Whether a check is judged at all, as far as licences say.
    pub fn licensed(&self, check: usize) -> bool {
        self.plan.checks[check].check.license.as_deref().is_none_or(|plan| self.licences.may_have(plan))
    }

    fn needed(&self, planned: &Planned) -> bool {
        let mut wanted = planned.readers.iter().chain(&planned.conditions).chain(&planned.helped);
        planned.always || wanted.any(|check| self.licensed(*check))
    }

    /// Starts every request whose placeholders have their values. Says whether there was one.
    fn start_ready(&mut self, references: bool, progress: &mut dyn Progress) -> bool {
        let ready: Vec<usize> = (0..self.plan.requests.len()).filter(|at| !self.read[*at].started && self.ready(*at, references)).collect();
        ready.iter().for_each(|at| self.start(*at, progress));
        !ready.is_empty()
    }

    fn ready(&self, at: usize, references: bool) -> bool {
        let planned = &self.plan.requests[at];
        Placeholder::of(planned.service, &planned.path).iter().all(|placeholder| match self.listing(placeholder) {
            Some(listing) => self.read[listing].started && self.read[listing].open == 0,
            None => references || !placeholder.is_reference(),
        })
    }

    /// The planned request that lists a placeholder's values.
    fn listing(&self, placeholder: &Placeholder) -> Option<usize> {
        let (service, path) = placeholder.listing()?;
        self.plan.find(service, &path)
    }

    fn start(&mut self, at: usize, progress: &mut dyn Progress) {
        let planned = &self.plan.requests[at];
        self.read[at].started = true;
        if !self.needed(planned) {
            self.read[at].idle = true;
            return;
        }
        let mut bound = vec![(planned.select.onto(&planned.path, &|plan| self.licences.may_have(plan)), None, None)];
        for placeholder in Placeholder::of(planned.service, &planned.path) {
            let values = self.values(at, &placeholder);
            let mut each = Vec::new();
            for (path, ..) in &bound {
                let one = |(value, name): &(String, String)| {
                    (path.replacen(&placeholder.text, value, 1), Some(value.clone()), Some(name.clone()))
                };
                each.extend(values.iter().map(one));
            }
            bound = each;
        }
        self.read[at].open = bound.len();
        for (path, value, name) in bound {
            let request = Request::new(planned.service, path);
            let (folds, conditions) = (vec![Fold::default(); planned.readers.len()], vec![Fold::default(); planned.conditions.len()]);
            let state = SourceState::Failed;
            let (fault, status, count, held) = Default::default();
            let instance = Instance { request, value, name, fault, state, status, pages: 0, items: 0, count, folds, conditions, held };
            self.read[at].instances.push(instance);
            self.begin(at, self.read[at].instances.len() - 1, progress);
        }
    }

    /// The values of a placeholder; notes where their listing was not read whole.
    fn values(&mut self, at: usize, placeholder: &Placeholder) -> Vec<(String, String)> {
        if placeholder.is_tenant() {
            return vec![(self.job.directory.to_string(), self.job.directory_name.clone())];
        }
        if placeholder.is_emergency_account() {
            let accounts = self.job.settings.emergency_accounts.iter();
            return accounts.filter(|id| placeholder.admits(id)).map(|id| (id.clone(), id.clone())).collect();
        }
        if placeholder.is_reference() {
            return self.references(placeholder).into_iter().map(|id| (id.to_string(), id.to_string())).collect();
        }
        let Some(listing) = self.listing(placeholder) else { return Vec::new() };
        let source = &self.read[listing];
        let lacking = source.lacking.clone().or_else(|| source.instances.iter().find_map(|instance| instance.fault.clone()));
        let values = source.values.get(&placeholder.text).cloned().unwrap_or_default();
        self.read[at].lacking = self.read[at].lacking.take().or(lacking);
        let mut seen = HashSet::new();
        let (values, odd): (Vec<_>, Vec<_>) =
            values.into_iter().filter(|(value, _)| seen.insert(value.clone())).partition(|(value, _)| placeholder.admits(value));
        if let Some((value, _)) = odd.first() {
            // Left out in silence, it would make of some objects all of them.
            let text = format!("{} objects have ids that cannot stand in a path, the first of them {value:?}.", odd.len());
            self.read[at].lacking.get_or_insert_with(|| Fault::new(ReasonCode::Malformed, None, text));
        }
        values
    }

    /// Objects that rules refer to, from the pages held for them.
    fn references(&self, placeholder: &Placeholder) -> Vec<Uuid> {
        let (mut objects, mut groups) = (Vec::new(), Vec::new());
        for (planned, source) in self.plan.requests.iter().zip(&self.read) {
            let rules: Vec<&Rule> = planned.readers.iter().filter_map(|check| self.plan.checks[*check].rule.as_ref().ok()).collect();
            for page in source.instances.iter().flat_map(|instance| &instance.held) {
                for rule in &rules {
                    let functions = rule.functions();
                    rule.each(page, &mut |element, outer| {
                        let Some(element) = element else { return };
                        functions.iter().for_each(|function| function.lookups(element, outer, &mut objects, &mut groups));
                    });
                }
            }
        }
        let mut ids = if placeholder.text == "{groupRef}" { groups } else { objects };
        ids.sort();
        ids.dedup();
        ids
    }

    /// Takes an instance from an earlier attempt, or queues it.
    fn begin(&mut self, at: usize, instance: usize, progress: &mut dyn Progress) {
        let request = self.read[at].instances[instance].request.clone();
        if let Some(pages) = self.resumed.get(&request).copied() {
            for page in pages {
                self.take(at, instance, page.clone());
            }
            self.end(at, instance, SourceState::Resumed, None, progress);
            return;
        }
        let over = self.over.iter().find(|(service, _)| service.is_none_or(|service| service == request.service));
        if let Some((_, fault)) = over {
            let fault = fault.clone();
            self.end(at, instance, fault.state, Some(fault), progress);
            return;
        }
        self.queue.push(Task { planned: at, instance, request, followed: HashSet::new() });
    }

    fn drain(&mut self, fetch: &mut Counted<'_>, progress: &mut dyn Progress) {
        loop {
            let tasks = self.queue.next();
            if tasks.is_empty() {
                return;
            }
            let (tasks, dropped): (Vec<Task>, Vec<Task>) = tasks.into_iter().partition(|task| !self.is_over(task));
            for task in dropped {
                let over = self.over.iter().find(|(service, _)| service.is_none_or(|service| service == task.request.service));
                let fault = over.map(|(_, fault)| fault.clone());
                self.end(task.planned, task.instance, SourceState::Failed, fault, progress);
            }
            if tasks.is_empty() {
                continue;
            }
            let requests: Vec<Request> = tasks.iter().map(|task| task.request.clone()).collect();
            let answers = fetch.fetch(&requests);
            for (task, answer) in tasks.into_iter().zip(answers) {
                self.answered(task, answer, progress);
            }
        }
    }

    fn is_over(&self, task: &Task) -> bool {
        self.over.iter().any(|(service, _)| service.is_none_or(|service| service == task.request.service))
    }

    fn answered(&mut self, mut task: Task, answer: Answer, progress: &mut dyn Progress) {
        let (at, instance) = (task.planned, task.instance);
        if let Answer::Body { status, .. } = &answer {
            self.read[at].instances[instance].status = Some(*status);
        }
        match self.page(&task, answer) {
            Err(fault) => {
                match fault.ends() {
                    Some(Scope::Everything) => self.over.push((None, fault.clone())),
                    Some(Scope::Service) => self.over.push((Some(task.request.service), fault.clone())),
                    None => {}
                }
                self.end(at, instance, fault.state, Some(fault), progress);
            }
            Ok(Page { body, next, .. }) => {
                progress.snapshot(&self.read[at].instances[instance].request, &body);
                self.take(at, instance, body);
                match next.filter(|_| !self.enough(at, instance)) {
                    None => self.end(at, instance, SourceState::Read, None, progress),
                    Some(link) => {
                        task.request.path.clone_from(&link);
                        task.followed.insert(link);
                        self.queue.push_first(task);
                    }
                }
            }
        }
    }

    /// Whether the first item is in and nobody looks at a further one: `$top=1` is a page's size, not a listing's end.
    fn enough(&self, at: usize, instance: usize) -> bool {
        let planned = &self.plan.requests[at];
        let first = |check: &usize| self.plan.checks[*check].rule.as_ref().is_ok_and(Rule::first_item_only);
        let only = planned.helpers.is_empty() && planned.conditions.is_empty() && !planned.readers.is_empty();
        only && self.read[at].instances[instance].items > 0 && planned.readers.iter().all(first)
    }

    /// A page that goes on where the last one ended, or why it does not.
    fn page(&mut self, task: &Task, answer: Answer) -> Result<Page, Fault> {
        let body = end::body(answer, task.further())?;
        let planned = &self.plan.requests[task.planned];
        let fault = |code, text: String| Fault::new(code, Some(200), text);
        let page = project::page(&body, &planned.looks)
            .map_err(|e| fault(ReasonCode::Malformed, format!("The answer to {} is no JSON: {e}.", planned.path)))?;
        let instance = &mut self.read[task.planned].instances[task.instance];
        if (task.further() || page.next.is_some())
            && !page.body.get("value").is_some_and(Value::is_array)
            && planned.looks.members.contains_key("value")
        {
            return Err(fault(ReasonCode::Truncated, format!("A page of {} holds no list, so the listing is not whole.", planned.path)));
        }
        if page.next.as_ref().is_some_and(|link| task.followed.contains(link)) || instance.pages >= PAGES {
            return Err(fault(
                ReasonCode::Truncated,
                format!("The pages of {} have no end: a next link came back, or there are over {PAGES}.", planned.path),
            ));
        }
        let items = instance.items + learn::items(&page.body).count() as u64;
        instance.count = page.count.or(instance.count);
        if let (None, Some(count)) = (&page.next, instance.count.filter(|count| *count != items)) {
            let text = format!("{} gave {items} items and says it has {count}: a page was lost.", planned.path);
            return Err(fault(ReasonCode::Truncated, text));
        }
        Ok(page)
    }

    /// Takes in a page: facts, values of placeholders, and what rules count.
    fn take(&mut self, at: usize, instance: usize, page: Value) {
        let plan = self.plan;
        let planned = &plan.requests[at];
        let value = self.read[at].instances[instance].value.clone();
        for helper in &planned.helpers {
            learn::learn(*helper, &page, value.as_deref(), self.job.now, &mut self.facts, &mut self.licences);
        }
        if planned.helpers.contains(&Helper::Listing) {
            self.list(at, &page);
        }
        let Self { read, names, facts, job, licences, .. } = self;
        let one = &mut read[at].instances[instance];
        one.pages += 1;
        one.items += learn::items(&page).count() as u64;
        let licensed = |check: usize| plan.checks[check].check.license.as_deref().is_none_or(|plan| licences.may_have(plan));
        let ground = |check: usize, within| Ground { now: job.now, names: &names[check], facts, within };
        let mut late = false;
        for (fold, check) in one.folds.iter_mut().zip(&planned.readers).filter(|(_, check)| licensed(**check)) {
            let chosen = &plan.checks[*check];
            late |= chosen.late;
            if let (Ok(rule), false) = (&chosen.rule, chosen.late) {
                fold.page(rule, &page, ground(*check, one.name.as_deref()));
            }
        }
        for (fold, check) in one.conditions.iter_mut().zip(&planned.conditions) {
            if let Some(rule) = &plan.checks[*check].condition {
                fold.page(rule, &page, ground(*check, one.name.as_deref()));
            }
        }
        if late {
            one.held.push(page);
        }
    }

    /// Notes the values that a listing's page gives to placeholders.
    fn list(&mut self, at: usize, page: &Value) {
        for waiting in &self.plan.requests {
            for placeholder in Placeholder::of(waiting.service, &waiting.path) {
                if self.listing(&placeholder) == Some(at) {
                    let values = self.read[at].values.entry(placeholder.text.clone()).or_default();
                    for item in learn::items(page) {
                        values.extend(placeholder.value(item));
                    }
                }
            }
        }
    }

    fn end(&mut self, at: usize, instance: usize, state: SourceState, fault: Option<Fault>, progress: &mut dyn Progress) {
        let planned = &self.plan.requests[at];
        let one = &mut self.read[at].instances[instance];
        one.state = state;
        if let Some(fault) = fault {
            for helper in &planned.helpers {
                learn::forget(*helper, one.value.as_deref(), state == SourceState::Absent, &mut self.facts, &mut self.licences);
            }
            one.held = Vec::new();
            one.fault = Some(fault);
        }
        self.read[at].open -= 1;
        let status = self.read[at].instances[instance].status(planned);
        progress.read(&status);
    }

    /// Judges the pages that were held until all facts were known.
    fn judge_late(&mut self) {
        let Self { plan, job, names, facts, read, .. } = self;
        for (planned, source) in plan.requests.iter().zip(read) {
            for instance in &mut source.instances {
                let Instance { held, folds, name, .. } = instance;
                let late = folds.iter_mut().zip(&planned.readers).filter(|(_, check)| plan.checks[**check].late);
                for (fold, check) in late {
                    let Ok(rule) = &plan.checks[*check].rule else { continue };
                    let ground = Ground { now: job.now, names: &names[*check], facts, within: name.as_deref() };
                    held.iter().for_each(|page| fold.page(rule, page, ground));
                }
                *held = Vec::new();
            }
        }
    }

    /// How each planned request fared.
    pub fn statuses(&self) -> Vec<SourceStatus> {
        self.plan.requests.iter().zip(&self.read).map(|(planned, source)| source.status(planned)).collect()
    }
}

impl Source {
    fn status(&self, planned: &Planned) -> SourceStatus {
        // An object that is looked up by its id and is not there is an answer, not a feature that is missing.
        let looked_up = planned.helpers.iter().any(|helper| matches!(helper, Helper::Objects | Helper::Groups));
        let state =
            |instance: &Instance| if looked_up && instance.state == SourceState::Absent { SourceState::Read } else { instance.state };
        let worst = self.instances.iter().max_by_key(|instance| state(instance));
        SourceStatus {
            service: planned.service,
            path: planned.pattern(),
            state: worst
                .map_or(SourceState::NotNeeded, state)
                .max(self.lacking.as_ref().map_or(SourceState::NotNeeded, |fault| fault.state)),
            status: worst.and_then(|instance| instance.status),
            requests: u32::try_from(self.instances.len()).unwrap_or(u32::MAX),
            pages: self.instances.iter().map(|instance| instance.pages).sum(),
            items: self.instances.iter().map(|instance| instance.items).sum(),
            checks: u32::try_from(planned.wanted_by()).unwrap_or(u32::MAX),
            message: worst.and_then(|instance| instance.fault.as_ref()).or(self.lacking.as_ref()).map(|fault| fault.message.clone()),
        }
    }
}

impl Instance {
    fn status(&self, planned: &Planned) -> SourceStatus {
        SourceStatus {
            service: planned.service,
            path: self.request.path.clone(),
            state: self.state,
            status: self.status,
            requests: 1,
            pages: self.pages,
            items: self.items,
            checks: u32::try_from(planned.wanted_by()).unwrap_or(u32::MAX),
            message: self.fault.as_ref().map(|fault| fault.message.clone()),
        }
    }
}
