/** Staging keeps one replica: what that costs is what `circl show staging` says beforehand, and no more. */
import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { renderStreams } from "../../../src/cli/output/streams.ts";
import { lookOf } from "../../../src/cli/output/terminal.ts";
import { NATS, serverNamePrefix } from "../../../src/kubernetes/names.ts";
import type { StreamOrigin } from "../../../src/model/stream.ts";
import { eventually } from "../../support/control-plane.ts";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { request } from "../../support/jetstream.ts";
import { useSite } from "./site.ts";
import { allCurrent, allReady, cutOff, kill, losePower, loseVolume, remove } from "./strikes.ts";
import { type Fault, outlives } from "./traffic.ts";

const model = realModel("staging");

interface Info {
  readonly state: { readonly messages: number; readonly first_seq: number; readonly last_seq: number };
  readonly cluster: { readonly leader: string };
}

describe.skipIf(cannotBoot())("staging", () => {
  const site = useSite(model);
  const infoOf = async (connection: NatsConnection, stream: string): Promise<Info> =>
    (await request(connection, `STREAM.INFO.${stream}`)) as unknown as Info;
  const holderOf = async (stream: string): Promise<string> => {
    const connection = await site().connect("stream-plan");
    const { cluster } = await infoOf(connection, stream);
    await connection.close();
    return cluster.leader.slice(serverNamePrefix(model.environment).length);
  };

  /** What a stream copies; undefined for those that services publish to. */
  const originOf = (name: string): StreamOrigin | undefined =>
    model.streams.find((stream) => stream.name === name)?.sources[0];
  /** Messages of an origin that its copy takes. */
  const matching = async (connection: NatsConnection, { name, filterSubject = ">" }: StreamOrigin): Promise<number> => {
    const { state } = (await request(connection, `STREAM.INFO.${name}`, {
      subjects_filter: filterSubject,
    })) as unknown as { readonly state: { readonly subjects?: Readonly<Record<string, number>> } };
    return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  };
  /** A copy whose origin lay elsewhere begins anew with what that one still has. */
  const expectCopied = async (connection: NatsConnection, name: string, wanted: number): Promise<void> => {
    const messages = await eventually(
      async () => (await infoOf(connection, name)).state.messages,
      (count) => count >= wanted,
      `${name} to have the ${wanted} messages of its origin again`,
    );
    console.log(`${name}: ${messages} messages came back from where it copies`);
    expect(wanted).toBeGreaterThan(0);
  };

  const absences: readonly Fault[] = [
    {
      name: "the server of a stream killed",
      blows: (here) => [async () => kill(here, await holderOf("circl_oms"), NATS.name)],
    },
    {
      name: "the server of a stream stopped",
      blows: (here) => [
        async () => {
          await remove(here, await holderOf("circl_oms"));
          await allReady(here, NATS.name);
        },
      ],
    },
    {
      name: "the node of a stream cut off, and back",
      blows: (here) => [
        async () => {
          await cutOff(here, await holderOf("circl_oms"));
          await allCurrent(here);
        },
      ],
    },
    { name: "two of three nodes without power, and back", blows: (here) => [() => losePower(here)] },
  ];

  test.each(absences)("loses nothing, but time: $name", (fault) => outlives(site(), fault));

  test("loses with a volume all streams that lie there and keeps the others, as it is said beforehand", async () => {
    const names = model.streams.map(({ name }) => name).filter((name) => /^circl_(iot|oms)/.test(name));
    const said = renderStreams(model, lookOf(process.stdout)).split(/\n\n(?=\S)/);
    for (const name of names) {
      expect(said.find((stream) => stream.startsWith(`${name} `))).toContain(
        "1 replica: its server's volume is all there is of it, and without that server there is no stream",
      );
    }
    const before = await site().connect("stream-plan");
    const victim = await holderOf("circl_oms");
    const states = await Promise.all(names.map(async (name) => ({ name, ...(await infoOf(before, name)) })));
    await before.close();
    expect(states.find(({ name }) => name === "circl_oms")?.state.messages).toBeGreaterThan(0);

    await loseVolume(site(), victim, NATS.dataClaim);
    await allReady(site(), NATS.name);
    const after = await site().connect("stream-plan", victim === "nats-0" ? "nats-1" : "nats-0");
    const wasThere = (name: string) =>
      states.some((stream) => stream.name === name && stream.cluster.leader.endsWith(victim));
    for (const { name, state } of states) {
      // A stream that was lost has a leader only once it is made anew.
      const now = await eventually(
        async () => (await infoOf(after, name).catch(() => undefined))?.state,
        (answer) => answer !== undefined,
        `${name} to have a leader`,
      );
      console.log(
        `${victim} without its volume · ${name} ${wasThere(name) ? "was there" : "was elsewhere"}: ${state.messages} messages before, ${now?.messages} after`,
      );
      const copied = originOf(name);
      if (!wasThere(name)) expect(now).toMatchObject({ messages: state.messages, last_seq: state.last_seq });
      else if (!copied || wasThere(copied.name)) expect(now?.last_seq).toBeLessThan(state.last_seq);
      else await expectCopied(after, name, Math.min(state.messages, await matching(after, copied)));
    }
    await after.close();
  });
});
