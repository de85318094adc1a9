//! What the catalogue of checks says to people: which checks there are, what they ask, and which permissions they need.

use crate::{Call, Mount, ReadHandler, Services, text};
use bailiwick_base::{Page, Problem};
use bailiwick_checks::{Catalogue, Check, recipes::Recipe};
use bailiwick_contract::catalogue::{CatalogueCheck, CatalogueDetail, CataloguePage, CatalogueQuery, GetCatalogueCheck, ListCatalogue};
use bailiwick_contract::scans::ScanKind;
use bailiwick_store::ReadScope;
use std::collections::{BTreeMap, BTreeSet};

pub fn mount(to: &mut impl Mount) {
    to.read::<ListCatalogue>();
    to.read::<GetCatalogueCheck>();
}

/// Every check this program judges by. A program whose catalogue does not read was not tested: it judges by nothing and says so.
fn checks() -> &'static [Check] {
    match Catalogue::shipped() {
        Ok(catalogue) => catalogue.checks(),
        Err(errors) => {
            tracing::error!(errors = errors.len(), "the catalogue of checks cannot be read");
            &[]
        }
    }
}

/// Everything that may be written.
fn recipes() -> impl Iterator<Item = &'static Recipe> {
    Catalogue::shipped().into_iter().flat_map(Catalogue::recipes)
}

/// The catalogue, to plan fixes by.
///
/// # Errors
/// `internal`: it cannot be read.
pub fn shipped() -> Result<&'static Catalogue, Problem> {
    Catalogue::shipped().map_err(|errors| Problem::internal(format!("the catalogue of checks cannot be read: {} errors", errors.len())))
}

/// The permissions of a check that are application permissions of Graph; roles in Azure are assigned, not consented to.
fn graph_permissions(check: &Check) -> impl Iterator<Item = &str> {
    check.permission.as_deref().unwrap_or_default().split_whitespace().filter(|permission| !permission.contains(':'))
}

/// The application permissions that the checks of a kind of scan read with.
pub fn permissions(kind: bailiwick_checks::ScanKind) -> BTreeSet<String> {
    let of_kind = checks().iter().filter(|check| check.scans.contains(&kind));
    // Licences and the organisation's own facts are read whatever is judged.
    let always = ["Organization.Read.All"];
    of_kind.flat_map(graph_permissions).chain(always).map(str::to_owned).collect()
}

/// What carrying a fix out reads beside what its own permission opens.
const FIXES_READ: [&str; 1] = ["Policy.Read.All"];

/// The application permissions that fix recipes write with, and what it takes to look before and after.
pub fn fix_permissions() -> BTreeSet<String> {
    let of_recipes = recipes().flat_map(Recipe::permissions).filter(|permission| !permission.contains(':'));
    of_recipes.chain(FIXES_READ).map(str::to_owned).collect()
}

/// The permission that a check names for what it reads at a path, whatever the query selects.
pub fn permission_of(service: &str, path: &str) -> Option<String> {
    let bare = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    let wanted = bare(path);
    let reads = |check: &&Check| check.collect.service.as_str() == service && bare(&check.collect.path) == wanted;
    checks().iter().filter(reads).find_map(|check| check.permission.clone())
}

fn kind(kind: bailiwick_checks::ScanKind) -> ScanKind {
    match kind {
        bailiwick_checks::ScanKind::Compliance => ScanKind::Compliance,
        bailiwick_checks::ScanKind::Exposure => ScanKind::Exposure,
    }
}

fn line(check: &Check) -> CatalogueCheck {
    CatalogueCheck {
        id: check.id.clone(),
        version: check.version,
        title: check.title.clone(),
        product: check.product.clone(),
        severity: check.severity,
        scans: check.scans.iter().copied().map(kind).collect(),
        theme: check.theme.clone().unwrap_or_default(),
        frameworks: check.frameworks.clone(),
        permissions: check.permission.as_deref().unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        license: check.license.clone(),
        fixable: Catalogue::shipped().is_ok_and(|catalogue| catalogue.recipes_of(&check.id).next().is_some()),
    }
}

/// One filter, to be left out when its own facet is counted.
#[derive(Clone, Copy, PartialEq)]
enum Facet {
    Framework,
    Product,
}

fn passes(check: &Check, query: &CatalogueQuery, search: Option<&str>, but: Option<Facet>) -> bool {
    let framework = |wanted: &String| check.frameworks.contains_key(wanted);
    let text = |word: &str| check.id.to_lowercase().contains(word) || check.title.to_lowercase().contains(word);
    (but == Some(Facet::Framework) || query.framework.as_ref().is_none_or(framework))
        && (but == Some(Facet::Product) || query.product.as_ref().is_none_or(|wanted| check.product == *wanted))
        && query.severity.is_none_or(|wanted| check.severity == wanted)
        && query.scan.is_none_or(|wanted| check.scans.iter().any(|of| kind(*of) == wanted))
        && search.is_none_or(text)
}

impl ReadHandler for ListCatalogue {
    async fn handle(_: &Services, _: &mut ReadScope, call: Call<Self>) -> Result<CataloguePage, Problem> {
        let (query, limit) = (&call.query, text::limit(call.query.limit)? as usize);
        let after = text::cursor::<1>(&query.cursor)?.map(|[id]| id).unwrap_or_default();
        let search = query.search.as_deref().map(str::trim).filter(|word| !word.is_empty()).map(str::to_lowercase);
        let search = search.as_deref();
        let found = |but| checks().iter().filter(move |check| passes(check, query, search, but));
        let (mut products, mut frameworks) = (BTreeMap::new(), BTreeMap::new());
        for check in found(Some(Facet::Product)) {
            *products.entry(check.product.clone()).or_insert(0) += 1;
        }
        for framework in found(Some(Facet::Framework)).flat_map(|check| check.frameworks.keys()) {
            *frameworks.entry(framework.clone()).or_insert(0) += 1;
        }
        let total = u32::try_from(found(None).count()).unwrap_or(u32::MAX);
        let rows: Vec<CatalogueCheck> = found(None).filter(|check| check.id > after).take(limit + 1).map(line).collect();
        Ok(CataloguePage { page: Page::from_rows(rows, limit, |c| vec![c.id.clone()]), total, products, frameworks })
    }
}

impl ReadHandler for GetCatalogueCheck {
    async fn handle(_: &Services, _: &mut ReadScope, call: Call<Self>) -> Result<CatalogueDetail, Problem> {
        let check = checks().iter().find(|check| check.id == call.path.check).ok_or_else(Problem::not_found)?;
        Ok(CatalogueDetail {
            check: line(check),
            rationale: check.rationale.clone(),
            remediation: check.remediation.clone(),
            default_value: check.default.clone().unwrap_or_default(),
            service: check.collect.service.as_str().to_owned(),
            path: check.collect.path.clone(),
            rule: serde_json::to_value(&check.rule).map_err(Problem::internal)?,
            parameters: serde_json::to_value(&check.parameters).map_err(Problem::internal)?,
            references: check.references.clone(),
            also: check.also.clone(),
        })
    }
}
