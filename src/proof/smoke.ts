/** What is tried on an environment that has booted: everything once, as its clients would. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { openReader, openWriter, type Target } from "../connect/nats.ts";
import { openService } from "../connect/service-client.ts";
import { openTile38 } from "../connect/tile38.ts";
import { apply } from "../jetstream/apply.ts";
import { observe } from "../jetstream/observe.ts";
import { type Policy, plan } from "../jetstream/plan.ts";
import { type Health, status } from "../jetstream/status.ts";
import { PORTS } from "../kubernetes/names.ts";
import { takes } from "../model/capture.ts";
import type { Model } from "../model/resolve.ts";
import { STREAM_SYNC } from "../model/stream.ts";
import { flowsInto } from "../model/traffic.ts";
import type { BootedEnvironment } from "./environment.ts";
import type { Documents } from "./external-secrets.ts";
import { addressesOf, natsTarget, tile38Target } from "./reach.ts";

export interface Subject {
  readonly model: Model;
  readonly booted: BootedEnvironment;
  readonly documents: Documents;
  /** For the files of clients. */
  readonly folder: string;
  /** Of the repository. */
  readonly root: string;
}

/** How long streams may take to have all replicas current, in ms. */
const READY_TIMEOUT = 120_000;

const targetOf = ({ model, booted, documents, folder }: Subject, identity: string): Promise<Target> =>
  natsTarget(model, booted.nodes.pods(), documents, identity, folder);

/** Creates streams and consumers by our own plan and apply. @throws Error with what failed */
export async function applyStreams(subject: Subject, policy: Policy): Promise<string> {
  await using writer = await openWriter(await targetOf(subject, STREAM_SYNC));
  const planned = await plan(subject.model, writer, policy, Date.now() * 1e6);
  const outcome = await apply(planned, writer, {
    holder: "circl proof",
    lockWait: 0,
    interrupted: () => false,
    progress: () => {},
    readyTimeout: READY_TIMEOUT,
  });
  const failed = outcome.failed.map(({ name, error }) => `${name}: ${error.message}`);
  const waiting = outcome.notStarted.map((name) => `${name} was not begun`);
  if (failed.length + waiting.length > 0) throw new Error([...failed, ...waiting].join("\n"));
  return `${outcome.done.length} streams and consumers by ${writer.server.name}`;
}

/** Waits until every stream and consumer is as declared, with all replicas current. @throws Error with what is not */
export async function checkStreams(subject: Subject): Promise<string> {
  await using reader = await openReader(await targetOf(subject, "stream-plan"));
  const { model } = subject;
  for (const end = Date.now() + READY_TIMEOUT; ; await sleep(500)) {
    const observed = await observe(
      reader,
      model.streams.map(({ name }) => name),
    );
    const health = status(model, observed, Date.now() * 1e6);
    if (health.problems === 0) return currentIn(health);
    const problems = [...health.streams, ...health.consumers].flatMap((one) =>
      one.problems.map((problem) => `${one.name} ${problem}`),
    );
    if (Date.now() > end) throw new Error(problems.join("\n"));
  }
}

function currentIn({ streams }: Health): string {
  const replicas = streams.flatMap(({ live }) => (live ? [live.replicas] : []));
  const current = replicas.reduce((sum, one) => sum + one.current, 0);
  return `${streams.length} streams, ${current} of ${replicas.reduce((sum, one) => sum + one.wanted, 0)} replicas current`;
}

/** Every service publishes what it declares, and every consumer is given one of the messages it asks for. */
export async function exchangeMessages(subject: Subject): Promise<string> {
  const { model } = subject;
  const ids = new Map<string, string>();
  let received = 0;
  for (const { name, description: _ } of model.services) {
    await using client = await openService(await targetOf(subject, name));
    for (const { stream, subject: pattern } of published(model, name)) {
      const id = randomUUID();
      const stored = await client.publish(concrete(pattern), JSON.stringify({ proof: id }), id);
      if (stored.stream !== stream) throw new Error(`${pattern} of ${name} was stored by ${stored.stream}`);
      ids.set(pattern, id);
    }
  }
  for (const { name } of model.services) {
    await using client = await openService(await targetOf(subject, name));
    for (const stream of model.streams) {
      const flows = flowsInto(stream, model);
      for (const consumer of stream.consumers.filter(({ service }) => service === name)) {
        const id = flows.flatMap((flow) => (takes(consumer, flow.subject) ? (ids.get(flow.subject) ?? []) : [])).at(-1);
        if (id === undefined) continue;
        await client.receive(stream.name, consumer.name, id, READY_TIMEOUT);
        received += 1;
      }
    }
  }
  return `${ids.size} subjects published with acknowledgement, ${received} consumers read`;
}

const published = ({ streams }: Model, service: string) =>
  streams.flatMap(({ name, publishers }) =>
    publishers.filter((one) => one.service === service).map((one) => ({ stream: name, subject: one.subject })),
  );

/** `circl.iot.location.>` -> `circl.iot.location.proof`. */
const concrete = (pattern: string): string => pattern.replaceAll(/[*>]/g, "proof");

/** A position is set on the leader, read back, and read from every follower. @throws Error with the answer that is wrong */
export async function exchangePositions({ model, booted, documents }: Subject): Promise<string> {
  const by = (component: string) =>
    addressesOf(booted.nodes.pods(), { "app.kubernetes.io/name": "tile38", "app.kubernetes.io/component": component });
  const [leader = ""] = by("leader");
  const id = randomUUID();
  await using client = await openTile38(await tile38Target(model, leader, documents));
  await client.call("SET", "proof", id, "POINT", "52.52", "13.405");
  const expected = JSON.stringify(["52.52", "13.405"]);
  const followers = by("follower");
  for (const host of [leader, ...followers]) {
    await using reader = await openTile38(await tile38Target(model, host, documents));
    const ask = async () => JSON.stringify(await reader.call("GET", "proof", id, "POINT"));
    let answer = await ask();
    for (let waited = 0; answer !== expected && waited < 10_000; waited += 100) {
      await sleep(100);
      answer = await ask();
    }
    if (answer !== expected) throw new Error(`${host} says ${answer} where the leader was given ${expected}`);
  }
  await client.call("DEL", "proof", id);
  return `set on the leader, read from it and from ${followers.length} followers`;
}

/** Every exporter is scraped where its ServiceMonitor would, and must know its server. @throws Error with the page that does not */
export async function scrapeMetrics({ booted }: Subject): Promise<string> {
  const exporters = [
    { name: "nats", port: PORTS.natsMetrics, metric: /^nats_varz_connections\{/m },
    { name: "tile38", port: PORTS.tile38Metrics, metric: /^tile38_replication_info\{/m },
  ];
  let series = 0;
  let pages = 0;
  for (const { name, port, metric } of exporters) {
    for (const address of addressesOf(booted.nodes.pods(), { "app.kubernetes.io/name": name })) {
      const response = await fetch(`http://${address}:${port}/metrics`, { signal: AbortSignal.timeout(30_000) });
      const text = await response.text();
      if (!metric.test(text))
        throw new Error(`${address}:${port}/metrics has no ${metric.source}: ${text.slice(0, 300)}`);
      series += text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
      pages += 1;
    }
  }
  return `${pages} exporters, ${series} series`;
}
