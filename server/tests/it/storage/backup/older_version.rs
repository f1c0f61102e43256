//! Backups of older versions, and the check that lists the columns of newer ones.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use latchkey::{
    audit,
    backup::{
        self, Backup,
        tables::{DATA_MIGRATIONS, Kind, LEFT_OUT, MOVES, TABLES},
    },
    outcome::Outcome,
    usage::{
        flush::flush,
        parts,
        question::Question,
        report::{self, Range},
        roll::roll,
    },
};
use serde_json::{Value, json};

use super::{ask, destroy, lines_of, new_file, populate, write_sealed};
use crate::test_app::{Database, TestApp, TestOrg, said};

on_both! {
    async fn a_backup_of_an_older_version_is_brought_up_to_date(app: &TestApp) {
        let populated = populate(app).await;
        let (_folder, file) = new_file();
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        destroy(app).await;
        app.database.execute("UPDATE audit_checkpoint SET position = 0").await;
        write_sealed(&file, as_of_the_first_schema(lines_of(&file)));
        Backup::open(&file).unwrap().restore(app.engine.db()).await.unwrap();
        let engine = app.fresh_engine();
        assert_eq!(said(&ask(&engine, &populated.key).await), "VALID");
        let report = report::of_org(&engine, &populated.org.permit(), &Question::of_range(Range::Hours24)).await.unwrap();
        assert_eq!((report.total.passed, report.total.refused), (2, 1));
        roll(&engine).await.unwrap();
        let busiest = parts::of_keys(&engine, &populated.org.permit(), Range::Days7, 10).await.unwrap().busiest;
        assert_eq!(busiest.iter().map(|part| part.counts.all()).collect::<Vec<_>>(), [3]);
        assert_eq!(audit::verify(&engine, None).await.unwrap().count, 0);
        let differ = "SELECT COUNT(*) FROM key_secrets JOIN keys ON keys.id = key_id WHERE key_secrets.display <> keys.display";
        assert_eq!(app.database.number(differ).await, 0, "the changes that the migration made to rows are applied");
        // New subjects have ids of their own.
        let key = TestOrg::make(&Arc::new(engine.clone()), "contoso").await.key("New").await;
        assert_eq!(said(&ask(&engine, &key.plain).await), "VALID");
        flush(&engine).await.unwrap();
    }

    async fn every_table_and_column_is_backed_up_or_left_out_on_purpose(app: &TestApp) {
        let sql = match app.database {
            Database::Sqlite { .. } => "SELECT m.name || '.' || c.name || ' ' || LOWER(c.type) FROM sqlite_master m, \
                 pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
            Database::Postgres { .. } => "SELECT table_name || '.' || column_name || ' ' || data_type \
                 FROM information_schema.columns WHERE table_schema = 'public' AND is_generated = 'NEVER'",
        };
        let is_postgres = matches!(app.database, Database::Postgres { .. });
        let found = app.database.texts(sql).await;
        let is_left_out = |column: &String| LEFT_OUT.iter().any(|(table, _)| column.starts_with(&format!("{table}.")));
        let mut found: Vec<String> = found.into_iter().filter(|column| !is_left_out(column)).map(|column| {
            column.replace(" bigint", " integer").replace(" smallint", " integer").replace(" blob", " bytea")
        }).collect();
        let mut listed: Vec<String> = TABLES.iter().flat_map(|table| table.columns().map(|column| {
            let kind = match column.kind {
                Kind::Text => "text",
                Kind::Boolean if is_postgres => "boolean",
                Kind::Number | Kind::Boolean => "integer",
                Kind::Bytes => "bytea",
            };
            format!("{}.{} {kind}", table.name, column.name)
        })).collect();
        found.sort();
        listed.sort();
        assert_eq!(listed, found, "src/backup/tables.rs follows the migrations");
    }
}

#[test]
fn what_a_migration_does_to_rows_is_done_to_older_backups_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let number: i64 = name[..4].parse().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        // What follows this line is done to older backups as it is.
        let text = text.split(MOVES).next().unwrap();
        for line in text.lines() {
            if line.starts_with("UPDATE ") {
                let expected = (number, line.trim_end_matches(';'));
                assert!(DATA_MIGRATIONS.contains(&expected), "{name}: {line}");
            }
            if let Some(rest) = line.strip_prefix("INSERT INTO ") {
                let seeded = rest.split_whitespace().next().unwrap();
                let table = TABLES.iter().find(|table| table.name == seeded);
                // A table that is built anew keeps its rows.
                let is_kept = text.contains(&format!("ALTER TABLE {seeded} RENAME TO "));
                let is_seeded = table.is_some_and(|table| table.is_seeded);
                assert!(is_kept || is_seeded, "{name}: {line}");
            }
        }
    }
}

/// The lines without the parts that migrations after the first one added.
fn as_of_the_first_schema(lines: Vec<String>) -> Vec<String> {
    const FIRST: [&str; 8] = [
        "orgs",
        "users",
        "memberships",
        "projects",
        "keys",
        "key_secrets",
        "service_tokens",
        "usage_batches",
    ];
    const ADDED: [(&str, &[&str]); 5] = [
        ("orgs", &["secrets_in_browsers", "creation_token"]),
        ("users", &["disabled_at", "epoch"]),
        ("keys", &["localhost_forbidden"]),
        ("key_secrets", &["display", "rotation_token", "imported"]),
        (
            "service_tokens",
            &["expires_at", "revoked_at", "last_used_at"],
        ),
    ];
    let (mut kept, mut older) = (Vec::new(), Vec::new());
    let mut is_first = true;
    let counts = counts_of_first_schema(&lines);
    for line in lines {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        if let Some(table) = line["table"].as_str().map(str::to_owned) {
            is_first = FIRST.contains(&&*table);
            let added = ADDED
                .iter()
                .find(|(of, _)| *of == table)
                .map_or(&[][..], |(_, columns)| columns);
            let columns = line["columns"].as_array().unwrap();
            kept = columns
                .iter()
                .map(|column| !added.contains(&column.as_str().unwrap()))
                .collect();
            line["columns"] = only(columns, &kept);
        } else if let Some(values) = line.as_array() {
            line = only(values, &kept);
        } else {
            line["schema"] = json!(1);
        }
        if is_first {
            older.push(line.to_string());
        }
    }
    older.extend(counts);
    older
}

/// The counts of keys as the first version stored them.
fn counts_of_first_schema(lines: &[String]) -> Vec<String> {
    let mut tables: HashMap<String, Vec<Vec<Value>>> = HashMap::new();
    let mut table = String::new();
    for line in lines {
        match serde_json::from_str(line).unwrap() {
            Value::Array(row) => tables.entry(table.clone()).or_default().push(row),
            line => table = line["table"].as_str().unwrap_or_default().to_owned(),
        }
    }
    let mut counts = vec![json!({
        "table": "usage_counts",
        "columns": ["org_id", "resolution", "key_id", "class", "outcome", "starts_at", "count"],
    })];
    for (table, resolution, width) in [
        ("usage_minutes", "minute", 60_000),
        ("usage_hours", "hour", 3_600_000),
        ("usage_days", "day", 86_400_000),
    ] {
        // Subject, step, class, outcome and count; of a subject, org, ref, environment, key kind, id and kind.
        for row in &tables[table] {
            let numbers: Vec<i64> = row.iter().map(|value| value.as_i64().unwrap()).collect();
            let mut subjects = tables["usage_subjects"].iter();
            let subject = subjects.find(|subject| subject[4] == row[0]).unwrap();
            if subject[5] == 2 {
                let outcome = Outcome::ALL
                    .iter()
                    .find(|outcome| outcome.number() == numbers[3]);
                let (outcome, at) = (outcome.unwrap().code(), numbers[1] * width);
                counts.push(json!([
                    subject[0], resolution, subject[1], "default", outcome, at, numbers[4]
                ]));
            }
        }
    }
    counts.iter().map(Value::to_string).collect()
}

fn only(values: &[Value], kept: &[bool]) -> Value {
    values
        .iter()
        .zip(kept)
        .filter(|(_, kept)| **kept)
        .map(|(value, _)| value.clone())
        .collect()
}
