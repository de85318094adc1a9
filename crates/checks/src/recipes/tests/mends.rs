//! Every recipe mends its checks and can be taken back to the byte.

use super::{
    super::judge::{self, Lens},
    *,
};
use crate::{ObjectRef, Verdict};
use serde_json::json;

/// Where an object stands in a check's answer, as a JSON pointer; none where the answer is a member of it.
fn pointer(lens: &Lens, recipe: &Recipe, object: Option<&ObjectRef>, answer: &Value) -> Option<String> {
    let place = |list: &Value, of: &dyn Fn(&Value) -> bool| list.as_array().unwrap().iter().position(of).unwrap();
    match lens {
        Lens::Whole => Some(String::new()),
        Lens::Member(_) => None,
        Lens::Item => {
            Some(format!("/value/{}", object.map_or(0, |object| place(&answer["value"], &|item| item["id"] == object.id.as_str()))))
        }
        Lens::RoleRule => {
            let at = place(&answer["value"], &|item| item["id"] == object.unwrap().id.as_str());
            let rule = recipe.path.rsplit('/').next().unwrap();
            let rules = &answer["value"][at]["policy"]["rules"];
            Some(format!("/value/{at}/policy/rules/{}", place(rules, &|one| one["id"] == rule)))
        }
    }
}

/// The object that is written to, and how it goes back into the answer.
fn current(lens: &Lens, pointer: Option<&str>, answer: &Value) -> Value {
    match (lens, pointer) {
        (Lens::Member(member), _) => json!({member: answer}),
        (_, Some(pointer)) => answer.pointer(pointer).unwrap().clone(),
        _ => unreachable!(),
    }
}

fn back(lens: &Lens, pointer: Option<&str>, answer: &mut Value, object: Value) {
    match (lens, pointer) {
        (Lens::Member(member), _) => *answer = object[member].clone(),
        (_, Some(pointer)) => *answer.pointer_mut(pointer).unwrap() = object,
        _ => unreachable!(),
    }
}

/// Applies every proposal for one failing case, judges again, undoes. What is wrong, if anything.
fn mended_and_undone(recipe: &Recipe, check: &Check, name: &str) -> Result<(), String> {
    let (case, result) = cases::told(check, name)?;
    let settings = cases::settings(check, &case);
    let planner = planner(&settings);
    let mut answer = case.answer.clone().unwrap();
    let original = answer.clone();
    let lens = judge::lens(check, recipe).ok_or("no lens")?;
    let targets = planner.targets(&[result]);
    let targets: Vec<Target> = targets.targets.into_iter().map(|t| t.target).filter(|target| target.recipe == recipe.id).collect();
    if targets.is_empty() {
        return Err("no targets".to_owned());
    }
    let mut changes = Vec::new();
    for target in targets {
        let pointer = pointer(&lens, recipe, target.object.as_ref(), &answer);
        // Where the listing is empty there is nothing to write to: reading it answers 404.
        if pointer.as_deref().is_some_and(|pointer| answer.pointer(pointer).is_none()) {
            return Err("no targets".to_owned());
        }
        let before = current(&lens, pointer.as_deref(), &answer);
        let change = match planner.propose(&target, &before, "0a1b2c3d") {
            Proposal::Change(change) => change,
            other => return Err(format!("{}: {other:?}", target.write)),
        };
        assert_eq!(compare(&change, &before), Standing::AsBefore);
        assert_eq!(change.body_now(&before), change.body, "{}", recipe.id);
        let stored: Change = serde_json::from_str(&serde_json::to_string(&*change).unwrap()).unwrap();
        assert_eq!((stored.digest(DIRECTORY), &stored), (change.digest(DIRECTORY), &*change));
        let mut after = before.clone();
        take(recipe.service, &mut after, &change.body);
        assert_eq!(compare(&change, &after), Standing::AsAfter, "{}", recipe.id);
        assert_eq!(planner.propose(&target, &after, "0a1b2c3d"), Proposal::AlreadySo, "{}", recipe.id);
        back(&lens, pointer.as_deref(), &mut answer, after);
        changes.push((change, pointer));
    }
    let mended = cases::judge(check, &Case { answer: Some(answer.clone()), ..case }, Vec::new())?;
    if mended.verdict != Verdict::Passed {
        return Err(format!("is {:?} after it: {answer}", mended.verdict));
    }
    for (change, pointer) in changes {
        let mut object = current(&lens, pointer.as_deref(), &answer);
        let undo = undo(&change, &object, None).unwrap();
        take(recipe.service, &mut object, undo.body.as_ref().unwrap());
        assert_eq!(compare(&change, &object), Standing::AsBefore, "{}", recipe.id);
        // What was absent, or null, may stand there as what that means.
        let was = current(&lens, pointer.as_deref(), &original);
        for member in change.changed.iter().filter(|member| member.before.is_null()) {
            forget(&mut object, &was, &member.path);
        }
        back(&lens, pointer.as_deref(), &mut answer, object);
    }
    let (was, is) = (original.to_string(), answer.to_string());
    if was == is { Ok(()) } else { Err(format!("undone is\n{is}\nnot\n{was}")) }
}

/// Makes the uppermost member on the way to a path that the original lacks, or has as null, what it is there.
fn forget(object: &mut Value, original: &Value, path: &str) {
    let (mut holder, mut was) = (object, original);
    for name in path.split('.') {
        match was.get(name) {
            Some(member) if !member.is_null() => (holder, was) = (&mut holder[name], member),
            Some(_) => return holder[name] = Value::Null,
            None => return drop(holder.as_object_mut().unwrap().remove(name)),
        }
    }
}

#[test]
fn every_recipe_mends_its_checks_and_is_undone_to_the_byte() {
    let (mut wrong, mut mended, mut declined) = (Vec::new(), 0, Vec::new());
    for recipe in of_kind(RecipeKind::Patch) {
        for check in recipe.checks.iter().map(|id| catalogue().get(id).unwrap()) {
            for name in check.cases.keys().filter(|name| name.starts_with("fail")) {
                match mended_and_undone(recipe, check, name) {
                    Ok(()) => mended += 1,
                    // Others than the first may fail for reasons that no recipe mends; then it must say so and propose nothing.
                    Err(why) if name != "fail" && (why.contains("Cannot") || why == "no targets") => {
                        declined.push(format!("{}/{name}: {why}", check.id))
                    }
                    Err(why) => wrong.push(format!("{} on {}/{name}: {why}", recipe.id, check.id)),
                }
            }
        }
    }
    println!("{mended} failing cases mended and undone; declined:\n{}", declined.join("\n"));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(mended > 90);
}
