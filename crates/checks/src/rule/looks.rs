//! What a rule looks at, as a tree of member names: the allow-list by which answers are reduced before anything is kept of them.

use super::{Function, ListKind, ListRule, Op, Path, Predicate, Rule, Step};
use std::collections::BTreeMap;

/// Members that are kept; lists are passed through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    pub members: BTreeMap<String, Tree>,
    /// A rule looks at this very value: plain values are kept, of objects only their plain members.
    pub leaf: bool,
    /// Everything below is kept (policy texts that a rule searches).
    pub whole: bool,
}

/// Places in the tree, by the names on the way.
type Places = Vec<Vec<String>>;

impl Tree {
    fn at(&mut self, place: &[String]) -> &mut Tree {
        place.iter().fold(self, |tree, name| tree.members.entry(name.clone()).or_default())
    }

    /// Adds a path that is looked at from the root.
    pub fn keep(&mut self, path: &str) {
        if let Ok(path) = Path::parse(path) {
            let (ends, _) = self.trace(&path.steps, vec![Vec::new()]);
            self.leaves(&ends);
        }
    }

    pub fn merge(&mut self, other: &Tree) {
        self.leaf |= other.leaf;
        self.whole |= other.whole;
        for (name, tree) in &other.members {
            self.members.entry(name.clone()).or_default().merge(tree);
        }
    }

    fn leaves(&mut self, places: &Places) {
        places.iter().for_each(|place| self.at(place).leaf = true);
    }

    /// Follows steps from some places: where they end, and where the first list on the way was.
    fn trace(&mut self, steps: &[Step], from: Places) -> (Places, Option<Places>) {
        let (mut at, mut outer) = (from, None);
        for step in steps {
            match step {
                Step::Member(name) => at.iter_mut().for_each(|place| place.push(name.clone())),
                Step::Each | Step::Index(_) => outer = outer.or_else(|| Some(at.clone())),
                Step::Filter { member, .. } => {
                    outer = outer.or_else(|| Some(at.clone()));
                    for place in &at {
                        self.at(place).members.entry(member.clone()).or_default().leaf = true;
                    }
                }
                Step::Pick(paths) => at = paths.iter().flat_map(|path| self.trace(path, at.clone()).0).collect(),
                // What stands inside text is kept with the text.
                Step::Json => {
                    self.leaves(&at);
                    return (Vec::new(), outer);
                }
            }
        }
        (at, outer)
    }

    fn predicate(&mut self, predicate: &Predicate, at: &Places, outer: &Places) {
        match predicate {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().for_each(|part| self.predicate(part, at, outer)),
            Predicate::Not(part) => self.predicate(part, at, outer),
            Predicate::Where(a, b) => {
                self.predicate(a, at, outer);
                self.predicate(b, at, outer);
            }
            Predicate::Test { path, op, .. } => {
                let ends = self.follow(path.as_ref(), at, outer);
                match op {
                    Op::List(list) => self.list(list, &ends, outer),
                    Op::Match(inner) => self.predicate(inner, &ends, outer),
                    Op::RatioPaths { numerator, denominator, .. } => {
                        for path in [numerator, denominator] {
                            let ends = self.follow(Some(path), &ends, outer);
                            self.leaves(&ends);
                        }
                    }
                    _ => self.leaves(&ends),
                }
            }
            Predicate::Call(function) => self.function(function, at, outer),
        }
    }

    fn follow(&mut self, path: Option<&Path>, at: &Places, outer: &Places) -> Places {
        match path {
            None => at.clone(),
            Some(path) => self.trace(&path.steps, if path.outer { outer.clone() } else { at.clone() }).0,
        }
    }

    fn list(&mut self, list: &ListRule, at: &Places, outer: &Places) {
        // That there is a list, and how long it is, is looked at in any case.
        at.iter().for_each(|place| {
            self.at(place);
        });
        if let ListKind::Enabled(_) = &list.kind {
            at.iter().for_each(|place| {
                for member in ["category", "categoryGroup", "enabled"] {
                    self.at(place).members.entry(member.to_owned()).or_default().leaf = true;
                }
            });
        }
        let denominator = match &list.kind {
            ListKind::Ratio { denominator, .. } => Some(&**denominator),
            _ => None,
        };
        for predicate in [Some(&list.predicate), list.condition.as_ref(), denominator].into_iter().flatten() {
            self.predicate(predicate, at, outer);
        }
    }

    fn function(&mut self, function: &Function, at: &Places, outer: &Places) {
        let texts: &[&str] = match function {
            Function::ExclusionsAccepted | Function::ExcludesEmergencyAccess | Function::ExclusionsCovered | Function::GroupsAll(_) => &[
                "state",
                "conditions.users.[includeUsers,excludeUsers,includeGroups,excludeGroups,includeRoles,excludeRoles]",
                "conditions.users.excludeGuestsOrExternalUsers.guestOrExternalUserTypes",
                "conditions.applications.excludeApplications",
            ],
            Function::NotEmergencyAccess => &["principalId", "userId"],
            Function::HasActivePasswordCredential => &["passwordCredentials[].endDateTime"],
            Function::HasPrivilegedAppRole => &["requiredResourceAccess[].resourceAccess[].[id,type]", "principalId"],
            Function::HasServicePlan(_) => &[
                "assignedPlans[].[servicePlanId,capabilityStatus]",
                "assignedLicenses[].skuId",
                "assignedLicenses[].disabledPlans",
                "@odata.type",
            ],
            Function::UserMfaRegistered => &["userId", "principalId"],
            Function::PrivilegedRole => &["roleDefinitionId"],
            Function::PrincipalIsGuest => &["properties.[principalId,principalType]", "principalId", "principalType"],
            Function::UserAccountEnabled => &["accountEnabled"],
            Function::PimAuthContextEnabled => {
                let path = Path::parse("policy.rules[].[isEnabled,claimValue]").ok();
                let ends = self.follow(path.as_ref(), outer, outer);
                self.leaves(&ends);
                &[]
            }
            Function::JsonTextContains(_) => {
                at.iter().for_each(|place| self.at(place).whole = true);
                &[]
            }
            Function::RefsExist { paths, roles, .. } => {
                if paths.is_empty() && roles.is_empty() {
                    self.leaves(at);
                }
                self.paths(paths.iter().chain(roles), at, outer);
                &[]
            }
            Function::PortInRanges { paths, .. } => {
                self.paths(paths.iter(), at, outer);
                &[]
            }
            Function::ValidityDaysLte { start, end, .. } => {
                self.paths([start, end].into_iter(), at, outer);
                &[]
            }
            Function::AcceptedEntity => &[],
        };
        // Where the object is itself the id that the function asks after.
        if matches!(function, Function::UserMfaRegistered | Function::AcceptedEntity) {
            self.leaves(at);
        }
        for text in texts {
            let path = Path::parse(text).ok();
            let ends = self.follow(path.as_ref(), at, outer);
            self.leaves(&ends);
        }
    }

    fn paths<'p>(&mut self, paths: impl Iterator<Item = &'p Path>, at: &Places, outer: &Places) {
        for path in paths {
            let ends = self.follow(Some(path), at, outer);
            self.leaves(&ends);
        }
    }
}

impl Rule {
    /// Everything in an answer that this rule looks at.
    pub fn looks(&self) -> Tree {
        let mut tree = Tree::default();
        let (at, outer) = tree.trace(&self.property.steps, vec![Vec::new()]);
        let outer = outer.unwrap_or_else(|| at.clone());
        tree.list(&self.list, &at, &outer);
        tree
    }
}
