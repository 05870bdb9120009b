//! `lockkeeper state`: what is in the files a service keeps its state in, and making one.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{LineStyle, Table, TableStyle};
use serde_json::{Value, json};

use super::exit::Exit;
use super::rebuild::{RebuildArgs, rebuild};
use crate::journal::Settings;
use crate::model::time::duration_text;
use crate::service::state::{Header, format};

const EXAMPLES: &str = "\
Examples:
  How far had the service come, and with which rules?
    lockkeeper state inspect /var/lib/lockkeeper/wallet-00000000000000000042.lkstate

  The same for a program:
    lockkeeper state inspect --format json FILE

Exit codes: 0 the file is undamaged, 1 it is not, or is no state file, 2 usage.";

/// Look at the state files of the service, or make one.
#[derive(Debug, Clone, Args)]
pub struct StateArgs {
    #[command(subcommand)]
    verb: StateVerb,
}

#[derive(Debug, Clone, Subcommand)]
enum StateVerb {
    Inspect(InspectArgs),
    Rebuild(RebuildArgs),
}

/// How the header is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people.
    Human,
    /// One JSON object.
    Json,
}

/// Verify a state file and show what it belongs to.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
struct InspectArgs {
    /// How the header is written.
    #[arg(long, env = "LOCKKEEPER_FORMAT", value_enum, default_value_t = Format::Human)]
    format: Format,

    /// The state file; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the verb below `state`.
///
/// # Errors
/// When the file cannot be opened or is not an undamaged state; when a state cannot be made.
pub fn run(args: &StateArgs) -> Result<Exit> {
    match &args.verb {
        StateVerb::Inspect(args) => inspect(args),
        StateVerb::Rebuild(args) => rebuild(args),
    }
}

fn inspect(InspectArgs { format, file: path }: &InspectArgs) -> Result<Exit> {
    let mut file = open(path)?;
    let header = format::verify(&mut file).map_err(|reason| anyhow!("{}: {reason}", path.display()))?;
    let bytes = file.metadata().with_context(|| format!("{}: cannot be read", path.display()))?.len();
    match format {
        Format::Json => anstream::println!("{}", to_json(&header, bytes)),
        Format::Human => anstream::println!("{}\n\n{}", facts(&header, bytes).trim_fmt(), offsets(&header).trim_fmt()),
    }
    Ok(Exit::Fine)
}

/// The file; stdin is kept in one first, because its end has to be looked at before the rest.
fn open(path: &Path) -> Result<File> {
    if path != Path::new("-") {
        return File::open(path).with_context(|| format!("{}: cannot open", path.display()));
    }
    let mut file = tempfile::tempfile().context("cannot make a temporary file for stdin")?;
    io::copy(&mut io::stdin().lock(), &mut file).context("cannot keep stdin in a temporary file")?;
    file.seek(SeekFrom::Start(0)).context("cannot read the temporary file")?;
    Ok(file)
}

fn to_json(header: &Header, bytes: u64) -> Value {
    json!({
        "format": format::FORMAT,
        "program": header.program,
        "layout": header.layout,
        "ruleset": header.ruleset,
        "settings": header.settings,
        "sequence": header.progress.sequence,
        "output_hash": hash(header),
        "next_offsets": header.progress.next_offsets,
        "state_bytes": header.state_bytes,
        "file_bytes": bytes,
    })
}

fn hash(header: &Header) -> String {
    format!("{:032x}", header.progress.output_hash)
}

fn facts(header: &Header, bytes: u64) -> Table {
    let mut table = table(&["state", ""]);
    for (name, value) in [
        ("rule set", header.ruleset.clone()),
        ("settings", settings(&header.settings)),
        ("sequence", header.progress.sequence.to_string()),
        ("output hash", hash(header)),
        ("written by", format!("lockkeeper {}", header.program)),
        ("file format, layout", format!("{}, {}", format::FORMAT, header.layout)),
        ("state", format!("{} bytes", header.state_bytes)),
        ("file", format!("{bytes} bytes, undamaged")),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    table
}

fn settings(settings: &Settings) -> String {
    let emit = if settings.emit_all { "all" } else { "flagged" };
    let (future, skew) = (duration_text(settings.max_future), duration_text(settings.max_skew));
    format!("emit {emit}, max_future {future}, max_skew {skew}, record_size {}", settings.record_size)
}

fn offsets(header: &Header) -> Table {
    let mut table = table(&["topic", "partition", "next offset"]);
    for (topic, offsets) in &header.progress.next_offsets {
        for (partition, offset) in offsets.iter().enumerate() {
            // A state that was rebuilt from files does not know all of them.
            let shown = if *offset < 0 { "unknown".to_owned() } else { offset.to_string() };
            table.add_row([topic.clone(), partition.to_string(), shown]);
        }
    }
    table
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    let style = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
    table.load_style(style).set_header(header);
    table
}
