//! `firewall`: the rules of an interface; `conntrack`: the flows that they know.

use devnet_network::capture::Filter;
use devnet_network::command::firewall::FirewallRule;
use devnet_network::command::socket::{SocketKind, SocketState};
use devnet_network::command::table::Request;
use devnet_network::command::{
    AddFirewallRule, FlushFirewallRules, FlushFlows, ListFirewall, ListFlows, ListSockets,
    RemoveFirewallRule, ReplaceFirewallRule, ResetFirewall, SetFirewallPolicy, SetFirewallProfile,
    text,
};

use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::firewall as render;
use crate::status::Status;

/// Words of nft(8) and iptables(8) about what this stack has not: it is the end of every packet.
const NOT_THERE: [&str; 9] = [
    "nat",
    "masquerade",
    "snat",
    "dnat",
    "redirect",
    "forward",
    "prerouting",
    "postrouting",
    "queue",
];

pub(super) async fn run(context: &Context) -> Outcome {
    let words: Vec<&str> = context.arguments.iter().map(String::as_str).collect();
    if let Some(word) = words.iter().find(|word| NOT_THERE.contains(word)) {
        let why = "packets are neither forwarded nor translated here";
        return Err(Failure::of(word, why));
    }
    match words.as_slice() {
        [] | ["list"] => list(context, None).await,
        ["list", interface] => list(context, Some(interface)).await,
        [
            verb @ ("add" | "insert" | "replace" | "policy" | "profile" | "reset"),
            interface,
            rest @ ..,
        ]
        | [verb @ ("remove" | "flush"), interface, rest @ ..] => {
            change(context, verb, interface, rest).await
        }
        ["delete" | "del", interface, rest @ ..] => {
            change(context, "remove", interface, rest).await
        }
        [verb, ..] if VERBS.contains(verb) => {
            Err(Failure::usage(format!("{verb}: which interface?")))
        }
        [word, ..] => Err(Failure::usage(format!("{word}: unknown word"))),
    }
}

const VERBS: [&str; 10] =
    ["add", "insert", "replace", "remove", "delete", "del", "flush", "policy", "profile", "reset"];

async fn list(context: &Context, interface: Option<&str>) -> Outcome {
    let (name, file) = devices::one_or_all(context, interface, Use::Show)?;
    let all = file.control::<ListFirewall>(&()).await.map_err(|why| Failure::of(name, why))?;
    context.answer(&render::chains(&all)).await
}

/// The words after the interface are those of a line of its device.
async fn change(context: &Context, verb: &str, interface: &str, words: &[&str]) -> Outcome {
    let line = format!("firewall {verb} {}", words.join(" "));
    let request = match text::parse_line(1, &line) {
        Ok(Some(request)) => request,
        Ok(None) => return Err(Failure::usage(format!("{verb}: what?"))),
        Err(error) => return Err(Failure::usage(error.fault.to_string())),
    };
    let device = devices::interface(context, interface, Use::Change)?;
    match &request {
        Request::AddFirewallRule(new) => {
            check(&new.rule)?;
            device.ask::<AddFirewallRule>(new).await.map(drop)?;
        }
        Request::ReplaceFirewallRule(new) => {
            check(&new.rule)?;
            device.ask::<ReplaceFirewallRule>(new).await.map(drop)?;
        }
        Request::RemoveFirewallRule(handle) => device.ask::<RemoveFirewallRule>(handle).await?,
        Request::FlushFirewallRules(chain) => {
            device.ask::<FlushFirewallRules>(chain).await.map(drop)?;
        }
        Request::SetFirewallPolicy(policy) => {
            device.ask::<SetFirewallPolicy>(policy).await.map(drop)?;
        }
        Request::SetFirewallProfile(profile) => {
            device.ask::<SetFirewallProfile>(profile).await.map(drop)?;
        }
        _ => device.ask::<ResetFirewall>(&()).await?,
    }
    Ok(Status::SUCCESS)
}

/// Says in words what is wrong with a filter; the stack says only that it is.
fn check(rule: &FirewallRule) -> Result<(), Failure> {
    rule.filter.parse::<Filter>().map(drop).map_err(|why| Failure::of("filter", why))
}

pub(super) async fn conntrack(context: &Context) -> Outcome {
    let words: Vec<&str> = context.arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["-L" | "--dump"] => flows(context, None).await,
        ["-L" | "--dump", "-p" | "--proto", protocol] => flows(context, Some(protocol)).await,
        ["-C" | "--count"] => {
            let count = lines(context, None).await?.len();
            context.answer(&format!("{count}\n")).await
        }
        ["-F" | "--flush"] => {
            for (interface, _) in devices::all(context).await? {
                let name = interface.name.clone();
                let device = devices::interface(context, &name, Use::Change)?;
                device.ask::<FlushFlows>(&()).await?;
            }
            Ok(Status::SUCCESS)
        }
        ["-E" | "--event", ..] => {
            Err(Failure::of("-E", "flows have no events; ss -E tells those of sockets"))
        }
        ["-D" | "--delete" | "-I" | "--create" | "-U" | "--update", ..] => {
            Err(Failure::of("conntrack", "flows are made by packets, and only -F ends them"))
        }
        [] => Err(Failure::usage("which of -L, -C, -F?".to_owned())),
        [word, ..] => Err(Failure::usage(format!("{word}: unknown option"))),
    }
}

async fn flows(context: &Context, protocol: Option<&str>) -> Outcome {
    context.answer(&lines(context, protocol).await?.concat()).await
}

/// Connections, which sockets know, and the flows that rules know beside them.
async fn lines(context: &Context, protocol: Option<&str>) -> Result<Vec<String>, Failure> {
    let file = devices::sockets(context, Use::Show)?;
    let failed = |why| Failure::of(devices::SOCKETS, why);
    let sockets = file.control::<ListSockets>(&()).await.map_err(failed)?;
    let flows = file.control::<ListFlows>(&()).await.map_err(failed)?;
    let streams = sockets
        .iter()
        .filter(|one| one.kind == SocketKind::Tcp && one.state != SocketState::Listen)
        .filter_map(|one| Some((one, one.remote?)));
    let mut all: Vec<(&str, String)> = streams
        .map(|(one, remote)| ("tcp", render::connection(one.local, remote, one.state)))
        .collect();
    all.extend(flows.iter().map(|flow| (render::protocol(flow.protocol), render::flow(flow))));
    all.retain(|(name, _)| protocol.is_none_or(|wanted| wanted == *name));
    Ok(all.into_iter().map(|(_, line)| line).collect())
}
