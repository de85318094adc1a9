//! Identity: who is calling, the tenant's members, and its API keys.

use crate::operation::{Empty, Guard, json, operations};
use crate::permission::{Permission, Role};
use bailiwick_base::{ApiKeyId, DirectoryId, MemberId, Page, ProjectId, TenantId, Timestamp};
pub use bailiwick_base::{Principal, PrincipalKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The caller, and what the caller may do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    pub principal: Principal,
    pub tenant: TenantId,
    pub tenant_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The project a project key is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    pub permissions: Vec<Permission>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    pub id: MemberId,
    pub directory: DirectoryId,
    /// The person's object id in that directory. Never an e-mail address, which can change hands.
    pub object_id: Uuid,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub added_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    pub object_id: Uuid,
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// For display only.
    #[serde(default)]
    #[schemars(length(max = 320))]
    pub email: String,
    pub role: Role,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    pub role: Role,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MemberPath {
    pub member: MemberId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

/// An API key as it is shown after its birth: never the key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    /// The last four characters, to tell keys apart.
    pub hint: String,
    /// Bound to this project; absent: the whole tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    pub state: KeyState,
    pub created_at: Timestamp,
    pub created_by: Principal,
    pub expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// When it last opened a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    #[serde(default)]
    pub project: Option<ProjectId>,
    /// 1 to 366; 90 unless told.
    #[serde(default = "ninety")]
    #[schemars(range(min = 1, max = 366))]
    pub expires_in_days: u16,
}

fn ninety() -> u16 {
    90
}

/// The only answer that ever holds the key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CreatedApiKey {
    pub api_key: ApiKey,
    /// Shown once; send it in `X-Api-Key`. Bailiwick keeps its SHA-256.
    pub key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyPath {
    pub api_key: ApiKeyId,
}

json!(Me, Member, NewMember, MemberChange, Page<Member>, ApiKey, NewApiKey, CreatedApiKey, Page<ApiKey>);

operations! {
    /// Says who you are here and what you may do.
    GetMe = "get_me" Get "/api/v1/me" {
        guard: Guard::AnyCaller, effect: Read, rate: Read, answer: Me, status: 200,
        example: {"principal": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "tenant": "0192f0c1-2b3c-7d4e-8f50-61728394a5b6", "tenant_name": "Contoso", "role": "owner", "permissions": ["runs.read"]},
    }
    /// Lists the members.
    ListMembers = "list_members" Get "/api/v1/members" {
        guard: Guard::Needs(Permission::MembersRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<Member>, status: 200,
        example: {"items": [{"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "object_id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a02", "name": "Avery Howard", "email": "avery@contoso.com", "role": "owner", "added_at": "2026-11-22T08:00:00Z"}]},
    }
    /// Adds a person of the sign-in directory as a member.
    AddMember = "add_member" Post "/api/v1/members" {
        guard: Guard::Needs(Permission::MembersWrite), effect: Write("member.added"), rate: Write, body: NewMember, answer: Member, status: 201,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "object_id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a02", "name": "Avery Howard", "email": "avery@contoso.com", "role": "owner", "added_at": "2026-11-22T08:00:00Z"},
    }
    /// Changes a member's role. The last owner stays owner.
    ChangeMember = "change_member" Patch "/api/v1/members/{member}" {
        guard: Guard::Needs(Permission::MembersWrite), effect: Write("member.changed"), rate: Write, params: MemberPath, body: MemberChange, answer: Member, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "object_id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a02", "name": "Avery Howard", "email": "avery@contoso.com", "role": "admin", "added_at": "2026-11-22T08:00:00Z"},
    }
    /// Removes a member; the next request with their token is refused. The last owner stays.
    RemoveMember = "remove_member" Delete "/api/v1/members/{member}" {
        guard: Guard::Needs(Permission::MembersWrite), effect: Write("member.removed"), rate: Write, params: MemberPath, answer: Empty, status: 204,
        example: null,
    }
    /// Lists the API keys, never their values.
    ListApiKeys = "list_api_keys" Get "/api/v1/api-keys" {
        guard: Guard::Needs(Permission::KeysRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<ApiKey>, status: 200,
        example: {"items": []},
    }
    /// Creates an API key and shows it, once.
    CreateApiKey = "create_api_key" Post "/api/v1/api-keys" {
        guard: Guard::Needs(Permission::KeysWrite), effect: Write("api_key.created"), rate: Write, body: NewApiKey, answer: CreatedApiKey, status: 201,
        example: {"key": "bwk_…", "api_key": {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b9", "name": "nightly", "hint": "x7Qz", "state": "active", "created_at": "2026-11-22T08:00:00Z", "created_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "expires_at": "2027-02-20T08:00:00Z"}},
    }
    /// Revokes an API key: the next request with it is refused.
    RevokeApiKey = "revoke_api_key" Delete "/api/v1/api-keys/{api_key}" {
        guard: Guard::Needs(Permission::KeysWrite), effect: Write("api_key.revoked"), rate: Write, params: ApiKeyPath, answer: Empty, status: 204,
        example: null,
    }
}
