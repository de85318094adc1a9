//! Reads what packs judge by: whole answers, each request once for each value of its placeholders, within a bound on all of them together.
//! Nothing of it is kept: it is the input of one evaluation and gone after it.

use crate::{
    Answer, FaultKind, Fetch, Job, Placeholder, ReasonCode, Request, SourceState, SourceStatus,
    plan::split,
    scan::{
        BATCH,
        end::{self, Fault},
    },
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};

/// Bytes of all answers that one pack reads.
const BYTES: usize = 24 << 20;
/// Pages of one listing.
const PAGES: u32 = 500;
/// Objects that one request is made for.
const INSTANCES: usize = 200;

/// What was read, by the paths as the pack names them.
#[derive(Debug, Default)]
pub struct Collected {
    /// Bodies; the pages of a listing as one.
    pub answers: BTreeMap<String, Value>,
    /// Of requests with placeholders: `{value, name, body}` for each.
    pub each: BTreeMap<String, Vec<Value>>,
    /// What was not read whole.
    pub failed: BTreeMap<String, Fault>,
    pub sources: Vec<SourceStatus>,
}

/// Reads the requests of one pack.
pub fn collect(job: &Job, requests: &[Request], fetch: &mut dyn Fetch) -> Collected {
    let mut reader = Reader { job, fetch, room: BYTES, over: None, listings: BTreeMap::new() };
    let mut collected = Collected::default();
    let (plain, patterns): (Vec<Request>, Vec<Request>) =
        requests.iter().cloned().partition(|request| Placeholder::of(request.service, &request.path).is_empty());
    for (request, told) in plain.iter().zip(reader.many(&plain)) {
        collected.sources.push(status(request, std::slice::from_ref(&told), None));
        match told.body {
            Ok(body) => _ = collected.answers.insert(request.path.clone(), body),
            Err(fault) => _ = collected.failed.insert(request.path.clone(), fault),
        }
    }
    for request in &patterns {
        let (bound, lacking) = reader.bind(request);
        let concrete: Vec<Request> = bound.iter().map(|(path, ..)| Request::new(request.service, path)).collect();
        let told = reader.many(&concrete);
        collected.sources.push(status(request, &told, lacking.as_ref()));
        let mut bodies = Vec::new();
        let mut failed = lacking;
        for ((_, value, name), told) in bound.into_iter().zip(told) {
            match told.body {
                Ok(body) => bodies.push(json!({"value": value, "name": name, "body": body})),
                Err(fault) => failed = failed.or(Some(fault)),
            }
        }
        collected.each.insert(request.path.clone(), bodies);
        collected.failed.extend(failed.map(|fault| (request.path.clone(), fault)));
    }
    collected
}

/// One request's whole answer, with how much it took.
struct Told {
    body: Result<Value, Fault>,
    pages: u32,
    items: u64,
    status: Option<u16>,
}

struct Reader<'a> {
    job: &'a Job,
    fetch: &'a mut dyn Fetch,
    room: usize,
    /// Nothing further is asked, and why.
    over: Option<Fault>,
    listings: BTreeMap<Request, Result<Value, Fault>>,
}

/// A request that is being read.
struct Open {
    request: Request,
    body: Option<Value>,
    told: Told,
    followed: HashSet<String>,
    done: bool,
}

impl Reader<'_> {
    /// Whole answers, in the order of the requests.
    fn many(&mut self, requests: &[Request]) -> Vec<Told> {
        let open = |request: &Request| Open {
            request: request.clone(),
            body: None,
            told: Told { body: Ok(Value::Null), pages: 0, items: 0, status: None },
            followed: HashSet::new(),
            done: false,
        };
        let mut all: Vec<Open> = requests.iter().map(open).collect();
        while let Some(service) = all.iter().find(|one| !one.done).map(|one| one.request.service) {
            let mut next: Vec<&mut Open> = all.iter_mut().filter(|one| !one.done && one.request.service == service).take(BATCH).collect();
            if let Some(fault) = &self.over {
                next.iter_mut().for_each(|one| one.end(Err(fault.clone())));
                continue;
            }
            let asked: Vec<Request> = next.iter().map(|one| one.request.clone()).collect();
            let mut answers = self.fetch.fetch(&asked).into_iter();
            for one in next {
                let missing =
                    || Answer::Failed { kind: FaultKind::Server, message: "The fetcher gave no answer to this request.".to_owned() };
                let answer = answers.next().unwrap_or_else(missing);
                if let Err(fault) = one.take(answer, &mut self.room) {
                    if fault.ends().is_some() {
                        self.over = Some(fault.clone());
                    }
                    one.end(Err(fault));
                }
            }
        }
        all.into_iter().map(|one| one.told).collect()
    }

    /// A request for each value of its placeholders, as path, value and name; and what keeps them from being all.
    fn bind(&mut self, request: &Request) -> (Vec<(String, String, String)>, Option<Fault>) {
        let mut bound = vec![(request.path.clone(), String::new(), String::new())];
        let mut lacking = None;
        for placeholder in Placeholder::of(request.service, &request.path) {
            let (values, fault) = self.values(&placeholder);
            lacking = lacking.or(fault);
            let put = |(path, ..): &(String, String, String)| {
                let one = |(value, name): &(String, String)| (path.replacen(&placeholder.text, value, 1), value.clone(), name.clone());
                values.iter().map(one).collect::<Vec<_>>()
            };
            bound = bound.iter().flat_map(put).collect();
            if bound.len() > INSTANCES {
                let text = format!("{} would be made for {} objects; a pack may read at most {INSTANCES}.", request.path, bound.len());
                return (Vec::new(), Some(Fault::new(ReasonCode::TooLarge, None, text)));
            }
        }
        (bound, lacking)
    }

    /// The values of a placeholder, with their names; and what keeps them from being all.
    fn values(&mut self, placeholder: &Placeholder) -> (Vec<(String, String)>, Option<Fault>) {
        if placeholder.is_tenant() {
            return (vec![(self.job.directory.to_string(), self.job.directory_name.clone())], None);
        }
        if placeholder.is_emergency_account() {
            let accounts = self.job.settings.emergency_accounts.iter();
            return (accounts.filter(|id| placeholder.admits(id)).map(|id| (id.clone(), id.clone())).collect(), None);
        }
        let Some((service, listing)) = placeholder.listing() else { return (Vec::new(), None) };
        let mut found: Vec<(String, String)> = Vec::new();
        let (listings, mut lacking) = self.bind(&Request::new(service, listing));
        for (path, ..) in listings {
            let request = Request::new(service, path);
            let known = self.listings.get(&request).cloned();
            let body = known.unwrap_or_else(|| self.many(std::slice::from_ref(&request)).remove(0).body);
            self.listings.insert(request, body.clone());
            match body {
                Ok(body) => {
                    let items = body.get("value").and_then(Value::as_array).into_iter().flatten();
                    found.extend(items.filter_map(|item| placeholder.value(item)));
                }
                Err(fault) => lacking = lacking.or(Some(fault)),
            }
        }
        found.sort();
        found.dedup();
        let (found, odd): (Vec<_>, Vec<_>) = found.into_iter().partition(|(value, _)| placeholder.admits(value));
        if let Some((value, _)) = odd.first() {
            // Left out in silence, it would make of some objects all of them.
            let text = format!("{} objects have ids that cannot stand in a path, the first of them {value:?}.", odd.len());
            lacking.get_or_insert_with(|| Fault::new(ReasonCode::Malformed, None, text));
        }
        (found, lacking)
    }
}

impl Open {
    fn end(&mut self, body: Result<Value, Fault>) {
        self.told.body = body;
        self.done = true;
    }

    /// Takes in a page, and goes on to the next or ends.
    fn take(&mut self, answer: Answer, room: &mut usize) -> Result<(), Fault> {
        if let Answer::Body { status, .. } = &answer {
            self.told.status = Some(*status);
        }
        let bytes = end::body(answer, !self.followed.is_empty())?;
        let fault = |code, text: String| Fault::new(code, Some(200), text);
        let path = &self.request.path;
        *room = room
            .checked_sub(bytes.len())
            .ok_or_else(|| fault(ReasonCode::TooLarge, format!("What this pack reads is more than {} MiB together.", BYTES >> 20)))?;
        let mut page: Value =
            serde_json::from_slice(&bytes).map_err(|e| fault(ReasonCode::Malformed, format!("The answer to {path} is no JSON: {e}.")))?;
        let (next, count) = page.as_object_mut().map_or((None, None), links);
        let listed = page.get("value").and_then(Value::as_array).map(Vec::len);
        self.told.pages += 1;
        self.told.items += listed.unwrap_or_default() as u64;
        if (next.is_some() || self.body.is_some()) && listed.is_none() {
            return Err(fault(ReasonCode::Truncated, format!("A page of {path} holds no list, so the listing is not whole.")));
        }
        let whole = match self.body.take() {
            None => page,
            Some(mut whole) => {
                let more = page.get_mut("value").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
                whole.get_mut("value").and_then(Value::as_array_mut).into_iter().for_each(|list| list.extend_from_slice(&more));
                whole
            }
        };
        match next {
            Some(link) if self.followed.contains(&link) || self.told.pages >= PAGES => Err(fault(
                ReasonCode::Truncated,
                format!("The pages of a listing have no end: a next link came back, or there are over {PAGES}."),
            )),
            Some(link) => {
                self.request.path.clone_from(&link);
                self.followed.insert(link);
                self.body = Some(whole);
                Ok(())
            }
            None if count.is_some_and(|count| count != self.told.items) => Err(fault(
                ReasonCode::Truncated,
                format!("The listing gave {} items and says it has more: a page was lost.", self.told.items),
            )),
            None => {
                self.end(Ok(whole));
                Ok(())
            }
        }
    }
}

/// Takes the next link and the count out of a page.
fn links(members: &mut Map<String, Value>) -> (Option<String>, Option<u64>) {
    let link = |value: Option<Value>| value.and_then(|link| link.as_str().map(str::to_owned)).filter(|link| !link.is_empty());
    let next = link(members.remove("@odata.nextLink")).or_else(|| link(members.remove("nextLink")));
    (next, members.remove("@odata.count").and_then(|count| count.as_u64()))
}

fn status(request: &Request, told: &[Told], lacking: Option<&Fault>) -> SourceStatus {
    let state = |told: &Told| told.body.as_ref().err().map_or(SourceState::Read, |fault| fault.state);
    let worst = told.iter().max_by_key(|told| state(told));
    let fault = lacking.or_else(|| worst.and_then(|told| told.body.as_ref().err()));
    SourceStatus {
        service: request.service,
        path: split(&request.path, None).1.onto(&split(&request.path, None).0, &|_| true),
        state: fault.map_or_else(|| worst.map_or(SourceState::NotNeeded, state), |fault| fault.state),
        status: worst.and_then(|told| told.status),
        requests: u32::try_from(told.len()).unwrap_or(u32::MAX),
        pages: told.iter().map(|told| told.pages).sum(),
        items: told.iter().map(|told| told.items).sum(),
        checks: 0,
        message: fault.map(|fault| fault.message.clone()),
    }
}
