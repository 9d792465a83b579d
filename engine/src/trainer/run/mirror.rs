//! The mirror of a run's checkpoints, at its begin: what is newer there is brought here, and what is written goes there.

use crate::base::{Error, Result};
use crate::checkpoint::mirror::{Mirror, Uploads};
use crate::checkpoint::{self, MirrorUrl};
use crate::folder::{CHECKPOINTS, Mode, RunFolder};
use crate::trainer::run::Program;
use crate::trainer::{Build, Experiment};

/// What an experiment says of a mirror, and what was brought from there.
#[derive(Default)]
pub(super) struct Mirrored {
    /// The mirror, and the name of the run in it.
    of: Option<(MirrorUrl, String)>,
    told: Vec<String>,
}

impl Mirrored {
    /// Where a run is to be resumed and its newest checkpoint is in the mirror, brings it into the run's folder. To be called
    /// before the folder is claimed. A checkpoint that is named is on this disk.
    ///
    /// # Errors
    /// When the mirror can't be asked, when it holds checkpoints that a run that begins would replace, and when the disk
    /// fails.
    pub(super) fn of<T: Build>(experiment: &Experiment<T>, mode: Mode, is_named: bool) -> Result<Mirrored> {
        let Some(url) = &experiment.checkpoints.mirror else { return Ok(Mirrored::default()) };
        let (work_dir, run) = (&experiment.work_dir, experiment.name.text());
        let mirror = Mirror::open(url, run)?;
        let mut told = Vec::new();
        // asked in any case: credentials that are wrong are told before hours of training
        if let Some(there) = mirror.newest()? {
            let here = checkpoint::list(&work_dir.join(run).join(CHECKPOINTS))?;
            let here = here.first().map(|path| checkpoint::iter_at(path));
            match mode {
                Mode::Resume | Mode::Auto if is_named || here.is_some_and(|here| here >= there) => {}
                Mode::Resume | Mode::Auto => {
                    let folder = RunFolder::create(work_dir, run, Mode::Auto)?;
                    let (brought, warnings) = mirror.fetch(&folder.checkpoints())?;
                    told.extend(warnings);
                    told.extend(brought.iter().map(|path| format!("brought from {mirror}: {}", path.display())));
                }
                Mode::New | Mode::Fresh => {
                    return Err(Error::msg(format!(
                        "{mirror} holds checkpoints of a run of this name, up to {there}, and a new run would replace them; resume that run with `--resume`, choose another `name` or `checkpoints.mirror`, or delete what is there"
                    )));
                }
            }
        }
        Ok(Mirrored { of: Some((url.clone(), run.to_owned())), told })
    }

    /// Says what was brought, and copies checkpoints to the mirror from now on.
    ///
    /// # Errors
    /// When a sink can't write, or no thread can be started.
    pub(super) fn begin<T: Build>(self, program: &mut Program<T>) -> Result<()> {
        let Some((url, run)) = self.of else { return Ok(()) };
        self.told.iter().try_for_each(|line| program.run.say(line))?;
        program.run.storage.copies = Some(Box::new(Uploads::start(&url, &run)?));
        Ok(())
    }
}
