//! The scenario files, built into the program. The list of areas is the list of files in each folder.

/// A scenario's name and its areas with their text.
type Scenario = (&'static str, &'static [(&'static str, &'static str)]);

macro_rules! areas {
    ($folder:literal: $($area:literal)*) => {
        &[$(($area, include_str!(concat!("../../scenarios/", $folder, "/", $area, ".json")))),*]
    };
}

/// What every directory has: roles, templates, Microsoft's own service principals.
pub const COMMON: &[(&str, &str)] = areas!("common": "roles" "templates");

/// The areas of each scenario.
macro_rules! scenario {
    ($folder:literal) => {
        ($folder, areas!($folder: "organization" "identity" "applications" "policies" "conditional-access" "governance" "protection" "intune" "services" "azure" "dns"))
    };
}

pub const SCENARIOS: &[Scenario] = &[scenario!("hardened"), scenario!("typical"), scenario!("neglected")];
