//! The published JSON Schema is the one that the report's types give.

use std::path::Path;
use std::{env, fs};

use macie_compliance::report::v1;

#[test]
fn the_schema_in_the_repository_is_not_stale() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/report-1.0.schema.json");
    let generated = v1::schema();
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &generated).expect("the schema is written");
    }
    let published = fs::read_to_string(&path).expect("the schema is there");
    assert!(published == generated, "run `make schema` and commit {}", path.display());
}

#[test]
fn the_example_in_the_readme_is_valid() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let example = readme.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a JSON example");
    let report: serde_json::Value = serde_json::from_str(example).expect("the example is JSON");
    let schema: serde_json::Value = serde_json::from_str(&v1::schema()).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}
