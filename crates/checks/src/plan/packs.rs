//! What packs add to a plan: their own requests, and the listings that give their placeholders values. A pack that cannot be read adds none.

use super::{Placeholder, Planned, merge};
use crate::{Job, Service, packs::Pack};

/// The requests of the job's packs.
pub fn requests(job: &Job) -> Vec<Planned> {
    let mut requests = Vec::new();
    for pack in job.packs.iter().filter_map(|source| Pack::read(source).ok()) {
        for request in pack.reads() {
            add(&mut requests, request.service, &request.path);
        }
    }
    requests
}

fn add(requests: &mut Vec<Planned>, service: Service, path: &str) {
    for placeholder in Placeholder::of(service, path) {
        if let Some((service, listing)) = placeholder.listing() {
            add(requests, service, &listing);
        }
    }
    let (path, select) = merge::split(path, None);
    if requests.iter().any(|known| (known.service, &known.path, &known.select) == (service, &path, &select)) {
        return;
    }
    let (readers, conditions, helpers, helped, looks) = Default::default();
    requests.push(Planned { service, path, select, readers, conditions, helpers, helped, always: false, looks });
}
