//! Links without the C runtime and library: an undefined symbol is a dependency on an operating
//! system.
fn main() {
    for argument in ["-nostartfiles", "-nostdlib", "-static", "-no-pie"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
