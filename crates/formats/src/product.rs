//! Which Microsoft product a check is about. Every check gets one, so that coverage per product leaves nothing out.

use bailiwick_base::Product;

/// A Maester test, by suite (the start of its id), then block, then tags.
pub fn maester(id: &str, block: &str, tags: &[String]) -> Product {
    suite(id).or_else(|| named(block)).or_else(|| tags.iter().find_map(|tag| tagged(tag))).unwrap_or(Product::Other)
}

fn suite(id: &str) -> Option<Product> {
    let id = id.to_ascii_uppercase();
    let starts = |prefix: &str| id.starts_with(prefix);
    if let Some(policy) = id.strip_prefix("CISA.") {
        return scuba(policy);
    }
    if let Some(section) = id.strip_prefix("CIS.M365.") {
        return cis(section);
    }
    // ORCA judges the mail protection of Microsoft Defender for Office 365.
    [
        ("EIDSCA", Product::Entra),
        ("AADSC", Product::Entra),
        ("ORCA", Product::Defender),
        ("AZDO", Product::AzureDevOps),
        ("AD-", Product::ActiveDirectory),
        ("GH.", Product::GitHub),
    ]
    .into_iter()
    .find_map(|(prefix, product)| starts(prefix).then_some(product))
}

/// CIS Microsoft 365 Foundations Benchmark: the first number is the admin centre a recommendation is set in.
fn cis(section: &str) -> Option<Product> {
    Some(match section.split('.').next()? {
        "1" | "5" => Product::Entra,
        "2" => Product::Defender,
        "3" => Product::Purview,
        "4" => Product::Intune,
        "6" => Product::Exchange,
        "7" => Product::SharePoint,
        "8" => Product::Teams,
        "9" => Product::PowerBi,
        _ => return None,
    })
}

/// A ScubaGear policy id (`MS.AAD.1.1v1`) or product abbreviation (`AAD`).
pub fn scuba(policy: &str) -> Option<Product> {
    let policy = policy.to_ascii_uppercase();
    let part = policy.strip_prefix("MS.").unwrap_or(&policy);
    Some(match part.split('.').next()? {
        "AAD" => Product::Entra,
        "EXO" => Product::Exchange,
        "DEFENDER" | "SECURITYSUITE" => Product::Defender,
        "SHAREPOINT" | "ONEDRIVE" => Product::SharePoint,
        "TEAMS" => Product::Teams,
        "POWERPLATFORM" => Product::PowerPlatform,
        "POWERBI" => Product::PowerBi,
        _ => return None,
    })
}

/// Words in a block's name, the more telling first.
const WORDS: &[(&str, Product)] = &[
    ("active directory -", Product::ActiveDirectory),
    ("azuredevops", Product::AzureDevOps),
    ("azure devops", Product::AzureDevOps),
    ("github", Product::GitHub),
    ("entra", Product::Entra),
    ("azure ad", Product::Entra),
    ("conditional access", Product::Entra),
    ("conditionalaccess", Product::Entra),
    ("authentication method", Product::Entra),
    ("authorization", Product::Entra),
    ("consent", Product::Entra),
    ("default settings", Product::Entra),
    ("default activity", Product::Entra),
    ("external identities", Product::Entra),
    ("feature rollout", Product::Entra),
    ("app management", Product::Entra),
    ("security defaults", Product::Entra),
    ("license utilization", Product::Entra),
    ("teams", Product::Teams),
    ("exchange", Product::Exchange),
    ("sharepoint", Product::SharePoint),
    ("onedrive", Product::SharePoint),
    ("intune", Product::Intune),
    ("defender", Product::Defender),
    ("exposure management", Product::Defender),
    ("purview", Product::Purview),
    ("power platform", Product::PowerPlatform),
    ("powerplatform", Product::PowerPlatform),
    ("power bi", Product::PowerBi),
    ("powerbi", Product::PowerBi),
    ("fabric", Product::PowerBi),
    ("azure", Product::Azure),
];

fn named(block: &str) -> Option<Product> {
    let block = block.to_lowercase();
    WORDS.iter().find(|(word, _)| block.contains(word)).map(|(_, product)| *product)
}

/// A tag that names a product.
pub fn tagged(tag: &str) -> Option<Product> {
    Some(match tag.to_ascii_lowercase().as_str() {
        "entra" | "aad" | "ca" | "conditionalaccess" | "eidsca" | "privileged" | "identity" => Product::Entra,
        "exchange" | "exo" => Product::Exchange,
        "teams" => Product::Teams,
        "sharepoint" | "spo" => Product::SharePoint,
        "intune" => Product::Intune,
        "defender" | "mdi" | "mdo" | "xdr" => Product::Defender,
        "purview" => Product::Purview,
        "azure" => Product::Azure,
        "azuredevops" => Product::AzureDevOps,
        "activedirectory" | "ad" => Product::ActiveDirectory,
        "github" => Product::GitHub,
        _ => return None,
    })
}

/// A Zero Trust pillar.
pub fn pillar(pillar: &str) -> Option<Product> {
    Some(match pillar.to_ascii_lowercase().as_str() {
        "identity" => Product::Entra,
        "devices" => Product::Intune,
        "data" => Product::Purview,
        "network" => Product::Network,
        "infrastructure" => Product::Azure,
        "secops" => Product::SecOps,
        "ai" => Product::Ai,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_blocks_and_tags_lead_to_a_product() {
        let none: &[String] = &[];
        assert_eq!(maester("EIDSCA.AP01", "EIDSCA", none), Product::Entra);
        assert_eq!(maester("ORCA.100", "ORCA", none), Product::Defender);
        assert_eq!(maester("CISA.MS.EXO.8.3", "CISA", none), Product::Exchange);
        assert_eq!(maester("CIS.M365.7.2.1", "CIS", none), Product::SharePoint);
        assert_eq!(maester("MT.1037", "Maester/Teams", none), Product::Teams);
        assert_eq!(maester("AD-DC-01", "Active Directory - Domain Controllers", none), Product::ActiveDirectory);
        assert_eq!(maester("X.1", "Custom", &["Intune".into()]), Product::Intune);
        assert_eq!(maester("X.1", "Custom", none), Product::Other);
    }
}
