//! `ocelli model`: packages of models, before they run and while they lie there.

mod add;
mod eval;
mod inspect;
mod list;
mod looker;
mod remove;
mod report;
mod rollback;
mod test;
mod trial;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Say what an ONNX file is, which layout it has, and propose a manifest for it.
    Inspect(inspect::InspectArguments),
    /// Make a package of an ONNX file, try it, and put it in place in one step.
    Add(add::AddArguments),
    /// Put the package back that `add` has replaced.
    Rollback(rollback::RollbackArguments),
    /// Show the packages, with what is wrong where something is.
    List(list::ListArguments),
    /// Remove a package that nothing uses.
    Remove(remove::RemoveArguments),
    /// Look at pictures and draw what is seen.
    Test(test::TestArguments),
    /// Measure how good a detector is, against annotated pictures (COCO's average precision).
    Eval(eval::EvalArguments),
}

pub(super) fn model(command: &ModelCommand) -> ExitCode {
    match command {
        ModelCommand::Inspect(arguments) => inspect::inspect(arguments),
        ModelCommand::Add(arguments) => add::add(arguments),
        ModelCommand::Rollback(arguments) => rollback::rollback(arguments),
        ModelCommand::List(arguments) => list::list(arguments),
        ModelCommand::Remove(arguments) => remove::remove(arguments),
        ModelCommand::Test(arguments) => test::test(arguments),
        ModelCommand::Eval(arguments) => eval::eval(arguments),
    }
}
