//! `ocelli model`: manages model packages.

mod add;
mod compare;
mod comparison;
mod eval;
mod inspect;
mod int8_twin;
mod list;
mod picture_files;
mod quantize;
mod refusal;
mod remove;
mod report;
mod restarting_unit;
mod rollback;
mod test;
mod trial;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Show what an ONNX file contains and which layout it has, and propose a manifest.
    Inspect(inspect::InspectArguments),
    /// Make a package from an ONNX file, try it, and install it in one step.
    Add(add::AddArguments),
    /// Make an 8-bit twin of a detector from pictures, judge it, and install it beside the model.
    Quantize(quantize::QuantizeArguments),
    /// Restore the package that `add` has replaced.
    Rollback(rollback::RollbackArguments),
    /// List the packages, with their mistakes.
    List(list::ListArguments),
    /// Remove a package that is not in use.
    Remove(remove::RemoveArguments),
    /// Detect objects in pictures and draw them.
    Test(test::TestArguments),
    /// Compare what two packages see in pictures, and what they cost.
    Compare(compare::CompareArguments),
    /// Measure a detector's quality with annotated pictures (COCO's average precision).
    Eval(eval::EvalArguments),
}

pub(super) fn model(command: &ModelCommand) -> ExitCode {
    match command {
        ModelCommand::Inspect(arguments) => inspect::inspect(arguments),
        ModelCommand::Add(arguments) => add::add(arguments),
        ModelCommand::Quantize(arguments) => quantize::quantize(arguments),
        ModelCommand::Rollback(arguments) => rollback::rollback(arguments),
        ModelCommand::List(arguments) => list::list(arguments),
        ModelCommand::Remove(arguments) => remove::remove(arguments),
        ModelCommand::Test(arguments) => test::test(arguments),
        ModelCommand::Compare(arguments) => compare::compare(arguments),
        ModelCommand::Eval(arguments) => eval::eval(arguments),
    }
}
