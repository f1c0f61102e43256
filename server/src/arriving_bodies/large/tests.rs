use latchkey::time::Timestamp;

use super::*;

const FILE: usize = 4 * 1024 * 1024;

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(0))
}

fn of_org(number: u8, member: u8) -> Brings {
    Brings {
        tenant: Tenant::Org(OrgId::new(0, [number; 10])),
        member: Member::Person(UserId::new(0, [member; 10])),
    }
}

/// A body of this size, if it has its memory.
fn file(bodies: &Arc<LargeBodies>, brings: Brings, bytes: usize) -> Option<Large> {
    let large = bodies.begin(brings, Arc::default());
    large.grow_to(bytes).then_some(large)
}

fn is_held(large: &Large) -> bool {
    large.all.lock().bodies.contains_key(&large.number)
}

#[test]
fn the_heaviest_use_of_one_org_leaves_seven_eighths_to_others() {
    let bodies = LargeBodies::new(clock());
    // Many members and tokens, with many files each.
    let mut held = vec![];
    for member in 0..100 {
        for _ in 0..10 {
            held.push(file(&bodies, of_org(1, member), FILE).unwrap());
        }
        let token = Brings {
            member: Member::Token(ServiceTokenId::new(0, [member; 10])),
            ..of_org(1, 0)
        };
        held.push(file(&bodies, token, FILE).unwrap());
    }
    assert_eq!(bodies.bytes(), MAX_OF_TENANT);
    assert_eq!(
        held.iter().filter(|large| is_held(large)).count(),
        MAX_OF_TENANT / FILE
    );
    // Another organization has its own, and then each of five more.
    for number in 2..=8 {
        let others: Vec<_> = (0..MAX_OF_TENANT / FILE)
            .map(|_| file(&bodies, of_org(number, 0), FILE).unwrap())
            .collect();
        assert!(others.iter().all(is_held), "{number}");
        held.extend(others);
    }
    assert_eq!(bodies.bytes(), MAX);
}

#[test]
fn within_an_org_whoever_has_the_most_gives_way() {
    let bodies = LargeBodies::new(clock());
    let first = file(&bodies, of_org(1, 1), FILE).unwrap();
    let heavy: Vec<_> = (0..3)
        .map(|_| file(&bodies, of_org(1, 2), FILE).unwrap())
        .collect();
    let other = file(&bodies, of_org(1, 3), FILE).unwrap();
    assert!(is_held(&first) && is_held(&other));
    assert_eq!(
        heavy.iter().map(is_held).collect::<Vec<_>>(),
        [false, true, true]
    );
}

#[test]
fn of_members_with_equally_much_the_oldest_gives_way() {
    let bodies = LargeBodies::new(clock());
    let held: Vec<_> = (0..100)
        .map(|member| file(&bodies, of_org(1, member), FILE).unwrap())
        .collect();
    let (before, last) = held.split_at(held.len() - MAX_OF_TENANT / FILE);
    assert!(last.iter().all(is_held) && !before.iter().any(is_held));
}

#[test]
fn who_comes_once_is_served_whatever_many_tenants_bring_again_and_again() {
    let clock = clock();
    let bodies = LargeBodies::new(clock.clone());
    let mut held: Vec<_> = (0..78)
        .map(|number| file(&bodies, of_org(number, 0), FILE / 5 * 4).unwrap())
        .collect();
    let newcomer = file(&bodies, of_org(200, 0), FILE).unwrap();
    for _ in 0..10 {
        for number in 0..78 {
            held.extend(file(&bodies, of_org(number, 0), FILE / 5 * 4));
            assert!(bodies.bytes() <= MAX);
        }
        assert!(is_held(&newcomer), "it has brought one");
    }
    drop(held);
    assert_eq!(bodies.bytes(), FILE);
    // What was long ago does not count.
    clock.advance(2 * PERIOD);
    let oldest = file(&bodies, of_org(201, 0), FILE).unwrap();
    let again = file(&bodies, of_org(0, 0), FILE).unwrap();
    let held: Vec<_> = (100..100 + MAX / FILE - 2)
        .map(|number| file(&bodies, of_org(number as u8, 0), FILE).unwrap())
        .collect();
    assert!(!is_held(&oldest) && is_held(&again) && held.iter().all(is_held));
}
