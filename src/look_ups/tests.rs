use std::{future::poll_fn, io, pin::pin, task::Poll};

use futures_util::future::{join, join_all};
use tokio::sync::{Semaphore, mpsc};

use super::*;

/// Finds even numbers, and sends each list that it is asked for. A list is read once there is a permit for it.
struct Table {
    lists: mpsc::UnboundedSender<Vec<u32>>,
    permits: Semaphore,
}

type Even = LookUps<u32, &'static str>;

fn table(permits: usize) -> (Arc<Table>, mpsc::UnboundedReceiver<Vec<u32>>) {
    let (lists, read) = mpsc::unbounded_channel();
    let permits = Semaphore::new(permits);
    (Arc::new(Table { lists, permits }), read)
}

async fn find(
    look_ups: &Even,
    table: &Arc<Table>,
    any_of: Vec<u32>,
) -> Result<Option<(u32, &'static str)>, StorageError> {
    look_ups.find(any_of, table, read).await
}

async fn read(
    table: Arc<Table>,
    list: Vec<u32>,
) -> Result<HashMap<u32, &'static str>, StorageError> {
    table.lists.send(list.clone()).unwrap();
    table.permits.acquire().await.unwrap().forget();
    if list.contains(&13) {
        return Err(StorageError::unreadable(io::Error::other("13")));
    }
    assert!(!list.contains(&666), "panics");
    let even = list.into_iter().filter(|number| number % 2 == 0);
    Ok(even.map(|number| (number, "even")).collect())
}

#[tokio::test]
async fn what_is_asked_during_a_statement_shares_the_next_ones() {
    let look_ups = Even::default();
    let (table, mut lists) = table(usize::MAX >> 4);
    let all = join_all((1_000..1_251).map(|number| find(&look_ups, &table, vec![number]))).await;
    for (number, found) in (1_000..).zip(all) {
        let expected = (number % 2 == 0).then_some((number, "even"));
        assert_eq!(found.unwrap(), expected);
    }
    drop(table);
    let mut lengths = Vec::new();
    while let Some(list) = lists.recv().await {
        lengths.push(list.len());
    }
    // All 251 ask before the task begins to read. The last 51 fill a list of 100.
    assert_eq!(lengths, [100, 100, 100]);
}

#[tokio::test]
async fn the_first_alternative_that_exists_is_found() {
    let look_ups = Even::default();
    let (table, mut lists) = table(2);
    assert_eq!(
        find(&look_ups, &table, vec![1, 4, 2]).await.unwrap(),
        Some((4, "even"))
    );
    assert_eq!(lists.recv().await.unwrap().len(), 10);
    assert_eq!(find(&look_ups, &table, vec![3]).await.unwrap(), None);
    assert_eq!(lists.recv().await.unwrap(), [3]);
}

#[tokio::test]
async fn whoever_is_gone_is_not_looked_up_and_stops_nobody() {
    let look_ups = Even::default();
    let (table, mut lists) = table(0);
    {
        let mut first = pin!(find(&look_ups, &table, vec![2]));
        let mut gone = pin!(find(&look_ups, &table, vec![4]));
        poll_fn(|context| {
            assert!(first.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(lists.recv().await.unwrap(), [2]);
        poll_fn(|context| {
            assert!(gone.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    table.permits.add_permits(2);
    assert_eq!(
        find(&look_ups, &table, vec![6]).await.unwrap(),
        Some((6, "even"))
    );
    assert_eq!(lists.recv().await.unwrap(), [6]);
}

#[tokio::test]
async fn what_cannot_be_read_concerns_only_who_asked_for_it() {
    let look_ups = Even::default();
    let (table, _lists) = table(usize::MAX >> 4);
    let asked = [2, 13, 4].map(|number| find(&look_ups, &table, vec![number]));
    let [two, thirteen, four] = join_all(asked).await.try_into().unwrap();
    assert_eq!(two.unwrap(), Some((2, "even")));
    assert!(thirteen.is_err());
    assert_eq!(four.unwrap(), Some((4, "even")));
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_next_are_read() {
    let look_ups = Even::default();
    let (table, _lists) = table(usize::MAX >> 4);
    assert!(find(&look_ups, &table, vec![666]).await.is_err());
    assert_eq!(
        find(&look_ups, &table, vec![2]).await.unwrap(),
        Some((2, "even"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_hangs_keeps_others_for_four_seconds() {
    let look_ups = Even::default();
    let (table, mut lists) = table(0);
    let mut first = pin!(find(&look_ups, &table, vec![2]));
    poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    lists.recv().await.unwrap();
    let second = find(&look_ups, &table, vec![4]);
    let both = timeout(
        2 * READ_WITHIN + Duration::from_millis(1),
        join(first, second),
    );
    let (first, second) = both.await.unwrap();
    assert!(first.is_err() && second.is_err());
}
