//! `bench abuse`: attacks on a server of its own, while two probes ask whether others are still answered.
//!
//! An attack is what one client may send. It must not cost the server much, nor keep anyone else waiting.

mod attacks;
mod crowd;
mod payload;
mod probe;
mod process;
mod report;
mod scene;
mod stored;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use self::{
    attacks::Attack,
    report::Row,
    scene::{Scene, Server},
};
use crate::{step::step, workspace::Workspace};

/// As many files and connections as the server may have open that is attacked by half requests.
const FEW_FILES: u32 = 256;

/// Runs every attack and prints what it did. With `strict`, a goal that is missed is an error.
pub fn abuse(workspace: &Workspace, program: Option<PathBuf>, strict: bool) -> Result<()> {
    let program = super::program_or_build(workspace, program)?;
    let scene = step("making two organizations and their people", || {
        Scene::make(workspace, program)
    })?;

    report::print_header();
    let mut rows = Vec::new();
    let server = scene.start(None)?;
    let attacker = scene.attacker(server.site)?;
    let mut attacks = vec![attacks::none()];
    attacks.extend(attacks::on_lists(&attacker));
    step("storing what is as large as it may be", || {
        stored::store(&attacker)
    })?;
    attacks.extend(attacks::on_what_is_stored(&attacker));
    attacks.extend(attacks::on_passwords(server.site));
    attacks.extend(attacks::on_operators(server.site));
    carry_out(&scene, &server, &attacks, &mut rows)?;
    drop(server);

    // Last, because it needs a server that soon has no descriptors left.
    let server = scene.start(Some(FEW_FILES))?;
    let attacks = [attacks::on_descriptors(server.site)];
    carry_out(&scene, &server, &attacks, &mut rows)?;

    let missed: Vec<String> = rows.iter().flat_map(Row::missed).collect();
    report::print_goals(&missed);
    ensure!(
        missed.is_empty() || !strict,
        "goals that are missed: {}",
        missed.len()
    );
    Ok(())
}

fn carry_out(
    scene: &Scene,
    server: &Server,
    attacks: &[Attack],
    rows: &mut Vec<Row>,
) -> Result<()> {
    for attack in attacks {
        let row = probe::measure(server, &scene.probes, attack)
            .with_context(|| format!("the attack “{}”", attack.name))?;
        println!("{row}");
        rows.push(row);
    }
    Ok(())
}
