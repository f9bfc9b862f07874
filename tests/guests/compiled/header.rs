//! The C header is what the tables say.

use world::puppet::IMPORTS;

#[path = "../../header/generate.rs"]
mod generate;

fn checked_in() -> String {
    let path = super::compiler::root().join("guest_programs/sdk/c/devnet.h");
    std::fs::read_to_string(path).expect("the header")
}

#[test]
fn the_header_is_what_its_generator_prints() {
    let hint = "renew it: cargo run -p devnet-tests --bin c-header > /tmp/devnet.h \
                && mv /tmp/devnet.h guest_programs/sdk/c/devnet.h";
    assert!(
        generate::header() == checked_in(),
        "guest_programs/sdk/c/devnet.h is out of date; {hint}"
    );
}

#[test]
fn the_header_declares_every_call_with_as_many_parameters() {
    let header = checked_in();
    for (_, name, parameters) in IMPORTS.iter().filter(|(module, ..)| *module == "vfs") {
        let (_, declaration) = header
            .split_once(&format!("DEVNET_IMPORT(\"{name}\")"))
            .unwrap_or_else(|| panic!("{name} is not declared"));
        let declaration = declaration.split(';').next().expect("its end");
        assert_eq!(declaration.matches(',').count() + 1, parameters.len(), "{name}: {declaration}");
    }
}
