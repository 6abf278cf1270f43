//! What a target is taken for, and what is refused.

use super::*;

fn targets(values: &[&str]) -> Targets {
    let mut targets = Targets::default();
    for (row, value) in (1..).zip(values) {
        let place = || Place { row: Some(row), ..Place::default() };
        targets.push(Value::parse(value).unwrap(), place);
    }
    targets
}

fn wish(positive: Option<&str>, task: Option<TaskChoice>) -> Wish<'_> {
    let locate = &|row: usize| Place { row: Some(row as u64 + 1), ..Place::default() };
    let (file, levels, pair) = (Path::new("a.csv"), &[], None);
    Wish { file, column: "y", positive, task, levels, pair, locate }
}

fn decided(values: &str, wish: Wish) -> Result<Decision> {
    let values: Vec<&str> = values.split(',').collect();
    targets(&values).decide(wish)
}

fn decide(values: &str, positive: Option<&str>, task: Option<TaskChoice>) -> Result<Decision> {
    decided(values, wish(positive, task))
}

#[test]
fn trap_36_all_values_decide_and_the_positive_class_is_said() {
    let check = |values: &str, classes: Option<(&str, &str)>, y: &[f64], note: &str| {
        let decision = decide(values, None, None).unwrap();
        let task = classes.map_or(Task::Continuous, |(positive, negative)| Task::Binary {
            positive: positive.to_owned(),
            negative: negative.to_owned(),
        });
        assert_eq!((decision.task, decision.y.as_slice()), (task, y), "{values}");
        assert!(decision.note.contains(note), "{}", decision.note);
    };
    let said = "two values, -1 and 1: binary, positive class 1";
    check("-1,1,1.0, -1", Some(("1", "-1")), &[0.0, 1.0, 1.0, 0.0], said);
    check("0,1", Some(("1", "0")), &[0.0, 1.0], "positive class 1");
    check("0,0.0,-0, 0,7", Some(("7", "0")), &[0.0, 0.0, 0.0, 0.0, 1.0], "0 and 7");
    check("True,false,TRUE", Some(("true", "false")), &[1.0, 0.0, 1.0], "class true");
    check("spam,ham ,ham", Some(("spam", "ham")), &[1.0, 0.0, 0.0], "ham and spam");
    check("no,yes", Some(("yes", "no")), &[0.0, 1.0], "class yes");
    check("neg,pos", Some(("pos", "neg")), &[0.0, 1.0], "class pos");
    check("1,2.5,1e1", None, &[1.0, 2.5, 10.0], "3 values, 1 to 10: continuous");
    let rare = ["0,1,".repeat(2000), "2".to_owned()].concat();
    assert_eq!(decide(&rare, None, None).unwrap().task, Task::Continuous);
}

#[test]
fn the_user_has_the_last_word() {
    let binary = |values: &str, positive: &str| decide(values, Some(positive), None);
    let check = |values: &str, positive: &str, y: &[f64], negative: &str| {
        let decision = binary(values, positive).unwrap();
        let Task::Binary { negative: other, .. } = decision.task else { panic!("not binary") };
        assert_eq!((decision.y.as_slice(), other.as_str()), (y, negative));
    };
    check("ham,spam", "ham", &[1.0, 0.0], "spam");
    check("a,b,c", "b", &[0.0, 1.0, 0.0], "not b");
    check("1,2,5,abc", "5.0", &[0.0, 0.0, 1.0, 0.0], "not 5");
    let continuous = decide("0,1", None, Some(TaskChoice::Continuous)).unwrap();
    assert_eq!((continuous.y, continuous.task), (vec![0.0, 1.0], Task::Continuous));
    assert!(decide("0,1", None, Some(TaskChoice::Binary)).is_ok());
}

#[test]
fn what_cannot_be_decided_is_said_with_the_remedy() {
    use TaskChoice::{Binary, Continuous, Count, Ordinal};
    let check = |values: &str, positive, task, parts: &[&str]| {
        let message = decide(values, positive, task).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    let many = ["4 values", "`--positive VALUE`", "`b` (2), `1` (1), `a` (1), `c` (1)"];
    check("a,b,b,c,1", None, Some(Binary), &many);
    let words: Vec<String> = (0..30).map(|i| format!("w{i}")).collect();
    check(&words.join(","), None, None, &["30 values without an order", "`--levels`"]);
    check("1,2,-1", None, Some(Count), &["row 3", "is -1; a count"]);
    check("1,2,0.5", None, Some(Count), &["row 3", "is 0.5; a count"]);
    check("1,many", None, Some(Count), &["row 2", "`many` is not a number"]);
    check("low,high,mid", None, Some(Ordinal), &["`low`", "--levels LOWEST,...,HIGHEST"]);
    let numbers: Vec<String> = (0..60).map(|i| i.to_string()).collect();
    check(&numbers.join(","), None, Some(Ordinal), &["60 values", "50 levels"]);
    check("1,2,3,n/a,4", None, None, &["row 4", "`n/a` is not a number", "--drop-target"]);
    check("ham,spam", None, Some(Continuous), &["row 1", "`ham` is not a number"]);
    check("1,2,3", None, Some(Binary), &["`task`", "3 values", "--positive"]);
    check("1,1.0,1", None, None, &["`1` in every row"]);
    check("a,b", Some("c"), None, &["`positive` is `c`", "`a` (1)"]);
    check("a,a", Some("a"), None, &["`positive` is `a`", "no other value"]);
}

#[test]
fn classes_counts_and_levels() {
    use TaskChoice::{Count, Multiclass, Ordinal};
    let check = |values: &str, task, y: &[f64], expected: Task| {
        let decision = decide(values, None, task).unwrap();
        assert_eq!((decision.y.as_slice(), decision.task), (y, expected), "{values}");
    };
    let names = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let classes = |all: &str| Task::Multiclass { classes: names(all) };
    check("b,a,c,b", None, &[1.0, 0.0, 2.0, 1.0], classes("a b c"));
    check("10,x,9,x", Some(Multiclass), &[1.0, 2.0, 0.0, 2.0], classes("9 10 x"));
    check("3,0,1", Some(Count), &[3.0, 0.0, 1.0], Task::Count);
    let levels = Task::Ordinal { levels: names("1 2 5") };
    check("5,1,2,2", Some(Ordinal), &[5.0, 1.0, 2.0, 2.0], levels);
}

#[test]
fn words_have_the_order_that_is_given() {
    let levels = ["low", "mid", "high"].map(str::to_owned);
    let of = |values: &str, task| decided(values, Wish { levels: &levels, ..wish(None, task) });
    let found = of("high,low,mid", None).unwrap();
    assert_eq!((found.y, found.task), (vec![3.0, 1.0, 2.0], Task::Continuous));
    let found = of("high,low,mid", Some(TaskChoice::Ordinal)).unwrap();
    assert_eq!(found.task, Task::Ordinal { levels: levels.to_vec() });
    let check = |values: &str, part: &str| {
        let message = of(values, None).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    };
    check("high,low,other", "has `other` as well (1 rows)");
    check("high,low", "has no `mid`");
}

#[test]
fn of_pairs_the_target_says_which_text_won() {
    let check = |values: &str, first: &str, y: &[f64]| {
        let wish = Wish { pair: Some(["left", "right"]), ..wish(None, None) };
        let decision = decided(values, wish).unwrap();
        assert_eq!(decision.y, y, "{values}");
        let said = format!("`left` won where it is {first},");
        assert!(decision.note.contains(&said), "{}", decision.note);
    };
    check("0,1", "1", &[0.0, 1.0]);
    check("-1,1", "1", &[0.0, 1.0]);
    check("1,2", "1", &[1.0, 0.0]);
    check("a,b", "a", &[1.0, 0.0]);
    check("model_b,model_a", "model_a", &[0.0, 1.0]);
    check("true,false", "true", &[1.0, 0.0]);
    check("right,left", "left", &[0.0, 1.0]);
    check("A,right", "A", &[1.0, 0.0]);
    let wish = Wish { pair: Some(["left", "right"]), ..wish(None, None) };
    let message = decided("a,b,tie", wish).unwrap_err().to_string();
    assert!(message.contains("leave ties out by `--drop-target VALUE`"), "{message}");
    let margins = decided("-2,0,1.5", wish).unwrap();
    assert_eq!(margins.task, Task::Continuous);
}

#[test]
fn categories_have_numbers_by_size_then_words() {
    let factor = targets(&["b", "10", "9", "a", "b"]).factor("f");
    assert_eq!(factor.levels, ["9", "10", "a", "b"]);
    assert_eq!(factor.of_row, [3, 1, 0, 2, 3]);
    assert_eq!(targets(&["2", "1"]).numbers(), Some(vec![2.0, 1.0]));
    assert_eq!(targets(&["2", "x"]).numbers(), None);
}

#[test]
fn cells_are_values_or_missing_or_wrong() {
    let number = |cell: Cell| Value::of(&cell).map(|value| value == Value::Number(1.0));
    assert_eq!(number(Cell::Text(" 1.0 ".into())), Ok(true));
    assert_eq!(number(Cell::Integer(1)), Ok(true));
    assert_eq!(number(Cell::Float(1.0)), Ok(true));
    for missing in ["", "  ", "NA", "NaN", "null", "NULL"] {
        assert_eq!(Value::parse(missing), Ok(Value::Missing), "{missing}");
    }
    assert_eq!(Value::of(&Cell::Float(f64::NAN)), Ok(Value::Missing));
    assert!(Value::parse("inf").is_err() && Value::parse("1e999").is_err());
    assert!(Value::of(&Cell::Other("a list".into())).unwrap_err().contains("a list"));
}
