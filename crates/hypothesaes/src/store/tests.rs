use super::*;
use crate::watch::Unwatched;

fn open(dir: &Path) -> RunDir {
    RunDir::open(dir).unwrap()
}

/// Runs two stages that write one file each; says which were made.
fn run(dir: &Path, k: usize, fail: Option<Stage>) -> Result<Vec<(Stage, bool, Option<String>)>> {
    let mut run = open(dir);
    let mut input = String::new();
    for stage in [Stage::Sae, Stage::Select] {
        let k = if stage == Stage::Sae { k } else { 0 };
        let identity = Identity::version(1).with("sae.k", k).with("input", &input);
        let file = format!("{}.txt", stage.name());
        let made = |out: &mut Outputs| {
            out.bytes(&file, format!("{k}").as_bytes())?;
            if fail == Some(stage) { Err(Error::Interrupted) } else { Ok(k) }
        };
        let load = |path: &Path| Ok(fs::read_to_string(path.join(&file)).unwrap().parse().unwrap());
        assert_eq!(run.stage(stage, identity, &Unwatched, made, load)?, k);
        input = run.content(stage, &file);
    }
    Ok(run.reports().iter().map(|r| (r.stage, r.reused, r.again_because.clone())).collect())
}

#[test]
fn what_stands_is_reused_and_the_reason_for_the_rest_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (made, reused) = (false, true);
    assert_eq!(
        run(dir.path(), 8, None).unwrap(),
        [(Stage::Sae, made, None), (Stage::Select, made, None)]
    );
    assert_eq!(
        run(dir.path(), 8, None).unwrap(),
        [(Stage::Sae, reused, None), (Stage::Select, reused, None)]
    );
    let why = Some("sae.k 8 -> 4".into());
    assert_eq!(
        run(dir.path(), 4, None).unwrap(),
        [(Stage::Sae, made, why), (Stage::Select, made, None)]
    );
    fs::write(dir.path().join("select.txt"), "1").unwrap();
    let why = Some("`select.txt` is not as it was written".into());
    assert_eq!(
        run(dir.path(), 4, None).unwrap(),
        [(Stage::Sae, reused, None), (Stage::Select, made, why)]
    );
}

#[test]
fn a_stage_that_fails_leaves_the_earlier_ones_and_no_old_result() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), 8, None).unwrap();
    assert!(run(dir.path(), 4, Some(Stage::Sae)).is_err());
    assert!(!dir.path().join("select.txt").exists());
    let reports = run(dir.path(), 4, None).unwrap();
    assert!(reports.iter().all(|(_, reused, _)| !reused));
}

#[test]
fn one_process_at_a_time_and_no_foreign_folder() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    assert!(matches!(RunDir::open(dir.path()), Err(Error::Run { .. })));
    drop(first);
    open(dir.path());
    let foreign = tempfile::tempdir().unwrap();
    fs::write(foreign.path().join("thesis.txt"), "x").unwrap();
    assert!(matches!(RunDir::open(foreign.path()), Err(Error::Run { .. })));
    assert_eq!(fs::read_dir(foreign.path()).unwrap().count(), 1);
}

#[test]
fn leftovers_of_a_killed_process_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    fs::create_dir(dir.path().join("tables")).unwrap();
    fs::write(dir.path().join("tables/.abc.tmp"), "half").unwrap();
    drop(open(dir.path()));
    assert_eq!(fs::read_dir(dir.path().join("tables")).unwrap().count(), 0);
}
