//! Guests that nobody wrote: modules of chance, and imports called with arguments of chance.
//!
//! Whatever a guest does, the host must not panic and must not hang, and when the guest is gone, so
//! is everything that it held.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use devnet_guest_programs::{Exit, Programs, Translator};
use devnet_network::TcpListener;
use futures_lite::future;
use world::puppet::{self, FREE, IMPORTS, Puppet, host, module, program, silent};
use world::{SeededEntropy, World};

use crate::classifier::Dice;

/// What the guests may: nearly everything, so that as much as possible is behind their calls.
const GRANTS: &str = "allow-interface *:write\nallow-connect *\nallow-listen *\nallow-raw\n\
                      allow-file /temporary:write\nlimit-memory 4M\nlimit-files 24\n\
                      limit-sockets 8\nlimit-buffers 2M";
/// Calls of one guest.
const CALLS: u32 = 200;
/// Turns that a module of chance gets; one is about eight thousand instructions.
const TURNS: u32 = 40;

/// Texts that lead somewhere, for whatever a call wants.
const TEXTS: [&[u8]; 14] = [
    b"/devices/sockets",
    b"/devices/network/lo",
    b"/temporary/a",
    b"/temporary",
    b"/",
    b"socket tcp\nconnect 127.0.0.1:7\n",
    b"socket udp",
    b"bind 127.0.0.1:9",
    b"connect 127.0.0.1:9",
    b"listen",
    b"link down\nlink up",
    b"watch",
    b"localhost\0",
    b"\x04\x00\x00\x00\x05\x00\x00\x00\x05\x00\x00\x00\x05\x00\x00\x00",
];

/// Where the texts stand in the guest's memory.
fn place(index: usize) -> u32 {
    FREE + 64 * index as u32
}

fn number(dice: &Dice<'_>) -> u64 {
    match dice.below(10) {
        0..=2 => dice.below(12),
        3 => u64::from(place(dice.below(TEXTS.len() as u64) as usize)),
        4 => u64::from(FREE) + dice.below(8192),
        5 => dice.below(300),
        6 => dice.one(&[0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, u64::MAX, 1 << 63]),
        7 => 131_072 - dice.below(20),
        8 => dice.0.next(),
        _ => 1 << dice.below(40),
    }
}

/// Arguments that often make sense together: a text with its length where two numbers may be one.
fn arguments(dice: &Dice<'_>, parameters: usize) -> Vec<u64> {
    let mut all: Vec<u64> = (0..parameters).map(|_| number(dice)).collect();
    if let Some(first) = all.first_mut()
        && dice.below(2) == 0
    {
        *first = 3 + dice.below(12);
    }
    let text = dice.below(TEXTS.len() as u64) as usize;
    for at in 0..parameters.saturating_sub(1) {
        if dice.below(3) == 0 {
            all[at] = u64::from(place(text));
            all[at + 1] = TEXTS[text].len() as u64;
            break;
        }
    }
    all
}

/// The fuzz target of imports.
pub(crate) fn imports(entropy: &SeededEntropy, inputs: u32) {
    let program = program(&module(2));
    let dice = Dice(entropy);
    for _ in 0..inputs / CALLS {
        let world = World::new(dice.0.next());
        let host = host(&world);
        let listener =
            TcpListener::bind(&host.sockets(), "127.0.0.1:7".parse().unwrap(), 8).unwrap();
        let programs = Programs::new();
        let guest = Puppet::start_program(&world, &host, GRANTS, &programs, &program);
        world.run(calls(&world, &guest, &dice));
        let _ = programs.kill(guest.number);
        let Puppet { exit, .. } = guest;
        world.run(exit);
        // Connections that nobody accepted belong to the listener.
        drop(listener);
        // What was sent may still be delivered, and a port may rest.
        let left = world.run(async {
            for _ in 0..20 {
                if host.open_sockets() == 0 {
                    break;
                }
                world.sleep(Duration::from_secs(60)).await;
            }
            host.open_sockets()
        });
        assert!(left == 0, "{left} sockets are left of a guest that is gone");
    }
}

async fn calls(world: &World, guest: &Puppet, dice: &Dice<'_>) {
    for (index, text) in TEXTS.iter().enumerate() {
        guest.poke(place(index), text).await;
    }
    for _ in 0..CALLS {
        let index = dice.below(IMPORTS.len() as u64) as usize;
        let (_, _, parameters) = IMPORTS[index];
        guest.begin_numbered(index, &arguments(dice, parameters.len())).await;
        let waited = async {
            world.sleep(Duration::from_secs(3)).await;
            None
        };
        // It ended, or waits for what will not come: both are its own business.
        if future::or(guest.finish_or_end(), waited).await.is_none() {
            return;
        }
    }
}

/// Instructions of which a guest may repeat one for ever. Each must cost fuel, and none of them the
/// host's stack.
const REPEATED: [&str; 12] = [
    "(drop (memory.grow (i32.const 0)))",
    "(drop (table.grow (ref.null func) (i32.const 0)))",
    "(drop (memory.grow (i32.const 1)))",
    "(drop (table.grow (ref.null func) (i32.const 1)))",
    "(memory.fill (i32.const 0) (i32.const 0) (i32.const 1))",
    "(memory.copy (i32.const 0) (i32.const 8) (i32.const 1))",
    "(memory.init $data (i32.const 0) (i32.const 0) (i32.const 1))",
    "(table.fill (i32.const 0) (ref.null func) (i32.const 1))",
    "(table.copy (i32.const 0) (i32.const 1) (i32.const 1))",
    "(table.init $functions (i32.const 0) (i32.const 0) (i32.const 1))",
    "(call $nothing) (call_indirect (i32.const 2))",
    "(drop (memory.size)) (drop (table.size)) (drop (table.get (i32.const 2))) (drop (ref.func \
    $nothing))",
];

/// A module that does nothing but one of [`REPEATED`], or does so before it starts.
fn repeating(dice: &Dice<'_>) -> Vec<u8> {
    let instruction = dice.one(&REPEATED);
    let entry = dice
        .one(&["(export \"_start\" (func $again))", "(start $again) (func (export \"_start\"))"]);
    let text = format!(
        "(module (memory (export \"memory\") 1) (table 4 1000 funcref) (data $data \"x\") (elem \
        $functions func $nothing)
            (elem (i32.const 2) $nothing) (func $nothing)
            (func $again (loop {instruction} (br 0))) {entry})"
    );
    wat::parse_str(text).unwrap()
}

/// A module of chance with our imports, or our own module with some bytes changed, or one that
/// repeats itself.
fn draw(dice: &Dice<'_>) -> Vec<u8> {
    if dice.below(20) == 0 {
        return repeating(dice);
    }
    if dice.below(3) == 0 {
        let mut bytes = wat::parse_str(module(2)).unwrap();
        for _ in 0..1 + dice.below(8) {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] = dice.0.next() as u8;
        }
        return bytes;
    }
    let bytes: Vec<u8> = (0..64 + dice.below(2000)).map(|_| dice.0.next() as u8).collect();
    let mut source = Unstructured::new(&bytes);
    let Ok(mut config) = wasm_smith::Config::arbitrary(&mut source) else { return bytes };
    // Whatever the module has, the start is one that takes nothing and gives nothing.
    config.exports = Some(
        wat::parse_str("(module (func (export \"_start\")) (memory (export \"memory\") 1))")
            .unwrap(),
    );
    config.available_imports = Some(wat::parse_str(module(2)).unwrap());
    config.threads_enabled = false;
    config.memory64_enabled = false;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.max_memory32_bytes = 8 << 20;
    match wasm_smith::Module::new(config, &mut source) {
        Ok(module) => module.to_bytes(),
        Err(_) => bytes,
    }
}

/// The fuzz target of modules.
pub(crate) fn modules(entropy: &SeededEntropy, inputs: u32) {
    let dice = Dice(entropy);
    let translator = Translator::new();
    for _ in 0..inputs / 20 {
        let Ok(program) = translator.translate(&draw(&dice)) else { continue };
        let world = World::new(dice.0.next());
        let host = host(&world);
        let Ok((process, _output)) = silent(&world, &host, GRANTS, &program) else { continue };
        let exit = puppet::turns(process, TURNS);
        assert!(!matches!(exit, Some(Exit::Killed)), "nobody did");
        assert_eq!(host.open_sockets(), 0);
    }
}
