//! What is tested in the scenario, and how each organisation does on day 1. A line is a test; what happens later is in
//! `maester.rs`.

/// One test of the scenario.
pub struct Check {
    pub id: &'static str,
    pub title: &'static str,
    pub severity: &'static str,
    pub block: &'static str,
    pub service: &'static str,
    /// Day 1 of Contoso: P(assed), F(ailed), S(kipped), I(nvestigate), E(rror), N(otRun).
    pub contoso: char,
    pub fabrikam: char,
}

const fn check(
    id: &'static str,
    title: &'static str,
    severity: &'static str,
    block: &'static str,
    service: &'static str,
    results: (char, char),
) -> Check {
    Check { id, title, severity, block, service, contoso: results.0, fabrikam: results.1 }
}

const CA: &str = "Maester/Entra/Conditional Access";
const ENTRA: &str = "Maester/Entra";
const EIDSCA: &str = "EIDSCA";
const EXO: &str = "Maester/Exchange";
const TEAMS: &str = "Maester/Teams";
const INTUNE: &str = "Maester/Intune";
const XDR: &str = "Maester/Defender";
const SPO: &str = "Maester/SharePoint";

/// The test that appears on day 2.
pub const ADDED: Check = check("MT.1073", "Agent identities have an accountable owner", "Medium", ENTRA, "Entra", ('F', 'P'));

#[rustfmt::skip] // a table
pub const CHECKS: &[Check] = &[
    check("MT.1001", "A Conditional Access policy asks for a compliant device", "High", CA, "Entra", ('P', 'P')),
    check("MT.1003", "A Conditional Access policy covers every cloud app", "High", CA, "Entra", ('P', 'P')),
    check("MT.1005", "All Conditional Access policies are configured to exclude at least one emergency/break glass account", "High", CA, "Entra", ('P', 'P')),
    check("MT.1006", "A Conditional Access policy asks administrators for multifactor authentication", "Critical", CA, "Entra", ('P', 'P')),
    check("MT.1007", "A Conditional Access policy asks everybody for multifactor authentication", "High", CA, "Entra", ('P', 'F')),
    check("MT.1008", "Azure management is behind multifactor authentication", "High", CA, "Entra", ('P', 'F')),
    check("MT.1009", "Legacy clients other than Exchange ActiveSync are blocked", "High", CA, "Entra", ('F', 'P')),
    check("MT.1010", "Exchange ActiveSync with a password alone is blocked", "High", CA, "Entra", ('P', 'P')),
    check("MT.1011", "Registering security information is protected", "Medium", CA, "Entra", ('F', 'F')),
    check("MT.1012", "Risky sign-ins have to prove themselves again", "High", CA, "Entra", ('S', 'P')),
    check("MT.1013", "Users at high risk change their password", "High", CA, "Entra", ('S', 'P')),
    check("MT.1016", "Guests are asked for multifactor authentication", "Medium", CA, "Entra", ('P', 'F')),
    check("MT.1017", "Unmanaged devices do not keep a persistent session", "Low", CA, "Entra", ('F', 'P')),
    check("MT.1020", "No policy names a group that no longer exists", "Medium", CA, "Entra", ('P', 'P')),
    check("MT.1024", "Recommendations of the directory are dealt with", "Medium", ENTRA, "Entra", ('I', 'P')),
    check("MT.1025", "No account from an on-premises directory holds a control-plane role", "Critical", ENTRA, "Entra", ('P', 'P')),
    check("MT.1026", "No guest holds a control-plane role", "Critical", ENTRA, "Entra", ('P', 'F')),
    check("MT.1027", "No application holds a control-plane role outside the list", "Critical", ENTRA, "Entra", ('F', 'P')),
    check("MT.1031", "Privileged roles are given for a limited time", "High", ENTRA, "Entra", ('P', 'P')),
    check("MT.1050", "Applications with dangerous permissions are known and owned", "High", ENTRA, "Entra", ('F', 'F')),
    check("EIDSCA.AP01", "Users reset their own password only after proving who they are", "Medium", EIDSCA, "Entra", ('P', 'P')),
    check("EIDSCA.AP04", "Only people in chosen roles may invite guests", "Medium", EIDSCA, "Entra", ('F', 'F')),
    check("EIDSCA.AP06", "Nobody joins the directory by e-mail alone", "Low", EIDSCA, "Entra", ('P', 'P')),
    check("EIDSCA.AP10", "Ordinary users do not register applications", "Medium", EIDSCA, "Entra", ('P', 'F')),
    check("EIDSCA.AF01", "Security keys may be used to sign in", "Medium", EIDSCA, "Entra", ('P', 'P')),
    check("EIDSCA.AM01", "The authenticator app may be used to sign in", "Medium", EIDSCA, "Entra", ('P', 'P')),
    check("EIDSCA.PR05", "A locked account stays locked for at least a minute", "Low", EIDSCA, "Entra", ('P', 'P')),
    check("CIS.M365.2.1.9", "DKIM signs mail of every domain", "Medium", EXO, "ExchangeOnline", ('P', 'F')),
    check("CIS.M365.6.2.1", "No rule forwards mail to the outside", "High", EXO, "ExchangeOnline", ('P', 'P')),
    check("CISA.MS.EXO.2.2", "Every sending domain publishes an SPF record", "Medium", EXO, "ExchangeOnline", ('P', 'P')),
    check("CISA.MS.EXO.4.1", "Every domain publishes a DMARC policy", "Medium", EXO, "ExchangeOnline", ('F', 'P')),
    check("CISA.MS.EXO.5.1", "SMTP AUTH is off", "High", EXO, "ExchangeOnline", ('P', 'F')),
    check("CISA.MS.EXO.13.1", "Mailbox auditing is on", "Medium", EXO, "ExchangeOnline", ('P', 'P')),
    check("ORCA.100", "The bulk mail threshold is between 4 and 6", "Low", EXO, "ExchangeOnline", ('F', 'P')),
    check("MT.1037", "Only people of the organisation present in meetings by default", "Low", TEAMS, "Teams", ('P', 'P')),
    check("MT.1038", "External participants cannot take control in meetings", "Medium", TEAMS, "Teams", ('P', 'F')),
    check("MT.1045", "Only invited people skip the lobby", "Medium", TEAMS, "Teams", ('F', 'P')),
    check("CISA.MS.TEAMS.2.1", "Chats with the outside are limited to known domains", "Medium", TEAMS, "Teams", ('P', 'P')),
    check("MT.1053", "Certificates of Apple device management are still valid", "High", INTUNE, "Intune", ('P', 'P')),
    check("MT.1054", "Devices without a policy count as not compliant", "High", INTUNE, "Intune", ('F', 'P')),
    check("MT.1092", "Firewall policies reach every Windows device", "Medium", INTUNE, "Intune", ('P', 'P')),
    check("MT.1096", "Nobody enrols a device without an administrator's leave", "Low", INTUNE, "Intune", ('S', 'S')),
    check("MT.1059", "Domain controllers have a healthy identity sensor", "High", XDR, "Defender", ('S', 'P')),
    check("MT.1086", "Devices do not expose old administrators' credentials", "High", XDR, "Defender", ('P', 'P')),
    check("CISA.MS.DEFENDER.1.1", "A preset security policy protects the mailboxes", "High", XDR, "Defender", ('P', 'F')),
    check("CISA.MS.DEFENDER.5.1", "Alerts that matter are switched on", "Medium", XDR, "Defender", ('P', 'P')),
    check("CISA.MS.SHAREPOINT.1.1", "Sharing goes no further than known guests", "High", SPO, "SharePoint", ('F', 'P')),
    check("CISA.MS.SHAREPOINT.2.1", "A link is for chosen people by default", "Medium", SPO, "SharePoint", ('P', 'P')),
    check("CISA.MS.SHAREPOINT.3.1", "Links for anybody end within thirty days", "Medium", SPO, "SharePoint", ('P', 'F')),
    check("CIS.M365.7.2.6", "Sharing is limited to a list of domains", "Low", SPO, "SharePoint", ('N', 'N')),
];
