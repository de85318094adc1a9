//! What is to be asked next, and what may be asked together.

use super::BATCH;
use crate::{Request, Service};
use std::collections::{HashSet, VecDeque};

/// One read to make for one instance of a planned request.
#[derive(Debug)]
pub struct Task {
    pub planned: usize,
    pub instance: usize,
    pub request: Request,
    /// Next links followed so far: one that comes back is a circle.
    pub followed: HashSet<String>,
}

impl Task {
    pub fn further(&self) -> bool {
        !self.followed.is_empty()
    }

    /// Which tasks may share a call, and how many at most.
    fn class(&self) -> (Service, bool, usize) {
        // Pages of listings are large: few at a time.
        const PAGES_AT_ONCE: usize = 4;
        let Request { service, path } = &self.request;
        // One request a second is allowed of these, for all callers together.
        let slow =
            *service == Service::Graph && ["/identityProtection/", "/identity/conditionalAccess/"].iter().any(|part| path.contains(part));
        let most = match (slow, self.further()) {
            (true, _) => 1,
            (_, true) => PAGES_AT_ONCE,
            _ => BATCH,
        };
        (*service, self.further(), most)
    }
}

#[derive(Debug, Default)]
pub struct Queue(VecDeque<Task>);

impl Queue {
    pub fn push(&mut self, task: Task) {
        self.0.push_back(task);
    }

    /// Next pages go first, so that few listings are open at a time.
    pub fn push_first(&mut self, task: Task) {
        self.0.push_front(task);
    }

    /// The tasks of the next call, in their order.
    pub fn next(&mut self) -> Vec<Task> {
        let Some(class) = self.0.front().map(Task::class) else { return Vec::new() };
        let (mut taken, mut left) = (Vec::new(), VecDeque::with_capacity(self.0.len()));
        for task in self.0.drain(..) {
            if taken.len() < class.2 && task.class() == class { taken.push(task) } else { left.push_back(task) }
        }
        self.0 = left;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(path: &str, service: Service) -> Task {
        Task { planned: 0, instance: 0, request: Request::new(service, path), followed: HashSet::new() }
    }

    #[test]
    fn slow_services_are_asked_alone_and_others_twenty_at_a_time() {
        let mut queue = Queue::default();
        for n in 0..25 {
            queue.push(task(&format!("/v1.0/a{n}"), Service::Graph));
        }
        queue.push(task("/v1.0/identity/conditionalAccess/policies", Service::Graph));
        queue.push(task("/v1.0/identityProtection/riskyUsers", Service::Graph));
        queue.push(task("/subscriptions", Service::Arm));
        let sizes: Vec<usize> = std::iter::from_fn(|| Some(queue.next().len()).filter(|n| *n > 0)).collect();
        assert_eq!(sizes, [20, 5, 1, 1, 1]);
    }
}
