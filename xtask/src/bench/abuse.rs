//! `bench abuse`: attacks a server started for the purpose, while three probes check that it still answers others: a
//! monitor, and the API servers and a member of another organization.
//!
//! An attack is what a single client can send. It must not cost the server much, nor delay anyone else.

mod attacks;
mod crowd;
mod measure;
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

/// The limit of open files and connections for the server that is attacked with incomplete requests.
const FEW_FILES: u32 = 256;

/// Runs every attack and prints the results. With `strict`, a missed goal is an error.
pub fn abuse(workspace: &Workspace, program: Option<PathBuf>, strict: bool) -> Result<()> {
    let program = super::program_or_build(workspace, program)?;
    let scene = step("creating two organizations and their users", || {
        Scene::make(workspace, program)
    })?;

    report::print_header();
    let mut rows = Vec::new();
    let server = scene.start(None)?;
    let attacker = scene.attacker(server.site)?;
    let mut attacks = vec![attacks::none()];
    attacks.extend(attacks::on_lists(&attacker));
    step("storing records of the maximum size", || {
        stored::store(&attacker)
    })?;
    attacks.extend(attacks::on_what_is_stored(&attacker));
    attacks.push(attacks::by_one_org(&attacker));
    attacks.extend(attacks::on_passwords(server.site));
    attacks.extend(attacks::on_operators(server.site));
    carry_out(&scene, &server, &attacks, &mut rows)?;
    drop(server);

    // Last, because the server of this attack runs out of file descriptors.
    let server = scene.start(Some(FEW_FILES))?;
    let attacks = [attacks::on_descriptors(server.site)];
    carry_out(&scene, &server, &attacks, &mut rows)?;

    let missed: Vec<String> = rows.iter().flat_map(Row::missed).collect();
    report::print_goals(&missed);
    ensure!(
        missed.is_empty() || !strict,
        "missed goals: {}",
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
        let row = measure::measure(server, &scene.probes, attack)
            .with_context(|| format!("the attack “{}”", attack.name))?;
        println!("{row}");
        rows.push(row);
    }
    Ok(())
}
