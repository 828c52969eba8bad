//! The `ocelli` command; everything else is in the library.

fn main() -> std::process::ExitCode {
    ocelli::cli::main()
}
