//! `board`: a page of runs in a browser.

use crate::base::Result;
use crate::board::{Board, Door, check_token};
use crate::cli::failure::Failure;
use crate::cli::out;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where the page is, and of what.
#[derive(Debug, clap::Args)]
pub(super) struct BoardArgs {
    /// Folders with runs in them, or runs' folders
    #[arg(value_name = "FOLDER", default_value = "runs")]
    folders: Vec<PathBuf>,
    /// The port; without it 6100, or another one where that is taken
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Listen at this address of the machine, so that others can look too; needs `--token`
    #[arg(long, value_name = "ADDRESS", requires = "token")]
    host: Option<IpAddr>,
    /// What others have to know to look: at least 16 letters, digits, `-` and `_`
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    token: Option<String>,
}

fn token(text: &str) -> Result<String, String> {
    check_token(text).map(|()| text.to_owned())
}

/// Answers until the process ends.
pub(super) fn serve(args: BoardArgs) -> Result<std::convert::Infallible, Failure> {
    if let Some(missing) = args.folders.iter().find(|folder| !folder.is_dir()) {
        let text = format!("`{}` is not a folder; name that of a run, or one with runs in it", missing.display());
        return Err(Failure::Usage(text));
    }
    let usual = Door::default();
    let door = Door { host: args.host.unwrap_or(usual.host), port: args.port, token: args.token };
    let board = Board::open(args.folders, &door)?;
    let runs = match board.runs() {
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    };
    let token = if door.token.is_some() { "?token=TOKEN, with the token that was given" } else { "" };
    out::line(format_args!("{runs} at http://{}/{token}", board.address()))?;
    out::line("Ctrl-C ends the board; the runs go on")?;
    board.serve()
}
