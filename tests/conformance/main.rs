//! Scenarios in plain JSON that every language runs alike: `tests/conformance/README.md` describes them.
#![cfg(feature = "sqlite")]

mod runner;
mod step;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn every_scenario_ends_as_it_says() {
    let files = scenarios();
    assert!(files.len() >= 12, "only {} scenarios", files.len());
    let mut faults = Vec::new();
    for file in &files {
        if let Err(fault) = runner::run(&read(file)) {
            faults.push(format!("{}: {fault}", file.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Changes the first expectation of this name and sees the scenario fail.
fn fails_with(scenario: &str, name: &str, changed: Value) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/scenarios").join(scenario);
    let mut scenario = read(&file);
    let steps = scenario["steps"].as_array_mut().unwrap();
    let step = steps.iter_mut().find(|step| step.get(name).is_some()).unwrap();
    step[name] = changed;
    let fault = runner::run(&scenario).expect_err("a wrong expectation must fail");
    assert!(fault.contains("step "), "{fault}");
}

#[test]
fn a_wrong_expectation_fails() {
    fails_with("first_sync.json", "result", "not_converged".into());
    fails_with("first_sync.json", "digest", "00".repeat(32).into());
    fails_with("tampered_operation.json", "outcome", "appended".into());
    fails_with("tampered_operation.json", "value", "Hello mallory".into());
}

#[test]
fn an_unknown_step_or_member_fails() {
    let scenario = |step: &str| serde_json::from_str::<Value>(&format!(r#"{{"steps": [{step}]}}"#)).unwrap();
    assert!(runner::run(&scenario(r#"{"opne": "phone"}"#)).unwrap_err().contains("unknown step"));
    let fault = runner::run(&scenario(r#"{"open": "phone", "kyes": []}"#)).unwrap_err();
    assert!(fault.contains("unknown member \"kyes\""), "{fault}");
}
