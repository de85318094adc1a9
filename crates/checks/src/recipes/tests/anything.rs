//! Whatever an object holds, a change touches only its own members, and goes back.

use super::{
    super::members::{self, get, get_or_null, put},
    *,
};
use crate::ObjectRef;
use proptest::prelude::*;
use serde_json::json;

/// Values that Microsoft might have at some place.
fn anything() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..1000i64).prop_map(Value::from),
        "[a-z]{0,6}".prop_map(Value::from),
        proptest::collection::vec("[a-z]{1,4}".prop_map(Value::from), 0..3).prop_map(Value::from),
    ];
    plain.prop_recursive(2, 8, 3, |inner| {
        proptest::collection::btree_map("[a-d]", inner, 0..3).prop_map(|members| Value::Object(members.into_iter().collect()))
    })
}

proptest! {
    #[test]
    fn whatever_is_there_a_change_touches_only_its_members_and_goes_back(
        recipe in 0..1000usize,
        values in proptest::collection::vec(proptest::option::of(anything()), 12),
        beside in anything(),
        moved in anything(),
    ) {
        let recipes: Vec<&Recipe> = of_kind(RecipeKind::Patch).collect();
        let recipe = recipes[recipe % recipes.len()];
        let settings = Settings::default();
        let planner = planner(&settings);
        let site = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop";
        let (space, kind) = recipe.resource.clone().unwrap_or_default();
        let role = "p_62e90394-69f5-4237-9190-012177145e10";
        let id = match recipe.path.split('}').next().unwrap_or_default() {
            "{siteId" => site.to_owned(),
            "{resourceId" => format!("/subscriptions/s/resourceGroups/g/providers/{space}/{kind}/one"),
            _ => role.to_owned(),
        };
        let target = planner.target(&recipe.id, Some(ObjectRef { id, name: None, within: None })).unwrap();
        // An object with something at each of the recipe's places, and something beside each.
        let mut current = json!({"id": recipe.path.rsplit('/').next(), "state": "enabled", "signInAudience": "AzureADMultipleOrgs", "untouched": beside});
        let mut paths: Vec<String> = members::leaves(&recipe.body).into_iter().map(|(path, _)| path.trim_end_matches(".parameter").to_owned()).collect();
        paths.extend(recipe.carry.iter().chain(&recipe.needs).cloned());
        for (path, value) in paths.iter().zip(&values) {
            let parent = path.rsplit_once('.').map(|(parent, _)| parent);
            if let Some(parent) = parent {
                put(&mut current, &format!("{parent}.beside"), beside.clone());
            }
            if let Some(value) = value {
                put(&mut current, path, value.clone());
            }
        }
        let Proposal::Change(change) = planner.propose(&target, &current, "1") else { return Ok(()) };
        prop_assert_eq!(compare(&change, &current), Standing::AsBefore);
        let mut after = current.clone();
        take(recipe.service, &mut after, &change.body);
        prop_assert_eq!(compare(&change, &after), Standing::AsAfter);
        prop_assert_eq!(&after["untouched"], &current["untouched"]);
        // Somebody moves what stands beside; the change still goes back, and theirs stays.
        let neighbours: Vec<String> = change.changed.iter().filter_map(|m| Some(format!("{}.beside", m.path.rsplit_once('.')?.0))).collect();
        let neighbours: Vec<&String> = neighbours.iter().filter(|path| get(&current, path).is_some()).collect();
        neighbours.iter().for_each(|path| put(&mut after, path, moved.clone()));
        prop_assert_eq!(compare(&change, &after), Standing::AsAfter);
        let undo = undo(&change, &after, None).unwrap();
        take(recipe.service, &mut after, undo.body.as_ref().unwrap());
        prop_assert_eq!(compare(&change, &after), Standing::AsBefore);
        for path in neighbours {
            prop_assert_eq!(get_or_null(&after, path), moved.clone());
        }
        for member in change.changed.iter().filter(|member| !member.before.is_null()) {
            prop_assert_eq!(get(&after, &member.path), Some(&member.before), "{}", member.path);
        }
    }
}
