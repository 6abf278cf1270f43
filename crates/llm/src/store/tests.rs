use super::*;

fn key(name: &str) -> AnswerKey {
    AnswerKey::new([name])
}

fn text(text: &str) -> Kept {
    Kept::Text(text.into())
}

fn call() -> CallRow<'static> {
    let usage = Usage { input: 10, cached: 2, output: 3 };
    CallRow { run: "r", stage: "annotate", model: "m", usage, ..CallRow::default() }
}

#[test]
fn answers_come_back_in_the_order_of_their_keys() {
    let store = Store::in_memory().unwrap();
    let vector = Kept::Vector(vec![1.5, -0.25]);
    store.record(&call(), &[(key("a"), text("1")), (key("v"), vector.clone())]).unwrap();
    let got = store.get(&[key("v"), key("none"), key("a")]).unwrap();
    assert_eq!(got, [Some(vector), None, Some(text("1"))]);
}

#[test]
fn trap_19_two_that_use_the_file_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/answers.sqlite");
    let stores: Vec<Store> = (0..2).map(|_| Store::open(&path).unwrap().0).collect();
    std::thread::scope(|scope| {
        for (who, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for i in 0..200 {
                    let answer = (key(&format!("{who} {i}")), text("1"));
                    store.record(&call(), &[answer]).unwrap();
                }
            });
        }
    });
    let contents = stores[0].contents().unwrap();
    assert_eq!((contents[0].answers, contents[0].bytes), (400, 400));
}

#[test]
fn trap_19_many_that_make_the_file_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = folder.path().join(format!("{round}.sqlite"));
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            let open = || {
                start.wait();
                Store::open(&path).map(|_| ())
            };
            let opened: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            for one in opened {
                one.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn trap_19_a_damaged_file_is_set_aside_and_never_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    for content in ["this is no database, but it may be dear to somebody", "another"] {
        std::fs::write(&path, content).unwrap();
        let (store, note) = Store::open(&path).unwrap();
        assert!(note.unwrap().contains("damaged-"));
        store.record(&call(), &[(key("a"), text("1"))]).unwrap();
        drop(store);
    }
    let aside =
        |n| std::fs::read_to_string(folder.path().join(format!("answers.sqlite.damaged-{n}")));
    assert!(aside(1).unwrap().starts_with("this is") && aside(2).unwrap() == "another");
}

#[test]
fn an_answer_that_is_there_is_not_replaced() {
    let store = Store::in_memory().unwrap();
    store.record(&call(), &[(key("a"), text("1"))]).unwrap();
    store.record(&call(), &[(key("a"), text("0"))]).unwrap();
    assert_eq!(store.get(&[key("a")]).unwrap(), [Some(text("1"))]);
}

#[test]
fn an_unknown_price_stays_unknown_in_the_sum() {
    let store = Store::in_memory().unwrap();
    store.record(&CallRow { dollars: Some(0.5), ..call() }, &[]).unwrap();
    store.record(&CallRow { dollars: Some(0.25), ..call() }, &[]).unwrap();
    assert_eq!(store.sums(Some("r")).unwrap()[0].dollars, Some(0.75));
    store.record(&CallRow { dollars: None, ..call() }, &[]).unwrap();
    let sums = store.sums(None).unwrap();
    assert_eq!((sums[0].calls, sums[0].dollars, sums[0].usage.input), (3, None, 30));
    assert!(store.sums(Some("other")).unwrap().is_empty());
}

#[test]
fn notes_are_kept() {
    let store = Store::in_memory().unwrap();
    assert_eq!(store.note("n").unwrap(), None);
    store.set_note("n", "1").unwrap();
    store.set_note("n", "2").unwrap();
    assert_eq!(store.note("n").unwrap().as_deref(), Some("2"));
}
