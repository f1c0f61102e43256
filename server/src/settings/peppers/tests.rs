use std::{
    fs,
    path::{Path, PathBuf},
};

use rstest::rstest;

use super::*;

fn from_file(folder: &Path) -> PepperSources<'static> {
    PepperSources {
        in_settings: None,
        older: &[],
        is_postgres: false,
        file: folder.join("pepper"),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn versions(sources: &PepperSources<'_>) -> Vec<i32> {
    sources.read().unwrap().unwrap().versions().collect()
}

#[test]
fn the_file_is_created_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let sources = from_file(folder.path());
    assert!(sources.read().unwrap().is_none());
    let read = |seed| {
        sources
            .read_or_create(false, &Randomness::seeded(seed))
            .unwrap()
    };
    let first = read(1).fingerprint(1);
    assert_eq!(read(2).fingerprint(1), first);
    assert_eq!(fs::read_to_string(&sources.file).unwrap().len(), 64);
    is_private(&sources.file);
    assert_eq!(names(folder.path()), ["pepper"]);
}

#[test]
fn a_lost_file_is_not_replaced_once_the_database_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let sources = from_file(folder.path());
    let read = |is_used| sources.read_or_create(is_used, &Randomness::seeded(1));
    assert!(matches!(read(true), Err(PepperError::Lost(_))));
    assert!(read(false).is_ok());
    assert!(read(true).is_ok());
}

#[test]
fn a_file_that_was_cut_off_is_to_be_restored_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let sources = from_file(folder.path());
    let whole = "x".repeat(64);
    fs::write(&sources.file, &whole).unwrap();
    let older = folder.path().join("pepper.2");
    for (file, intact) in [(&older, &sources.file), (&sources.file, &older)] {
        fs::write(
            intact,
            format!("{}:{whole}", if intact == &older { 2 } else { 1 }),
        )
        .unwrap();
        for damaged in [
            &b""[..],
            b"\n",
            b"2:",
            b"x: ",
            &whole.as_bytes()[..31],
            b"\xff\xfe",
        ] {
            fs::write(file, damaged).unwrap();
            let error = sources.read().unwrap_err();
            let said = error.to_string();
            assert!(
                matches!(error, PepperError::NotAPepper(of) if of == *file),
                "{said}"
            );
            assert!(
                said.contains("Restore the file from a copy") && !said.contains("openssl"),
                "{said}"
            );
        }
    }
}

#[test]
fn a_rotation_keeps_the_old_pepper_beside_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let sources = from_file(folder.path());
    let random = Randomness::seeded(1);
    let first = sources
        .read_or_create(false, &random)
        .unwrap()
        .fingerprint(1);
    let rotated = sources.rotate(2, &random).unwrap();
    assert_eq!((rotated.older, rotated.current), (1, 2));
    assert_eq!(rotated.older_file, folder.path().join("pepper.1"));
    sources.rotate(3, &random).unwrap();
    assert_eq!(versions(&sources), [3, 1, 2]);
    assert_eq!(sources.read().unwrap().unwrap().fingerprint(1), first);
    assert_eq!(
        names(folder.path()),
        ["pepper", "pepper.1", "pepper.2", "pepper.lock"]
    );
    for name in names(folder.path()) {
        is_private(&folder.path().join(name));
    }
    assert!(matches!(
        sources.rotate(3, &random),
        Err(RotateError::Changed(3))
    ));
}

#[test]
fn a_rotation_that_was_cut_off_loses_no_pepper_and_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let sources = from_file(folder.path());
    let random = Randomness::seeded(1);
    sources.read_or_create(false, &random).unwrap();
    let before = fs::read_to_string(&sources.file).unwrap();
    // The files that exist after each step: the new file aside, the kept old pepper, or both.
    let older = folder.path().join("pepper.1");
    for (is_kept, is_aside) in [(false, true), (true, false), (true, true)] {
        if is_kept {
            fs::write(&older, format!("1:{before}")).unwrap();
        }
        if is_aside {
            fs::write(folder.path().join("pepper.new"), "2:ha").unwrap();
        }
        assert_eq!(versions(&sources), [1]);
        sources.rotate(2, &random).unwrap();
        assert_eq!(versions(&sources), [2, 1]);
        assert_eq!(names(folder.path()), ["pepper", "pepper.1", "pepper.lock"]);
        fs::remove_file(&older).unwrap();
        fs::write(&sources.file, &before).unwrap();
    }
    fs::write(&older, format!("1:{}", "x".repeat(32))).unwrap();
    assert!(matches!(
        sources.read(),
        Err(PepperError::NumberTaken(_, 1))
    ));
    assert!(matches!(
        sources.rotate(2, &random),
        Err(RotateError::OlderTaken(_))
    ));
    assert_eq!(fs::read_to_string(&sources.file).unwrap(), before);
}

#[test]
fn of_rotations_at_the_same_time_one_is_done_and_no_reader_misses_a_pepper() {
    let folder = tempfile::tempdir().unwrap();
    let sources = from_file(folder.path());
    sources
        .read_or_create(false, &Randomness::seeded(1))
        .unwrap();
    for next in 2..12 {
        let rotated = std::thread::scope(|scope| {
            let rotating: Vec<_> = (0..4)
                .map(|seed| {
                    let sources = &sources;
                    scope.spawn(move || sources.rotate(next, &Randomness::seeded(seed)).is_ok())
                })
                .collect();
            for _ in 0..50 {
                let found = versions(&sources);
                let current = found[0];
                assert!(
                    (1..current).all(|older| found.contains(&older)),
                    "{found:?}"
                );
            }
            let done = rotating
                .into_iter()
                .map(|rotating| rotating.join().unwrap());
            done.filter(|done| *done).count()
        });
        assert_eq!(rotated, 1);
    }
}

#[test]
fn a_pepper_has_a_number_and_enough_characters() {
    let secret = "x".repeat(32);
    assert_eq!(parse(&secret).unwrap().version(), 1);
    assert_eq!(parse(&format!("7:{secret}")).unwrap().version(), 7);
}

#[rstest]
#[case::too_short("short")]
#[case::too_short_behind_its_number("2:short")]
#[case::no_number("two:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
#[case::zero("0:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
fn what_is_no_pepper_is_refused(#[case] text: &str) {
    assert!(parse(text).is_err());
}

#[test]
fn postgres_needs_one_and_numbers_are_used_once() {
    let secret = |number: u8| Secret::new(format!("{number}:{}", "x".repeat(32)));
    let read = |in_settings: Option<Secret>, older: &[Secret]| {
        let sources = PepperSources {
            in_settings: in_settings.as_ref(),
            older,
            is_postgres: true,
            file: PathBuf::from("unused"),
        };
        sources.read()
    };
    assert!(matches!(
        read(None, &[]),
        Err(PepperError::NeededForPostgres)
    ));
    let two = read(Some(secret(2)), &[secret(1)]).unwrap().unwrap();
    assert_eq!(two.current_version(), 2);
    let twice = read(Some(secret(2)), &[secret(2)]);
    assert!(matches!(twice, Err(PepperError::NumberTwice(2))));
}

#[test]
fn what_to_set_after_a_rotation_has_every_pepper() {
    let secret = |number: &str| Secret::new(format!("{number}{}", "x".repeat(32)));
    let (current, older) = (secret(""), [secret("7:")]);
    let sources = PepperSources {
        in_settings: Some(&current),
        older: &older,
        is_postgres: true,
        file: PathBuf::from("unused"),
    };
    let (next, older) = sources.rotated_settings(8, &Randomness::seeded(1)).unwrap();
    assert_eq!(parse(&next).unwrap().version(), 8);
    assert_eq!(
        older,
        [
            format!("1:{}", "x".repeat(32)),
            format!("7:{}", "x".repeat(32))
        ]
    );
}

#[cfg(unix)]
fn is_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{path:?}");
}

#[cfg(not(unix))]
fn is_private(_: &Path) {}
