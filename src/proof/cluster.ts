/** Whether the servers that were booted are one cluster: every one has routes to all others, and all name the same meta leader. */
import { setTimeout as sleep } from "node:timers/promises";
import { PORTS } from "../kubernetes/names.ts";
import { addressesOf, SERVER } from "./reach.ts";
import type { Subject } from "./smoke.ts";

/** What a server says of itself at its monitoring port. */
export interface ServerState {
  readonly name: string;
  /** Names of the servers that it has routes to. */
  readonly peers: readonly string[];
  /** Whether routes take TLS, with a certificate of both sides. */
  readonly tls: boolean;
  /** The leader that it knows, and how many servers it counts; undefined outside a cluster. */
  readonly meta?: { readonly leader?: string; readonly cluster_size: number } | undefined;
}

/** How long servers may take to agree, in ms. */
const PATIENCE = 120_000;

/** @throws Error with what is missing after two minutes */
export async function checkCluster({ model, booted }: Subject): Promise<string> {
  const { nats } = model.environment;
  for (const end = Date.now() + PATIENCE; ; await sleep(500)) {
    const states = await Promise.all(addressesOf(booted.nodes.pods(), SERVER).map(stateOf));
    const problems = problemsOf(states, nats.servers, nats.tls);
    const routes = `each with routes to all others${nats.tls ? ", under TLS that asks both sides for certificates" : ""}`;
    if (problems.length === 0)
      return nats.servers === 1
        ? "one server"
        : `${nats.servers} servers, ${routes}; meta leader ${states[0]?.meta?.leader}`;
    if (Date.now() > end) throw new Error(problems.join("\n"));
  }
}

/** Why servers are not one cluster; empty where they are. */
export function problemsOf(states: readonly ServerState[], servers: number, tls: boolean): readonly string[] {
  const names = states.map(({ name }) => name);
  const leaders = new Set(states.map(({ meta }) => meta?.leader ?? ""));
  const [leader = ""] = leaders;
  if (states.length !== servers) return [`${states.length} of ${servers} servers are ready: ${names.join(", ")}`];
  if (servers === 1) return [];
  return [
    ...states.flatMap(({ name, peers }) =>
      names
        .filter((other) => other !== name && !peers.includes(other))
        .map((other) => `${name} has no route to ${other}`),
    ),
    ...states.filter((one) => tls && !one.tls).map(({ name }) => `${name} takes routes without TLS of both sides`),
    ...states
      .filter(({ meta }) => meta?.cluster_size !== servers)
      .map(({ name, meta }) => `${name} counts ${meta?.cluster_size ?? 0} servers where there are ${servers}`),
    ...(leaders.size > 1 || !names.includes(leader)
      ? [`servers name ${[...leaders].map((one) => one || "none").join(", ")} as meta leader`]
      : []),
  ];
}

interface Varz {
  readonly server_name: string;
  readonly cluster?: { readonly tls_required?: boolean; readonly tls_verify?: boolean };
}

async function stateOf(address: string): Promise<ServerState> {
  const ask = async <T>(path: string): Promise<T> => {
    const url = `http://${address}:${PORTS.natsMonitor}/${path}`;
    return (await (await fetch(url, { signal: AbortSignal.timeout(30_000) })).json()) as T;
  };
  const { server_name: name, cluster } = await ask<Varz>("varz");
  const { routes } = await ask<{ readonly routes: readonly { readonly remote_name: string }[] }>("routez");
  const { meta_cluster: meta } = await ask<{ readonly meta_cluster?: ServerState["meta"] }>("jsz");
  const peers = [...new Set(routes.map(({ remote_name }) => remote_name))];
  return { name, peers, tls: Boolean(cluster?.tls_required && cluster.tls_verify), meta };
}
