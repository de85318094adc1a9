//! Packs that mean harm, or are merely broken. What they would do to a process is tried in the scanner's own tests.

use crate::cloud::{MANIFEST, guests, named, of, pack, run};
use bailiwick_checks::{PackSource, Verdict, plan};

const GOOD: &str = "package own\nresults contains {\"id\": \"good\", \"pass\": true, \"reads\": []}";

/// Judged beside a good pack: what is said of the bad one.
fn beside_a_good_one(bad: PackSource) -> String {
    let report = run(vec![bad, named("good", GOOD)], guests("none"));
    assert_eq!(of(&report, "pack:good:good").verdict, Verdict::Passed);
    assert_eq!(report.packs[1].error, None);
    let said = report.packs[0].error.clone().unwrap();
    println!("{said}");
    said
}

#[test]
fn a_syntax_error_names_file_and_line() {
    let said = beside_a_good_one(named("own", "package own\n\nresults contains {\"id\": }\n"));
    assert!(said.starts_with("own.rego:3: "), "{said}");
}

#[test]
fn an_unknown_function_names_file_and_line() {
    for call in
        ["http.send({\"method\": \"get\", \"url\": \"http://169.254.169.254/\"})", "opa.runtime()", "net.lookup_ip_addr(\"evil.example\")"]
    {
        let said = beside_a_good_one(named("own", &format!("package own\n\nresults contains x if x := {call}\n")));
        assert!(said.starts_with("own.rego:3: "), "{said}");
    }
}

#[test]
fn a_loop_without_an_end_is_stopped() {
    let said = beside_a_good_one(named(
        "own",
        "package own\nn := numbers.range(1, 1000)\nresults contains {\"id\": \"x\", \"pass\": true} if { some a in n; some b in n; some c in n; a + b + c < 0 }",
    ));
    assert_eq!(said, "The rules ran longer than 10 s and were stopped: a loop without an end, or too much work.");
}

#[test]
fn a_rule_that_needs_itself_is_refused() {
    let said = beside_a_good_one(named("own", "package own\na := b + 1\nb := a + 1\nresults contains {\"id\": \"x\", \"actual\": a}"));
    assert!(said.contains("recursion"), "{said}");
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("package own\nx := {}1{}\nresults := []", "[".repeat(5_000), "]".repeat(5_000));
    let said = beside_a_good_one(named("own", &deep));
    assert!(said.starts_with("own.rego:2: brackets stand within brackets more than 12 deep"), "{said}");
}

#[test]
fn twelve_brackets_are_no_harm() {
    let deep = format!(
        "package own\nx := {}1{}\nresults contains {{\"id\": \"deep\", \"pass\": true, \"reads\": []}}",
        "[".repeat(11),
        "]".repeat(11)
    );
    let report = run(vec![named("own", &deep)], []);
    assert_eq!(of(&report, "pack:own:deep").verdict, Verdict::Passed);
}

/// The expressions are of the kind that needs no time beyond the length of the text, and large ones are refused.
#[test]
fn patterns_that_explode_elsewhere_do_not_here() {
    let report = run(
        vec![named(
            "own",
            "package own\nresults contains {\"id\": \"slow\", \"pass\": true, \"reads\": [], \"actual\": regex.match(`^(a+)+$`, sprintf(\"%s!\", [concat(\"\", [\"a\" | some i in numbers.range(1, 5000)])]))}",
        )],
        [],
    );
    assert_eq!(of(&report, "pack:own:slow").verdict, Verdict::Passed);
    let said = beside_a_good_one(named(
        "own",
        "package own\nresults contains {\"id\": \"x\", \"pass\": regex.match(`((a{1,1000}){1,1000}){1,1000}`, \"a\")}",
    ));
    assert!(said.contains("regex"), "{said}");
}

#[test]
fn a_huge_answer_is_cut_or_refused() {
    let wide =
        "package own\nresults contains {\"id\": sprintf(\"r%d\", [i]), \"pass\": true, \"reads\": []} if some i in numbers.range(1, 5000)";
    let report = run(vec![named("own", wide)], []);
    assert_eq!(report.results.len(), 2_000);
    assert!(report.packs[0].error.as_ref().unwrap().contains("holds 5000 results; the first 2000 are taken"));

    let heavy = "package own\nlong := concat(\"\", [\"0123456789\" | some i in numbers.range(1, 1000)])\nresults contains {\"id\": sprintf(\"r%d\", [i]), \"pass\": true, \"actual\": long} if some i in numbers.range(1, 1000)";
    let said = beside_a_good_one(named("own", heavy));
    assert!(said.contains("is larger than 4 MiB"), "{said}");

    let one = "package own\nresults contains {\"id\": \"one\", \"pass\": true, \"reads\": [], \"actual\": concat(\"\", [\"0123456789\" | some i in numbers.range(1, 1000)]), \"message\": concat(\"\", [\"a\\nb\" | some i in numbers.range(1, 4000)])}";
    let report = run(vec![named("own", one)], []);
    let result = of(&report, "pack:own:one");
    assert!(result.actual.as_str().unwrap().len() < 5_000);
    let message = &result.reason.as_ref().unwrap().text;
    assert!(message.len() <= 2_000 && !message.contains('\n'));
}

#[test]
fn nonsense_is_counted_and_the_rest_stands() {
    let rego = "package own\nresults := [7, {\"id\": \"../x\"}, {\"id\": \"both\", \"pass\": true, \"verdict\": \"passed\"}, {\"id\": \"word\", \"verdict\": \"fine\"}, {\"id\": \"ok\", \"pass\": true, \"reads\": []}, {\"id\": \"twice\", \"pass\": true, \"reads\": []}, {\"id\": \"twice\", \"pass\": false}, {\"id\": \"silent\"}]";
    let report = run(vec![named("own", rego)], []);
    let verdicts: Vec<_> = report.results.iter().map(|result| (result.check.as_str(), result.verdict)).collect();
    assert_eq!(verdicts, [("pack:own:ok", Verdict::Passed), ("pack:own:silent", Verdict::Unknown), ("pack:own:twice", Verdict::Failed)]);
    let said = report.packs[0].error.as_ref().unwrap();
    assert!(said.contains("4 of its results could not be taken") && said.contains("came more than once"), "{said}");
}

#[test]
fn an_answer_that_is_none_is_told() {
    for (rego, said) in [
        ("package own\nresults := 7", "data.own.results is not a set or list of results."),
        ("package own\nresults := [] if input.nothing", "data.own.results is undefined"),
        ("package another\nresults := []", "data.own.results"),
    ] {
        let told = beside_a_good_one(named("own", rego));
        assert!(told.contains(said), "{told}");
    }
}

/// Neither asked for nor run: the plan that the broker goes by does not hold it.
#[test]
fn a_write_a_foreign_host_and_peoples_mail_are_never_asked_for() {
    for line in [
        "{service: graph, path: /v1.0/policies/authorizationPolicy, method: PATCH}",
        "{service: graph, path: \"https://evil.example/v1.0/x\"}",
        "{service: graph, path: \"/v1.0/users/{id}/messages\"}",
        "{service: arm, path: \"https://management.azure.com.evil.example/subscriptions\"}",
        "{service: vault, path: \"{vaultUri}secrets\"}",
        "{service: dns, path: TXT contoso.com}",
    ] {
        let bad =
            pack(&MANIFEST.replace("{service: graph, path: /v1.0/policies/authorizationPolicy, permission: Policy.Read.All}", line), GOOD);
        assert!(plan(&crate::cloud::job(vec![bad.clone()])).packs.is_empty(), "{line}");
        let said = beside_a_good_one(bad);
        assert!(said.starts_with("pack.yaml: reads[0]: "), "{said}");
    }
}

#[test]
fn a_pack_without_bounds_in_files_is_not_read() {
    let many = PackSource { files: (0..300).map(|n| (format!("{n}.rego"), "package own".to_owned())).collect(), ..named("own", GOOD) };
    assert!(beside_a_good_one(many).contains("at most 200 files"));
    let large = named("own", &format!("package own\n# {}\n{}", "x".repeat(1 << 20), ""));
    assert!(beside_a_good_one(large).contains("at most 200 files and 1048576 bytes"));
    let reads: String = (0..50).map(|n| format!("  - {{service: graph, path: /v1.0/x{n}}}\n")).collect();
    assert!(beside_a_good_one(pack(&format!("{MANIFEST}{reads}"), GOOD)).contains("names 51 requests; at most 40 are taken"));
    assert!(beside_a_good_one(pack("name: own\nversion: 1.0.0\npackage: own\nunknown: 1\n", GOOD)).starts_with("pack.yaml: "));
}
